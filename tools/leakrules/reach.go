package main

import (
	"regexp/syntax"
	"strings"
)

// Limits of the window that a pattern is tried in: no match of a pattern without
// an end of its own is looked at for longer than unbounded bytes.
const (
	unbounded = 4096
	expansion = 400 // strings that a prefix may expand to before we stop
)

// reach says how far before a keyword's hit a match may begin (0: the keyword
// is the beginning of every match, so the regex can be tried at the hit alone),
// and how long a match can be, both in bytes.
func reach(expr string, keywords []string) (back, length int) {
	tree, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		panic(expr + ": " + err.Error()) // the rules come from a pinned version
	}
	length = min(maxLength(tree), unbounded)
	if startsWith(tree, keywords) {
		return 0, length
	}
	return length, length
}

// maxLength is the longest match of a regex in bytes, or unbounded.
func maxLength(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpLiteral:
		return len(string(re.Rune))
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return 1
	case syntax.OpCapture, syntax.OpQuest:
		return maxLength(re.Sub[0])
	case syntax.OpStar, syntax.OpPlus:
		return unbounded
	case syntax.OpRepeat:
		if re.Max < 0 {
			return unbounded
		}
		return min(unbounded, re.Max*maxLength(re.Sub[0]))
	case syntax.OpConcat:
		sum := 0
		for _, sub := range re.Sub {
			sum += maxLength(sub)
		}
		return min(unbounded, sum)
	case syntax.OpAlternate:
		longest := 0
		for _, sub := range re.Sub {
			longest = max(longest, maxLength(sub))
		}
		return longest
	}
	return 0
}

// startsWith reports whether every match of re begins with one of the keywords.
func startsWith(re *syntax.Regexp, keywords []string) bool {
	heads, _ := expand(re)
	if len(heads) == 0 || len(heads) > expansion {
		return false
	}
	for _, h := range heads {
		if !hasAnyPrefix(strings.ToLower(h), keywords) {
			return false
		}
	}
	return true
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// expand lists the strings that a match of re can begin with, as far as they
// are few, and says whether they are whole matches, so that what follows re in
// a concatenation continues them.
func expand(re *syntax.Regexp) (heads []string, whole bool) {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}, true
	case syntax.OpEmptyMatch, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpBeginLine:
		return []string{""}, true
	case syntax.OpCapture:
		return expand(re.Sub[0])
	case syntax.OpCharClass:
		return expandClass(re.Rune)
	case syntax.OpAlternate:
		return expandAlternate(re.Sub)
	case syntax.OpConcat:
		return expandConcat(re.Sub)
	case syntax.OpRepeat, syntax.OpPlus:
		if re.Op == syntax.OpRepeat && re.Min == 0 {
			return []string{""}, false
		}
		heads, _ := expand(re.Sub[0])
		return heads, false
	}
	return []string{""}, false
}

func expandClass(ranges []rune) ([]string, bool) {
	var heads []string
	for i := 0; i < len(ranges); i += 2 {
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if len(heads) == 16 {
				return []string{""}, false
			}
			heads = append(heads, string(r))
		}
	}
	return heads, true
}

func expandAlternate(subs []*syntax.Regexp) (heads []string, whole bool) {
	whole = true
	for _, sub := range subs {
		h, w := expand(sub)
		heads, whole = append(heads, h...), whole && w
	}
	return heads, whole
}

func expandConcat(subs []*syntax.Regexp) ([]string, bool) {
	heads := []string{""}
	for _, sub := range subs {
		tails, whole := expand(sub)
		if len(heads)*len(tails) > expansion {
			return heads, false
		}
		joined := make([]string, 0, len(heads)*len(tails))
		for _, h := range heads {
			for _, t := range tails {
				joined = append(joined, h+t)
			}
		}
		heads = joined
		if !whole {
			return heads, false
		}
	}
	return heads, true
}
