package sops

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// DefaultSelector is the selector of a file or a rule that names none.
func DefaultSelector() Selector { return Selector{UnencryptedSuffix, "_unencrypted"} }

// selectorKinds in the order that SOPS' own messages list them.
func selectorKinds() []SelectorKind {
	return []SelectorKind{UnencryptedSuffix, EncryptedSuffix, UnencryptedRegex, EncryptedRegex,
		UnencryptedCommentRegex, EncryptedCommentRegex}
}

// Comments reports whether the selector looks at comments instead of keys.
func (s Selector) Comments() bool {
	return s.Kind == UnencryptedCommentRegex || s.Kind == EncryptedCommentRegex
}

// String is the selector as metadata and rules write it.
func (s Selector) String() string {
	if s.Kind == NoSelector {
		s = DefaultSelector()
	}
	return string(s.Kind) + ": " + s.Value
}

// Seals reports whether the selector says that a leaf must be sealed; SOPS leaves
// empty strings, nulls and empty collections in clear whatever it says. For a
// selector of comments it knows the leaf's own comments only: [Selector.In] also
// heeds those above the mappings that the leaf stands in.
func (s Selector) Seals(l syntax.Leaf) bool {
	return !emptyLeaf(l) && s.picks(l.Path, [][]string{strings.Split(l.Comment, "\n")}, s.test())
}

// In returns the selector as a question about leaves of f; it is exact for every
// kind of selector and compiles a regular expression only once.
func (s Selector) In(f *syntax.File) func(syntax.Leaf) bool {
	test := s.test()
	var comments func(syntax.Leaf) [][]string
	if s.Comments() {
		comments = commentsOf(f)
	}
	return func(l syntax.Leaf) bool {
		if emptyLeaf(l) {
			return false
		}
		if comments == nil {
			return s.picks(l.Path, nil, test)
		}
		return s.picks(l.Path, comments(l), test)
	}
}

// picks applies the selector to the keys of a path, of which any one decides, or
// to the comments in force at a leaf, outermost first.
func (s Selector) picks(p syntax.Path, comments [][]string, test func(string) bool) bool {
	hit := false
	if s.Comments() {
		for _, level := range comments {
			hit = hit || slices.ContainsFunc(level, test)
		}
	} else {
		for _, step := range p {
			hit = hit || step.Index < 0 && test(step.Key)
		}
	}
	switch s.Kind {
	case EncryptedSuffix, EncryptedRegex, EncryptedCommentRegex:
		return hit
	}
	return !hit
}

// test is the question that the selector asks of one key or comment. A regular
// expression that does not compile matches nothing, as in SOPS.
func (s Selector) test() func(string) bool {
	switch s.Kind {
	case NoSelector:
		return DefaultSelector().test()
	case UnencryptedSuffix, EncryptedSuffix:
		return func(key string) bool { return strings.HasSuffix(key, s.Value) }
	}
	if names, ok := alternatives(s.Value); ok {
		return func(key string) bool { return slices.Contains(names, key) }
	}
	re, err := regexp.Compile(s.Value)
	if err != nil {
		return func(string) bool { return false }
	}
	return re.MatchString
}

// alternatives takes ^(data|stringData)$ apart, which is what nearly every
// repository writes: comparing words costs a hundredth of compiling it per leaf.
func alternatives(re string) ([]string, bool) {
	inner, ok := strings.CutPrefix(re, "^(")
	if !ok {
		return nil, false
	}
	if inner, ok = strings.CutSuffix(inner, ")$"); !ok {
		return nil, false
	}
	for i := range len(inner) {
		c := inner[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '|') {
			return nil, false
		}
	}
	return strings.Split(inner, "|"), true
}

// emptyLeaf holds for what SOPS leaves in clear whatever the selector says.
func emptyLeaf(l syntax.Leaf) bool {
	switch l.Kind {
	case syntax.Null, syntax.EmptyMap, syntax.EmptyList:
		return true
	}
	return l.Kind == syntax.String && l.Value == ""
}
