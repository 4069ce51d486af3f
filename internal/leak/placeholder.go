package leak

import (
	"slices"
	"strings"
)

// Placeholder reports whether a value stands for a secret instead of being one:
// a template, a reference, an example, a sealed or a public value. The key is
// the value's name, or "" where there is none.
func Placeholder(key, value string) bool {
	v := unquote(strings.TrimSpace(value))
	return v == "" || isTemplate(v) || isReference(v) || isSealed(v) || isPublic(v) || isExample(v) || repeatsKey(key, v)
}

// unquote takes one pair of quotes off.
func unquote(v string) string {
	if len(v) >= 2 && (v[0] == '"' || v[0] == '\'' || v[0] == '`') && v[len(v)-1] == v[0] {
		return v[1 : len(v)-1]
	}
	return v
}

// brackets are pairs that hold the name of what is put in later. Where one of
// these stands anywhere in a value, the value is a template.
var brackets = [][2]string{
	{"${", "}"}, {"$(", ")"}, {"{{", "}}"}, {"<%", "%>"}, {"%(", ")"}, {"#{", "}"}, {"[[", "]]"}, {"${{", "}}"},
	{"@@", "@@"}, {"<path:", ">"}, {"<<", ">>"}, {"%{", "}"}, {"{%", "%}"}, {"$[", "]"}, {"{$", "}"}, {"~{", "}"},
}

// wrappers are pairs that hold a name where they stand around the whole value.
var wrappers = [][2]string{
	{"<", ">"}, {"%", "%"}, {"@", "@"}, {"__", "__"}, {"{", "}"}, {"[", "]"}, {"$", "$"}, {"(", ")"}, {"**", "**"}, {"«", "»"}, {"‹", "›"}, {"#", "#"}, {"_", "_"}, {"%%", "%%"},
	{"--", "--"}, {"-", "-"},
}

// isTemplate knows the notations for "put in later".
func isTemplate(v string) bool {
	for _, b := range brackets {
		if at := strings.Index(v, b[0]); at >= 0 && strings.Contains(v[at+len(b[0]):], b[1]) {
			return true
		}
	}
	for _, w := range wrappers {
		inner, ok := cut(v, w[0], w[1])
		if ok && inner != "" && (isWords(inner) || w[0] == "<") {
			return true
		}
	}
	if strings.HasPrefix(v, "${") || strings.HasPrefix(v, "{{") || strings.HasPrefix(v, "$(") || strings.HasPrefix(v, "<%") {
		return true // cut off by a line break
	}
	return isVariable(strings.TrimPrefix(v, `\`)) || isVerb(v) || strings.Contains(v, "{0}") || strings.Contains(v, "A-Za-z") || strings.Contains(v, "[a-z") || strings.Contains(v, "[A-Z") || strings.Contains(v, "[0-9")
}

func cut(v, head, tail string) (string, bool) {
	inner, ok := strings.CutPrefix(v, head)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(inner, tail)
}

// isWords reports whether s is made of words and their usual joints, as the
// names of placeholders are.
func isWords(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && !strings.ContainsRune(" _-.:/'|,", rune(c)) {
			return false
		}
	}
	return wordShare(s) >= 0.5
}

// isVariable knows $NAME, $name.field, $1, %NAME and $env:NAME.
func isVariable(v string) bool {
	rest, ok := strings.CutPrefix(v, "$")
	if !ok {
		return false
	}
	rest = strings.TrimPrefix(rest, "env:")
	if rest == "" {
		return true
	}
	upper, lower, digits := 0, 0, 0
	for i := range len(rest) {
		c := rest[i]
		switch {
		case isUpper(c):
			upper++
		case isLower(c):
			lower++
		case isDigit(c):
			digits++
		case c == '_' || c == '.' || c == '>' || c == '-' || c == ':' || c == '[' || c == ']' || c == '\'' || c == '"':
		default:
			return false
		}
	}
	if digits == len(rest) {
		return true
	}
	return wordShare(rest) >= 0.7 || upper > 0 && lower == 0 && digits <= 2
}

// isVerb knows the verbs of printf and the marks of prepared statements.
func isVerb(v string) bool {
	if len(v) >= 2 && len(v) <= 6 && v[0] == '%' {
		return isLetter(v[len(v)-1])
	}
	return v == "?" || v == ":?" || len(v) > 1 && v[0] == ':' && isWords(v[1:])
}

// references are the beginnings of values that say where the secret is kept.
var references = []string{
	"op://", "ref+", "secretref:", "vault:", "vault://", "vault/", "arn:", "akvs:", "sm://", "ssm:", "ssm://", "awssm:", "gcpsm:",
	"file:", "file(", "env:", "env(", "env.", "environ", "process.env", "os.environ", "os.getenv", "getenv", "system.getenv", "env[", "@microsoft.keyvault",
	"/run/secrets", "/var/run/secrets", "/etc/", "/var/", "/opt/", "/home/", "/usr/", "/root/", "/tmp/", "/mnt/", "/data/", "/secrets", "/vault/",
	"/app/", "/config", "~/", "./", "../", "c:\\", "secret://", "secrets://", "secret/data/",
	"keyring:", "keychain:", "projects/", "!ref", "!sub", "!vault", "!secret", "!env", "!getatt", "!include", "!env_var", "@env", "config.", "configuration.", "settings.",
	"credentials(", "credentials.", "lookup(", "var.", "local.", "module.", "data.", "secrets.", "context.", "self.", "this.", "params.", "props.",
	"args.", "opts.", "options.", "request.", "req.", "event.", "inputs.", "variables.", "app.config", "bao:", "infisical://", "doppler://", "bws://",
	"pass:", "passwordstore", "azurekeyvault", "gcp-secret", "aws-secret", "k8s://", "kubernetes://", "parameter.", "resolve:", "http://", "https://",
	"ldap://", "ldaps://", "urn:", "classpath:", "resource:", "from:", "fn::", "base64:{", "valuefrom", "sops:", "secret:", "encrypted:", "conjur",
	"%env",
}

// isReference knows values that point to a secret, or at anything else.
func isReference(v string) bool {
	lower := strings.ToLower(v[:min(len(v), 32)])
	for _, r := range references {
		if strings.HasPrefix(lower, r) {
			return !isFilledURL(v)
		}
	}
	return isCall(v) || isPath(v)
}

// isFilledURL keeps http://user:password@host from being taken for a reference.
func isFilledURL(v string) bool {
	at := strings.Index(v, "://")
	return at > 0 && strings.Contains(v[at:], "@")
}

// isCall knows function calls and index expressions: get_secret("x"), conf['y'].
func isCall(v string) bool {
	at := strings.IndexAny(v, "([")
	if at <= 0 || !strings.ContainsAny(v[at:], ")]") {
		return false
	}
	head := v[:at]
	for i := range len(head) {
		if c := head[i]; !isLetter(c) && !isDigit(c) && c != '_' && c != '.' && c != ':' && c != '-' && c != '>' && c != '$' {
			return false
		}
	}
	return wordShare(head) >= 0.6
}

// isPath knows absolute and home paths, and file names.
func isPath(v string) bool {
	if strings.ContainsAny(v, " \t") {
		return false
	}
	for _, suffix := range fileSuffixes {
		if strings.HasSuffix(v, suffix) {
			return true
		}
	}
	if strings.Count(v, "/") < 2 && !strings.HasPrefix(v, "/") {
		return false
	}
	return wordShare(v) >= 0.6
}

var fileSuffixes = []string{
	".yaml", ".yml", ".json", ".pem", ".crt", ".cer", ".key", ".pub", ".txt", ".conf", ".cfg", ".ini", ".properties", ".env", ".xml", ".jks", ".p12", ".pfx",
	".keystore", ".asc", ".gpg", ".html", ".js", ".ts", ".css", ".php", ".py", ".go", ".java", ".rb", ".sh", ".csv", ".sql", ".log", ".toml", ".tf",
	".svc", ".local", ".md", ".png", ".svg", ".enc", ".age", ".db",
}

// sealed are the beginnings of values that somebody has encrypted.
var sealed = []string{
	"ENC[", "ENC(", "{cipher}", "$ANSIBLE_VAULT;", "encrypted:", "-----BEGIN AGE ENCRYPTED", "-----BEGIN PGP MESSAGE", "age-encryption.org/",
	"version https://git-lfs", "\x00GITCRYPT", "vault:v1:", "vault:v2:", "AQICAH", "CiQA", "kms:", "secure:", "DPAPI:", "[encrypted]",
}

func isSealed(v string) bool {
	return slices.ContainsFunc(sealed, func(head string) bool { return strings.HasPrefix(v, head) }) ||
		strings.HasPrefix(v, "Ag") && len(v) > 300 && isBase64(v) // a SealedSecret's value
}

// public are the beginnings of values that everybody may know.
var public = []string{
	"-----BEGIN CERTIFICATE", "-----BEGIN PUBLIC KEY", "-----BEGIN RSA PUBLIC", "-----BEGIN X509", "-----BEGIN PGP PUBLIC", "-----BEGIN PGP SIGNATURE",
	"-----BEGIN SSH SIGNATURE", "-----BEGIN TRUSTED CERT", "-----BEGIN DH PARAMETERS", "-----BEGIN EC PARAMETERS",
	"ssh-rsa ", "ssh-ed25519 ", "ssh-dss ", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "age1", "sha1-", "sha256-", "sha384-", "sha512-", "sha256:",
	"sha512:", "sha1:", "md5:", "blake3:", "sha3:", "pk_live_", "pk_test_", "SHA256:", "AAAAB3NzaC1", "AAAAC3NzaC1", "AAAAE2VjZHNh", "MIIBIjANBgkqhkiG", "MIGfMA0GCSqGSIb3", "MIICIjANBgkqhkiG", "MFkwEwYHKoZIzj0", "MCowBQYDK2V", "MIIC-----", "0x000000",
}

func isPublic(v string) bool {
	return isColour(v) || isFingerprint(v) || slices.ContainsFunc(public, func(head string) bool { return strings.HasPrefix(v, head) })
}

// exampleParts make a value an example wherever they stand in it.
var exampleParts = []string{
	"changeme", "change_me", "change-me", "change me", "changeit", "change_it", "change-it", "change_this", "change-this", "changethis", "change this",
	"replaceme", "replace_me", "replace-me", "replace_with", "replace-with", "replace with", "replacethis", "replace_this", "replace-this",
	"your_", "your-", "your ", "yourpass", "yoursecret", "yourtoken", "yourkey", "yourapi", "youraccess", "yourown", "insert_", "insert-", "insert ",
	"fill_in", "fill-in", "fill in", "fillme", "fill_me", "put_your", "put-your", "put your", "enter_your", "enter-your", "enter your",
	"example", "placeholder", "redacted", "removed", "obfuscated", "omitted", "scrubbed", "dummy", "todo", "fixme", "xxxx", "****", "...", "…", "----",
	"____", "####", "????", "n/a", "not_set", "not-set", "notset", "unset", "undefined", "not-a-real", "not_a_real", "notreal", "not-real", "fake",
	"sample", "-here", "_here", " here", "goes-here", "goeshere", "set_me", "set-me", "setme", "override_me", "overrideme", "override-me", "to-be-",
	"to_be_", "tobe",
	"abcdef", "123456789", "012345", "qwertyuiop", "deadbeef", "cafebabe", "loremipsum", "lorem ipsum", "foobar", "generate", "randompassword",
	"random-password", "random_password", "random_string", "random-string", "randomstring", "some-random", "some_random",
	"password-for", "mustbechanged", "must_be_changed", "must-be-changed", "do-not-use", "donotuse", "do_not_use", "dont-use", "insecure", "notasecret",
	"not-a-secret", "not_a_secret", "not-secret", "not_secret", "notsecret", "unused", "to_change", "pass-here",
}

// exampleWords make a value an example where they are all of it but a few digits.
var exampleWords = wordSet(`password passwd passwort pass pwd passphrase secret secrets token tokens key keys apikey apitoken secretkey accesskey credential credentials
	creds auth user username test tests testing tester tested foo bar baz qux foobar foobaz demo default defaults none null nil true false yes
	no on off enabled disabled undefined empty required optional value values string str text number integer bool boolean binary byte bytes
	object array list map int long any char varchar date datetime uuid changeme hidden masked private public unknown missing invalid valid wrong
	bad good right blah something anything whatever nothing temp tmp mypass mypwd mypasswd mypassword mysecret mytoken mykey myapikey
	newpassword oldpassword userpassword dbpassword adminpassword rootpassword letmein qwerty asdf asdfasdf abc abcd abcde xyz aaa bbb xxx yyy
	zzz somepassword somesecret sometoken secretpassword verysecret supersecret topsecret testpassword testsecret testtoken testpass your my the
	this here prompt ask interactive plain plaintext clear cleartext literal env environment variable config configuration file path basic
	bearer digest oauth oauth2 jwt saml ldap kerberos ntlm md5 sha1 sha256 sha512 hmac rsa aes bcrypt scram login s3cret s3cr3t passw0rd
	p4ssw0rd nopassword nopass some very super top random new old low medium high info warn warning error debug trace always never auto
	automatic manual internal external local localhost hash hashed salted salt nonce generated dynamic static opensesame sesame senha contrasena
	contraseña parola haslo hasło heslo wachtwoord motdepasse salasana lösenord passord kennwort adgangskode pasahitza contrasenya slaptazodis
	parool parole lykilord jelszo geslo sifre sifra lozinka fjalekalimi parolla pasvorto wagwoord nenosiri anahtar jeton zeton zetons gettone
	cyfrinair pasfhocal matkhau katasandi sandi mima foobared`)

// knownDefaults are random values that come with an installation and are in
// everybody's copy of its documentation.
var knownDefaults = wordSet(`sw2ycwtib9zpoohopsmm`) // Grafana's secret_key

// accountWords are names of accounts and servers: a password of that name alone
// is what comes with an installation.
var accountWords = wordSet(`admin administrator root guest anonymous postgres mysql redis rabbitmq mongo mongodb minio minioadmin sa app web db database server client
	system manager operator service`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// isExample knows values that nobody would take for the real thing.
func isExample(v string) bool {
	lower := strings.ToLower(v)
	if len(v) <= 100 && slices.ContainsFunc(exampleParts, func(part string) bool { return strings.Contains(lower, part) }) {
		return true
	}
	if strings.Contains(v, "EXAMPLE") || monotonous(lower) || len(lower) <= 24 && isSequence(lower) {
		return true
	}
	return isExampleWord(lower)
}

// isExampleWord knows words with at most four digits behind them, and several
// such words together. A sign (Password123!) makes it somebody's password.
func isExampleWord(lower string) bool {
	if accountWords[lower] || knownDefaults[lower] {
		return true
	}
	stem := strings.TrimRight(lower, "0123456789")
	if isExampleStem(stem) && len(lower)-len(stem) <= 4 || exampleWords[lower] {
		return true
	}
	words := strings.FieldsFunc(lower, func(r rune) bool { return r < 'a' || r > 'z' })
	if len(words) == 0 || len(words) > 4 {
		return false
	}
	return len(words) > 1 && !hasDigitsAndSigns(lower) && !slices.ContainsFunc(words, func(w string) bool { return !exampleWords[w] && !accountWords[w] })
}

// isExampleStem knows one example word, or two written together: testkey.
func isExampleStem(stem string) bool {
	if exampleWords[stem] {
		return true
	}
	for i := 2; i+2 < len(stem) && len(stem) <= 24; i++ {
		if exampleWords[stem[:i]] && exampleWords[stem[i:]] {
			return true
		}
	}
	return false
}

// hasDigitsAndSigns tells somebody's password from words joined by signs.
func hasDigitsAndSigns(v string) bool {
	f := featuresOf(v)
	return f.digits > 0 && f.hard > 0
}

// monotonous knows values made of hardly any different characters.
func monotonous(v string) bool {
	seen, distinct := [256]bool{}, 0
	for i := range len(v) {
		if !seen[v[i]] {
			seen[v[i]] = true
			distinct++
		}
	}
	return distinct <= 2 || len(v) >= 16 && distinct <= 4
}

// isSequence knows runs along the alphabet, the digits or the keyboard.
func isSequence(v string) bool {
	if len(v) < 3 {
		return false
	}
	steps := 0
	for i := 1; i < len(v); i++ {
		if d := int(v[i]) - int(v[i-1]); d == 1 || d == -1 || d == 0 || v[i-1] == '9' && v[i] == '0' {
			steps++
		}
	}
	return steps*4 >= (len(v)-1)*3 || strings.HasPrefix("qwertyuiopasdfghjklzxcvbnm", v) || strings.HasPrefix("1q2w3e4r5t6y7u8i9o0p", v) && len(v) < 8
}

// repeatsKey knows values that only say their own name again.
func repeatsKey(key, value string) bool {
	if key == "" || len(value) > 80 || hasDigitsAndSigns(value) {
		return false
	}
	k, v := squeeze(key), squeeze(value)
	return v != "" && (k == v || len(v) >= 4 && strings.HasSuffix(k, v) || len(k) >= 6 && (strings.HasSuffix(v, k) || strings.HasPrefix(v, k)))
}

// squeeze leaves only the letters of a name, lower-cased.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r | 0x20
		}
		if r >= 'a' && r <= 'z' {
			return r
		}
		return -1
	}, s)
}

// isColour knows #BF1B00.
func isColour(v string) bool {
	return len(v) >= 4 && len(v) <= 9 && v[0] == '#' && isAllHex(v[1:])
}

func isAllHex(v string) bool {
	for i := range len(v) {
		if !isHex(v[i]) {
			return false
		}
	}
	return v != ""
}

// isFingerprint knows pairs of hex digits with colons between.
func isFingerprint(v string) bool {
	if len(v) < 8 || len(v)%3 != 2 {
		return false
	}
	for i := range len(v) {
		if colon := i%3 == 2; colon != (v[i] == ':') || !colon && !isHex(v[i]) {
			return false
		}
	}
	return true
}
