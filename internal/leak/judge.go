package leak

import (
	"bytes"
	"slices"
	"strings"
)

// candidate is a value with a name, as one of the readers found it.
type candidate struct {
	name   string
	value  string
	quoted bool   // the source quotes it
	sure   bool   // the format has nothing but a secret in this place
	user   string // the user's name that stands beside it, or ""
	login  bool   // the two are somebody's account, so that a plain word is a password
	kind   kind   // of the file
	class  class  // of the name

	classified bool // class is known
}

// verdict is what the judge says of a candidate; the zero value acquits it.
type verdict struct {
	rule     string
	severity Severity
}

// kinds are the ids of everything that is found without a pattern, and what
// people call it.
var kinds = map[string]string{
	"generic-password": "password", "generic-secret": "secret", "generic-token": "token", "generic-key": "secret key", "generic-credential": "credential",
	"generic-salt": "salt or nonce", "password-hash": "password hash", "url-credentials": "credentials in a URL",
	"basic-auth": "basic authentication credentials", "private-key": "private key", "connection-string": "password in a connection string",
	"kubeconfig-client-key": "private key of a kubeconfig", "kubernetes-secret": "value of a Kubernetes Secret", "stored-password": "stored password",
}

// assess decides about a candidate, vendors' patterns first, and returns what a
// match of it says but for its place.
func assess(c candidate) (f found, ok bool) {
	if len(c.value) < 4 || len(c.value) > 4*maxValue {
		return found{}, false
	}
	if !c.classified {
		c.class = classify(c.name)
	}
	if fallback, ok := defaultOf(c.value); ok {
		c.value = fallback
	}
	if p := vendor(c); p != nil {
		return found{Match{Rule: p.ID, What: p.What, Severity: p.severity()}, byVendor}, true
	}
	if c.class == classBare && (isUserPassword(c.value) || c.name == "_auth" && isAnyUserPassword(c.value)) {
		return found{Match{Rule: "basic-auth", Severity: Error}, byPlace}, true
	}
	if v := c.verdict(); v.rule != "" {
		return found{Match{Rule: v.rule, Severity: v.severity}, byName}, true
	}
	return found{}, false
}

// judge decides about a candidate by its name, its value and its file. What is
// cheap to ask comes first.
func judge(c candidate) verdict {
	c.class = classify(c.name)
	return c.verdict()
}

// verdict judges a candidate whose name is classified.
func (c *candidate) verdict() verdict {
	if c.class == classNone && c.sure {
		c.class = classPassword
	}
	if !c.isPlausible() || c.isSource() && !c.isSourceSecret() || !isDense(c.value) && c.isHarmless() {
		return verdict{}
	}
	return verdict{rules[c.class], Error}
}

// isPlausible holds the value to what the name promises.
func (c *candidate) isPlausible() bool {
	switch c.class {
	case classPassword:
		return c.isPassword()
	case classSecret:
		return c.isRandom(8)
	case classToken, classKey:
		return c.isRandom(8)
	case classBare, classLoose:
		return c.isStrong()
	case classSalt:
		return c.isSalt()
	case classHash:
		return passwordHash(c.value) != "" || isDigest(c.value)
	}
	return false
}

// rules are the ids that the judge reports for each class.
var rules = [...]string{
	classPassword: "generic-password", classSecret: "generic-secret", classToken: "generic-token", classKey: "generic-key",
	classBare: "generic-credential", classLoose: "generic-secret", classSalt: "generic-salt", classHash: "password-hash",
}

// isHarmless acquits placeholders, as they are or in base64, hashes too slow to
// guess at, and times.
func (c *candidate) isHarmless() bool {
	v := c.value
	if c.sure {
		return isFillIn(v)
	}
	if Placeholder(c.name, v) || isForeign(v) {
		return true
	}
	if isRegex(v) || isTime(v) || isVersion(strings.TrimLeft(v, "vV~^=")) && !isNumber(v) || isEmail(v) || isIdleJWT(v) || strings.HasPrefix(v, "LS0tLS1CRUdJTi") {
		return true // keys in base64 have a reader of their own
	}
	if user, hash, ok := strings.Cut(v, ":"); ok && !strings.ContainsAny(user, "$ ") && passwordHash(hash) == "bcrypt" {
		return true
	}
	if isDisproved(v) {
		return true
	}
	switch passwordHash(v) {
	case "bcrypt", "argon2", "yescrypt", "scrypt", "pbkdf2":
		return true
	}
	return c.decodesToNothing()
}

// decodesToNothing judges what base64 holds: text that is no secret makes none.
func (c *candidate) decodesToNothing() bool {
	v := c.value
	if len(v) < 8 || len(v)%4 != 0 || !isBase64(v) {
		return false
	}
	raw, ok := decodeBase64(v)
	raw = bytes.TrimRight(raw, "\r\n") // echo x | base64
	if at := bytes.Index(raw, []byte("-----BEGIN ")); at >= 0 && !bytes.Contains(raw, []byte("PRIVATE KEY")) {
		return true // a certificate, a public key
	}
	if !ok || !isPrintable(raw) {
		return false
	}
	if user, password, ok := strings.Cut(string(raw), ":"); ok && user != "" && isExample(password) {
		return true
	}
	inner := *c
	inner.value = string(raw)
	if Placeholder(c.name, inner.value) || strings.Contains(inner.value, " ") && wordShare(inner.value) > 0.7 {
		return true
	}
	return len(raw) >= 6 && c.class != classBare && !inner.isPlausible()
}

// isEmail knows name@domain.tld.
func isEmail(v string) bool {
	name, domain, ok := strings.Cut(v, "@")
	return ok && name != "" && strings.Contains(domain, ".") && !strings.ContainsAny(domain, "@!#$%^&*()/") && wordShare(domain) > 0.5
}

// isIdleJWT knows tokens that open nothing: a header alone, a tutorial's claims.
func isIdleJWT(v string) bool {
	if !strings.HasPrefix(v, "eyJ") {
		return strings.Count(v, ".") <= 2 && strings.Contains(v, ".eyJ") && len(v[:strings.Index(v, ".eyJ")]) < 12
	}
	switch strings.Count(v, ".") {
	case 0:
		return bytes.HasPrefix(decodeSegment(v), []byte(`{"alg`))
	case 2:
		return !isJWT(v) && (len(v) < 80 || isTutorial(decodeSegment(v[strings.IndexByte(v, '.')+1:strings.LastIndexByte(v, '.')])))
	}
	return false
}

// isPassword accepts what a person or a generator would choose as a password.
func (c *candidate) isPassword() bool {
	v := c.value
	if strings.ContainsAny(v, "\n\t") || len(v) < 4 || len(v) > 200 {
		return false
	}
	if c.sure {
		return !strings.Contains(v, " ")
	}
	f := featuresOf(v)
	switch {
	case f.spaces > 0:
		return c.isPhrase(f) || isAppPassword(v)
	case f.letters == 0 && f.symbols == 0: // a number
		return len(v) >= 6
	case f.letters == 0:
		return f.digits >= 4 && f.symbols <= f.digits
	case isPassphrase(v):
		return true
	case c.login && f.joints == 0 && len(v) >= 5 && f.hard == 0 && !isOwnName(v):
		return true
	case f.digits == 0 && f.hard == 0: // letters and joints
		return len(v) >= 5 && c.isOdd(f)
	case f.digits == 0: // letters and signs: String!, &str, P@ssword
		return len(v) >= 6 && (wordShare(v) < 0.5 || isLeet(v))
	case isIdentifier(v):
		return f.hard == 0 && isNumbered(v)
	}
	return len(v) >= 5 || f.letters > 0
}

// isNumbered knows words with a number behind them, as people make passwords of a
// system's name: shop-db-2024. What has dots, slashes or colons names something.
func isNumbered(v string) bool {
	if strings.ContainsAny(v, "./:,=+|") || !strings.ContainsAny(v, "-_") {
		return false
	}
	last := v[strings.LastIndexAny(v, "-_")+1:]
	if n := featuresOf(last).digits; n < 2 || n < len(last)-2 {
		return false
	}
	words := splitName(v)
	return len(words) >= 2 && slices.ContainsFunc(words, func(w string) bool { return len(w) > 1 && !exampleWords[w] })
}

// isOwnName knows words that say what they are: proxypass, repopwd.
func isOwnName(v string) bool {
	lower := strings.ToLower(v)
	return strings.HasSuffix(lower, "pass") || strings.HasSuffix(lower, "pwd") || strings.HasSuffix(lower, "pw") || strings.HasSuffix(lower, "word") || strings.HasSuffix(lower, "passwd") || strings.HasSuffix(lower, "secret")
}

// isLeet knows words with a sign for a letter.
func isLeet(v string) bool {
	for i := 1; i+1 < len(v); i++ {
		if c := v[i]; (c == '@' || c == '$' || c == '!') && isLetter(v[i-1]) && isLetter(v[i+1]) {
			return !strings.Contains(v[i:], ".")
		}
	}
	return false
}

// isPhrase accepts several words only where they are quoted and not prose.
func (c *candidate) isPhrase(f features) bool {
	return c.quoted && f.digits > 0 && f.hard > 0 && f.spaces <= 3 && wordShare(c.value) < 0.6
}

// isPassphrase knows four or more words with the same joint between them, none
// of which names a part of a system: nobody calls a Secret correct-horse-battery-staple.
func isPassphrase(v string) bool {
	at := strings.IndexAny(v, "-._")
	if at < 0 {
		return false
	}
	words := strings.Split(v, v[at:at+1])
	if len(words) < 4 || len(words) > 10 {
		return false
	}
	for _, w := range words {
		if len(w) < 3 || len(w) > 10 || !isLowerWord(w) || systemWords[w] || exampleWords[w] || accountWords[w] || owners[w] || aside[w] || idle[w] {
			return false
		}
	}
	return true
}

func isLowerWord(w string) bool {
	for i := range len(w) {
		if !isLower(w[i]) {
			return false
		}
	}
	return strangeness(w) < strange+0.5
}

// systemWords are what names of resources are made of, besides the words that
// classify knows.
var systemWords = wordSet(`cluster node service server backend frontend worker operator controller manager proxy gateway ingress network storage volume backup monitor
	monitoring logging metrics dashboard flux argo helm chart release git repo repository registry image container pod deploy deployment job
	cron task queue cache store data base cloud platform project tenant team org company customer account billing payment order shop mail chat
	file media photo video music home assistant plus one two three and for the with from not use using managed vault sealed external kube
	kubernetes rancher longhorn ceph rook cert certificate issuer tls ssl wildcard domain dns com net org www http https io svc local ref name
	namespace`)

// isOdd tells letters that nobody would write as a word or a name.
func (c *candidate) isOdd(f features) bool {
	if f.joints > 0 {
		return c.isGibberish() || wordShare(c.value) < 0.3 && f.upper > 0 && f.lower > 0 && len(c.value) >= 10
	}
	if f.upper > 0 && f.lower > 0 && turns(c.value) >= 3 {
		return wordShare(c.value) < 0.5
	}
	return strangeness(c.value) >= strange
}

// isGibberish knows letters in several parts, none of which is a word: qwz-xkvpj.
// Behind the name of a password that is one; behind any other it may be the name
// of something, and only the oddest are not.
func (c *candidate) isGibberish() bool {
	least, mean := 6, strange+0.4
	if c.class != classPassword {
		least, mean = 10, strange+0.9
	}
	letters, sum := 0, 0.0
	for part := range strings.FieldsFuncSeq(c.value, func(r rune) bool { return r == '-' || r == '_' || r == '.' }) {
		if len(part) < 4 {
			continue
		}
		s := strangeness(part)
		if s < strange-0.5 {
			return false
		}
		letters += len(part)
		sum += s * float64(len(part))
	}
	return letters >= least && sum/float64(letters) >= mean && !strings.ContainsAny(c.value, "/:,|")
}

// isShort accepts the few characters that serve as a secret in small setups. What
// is called a secret may also be an object's name, which has a digit at times.
func (c *candidate) isShort() bool {
	f := featuresOf(c.value)
	least := 1
	if words := splitName(c.name); c.class == classSecret && (len(words) < 2 || !secretOwners[words[len(words)-2]]) {
		least = 2
	}
	return len(c.value) >= 6 && len(c.value) < 8 && f.digits >= least && f.lower > 2 && f.symbols == 0 && f.spaces == 0 && wordShare(c.value) == 0 && turns(c.value) <= 4
}

// secretOwners are words before "secret" with which it is never an object's name.
var secretOwners = wordSet(`client app consumer shared jwt session cookie api signing hmac webhook oauth access application user`)

// isRandom accepts generated values of at least n bytes.
func (c *candidate) isRandom(n int) bool {
	v := c.value
	if c.quoted && isDense(v) {
		return true
	}
	if n == 8 && len(v) < n {
		return c.isShort()
	}
	if len(v) < n || strings.ContainsAny(v, " \n\t") || isIdentifier(v) {
		return false
	}
	f := featuresOf(v)
	if f.letters == 0 {
		return false
	}
	if f.digits == 0 && f.hard == 0 {
		return c.isOdd(f) && entropy(v) >= 2.5
	}
	if len(v) < 10 && wordShare(v) > 0 || wordShare(v) > 0.5 && !(f.hard > 0 && f.digits > 0) {
		return false
	}
	return entropy(v) >= floor(len(v))
}

// isDense knows generated values full of signs, like WordPress' salts: no
// bracket in them is a template's.
func isDense(v string) bool {
	if len(v) < 40 {
		return false
	}
	f := featuresOf(v)
	return f.hard >= 6 && f.symbols >= 12 && f.digits >= 2 && f.letters >= 10 && f.spaces <= 3 && wordShare(v) < 0.3
}

// isStrong accepts values that speak for themselves behind a weak name.
func (c *candidate) isStrong() bool {
	v := c.value
	if c.quoted && isDense(v) && !strings.Contains(v, "=") && strings.HasSuffix(strings.ToLower(c.name), "key") {
		return true
	}
	if len(v) < 20 || !c.isRandom(20) || isUUID(v) || isPathLike(v) {
		return false
	}
	f := featuresOf(v)
	return f.digits >= 2 && f.letters >= 4 && wordShare(v) < 0.3 && f.hard == 0 && entropy(v) >= 3.2
}

// isSalt accepts generated values; a salt in words is no secret.
func (c *candidate) isSalt() bool {
	f := featuresOf(c.value)
	if c.quoted && isDense(c.value) {
		return true
	}
	return len(c.value) >= 8 && f.spaces == 0 && f.letters > 0 && (f.digits > 0 || f.hard > 0) && wordShare(c.value) < 0.4 && entropy(c.value) >= floor(len(c.value))
}

// isSource reports whether the file is a program.
func (c *candidate) isSource() bool { return c.kind == kindCode || c.kind == kindDocs }

// isSourceSecret is what a literal in a program must be: quoted, and no word
// that the program itself might use.
func (c *candidate) isSourceSecret() bool {
	if c.kind == kindDocs {
		return false
	}
	f := featuresOf(c.value)
	return c.sure || c.quoted && len(c.value) >= 8 && (f.digits > 0 && f.letters > 0) && wordShare(c.value) < 0.75
}
