package leak

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
)

//go:embed patterns/gitleaks.json
var gitleaksData []byte

//go:embed patterns/own.json
var ownData []byte

// pattern is one entry of the data files in patterns/. There are two kinds:
// a token is known by its own format, a vendor's value by the name in front of it.
type pattern struct {
	ID       string   // public, stable
	What     string   // for people
	Keywords []string // lower case; one of them stands in every match, or in the name
	Regex    string   // a token's format, or what a vendor's value must equal
	Word     bool     // a token that must begin a word
	Back     int      // how far before its keyword a token may begin, in bytes
	Length   int      // the longest token, in bytes
	Names    string   // what the name must contain; makes it a vendor's value
	Entropy  float64  // bits per byte that a value must exceed
	Group    int      // the regex group that is the secret; 0 takes the first that matched
	Path     string   // the files that it is looked for in
	Allow    []allow
	Any      bool   // the value's shape says enough: a vendor's value behind any name that Names fits
	Check    string // a checksum or structure, by the name that checkNamed knows
	Severity string // "notice" or "warning"; Error otherwise

	once    sync.Once
	compile compiled
}

// allow says what is not a secret although it matches.
type allow struct {
	All     bool   // all of the conditions, not any
	Target  string // "match", "line", or "" for the secret
	Regexes []string
	Paths   []string
	Words   []string
}

// compiled holds a pattern's regexes, made when its keyword is first seen: most
// patterns never are, and compiling all would cost more than reading a file.
type compiled struct {
	value, names, path *regexp.Regexp
	joined             bool // nothing that it repeats matches one of separators
	allow              []compiledAllow
}

type compiledAllow struct {
	allow
	regexes, paths []*regexp.Regexp
}

func (p *pattern) isVendor() bool { return p.Names != "" }

// ready compiles the pattern at the first call.
func (p *pattern) ready() *compiled {
	p.once.Do(func() {
		c := &p.compile
		switch {
		case p.isVendor():
			c.value = regexp.MustCompile(`^(?:` + p.Regex + `)$`)
			c.names = regexp.MustCompile(p.Names)
		case p.Back == 0:
			c.value = regexp.MustCompile(`^(?:` + p.Regex + `)`)
			if tree, err := syntax.Parse(p.Regex, syntax.Perl); err == nil {
				c.joined = isJoined(tree, false)
			}
		default:
			c.value = regexp.MustCompile(p.Regex)
		}
		if p.Path != "" {
			c.path = regexp.MustCompile(p.Path)
		}
		for _, a := range p.Allow {
			c.allow = append(c.allow, compiledAllow{a, compileAll(a.Regexes), compileAll(a.Paths)})
		}
	})
	return &p.compile
}

// separators end every run of the bytes that tokens are made of.
const separators = " \t\r\n,;\"'"

// isJoined reports whether no repetition of a regex matches a separator: what it can
// match then goes little further than to the first of them.
func isJoined(re *syntax.Regexp, repeated bool) bool {
	switch re.Op {
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		repeated = true
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return !repeated
	case syntax.OpLiteral:
		return !repeated || !strings.ContainsAny(string(re.Rune), separators)
	case syntax.OpCharClass:
		for i := 0; repeated && i < len(re.Rune); i += 2 {
			if strings.ContainsFunc(separators, func(r rune) bool { return re.Rune[i] <= r && r <= re.Rune[i+1] }) {
				return false
			}
		}
	}
	for _, sub := range re.Sub {
		if !isJoined(sub, repeated) {
			return false
		}
	}
	return true
}

func compileAll(exprs []string) []*regexp.Regexp {
	out := make([]*regexp.Regexp, len(exprs))
	for i, e := range exprs {
		out[i] = regexp.MustCompile(e)
	}
	return out
}

// severity is what a match of the pattern weighs before its place is considered.
func (p *pattern) severity() Severity {
	switch p.Severity {
	case "notice":
		return Notice
	case "warning":
		return Warning
	}
	return Error
}

// allowed reports whether one of the pattern's allow lists names the match.
func (p *pattern) allowed(name, secret, match, line string) bool {
	for _, a := range p.ready().allow {
		if a.holds(name, secret, match, line) {
			return true
		}
	}
	return false
}

func (a *compiledAllow) holds(name, secret, match, line string) bool {
	target := secret
	switch a.Target {
	case "match":
		target = match
	case "line":
		target = line
	}
	byRegex := matchesAny(a.regexes, target)
	byPath := matchesAny(a.paths, name)
	lower := strings.ToLower(secret)
	byWord := slices.ContainsFunc(a.Words, func(w string) bool { return strings.Contains(lower, strings.ToLower(w)) })
	if a.All {
		return (byRegex || len(a.regexes) == 0) && (byPath || len(a.paths) == 0) && (byWord || len(a.Words) == 0)
	}
	return byRegex || byPath || byWord
}

func matchesAny(regexes []*regexp.Regexp, s string) bool {
	return slices.ContainsFunc(regexes, func(r *regexp.Regexp) bool { return r.MatchString(s) })
}

// patterns reads the embedded files once. They are part of the program, so that
// a broken one is a panic, which the tests would meet first.
var patterns = sync.OnceValue(readPatterns)

func readPatterns() []*pattern {
	var all []*pattern
	for _, data := range [][]byte{ownData, gitleaksData} {
		var file struct{ Patterns []*pattern }
		if err := json.Unmarshal(data, &file); err != nil {
			panic("leak: read embedded patterns: " + err.Error())
		}
		all = append(all, file.Patterns...)
	}
	return all
}

// Patterns lists the ids of everything that this package can report, sorted.
func Patterns() []string {
	ids := []string{}
	for _, p := range patterns() {
		ids = append(ids, p.ID)
	}
	for id := range kinds {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
