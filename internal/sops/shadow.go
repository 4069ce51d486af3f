package sops

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// maxShadows bounds the rules that are held against each other.
const maxShadows = 1000

// shadows reports the rules that no file can reach, because an earlier rule surely
// matches whatever they match. It errs on the side of silence.
func (b *rulesReader) shadows() {
	rules := b.rules.Rules
	if len(rules) > maxShadows {
		b.problem(rules[maxShadows].Span, "more than %d rules: which of them hide each other is not looked at", maxShadows)
		rules = rules[:maxShadows]
	}
	shapes := make([]shape, len(rules))
	for j := range rules {
		shapes[j] = shapeOf(rules[j].PathRegex)
		if rules[j].Broken {
			continue
		}
		for i := range j {
			reason := subsumes(rules[i], shapes[i], rules[j], shapes[j])
			if reason == "" {
				continue
			}
			at := rules[j].Regex
			if at.IsZero() {
				at = rules[j].Span
			}
			b.problem(at, "no file reaches this rule: the rule at line %d comes first and %s", rules[i].Span.Start.Line, reason)
			break
		}
	}
}

// subsumes says why rule a takes every file that rule c would take, or "".
func subsumes(a CreationRule, sa shape, c CreationRule, sc shape) string {
	switch {
	case a.Broken:
		return ""
	case a.PathRegex == "":
		return "has no path_regex, so it takes every file"
	case a.PathRegex == c.PathRegex:
		return "has the same path_regex"
	case sa.everything:
		return "matches every path"
	case c.PathRegex == "" || a.re == nil || !sa.known || !sc.known:
		return ""
	}
	if sa.covers(a.re, sc) {
		return "matches every path that this one matches"
	}
	return ""
}

// shape is what is surely known of a regular expression: the text that every match
// contains, and which ends of the path it is tied to.
type shape struct {
	known      bool
	everything bool     // it matches every path
	starts     bool     // "^" somewhere: only meaningful at the front
	ends       bool     // "$" somewhere
	first      string   // what every path that it matches begins with
	last       string   // what every such path ends with
	runs       []string // what every such path contains
}

func shapeOf(expr string) shape {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return shape{}
	}
	s := shape{known: true, everything: everything(re)}
	if !ties(re, &s) {
		s.known = false
		return s
	}
	s.literals(re)
	return s
}

// ties notes the anchors. Word boundaries look at what stands around a match, so
// nothing is known of an expression that has one.
func ties(re *syntax.Regexp, s *shape) bool {
	switch re.Op {
	case syntax.OpBeginText:
		s.starts = true
	case syntax.OpEndText:
		s.ends = true
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return false
	}
	for _, sub := range re.Sub {
		if !ties(sub, s) {
			return false
		}
	}
	return true
}

// everything holds for .*, ^.*$, ^, .+ and the like.
func everything(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginText, syntax.OpEndText:
		return true
	case syntax.OpStar, syntax.OpPlus:
		return re.Sub[0].Op == syntax.OpAnyChar || re.Sub[0].Op == syntax.OpAnyCharNotNL
	case syntax.OpCapture:
		return everything(re.Sub[0])
	case syntax.OpConcat:
		// Tied to both ends, it must stretch in between: "^$" matches the empty path only.
		plus, n := 0, len(re.Sub)
		if n == 2 && re.Sub[0].Op == syntax.OpBeginText && re.Sub[1].Op == syntax.OpEndText {
			return false
		}
		for i, sub := range re.Sub {
			switch {
			case !everything(sub),
				sub.Op == syntax.OpBeginText && i > 0,
				sub.Op == syntax.OpEndText && i < len(re.Sub)-1:
				return false
			case sub.Op == syntax.OpPlus:
				plus++
			}
		}
		return plus < 2
	}
	return false
}

// literals collects the text that the expression's top level always matches.
func (s *shape) literals(re *syntax.Regexp) {
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	var run strings.Builder
	atStart, anchored := false, false
	flush := func() {
		if run.Len() == 0 {
			return
		}
		s.runs = append(s.runs, run.String())
		if atStart {
			s.first = run.String()
		}
		run.Reset()
	}
	for i, p := range parts {
		switch {
		case p.Op == syntax.OpBeginText && i == 0:
			anchored = true
		case p.Op == syntax.OpLiteral && p.Flags&syntax.FoldCase == 0:
			if run.Len() == 0 {
				atStart = anchored && i == 1
			}
			run.WriteString(string(p.Rune))
		case p.Op == syntax.OpEndText && i == len(parts)-1:
			s.last = run.String()
			flush()
		default:
			flush()
		}
	}
	flush()
}

// covers reports whether re, which a describes, matches every path that c's
// expression matches: it does if it matches text that each of those paths contains,
// provided that the text stands at the end of the path that re is tied to.
func (a shape) covers(re *regexp.Regexp, c shape) bool {
	switch {
	case a.starts && a.ends:
		return false
	case a.starts:
		return c.first != "" && re.MatchString(c.first)
	case a.ends:
		return c.last != "" && re.MatchString(c.last)
	}
	for _, run := range c.runs {
		if re.MatchString(run) {
			return true
		}
	}
	return false
}
