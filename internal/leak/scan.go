package leak

import (
	"path"
	"strings"
)

// scan is one text on its way through the stages.
type scan struct {
	name     string
	base     string // of the name, in lower case
	kind     kind
	purpose  purpose
	logins   bool // one of credentialFiles
	personal bool // one of personalFiles
	only     bool // known formats only: lock files, minified code, translations
	data     []byte
	found    []found

	seen     int              // the end of the last identifier that was read as a name
	armor    int              // the end of the last key in armor
	tokenEnd map[*pattern]int // the end of the last window a pattern was tried in
	purses   [2]purse         // of the readers of tokens and of names
	passed   bool             // keywords were passed over, with nothing left to spend
	work     work
}

// stretch is the length of text in bytes that one allowance is for, and
// allowance how many bytes the readers may examine in it beyond the first pass.
// Ordinary text needs a tenth; without it, text made of keywords would have the
// same bytes read again and again.
const (
	stretch   = 4096
	allowance = 16 * stretch
)

// purse is what a reader has spent. Each reader has its own, so that a text made
// of names cannot keep a token from being looked at.
type purse struct{ stretch, spent int }

const (
	forTokens = iota
	forNames
)

// spend charges n bytes to the stretch that at is in, and reports whether there
// was anything left to spend.
func (s *scan) spend(reader, at, n int) bool {
	p := &s.purses[reader]
	if at/stretch != p.stretch {
		*p = purse{stretch: at / stretch}
	}
	ok := p.spent < allowance
	p.spent += n
	return ok
}

// affords is spend for a reader that passes over what it cannot pay for: the scan is
// not whole then, and says so.
func (s *scan) affords(reader, at, n int) bool {
	ok := s.spend(reader, at, n)
	s.passed = s.passed || !ok
	return ok
}

// work counts the bytes that each stage examined, so that tests can hold their
// sum to a multiple of the input.
type work struct{ keywords, tokens, names, urls, lines int }

func newScan(name string, data []byte) *scan {
	s := &scan{name: name, base: baseOf(name), kind: kindOf(name), purpose: purposeOf(name), logins: isCredentialFile(name), personal: isPersonalFile(name), data: data}
	s.only = isTranslation(name)
	switch Skip(name, data[:min(len(data), headSize)]) {
	case "":
	case "lock file", "minified", "generated":
		s.only = true
	default:
		s.data = nil
	}
	return s
}

func baseOf(name string) string { return strings.ToLower(path.Base(name)) }

func (s *scan) run() {
	s.readLines()
	s.work.keywords += len(s.data)
	theMatcher().scan(s.data, s.hit)
}

// hit hands a keyword's place to the reader of its role.
func (s *scan) hit(start int, w *keyword) {
	switch w.role {
	case roleToken:
		for _, p := range w.tokens {
			s.tryToken(p, start, len(w.text))
		}
		return
	case rolePEM:
		s.readArmor(start)
	case roleArmor64:
		s.readArmor64(start)
	case roleURL:
		s.readURL(start)
	case roleDSN:
		s.readDSN(start)
	}
	if s.only {
		return
	}
	switch w.role {
	case roleName:
		s.readName(start, start+len(w.text))
	case roleUsers:
		s.readUserLines(start)
	case roleHeader:
		s.readBasic(start + len(w.text))
	}
}

// report keeps a match; files for tests and examples lower what only a name speaks for.
func (s *scan) report(f found) {
	if f.Start < 0 || f.End > len(s.data) || f.Start >= f.End {
		return
	}
	if f.What == "" {
		f.What = kinds[f.Rule]
	}
	if f.rank < byFormat || f.Rule == "jwt" {
		f.Severity = s.purpose.lowered(f.Severity)
	}
	f.Issuer, f.Revoke = issuerOf(f.Rule, f.What)
	s.found = append(s.found, f)
}

// line returns the bounds of the line that holds the place at, looking no
// further than reach bytes to either side.
func (s *scan) line(at, reach int) (start, end int) {
	start, end = at, at
	for start > 0 && at-start < reach && s.data[start-1] != '\n' && s.data[start-1] != '\r' {
		start--
	}
	for end < len(s.data) && end-at < reach && s.data[end] != '\n' && s.data[end] != '\r' {
		end++
	}
	return start, end
}
