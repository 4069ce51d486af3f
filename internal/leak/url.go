package leak

import "strings"

// Bounds of what is read of a URL, in bytes.
const (
	maxUserinfo = 512
	maxScheme   = 40
	maxDSN      = 100
)

// readURL looks at the credentials of the URL whose "://" begins at colon.
func (s *scan) readURL(colon int) {
	scheme := s.schemeBefore(colon)
	if scheme == "" {
		return
	}
	from := colon + 3
	at, split := -1, -1
	end := min(from+maxUserinfo, len(s.data))
	i := from
	for ; i < end && !endsUserinfo(s.data[i]); i++ {
		switch c := s.data[i]; {
		case c == '@':
			at = i
		case c == ':' && split < 0:
			split = i
		}
	}
	s.work.urls += i - from
	if at < 0 {
		return
	}
	s.weighURL(scheme, from, split, at)
}

// endsUserinfo reports whether c cannot stand before the @ of a URL.
func endsUserinfo(c byte) bool {
	return c <= ' ' || c == '/' || c == '?' || c == '#' || c == '"' || c == '\'' || c == '<' || c == '>' || c == '`' || c == '\\' || c == '|'
}

func (s *scan) schemeBefore(colon int) string {
	i := colon
	for i > 0 && colon-i < maxScheme && (isLetter(s.data[i-1]) || isDigit(s.data[i-1]) || strings.IndexByte("+-.:", s.data[i-1]) >= 0) {
		i--
	}
	return strings.ToLower(strings.TrimLeft(string(s.data[i:colon]), "0123456789+-.:"))
}

// weighURL judges user:password in a URL, or a lone token in front of the @.
func (s *scan) weighURL(scheme string, from, split, at int) {
	host := s.hostAfter(at + 1)
	if isExampleHost(host) {
		return
	}
	if split < 0 || split > at {
		s.weighURLToken(scheme, from, at, host)
		return
	}
	user, password := string(s.data[from:split]), string(s.data[split+1:at])
	if !isURLPassword(user, password, scheme) && !(isServer(host) && isPlainLogin(user, password)) {
		return
	}
	s.reportURL(split+1, at, host)
}

// weighURLToken judges https://token@host.
func (s *scan) weighURLToken(scheme string, from, at int, host string) {
	token := string(s.data[from:at])
	c := candidate{name: "token", value: token, kind: kindConfig}
	if len(token) < 20 || judge(c).rule == "" || scheme == "ssh" || strings.Contains(host, "sentry") {
		return // what a Sentry DSN holds is made to be public
	}
	f := featuresOf(token)
	if f.digits < 2 || f.hard > 0 {
		return
	}
	s.reportURL(from, at, host)
}

// readDSN judges the credentials of a Go program's user:password@tcp(host)/database
// that end at the @ at.
func (s *scan) readDSN(at int) {
	from := at
	for from > 0 && at-from < maxDSN && !endsUserinfo(s.data[from-1]) && s.data[from-1] != '=' {
		from--
	}
	s.work.urls += at - from
	user, password, ok := strings.Cut(string(s.data[from:at]), ":")
	open := at + len("@tcp(")
	if !ok || user == "" || s.commented(from) || !isURLPassword(user, password, "") || isExampleHost(s.hostAfter(open)) {
		return
	}
	s.reportURL(at-len(password), at, s.hostAfter(open))
}

func (s *scan) reportURL(start, end int, host string) {
	severity := Error
	if isLocalHost(host) {
		severity = Warning
	}
	s.report(found{Match{Rule: "url-credentials", Start: start, End: end, Severity: severity}, byPlace})
}

func (s *scan) hostAfter(i int) string {
	start := i
	for i < len(s.data) && i-start < 255 && (isLetter(s.data[i]) || isDigit(s.data[i]) || s.data[i] == '.' || s.data[i] == '-' || s.data[i] == '_') {
		i++
	}
	return strings.ToLower(string(s.data[start:i]))
}

// isURLPassword knows what stands for a password in URLs.
func isURLPassword(user, password, scheme string) bool {
	if len(password) < 3 || Placeholder("", password) || Placeholder("password", password) || strings.ContainsAny(password, "{}<>()[]") || strings.ContainsAny(user, "{}<>$") && isTemplate(user) {
		return false
	}
	if f := featuresOf(password); f.joints > 0 && isIdentifier(password) {
		return false // s3://access_key:secret_access_key@
	}
	lower := strings.ToLower(password)
	if lower == strings.ToLower(user) && len(password) < 12 || isVariable(password) || strings.HasPrefix(password, "$") || strings.HasPrefix(password, "%") && strings.HasSuffix(password, "s") {
		return false
	}
	return true
}

// isServer knows the full name of a machine somewhere, by a number in its first part.
func isServer(host string) bool {
	first, rest, ok := strings.Cut(host, ".")
	return ok && strings.Contains(rest, ".") && featuresOf(first).digits > 0 && featuresOf(first).letters > 0 && !strings.HasSuffix(rest, ".local")
}

// isPlainLogin accepts the plain words that people log in with where a real server
// stands behind them, but for those that only name what goes in their place.
func isPlainLogin(user, password string) bool {
	return len(password) >= 5 && !isFillIn(password) && !isFillIn(user) && !namesOfParts[strings.ToLower(user)] && !namesOfParts[strings.ToLower(password)]
}

// namesOfParts are what the parts of a URL are called.
var namesOfParts = wordSet(`user username userid login account name password passwd pass pwd secret token key dbuser dbpass dbpassword myuser mypassword mypass`)

func isExampleHost(host string) bool {
	return host == "" || strings.Contains(host, "example.") || host == "host" || host == "hostname" || host == "example" || strings.HasSuffix(host, ".example") || strings.HasSuffix(host, ".invalid") || host == "server" || host == "domain.com" || host == "domain" || host == "foo.com" || host == "address"
}

func isLocalHost(host string) bool {
	return host == "localhost" || strings.HasPrefix(host, "127.") || host == "0.0.0.0" || host == "host.docker.internal"
}
