// Package review runs rules over a change and gathers what they find. It knows no
// rule, no format and no forge.
//
// A [Rule] looks at one [Tree]. [Run] makes a tree of Base and one of Head, lets
// every rule look at both, and subtracts: what Base has too is not the change's
// doing. To that it adds what only a commit in between held, which history keeps.
package review

import (
	"fmt"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/syntax"
)

// Severity is how much a finding matters. The zero Severity is none.
type Severity uint8

// The severities, in ascending order.
const (
	Notice Severity = iota + 1
	Warning
	Error
)

var severityNames = [...]string{Notice: "notice", Warning: "warning", Error: "error"}

// String is the severity's name, or "never" for none: nothing is that severe.
func (s Severity) String() string {
	if s < Notice || s > Error {
		return "never"
	}
	return severityNames[s]
}

// ParseSeverity reads a severity's name; "never" and "off" are the zero Severity.
func ParseSeverity(name string) (Severity, error) {
	switch name {
	case "never", "off":
		return 0, nil
	}
	for s := Notice; s <= Error; s++ {
		if name == severityNames[s] {
			return s, nil
		}
	}
	return 0, fmt.Errorf("unknown severity %q: valid are error, warning, notice, never", name)
}

// Scope is what a rule looks at in one call of its Check.
type Scope uint8

// The scopes.
const (
	// PerFile rules are called once for each file: Pass.File is set. In a change
	// they see only the files that differ.
	PerFile Scope = iota
	// PerTree rules are called once for each of Base and Head.
	PerTree
	// PerChange rules are called once, with both: Pass.Base and Pass.Change are set.
	PerChange
)

// When says in which runs a rule speaks.
type When uint8

// The times. A rule of a profile is on only where that profile is (see Rule.Profiles).
const (
	Always         When = iota
	OnlyChange          // a change alone, never a whole tree: "pr" in the catalogue
	OnlyReport          // a whole tree and the drift report alone: "report"
	ChangeTouching      // "pr+report": in a change only where the finding or one of its Related stands in a touched file
)

// Family groups rules in the documentation, in the catalogue's order.
type Family string

// The families.
const (
	Leaks      Family = "Leaks"
	Sealing    Family = "Sealing"
	Drift      Family = "Drift"
	Kilter     Family = "Kilter"
	References Family = "References and rollout"
	Flux       Family = "Flux and kustomize"
	ESO        Family = "External Secrets"
)

// Rule is one thing that the reviewer knows, its page included.
type Rule struct {
	ID       string   // required; reads well after "allow": leaked-token
	Doc      string   // required; Markdown: one sentence, then what, why, an example, what to do instead
	Since    string   // required; the version that brought it
	Family   Family   // required
	Severity Severity // required; a finding may set its own
	Scope    Scope
	When     When
	Profiles []string          // the profiles that it belongs to; none means all
	History  bool              // PerFile alone: look at every commit in between too
	OptIn    bool              // off until the configuration names it
	Check    func(*Pass) error // required
}

// Related is another place that helps to understand a finding.
type Related struct {
	Span    syntax.Span
	Message string
}

// Finding is one thing that a rule found.
type Finding struct {
	Rule     string   // set by the engine
	Severity Severity // the rule's, where it is 0
	Span     syntax.Span
	Message  string // what, one sentence, without any secret
	Why      string // why it matters; "" takes the first paragraph of the rule's "Why" section
	Hint     string // what to do
	Key      string // the key path it is about, part of the fingerprint; "" where there is none
	Related  []Related
	Commit   string // the commit that alone held it, for findings of history
	Fixes    []Fix  // edits that would resolve it, as suggestions; may be empty
	Subject  string `json:"-"` // tells it from its siblings: for a leak, the value itself. Compared, never printed.
	// Class joins findings of one cause: those of a class that the change brought are
	// reported as one, the others as its related places. "" is a class of its own.
	Class string

	home string // the file it was found in, where it is anchored in another
}

// Home is the file that the finding is about: the one it was found in, even where it
// is shown in another that the change touches.
func (f *Finding) Home() string {
	if f.home != "" {
		return f.home
	}
	return f.Span.File
}

// Fingerprint names a finding for people and ignores: rule, path and key path. It
// survives a moved line, a squash and a re-encryption.
func (f *Finding) Fingerprint() string {
	fp := f.Rule + ":" + f.Home()
	if f.Key != "" {
		fp += ":" + f.Key
	}
	return fp
}

// Ignored is a finding that somebody took out of the report, with the reason given.
type Ignored struct {
	Finding
	Reason string
	By     string // ".sealward.yaml:12" or "comment"
}

// Skip is a file that was looked at and not read, and why: binary, generated, an
// archive, a symbolic link. Unlike what is Incomplete it is no failure.
type Skip struct{ Path, Reason string }

// Report is the outcome of a review.
type Report struct {
	Findings   []Finding // most severe first, then by path and place
	Ignored    []Ignored
	Incomplete []string // what could not be read, each a sentence that says why; not empty means exit 2
	Skipped    []Skip
	Scanned    int // files read
	Total      int // files there were
	Commits    int // commits in between that were read
	Profile    Profile
	Rules      []*Rule // those that ran, for the reports that describe them
}

// Profile is the kind of platform a repository was taken for.
type Profile struct{ Name, Why string }

// Count returns how many findings are of severity s.
func (r *Report) Count(s Severity) int {
	n := 0
	for i := range r.Findings {
		if r.Findings[i].Severity == s {
			n++
		}
	}
	return n
}

// Pass is what a rule is given: one tree, and where its scope says so a file of
// it, or the change as a whole.
type Pass struct {
	Rule      *Rule
	Tree      *Tree
	File      *File          // PerFile alone
	Base      *Tree          // PerChange alone; the empty tree where there is no base
	Change    *repo.Change   // PerChange alone
	Config    *config.Config // never nil
	Catalogue []*Rule        // every rule there is, on or off

	report  func(Finding)
	profile string
}

// Profile is the name of the profile that the repository was taken for; "" for the
// rules of one file, whose findings may tell it.
func (p *Pass) Profile() string { return p.profile }

// Report hands in a finding; its Rule, Severity and Why are filled in where they are empty.
func (p *Pass) Report(f Finding) { p.report(f) }
