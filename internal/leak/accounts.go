package leak

import (
	"bytes"
	"path"
	"strings"
)

// readLines reads the files whose lines have fixed fields, by their names.
func (s *scan) readLines() {
	var read func(start, end int)
	base := s.base
	switch {
	case s.kind == kindAccounts:
		read = s.readAccount
	case strings.HasSuffix(base, "pgpass") || base == "pgpass.conf":
		read = s.readPgpass
	case strings.HasSuffix(base, "netrc") || base == "authinfo" || base == ".authinfo":
		read = s.readNetrc
	case base == "userlist.txt":
		read = s.readUserlist
	case base == "chap-secrets" || base == "pap-secrets":
		read = s.readChap
	case strings.HasSuffix(base, "rsyncd.secrets") || base == "rsync.secrets":
		read = s.readUserLine
	case strings.HasSuffix(base, "git-credentials"):
		read = s.readStoredURL
	case strings.HasSuffix(base, "sasl_passwd"):
		read = s.readRelay
	case strings.HasSuffix(base, "ipsec.secrets"):
		read = s.readIPsec
	case s.kind == kindData:
		s.readSQL()
		read = s.readHashes
	default:
		s.readLone(base)
		return
	}
	for start := 0; start < len(s.data); {
		end := len(s.data)
		if at := bytes.IndexByte(s.data[start:], '\n'); at >= 0 {
			end = start + at
		}
		if end-start < 8192 && end > start {
			s.work.lines += end - start
			read(start, end)
		}
		start = end + 1
	}
}

// readAccount reads user:hash[:...] of htpasswd, shadow and FTP servers' files.
func (s *scan) readAccount(start, end int) {
	line := s.data[start:end]
	at := bytes.IndexByte(line, ':')
	if at <= 0 || line[0] == '#' {
		return
	}
	from := start + at + 1
	field := line[at+1:]
	if cut := bytes.IndexByte(field, ':'); cut >= 0 {
		field = field[:cut]
	}
	field = bytes.TrimSpace(field)
	value := string(field)
	if last := bytes.LastIndexByte(line, ':'); strings.HasSuffix(s.name, "htdigest") && isDigest(string(bytes.TrimSpace(line[last+1:]))) {
		s.report(found{Match{Rule: "password-hash", Start: start + last + 1, End: start + len(bytes.TrimRight(line, " \r")), Severity: Error}, byPlace})
		return
	}
	if passwordHash(value) == "" && !isCrypt(value) || Placeholder("", value) {
		return
	}
	s.report(found{Match{Rule: "password-hash", Start: from, End: from + len(field), Severity: Error}, byPlace})
}

// isCrypt knows traditional DES crypt: 13 characters of its own base64.
func isCrypt(v string) bool {
	if len(v) != 13 {
		return false
	}
	for i := range len(v) {
		if c := v[i]; !isLetter(c) && !isDigit(c) && c != '.' && c != '/' {
			return false
		}
	}
	f := featuresOf(v)
	return f.letters > 4 && f.digits+f.joints > 0 || f.upper > 2 && f.lower > 2
}

// readPgpass reads host:port:database:user:password.
func (s *scan) readPgpass(start, end int) {
	line := bytes.TrimRight(s.data[start:end], "\r ")
	if len(line) == 0 || line[0] == '#' {
		return
	}
	from := start
	for range 4 {
		at := indexUnescaped(s.data[from:start+len(line)], ':')
		if at < 0 {
			return
		}
		from += at + 1
	}
	s.reportSure(from, start+len(line), "stored-password")
}

func indexUnescaped(b []byte, c byte) int {
	for i := range b {
		if b[i] == c && (i == 0 || b[i-1] != '\\') {
			return i
		}
	}
	return -1
}

// readNetrc reads "password X" in a line of machine, login, password and account.
func (s *scan) readNetrc(start, end int) {
	rest := start
	isPassword := false
	for rest < end {
		for rest < end && s.data[rest] <= ' ' {
			rest++
		}
		word := rest
		for rest < end && s.data[rest] > ' ' {
			rest++
		}
		if isPassword && rest > word {
			s.reportSure(word, rest, "stored-password")
		}
		isPassword = string(s.data[word:rest]) == "password" || string(s.data[word:rest]) == "passwd"
		if rest > word && s.data[word] == '#' {
			return
		}
	}
}

// readUserlist reads PgBouncer's "user" "password".
func (s *scan) readUserlist(start, end int) {
	fields := bytes.Split(s.data[start:end], []byte{'"'})
	if len(fields) == 5 && len(bytes.TrimSpace(fields[0])) == 0 && len(bytes.TrimSpace(fields[2])) == 0 {
		from := start + len(fields[0]) + len(fields[1]) + len(fields[2]) + 3
		s.reportSure(from, from+len(fields[3]), "stored-password")
	}
}

// readChap reads pppd's "client server secret address".
func (s *scan) readChap(start, end int) {
	from := start
	for field := 0; from < end; field++ {
		for from < end && (s.data[from] == ' ' || s.data[from] == '\t') {
			from++
		}
		to := from
		for to < end && s.data[to] > ' ' {
			to++
		}
		if from < end && s.data[from] == '#' {
			return
		}
		if field == 2 && to > from {
			quoted := bytes.Trim(s.data[from:to], `"'`)
			at := from + bytes.Index(s.data[from:to], quoted)
			s.reportSure(at, at+len(quoted), "stored-password")
			return
		}
		from = to
	}
}

// readStoredURL reads git's https://user:password@host, where the password may
// hold anything, an @ too.
func (s *scan) readStoredURL(start, end int) {
	line := s.data[start:end]
	from, at := bytes.Index(line, []byte("://")), bytes.LastIndexByte(line, '@')
	if from < 0 || at < from {
		return
	}
	if split := bytes.IndexByte(line[from+3:at], ':'); split >= 0 {
		s.reportSure(start+from+3+split+1, start+at, "url-credentials")
	}
}

// readRelay reads Postfix' "[host]:port user:password".
func (s *scan) readRelay(start, end int) {
	line := bytes.TrimRight(s.data[start:end], "\r ")
	at := bytes.LastIndexAny(line, " \t")
	if at < 0 || line[0] == '#' {
		return
	}
	if split := bytes.IndexByte(line[at:], ':'); split >= 0 {
		s.reportSure(start+at+split+1, start+len(line), "stored-password")
	}
}

// readIPsec reads strongSwan's `selectors : PSK "secret"`.
func (s *scan) readIPsec(start, end int) {
	line := s.data[start:end]
	before, after, ok := bytes.Cut(line, []byte{':'})
	kind := bytes.TrimLeft(after, " \t")
	if !ok || bytes.HasPrefix(bytes.TrimLeft(before, " \t"), []byte("#")) || bytes.HasPrefix(kind, []byte("RSA")) {
		return
	}
	from := bytes.IndexByte(after, '"')
	to := bytes.LastIndexByte(after, '"')
	if from >= 0 && from < to {
		at := start + len(before) + 1
		s.reportSure(at+from+1, at+to, "stored-password")
	}
}

// maxLone is the size of the largest file that may be a single secret, in bytes.
const maxLone = 512

// readLone reads a small file of one line whose name says that it is a secret:
// config/master.key, db_password.txt.
func (s *scan) readLone(base string) {
	if len(s.data) > maxLone || s.kind == kindCode || s.kind == kindDocs {
		return
	}
	stem, suffix := strings.TrimSuffix(base, path.Ext(base)), path.Ext(base)
	name := strings.TrimLeft(stem, ".")
	switch suffix {
	case "", ".txt", ".secret", ".password", ".pass", ".passwd", ".token":
		name += strings.TrimSuffix(suffix, ".txt")
	case ".key":
		name = "secret_key"
	default:
		return
	}
	value := bytes.TrimSpace(s.data)
	if len(value) == 0 || bytes.ContainsAny(value, "\n =:") {
		return
	}
	c := candidate{name: name, value: string(value), kind: kindConfig}
	if v := judge(c); v.rule != "" {
		start := bytes.Index(s.data, value)
		s.report(found{Match{Rule: v.rule, Start: start, End: start + len(value), Severity: v.severity}, byName})
	}
}

// readUserLines reads user:password in the lines behind cloud-init's chpasswd,
// as far as they are indented deeper than it.
func (s *scan) readUserLines(start int) {
	from, end := s.line(start, 80)
	indent := start - from
	for range 40 {
		next := end + 1
		if next >= len(s.data) {
			return
		}
		_, end = s.line(next, 400)
		line := s.data[next:end]
		s.work.lines += len(line)
		body := bytes.TrimLeft(line, " \t")
		if len(body) > 0 && len(line)-len(body) <= indent {
			return
		}
		s.readUserLine(next+len(line)-len(body), end)
	}
}

// readUserList reads a text of such lines alone.
func (s *scan) readUserList() {
	for start := 0; start < len(s.data); {
		_, end := s.line(start, len(s.data))
		s.readUserLine(start, end)
		start = end + 1
	}
}

// readUserLine reads one user:password; list: | and expire: false are none.
func (s *scan) readUserLine(start, end int) {
	line := bytes.TrimRight(s.data[start:end], " \t\r\"'")
	skip := len(line) - len(bytes.TrimLeft(line, "-\"' "))
	at := bytes.IndexByte(line, ':')
	if at <= skip || at+1 >= len(line) || line[at+1] == ' ' || bytes.ContainsAny(line[skip:at], " {\"'") {
		return
	}
	s.reportSure(start+at+1, start+len(line), "stored-password")
}

// reportSure reports a value that stands where nothing but a password can.
func (s *scan) reportSure(start, end int, rule string) {
	c := candidate{name: "password", value: string(s.data[start:end]), sure: s.purpose != forReading, kind: kindConfig}
	if v := judge(c); v.rule != "" {
		s.report(found{Match{Rule: rule, Start: start, End: end, Severity: Error}, byPlace})
	}
}

// readHashes finds password hashes in a dump's lines.
func (s *scan) readHashes(start, end int) {
	for i := start; i < end; i++ {
		if c := s.data[i]; c != '$' && c != '{' {
			continue
		}
		stop := i
		for stop < end && stop-i < 200 && s.data[stop] > ' ' && s.data[stop] != '\'' && s.data[stop] != '"' && s.data[stop] != ',' && s.data[stop] != '\t' && s.data[stop] != ';' {
			stop++
		}
		if passwordHash(string(s.data[i:stop])) != "" {
			s.report(found{Match{Rule: "password-hash", Start: i, End: stop, Severity: Error}, byPlace})
		}
		i = stop
	}
}

// hashHeads are how stored hashes of passwords begin, and their least length.
var hashHeads = []struct {
	head string
	size int
	name string
}{
	{"$2a$", 60, "bcrypt"}, {"$2b$", 60, "bcrypt"}, {"$2y$", 60, "bcrypt"}, {"$2x$", 60, "bcrypt"}, {"$1$", 26, "md5crypt"}, {"$5$", 50, "sha256crypt"}, {"$6$", 90, "sha512crypt"},
	{"$apr1$", 30, "apr1"}, {"$y$", 40, "yescrypt"}, {"$7$", 40, "scrypt"}, {"$argon2", 60, "argon2"}, {"$P$", 34, "phpass"}, {"$H$", 34, "phpass"}, {"$S$", 50, "drupal"}, {"$pbkdf2", 50, "pbkdf2"},
	{"pbkdf2_sha", 60, "pbkdf2"}, {"{SHA}", 30, "SHA"}, {"{SSHA}", 30, "SSHA"}, {"{SSHA256}", 50, "SSHA"}, {"{SSHA512}", 90, "SSHA"}, {"{CRYPT}", 20, "crypt"}, {"{MD5}", 28, "MD5"}, {"{SMD5}", 28, "SMD5"}, {"$scram", 40, "scram"}, {"SCRAM-SHA-", 60, "scram"}, {"$8$", 50, "cisco"}, {"$9$", 20, "juniper"},
}

// passwordHash names the scheme of a password's hash, or returns "".
func passwordHash(v string) string {
	for _, h := range hashHeads {
		if strings.HasPrefix(v, h.head) && len(v) >= h.size && !strings.Contains(v, " ") {
			return h.name
		}
	}
	return ""
}
