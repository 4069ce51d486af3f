package leak

import (
	"bytes"
	"path"
	"strings"
)

// kind is what a file is for, as far as it changes how its text is read.
type kind uint8

const (
	kindConfig   kind = iota // name and value on a line, or what looks like it
	kindShell                // assignments end at white space
	kindCode                 // only literals are values
	kindDocs                 // prose: only known formats count
	kindData                 // SQL dumps, logs: names mean little
	kindMarkup               // XML and HTML
	kindAccounts             // user:hash or user:password on each line
)

// headSize is how much of a file Skip wants to see, in bytes.
const headSize = 8000

var kindOfSuffix = map[string]kind{
	".go": kindCode, ".js": kindCode, ".mjs": kindCode, ".cjs": kindCode, ".ts": kindCode, ".tsx": kindCode, ".jsx": kindCode, ".py": kindCode,
	".pyi": kindCode, ".pyx": kindCode, ".java": kindCode, ".kt": kindCode, ".kts": kindCode, ".scala": kindCode, ".groovy": kindCode, ".c": kindCode, ".h": kindCode, ".cc": kindCode,
	".cpp": kindCode, ".hpp": kindCode,
	".cs": kindCode, ".vb": kindCode, ".fs": kindCode, ".rs": kindCode, ".rb": kindCode, ".php": kindCode, ".pl": kindCode, ".pm": kindCode,
	".swift": kindCode, ".m": kindCode, ".mm": kindCode,
	".lua": kindCode, ".r": kindCode, ".dart": kindCode, ".ex": kindCode, ".exs": kindCode, ".erl": kindCode, ".hs": kindCode, ".clj": kindCode,
	".vue": kindCode, ".svelte": kindCode,
	".coffee": kindCode, ".jsp": kindCode, ".asp": kindCode, ".aspx": kindCode, ".erb": kindCode, ".s": kindCode, ".asm": kindCode, ".proto": kindCode,
	".graphql": kindCode, ".rego": kindCode, ".cue": kindCode,
	".css": kindCode, ".scss": kindCode, ".less": kindCode, ".sol": kindCode, ".ipynb": kindCode, ".jsonnet": kindCode, ".libsonnet": kindCode,
	".nix": kindCode, ".zig": kindCode, ".d": kindCode, ".el": kindCode, ".sty": kindCode,
	".md": kindDocs, ".markdown": kindDocs, ".rst": kindDocs, ".adoc": kindDocs, ".asciidoc": kindDocs, ".tex": kindDocs, ".html": kindDocs,
	".htm": kindDocs, ".po": kindDocs, ".pot": kindDocs, ".org": kindDocs, ".mdx": kindDocs, ".svg": kindDocs, ".1": kindDocs, ".5": kindDocs, ".7": kindDocs, ".8": kindDocs, ".pod": kindDocs, ".diff": kindDocs, ".patch": kindDocs,
	".sh": kindShell, ".bash": kindShell, ".zsh": kindShell, ".fish": kindShell, ".ps1": kindShell, ".psm1": kindShell, ".bat": kindShell,
	".cmd": kindShell, ".bats": kindShell, ".mk": kindShell, ".ksh": kindShell,
	".sql": kindData, ".log": kindData, ".csv": kindData, ".tsv": kindData, ".dump": kindData,
	".xml": kindMarkup, ".config": kindMarkup, ".plist": kindMarkup, ".csproj": kindMarkup, ".pom": kindMarkup, ".xsd": kindMarkup, ".wsdl": kindMarkup,
	".props": kindMarkup, ".pubxml": kindMarkup, ".user": kindMarkup, ".xaml": kindMarkup, ".resx": kindMarkup,
}

var kindOfName = map[string]kind{
	"makefile": kindShell, "gnumakefile": kindShell, "dockerfile": kindShell, "containerfile": kindShell, "justfile": kindShell,
	"vagrantfile": kindCode, "jenkinsfile": kindCode,
	".bashrc": kindShell, ".bash_profile": kindShell, ".bash_login": kindShell, ".profile": kindShell, ".zshrc": kindShell, ".zshenv": kindShell,
	".zprofile": kindShell, ".bash_history": kindShell,
	".zsh_history": kindShell, ".envrc": kindShell, ".bash_aliases": kindShell, ".cshrc": kindShell, "wp-config.php": kindConfig,
	"config.php": kindConfig, "localsettings.php": kindConfig, "settings.php": kindConfig, "configuration.php": kindConfig, "local.php": kindConfig,
	"parameters.php": kindConfig, "env.php": kindConfig,
	"readme": kindDocs, "license": kindDocs, "changelog": kindDocs, "shadow": kindAccounts, "gshadow": kindAccounts, "shadow-": kindAccounts,
	"htpasswd": kindAccounts, ".htpasswd": kindAccounts, "passwd": kindAccounts, "passwd-": kindAccounts,
	"master.passwd": kindAccounts, "proftpdpasswd": kindAccounts, "ftpd.passwd": kindAccounts, "dovecot.passwd": kindAccounts,
	".htdigest": kindAccounts, "htdigest": kindAccounts, "users.passwd": kindAccounts,
}

// Source reports whether a file is, by its name, a program's source or prose.
func Source(name string) bool {
	k := kindOf(name)
	return k == kindCode || k == kindDocs
}

func kindOf(name string) kind {
	base := strings.ToLower(path.Base(name))
	if k, ok := kindOfName[base]; ok {
		return k
	}
	for _, cutting := range []string{".example", ".sample", ".dist", ".template", ".tmpl", ".tpl", ".bak", ".old", ".orig", ".j2", ".erb", ".in", ".default", ".local", "~"} {
		base = strings.TrimSuffix(base, cutting)
	}
	if k, ok := kindOfName[base]; ok {
		return k
	}
	if strings.HasSuffix(base, "htpasswd") || strings.HasSuffix(base, ".htpasswd") {
		return kindAccounts
	}
	if strings.HasPrefix(base, "dockerfile") {
		return kindShell
	}
	if base == ".env" || strings.HasPrefix(base, ".env.") || strings.HasSuffix(base, ".env") {
		return kindConfig
	}
	return kindOfSuffix[path.Ext(base)]
}

// credentialFiles are files of one person's or server's own logins: a password
// there is one even if it is a plain word.
var credentialFiles = wordSet(`.ftpconfig .ftppass sftp-config.json sftp.json .remote-sync.json ftp-sync.json ftpsync.settings deployment-config.json .esmtprc .msmtprc
	.muttrc muttrc .fetchmailrc fetchmailrc webservers.xml recentservers.xml sitemanager.xml filezilla.xml robomongo.json robo3t.json
	accounts.xml servlist.conf ventrilo_srv.ini .my.cnf .smbcredentials .tugboat .pypirc .s3cfg wp-config.php credentials.xml .pg_service.conf
	.davfs2 .mbsyncrc .offlineimaprc .newsboat .lftprc .ncftprc .irssi tomcat-users.xml confcons.xml winscp.ini .boto .dockercfg proftpd.passwd
	.dbeaver-data-sources.xml dbeaver-data-sources.xml credentials-config.json`)

func isCredentialFile(name string) bool {
	return credentialFiles[strings.ToLower(path.Base(name))] && purposeOf(name) != forReading
}

// personalFiles are what one person's shell reads: a password that is assigned
// there is that person's, but much else in them is a program.
var personalFiles = wordSet(`.bashrc .bash_profile .bash_login .profile .zshrc .zshenv .zprofile .envrc .bash_aliases .cshrc`)

func isPersonalFile(name string) bool { return personalFiles[strings.ToLower(path.Base(name))] }

var translationParts = wordSet(`locale locales lang langs language languages i18n l10n translations translation intl nls messages`)

// isTranslation reports whether a file holds the texts of a program in some
// language: there "password" is a label.
func isTranslation(name string) bool {
	lower := strings.ToLower(name)
	dir, base := path.Split(lower)
	for part := range strings.SplitSeq(dir, "/") {
		if translationParts[part] || strings.HasSuffix(part, ".lproj") {
			return true
		}
	}
	stem := strings.TrimSuffix(base, path.Ext(base))
	if strings.HasPrefix(stem, "messages_") || strings.HasPrefix(stem, "strings_") || strings.HasPrefix(stem, "labels_") {
		return true
	}
	return isLanguage(stem)
}

// isLanguage knows the codes of languages: en, pt-BR. The tag is in lower case.
func isLanguage(tag string) bool {
	language, region, _ := strings.Cut(strings.ReplaceAll(tag, "-", "_"), "_")
	return len(language) == 2 && (region == "" || len(region) == 2) && languages[language]
}

// languages are the codes that a file of texts may be called by alone: en.json.
var languages = wordSet(`en de fr es it pt nl pl cs sk hu ro bg ru uk tr el sv da fi nb no et lv lt sl hr sr ja ko zh ar he fa hi th vi id ms ca eu gl`)

// purpose is whom the secrets of a file are for, as its path tells.
type purpose uint8

const (
	forUse     purpose = iota
	forTests           // for tests or one machine alone: often real, seldom of consequence
	forReading         // an example, a sample, a template
)

var testParts = wordSet(`test tests testdata testing fixture fixtures mock mocks spec specs e2e demo __tests__ local localhost vagrant minikube devcontainer`)
var exampleFileParts = wordSet(`example examples sample samples dist template tmpl tpl default`)

// purposeOf tells what a path is for by its directories and its file's suffixes.
func purposeOf(name string) purpose {
	lower := strings.ToLower(name)
	dir, base := path.Split(lower)
	tests := false
	for part := range strings.FieldsFuncSeq(base, func(r rune) bool { return r == '.' || r == '-' || r == '_' }) {
		tests = tests || testParts[part]
		if exampleFileParts[part] && part != "default" || part == "default" && strings.HasSuffix(base, ".default") {
			return forReading
		}
	}
	for part := range strings.FieldsFuncSeq(dir, func(r rune) bool { return r == '/' || r == '-' || r == '_' || r == '.' }) {
		if part == "example" || part == "examples" || part == "sample" || part == "samples" {
			return forReading
		}
		tests = tests || testParts[part]
	}
	if tests {
		return forTests
	}
	return forUse
}

// lowered is the severity of what only a name or a place speaks for, in a file
// of this purpose.
func (p purpose) lowered(s Severity) Severity {
	switch p {
	case forTests:
		return min(s, Warning)
	case forReading:
		return Notice
	}
	return s
}

// archives and media are suffixes of files that are never text.
var unreadable = map[string]string{
	".zip": "archive", ".tar": "archive", ".gz": "archive", ".tgz": "archive", ".bz2": "archive", ".xz": "archive", ".zst": "archive", ".7z": "archive",
	".rar": "archive", ".jar": "archive", ".war": "archive", ".ear": "archive", ".whl": "archive", ".gem": "archive", ".deb": "archive",
	".rpm": "archive", ".apk": "archive", ".iso": "archive", ".nupkg": "archive", ".egg": "archive", ".lz4": "archive", ".cpio": "archive",
	".p12": "key store", ".pfx": "key store", ".jks": "key store", ".keystore": "key store", ".bks": "key store", ".kdbx": "key store", ".kdb": "key store",
	".png": "binary", ".jpg": "binary", ".jpeg": "binary", ".gif": "binary", ".bmp": "binary", ".ico": "binary", ".webp": "binary", ".tif": "binary",
	".tiff": "binary", ".woff": "binary", ".woff2": "binary", ".ttf": "binary", ".otf": "binary", ".eot": "binary",
	".mp3": "binary", ".mp4": "binary", ".webm": "binary", ".mov": "binary", ".avi": "binary", ".wav": "binary", ".ogg": "binary", ".flac": "binary",
	".pdf": "binary", ".doc": "binary", ".docx": "binary", ".xls": "binary", ".xlsx": "binary", ".ppt": "binary", ".pptx": "binary",
	".exe": "binary", ".dll": "binary", ".so": "binary", ".dylib": "binary", ".a": "binary", ".o": "binary", ".obj": "binary", ".class": "binary",
	".pyc": "binary", ".wasm": "binary", ".bin": "binary", ".dat": "binary", ".db": "binary", ".sqlite": "binary", ".sqlite3": "binary",
}

// locks are files that a package manager writes: full of checksums, free of secrets.
var locks = wordSet(`go.sum go.work.sum package-lock.json npm-shrinkwrap.json pnpm-lock.yaml yarn.lock composer.lock poetry.lock pipfile.lock cargo.lock
	gemfile.lock flake.lock deno.lock bun.lock bun.lockb uv.lock mix.lock packages.lock.json podfile.lock pubspec.lock .terraform.lock.hcl
	chart.lock requirements.lock gradle.lockfile conan.lock verification-metadata.xml modules.txt .package-lock.json npm-shrinkwrap.yaml
	package.resolved paket.lock renv.lock shard.lock buf.lock pdm.lock pixi.lock`)

// Skip says why a file is not worth reading or cannot be read, or returns "":
// "archive", "key store", "binary", "lock file", "generated", "minified". The
// head is the file's beginning, 8,000 bytes of it if there are as many. Of these
// only lock files, generated and minified ones were looked through; what is in
// an archive, a key store or a binary file has not been seen by anybody.
func Skip(name string, head []byte) (reason string) {
	base := strings.ToLower(path.Base(name))
	if why, ok := unreadable[path.Ext(base)]; ok && (why != "binary" || isBinary(head)) {
		return why
	}
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("\x1f\x8b")), bytes.HasPrefix(head, []byte("7z\xbc\xaf")), bytes.HasPrefix(head, []byte("BZh9")), bytes.HasPrefix(head, []byte("\xfd7zXZ")):
		return "archive"
	case bytes.HasPrefix(head, []byte("\xfe\xed\xfe\xed")):
		return "key store"
	case isBinary(head):
		return "binary"
	case locks[base]:
		return "lock file"
	case strings.Contains(base, ".min.") || strings.HasSuffix(base, ".map") && bytes.Contains(head, []byte(`"mappings"`)):
		return "minified"
	}
	return ""
}

// isBinary knows a file that is no text: a NUL byte where UTF-16 has none.
func isBinary(head []byte) bool {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return false
	}
	return bytes.IndexByte(head, 0) >= 0
}
