package sops

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// maxRules bounds what is read of a .sops.yaml; real ones have under a hundred rules.
const maxRules = 10_000

// ReadRules reads a .sops.yaml. Rules that SOPS would refuse are in Problems; the
// error is for a file that is no YAML at all. A file without creation_rules has no
// rules, which SOPS takes like a file that is not there.
func ReadRules(f *syntax.File) (*Rules, error) {
	r := &Rules{Name: f.Name, File: f}
	switch {
	case f.Broken != nil && (len(f.Docs) == 0 || f.Docs[0].Broken != nil):
		return nil, fmt.Errorf("read %q: %w; sops reads no rule of it, mend it first", f.Name, f.Broken)
	case f.Broken == nil && f.Format != syntax.YAML:
		return nil, fmt.Errorf("read %q: not YAML; sops reads no rule of it", f.Name)
	case len(f.Docs) == 0:
		return r, nil
	}
	b := rulesReader{rules: r, file: f}
	b.document(f.Docs[0])
	for _, d := range f.Docs[1:] {
		if len(d.Leaves) > 0 {
			b.problem(d.Span, "a second document: sops reads the first one only")
		}
	}
	b.shadows()
	slices.SortStableFunc(r.Problems, func(a, b Problem) int { return a.Span.Start.Offset - b.Span.Start.Offset })
	return r, nil
}

type rulesReader struct {
	rules    *Rules
	file     *syntax.File
	comments map[int]string // of values, by offset; made when an alias first asks
}

func (b *rulesReader) problem(at syntax.Span, format string, args ...any) {
	b.rules.Problems = append(b.rules.Problems, Problem{at, fmt.Sprintf(format, args...)})
}

// document parts the leaves by rule.
func (b *rulesReader) document(d syntax.Doc) {
	creation, destination := map[int][]field{}, map[int][]field{}
	unknown := map[string]bool{}
	for _, l := range d.Leaves {
		m, p := field{l.Path, l}, l.Path
		switch {
		case len(p) == 0:
		case p[0].Key == "stores":
			b.stores(m)
		case p[0].Key != "creation_rules" && p[0].Key != "destination_rules":
			if !unknown[p[0].Key] {
				unknown[p[0].Key] = true
				b.nearMiss(p[0].Key, l.Span, []string{"creation_rules", "destination_rules", "stores"}, false)
			}
		case len(p) == 1 && (m.leaf.Kind == syntax.Null || m.leaf.Kind == syntax.EmptyList):
		case len(p) < 2 || p[1].Index < 0:
			b.problem(m.leaf.Span, "%s is not a list: sops refuses the file", p[0].Key)
		case p[1].Index >= maxRules:
		case p[0].Key == "creation_rules":
			creation[p[1].Index] = append(creation[p[1].Index], field{p[2:], m.leaf})
		default:
			destination[p[1].Index] = append(destination[p[1].Index], field{p[2:], m.leaf})
		}
	}
	for _, i := range sortedKeys(creation) {
		rule := b.rule(i, creation[i])
		if len(rule.Recipients) == 0 {
			b.problem(rule.Span, "a rule without recipients: sops can seal nothing by it; name them under age, pgp, kms ... or key_groups")
		}
		b.rules.Rules = append(b.rules.Rules, rule)
	}
	for _, i := range sortedKeys(destination) {
		b.rules.Destinations = append(b.rules.Destinations, b.rule(i, recreation(destination[i])))
	}
}

// recreation makes a creation rule of a destination rule: its path, and what stands
// below recreation_rule.
func recreation(fields []field) []field {
	var out []field
	for _, m := range fields {
		switch {
		case len(m.path) == 1 && m.path[0].Key == "path_regex":
			out = append(out, m)
		case len(m.path) > 1 && m.path[0].Key == "recreation_rule" && m.path[1].Key != "path_regex":
			out = append(out, field{m.path[1:], m.leaf})
		}
	}
	return out
}

func sortedKeys(m map[int][]field) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (b *rulesReader) stores(m field) {
	if len(m.path) != 3 || m.path[2].Key != "indent" {
		return
	}
	n, err := strconv.Atoi(m.leaf.Value)
	if err != nil {
		b.problem(m.leaf.Span, "indent is not a number: sops refuses the file")
		return
	}
	switch m.path[1].Key {
	case "yaml":
		b.rules.Indent.YAML = n
	case "json":
		b.rules.Indent.JSON = n
	case "json_binary":
		b.rules.Indent.Binary = n
	}
}

// rule reads one rule from its leaves, in the source's order.
func (b *rulesReader) rule(index int, fields []field) CreationRule {
	rule := CreationRule{Index: index, Span: b.spanOf(fields), Selector: DefaultSelector()}
	var first SelectorKind
	for _, m := range fields {
		if len(m.path) == 0 {
			if m.leaf.Kind != syntax.EmptyMap && m.leaf.Kind != syntax.Null {
				b.problem(m.leaf.Span, "a rule is a mapping with path_regex and recipients: sops refuses the file")
			}
			continue
		}
		name := m.path[0].Key
		if kind, ok := ruleField(name); ok {
			b.recipients(&rule, kind, m)
			continue
		}
		switch {
		case name == "key_groups":
			continue
		case len(m.path) > 1 && knownField(name):
			b.problem(m.leaf.Span, "%s is one value, not a list or mapping: sops refuses the file", name)
		case name == "path_regex":
			b.pathRegex(&rule, m.leaf)
		case name == "shamir_threshold":
			n, err := strconv.Atoi(m.leaf.Value)
			if err != nil || n < 0 {
				b.problem(m.leaf.Span, "shamir_threshold is not a number: sops refuses the file")
			}
			rule.Threshold = max(n, 0)
		case name == "mac_only_encrypted":
			rule.MACOnlyEnc = m.leaf.Kind == syntax.Bool && strings.EqualFold(m.leaf.Value, "true")
		case isSelector(name) && m.leaf.Value != "":
			b.selector(&rule, &first, SelectorKind(name), m.leaf)
		default:
			b.nearMiss(name, m.leaf.Key, fieldNames(), len(m.path) > 1)
		}
	}
	b.groups(&rule, fields)
	return rule
}

func (b *rulesReader) pathRegex(rule *CreationRule, l syntax.Leaf) {
	rule.PathRegex, rule.Regex = l.Value, l.Span
	if l.Value == "" {
		return
	}
	re, err := regexp.Compile(l.Value)
	if err != nil {
		rule.Broken = true
		b.problem(l.Span, "path_regex does not compile, and sops fails for every file that reaches the rule: %s", regexReason(err))
		return
	}
	rule.re = re
}

func (b *rulesReader) selector(rule *CreationRule, first *SelectorKind, kind SelectorKind, l syntax.Leaf) {
	if *first != "" {
		b.problem(l.Span, "%s beside %s: sops refuses a rule with more than one selector", kind, *first)
		return
	}
	*first, rule.Selector = kind, Selector{kind, l.Value}
	if strings.HasSuffix(string(kind), "regex") {
		if _, err := regexp.Compile(l.Value); err != nil {
			b.problem(l.Span, "%s does not compile, so it matches nothing: %s", kind, regexReason(err))
		}
	}
}

// Match returns the first rule whose path_regex matches path, or nil; it is nil too
// where SOPS fails at a broken rule before it finds one. path is relative to the
// repository's root, like r.Name; SOPS matches it relative to the rules' directory.
func (r *Rules) Match(file string) *CreationRule {
	if r == nil {
		return nil
	}
	if dir := path.Dir(r.Name); dir != "." {
		file = strings.TrimPrefix(file, dir+"/")
	}
	for i := range r.Rules {
		rule := &r.Rules[i]
		if rule.Broken {
			return nil
		}
		if rule.re == nil || rule.re.MatchString(file) {
			return rule
		}
	}
	return nil
}

// Nearest picks the rules that govern path: the ones in its nearest directory
// upwards. The rules' keys are the paths of the .sops.yaml files.
func Nearest(rules map[string]*Rules, file string) *Rules {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if r := rules[path.Join(dir, ".sops.yaml")]; r != nil {
			return r
		}
		if dir == "." || dir == "/" {
			return nil
		}
	}
}

// spanOf covers a rule's own text. What an alias or a merge key brings in stands
// elsewhere, and only its alias counts.
func (b *rulesReader) spanOf(fields []field) syntax.Span {
	span := syntax.Span{File: b.file.Name}
	for _, m := range fields {
		start := m.leaf.Span.Start
		if k := m.leaf.Key; !k.IsZero() && k.Start.Offset < start.Offset && m.leaf.Anchor.IsZero() {
			start = k.Start
		}
		if span.IsZero() || start.Offset < span.Start.Offset {
			span.Start = start
		}
		if m.leaf.Span.End.Offset > span.End.Offset {
			span.End = m.leaf.Span.End
		}
	}
	return span
}
