package rotate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// unmade stands for a key that is still to be made: the public half of no key at all
// (its bytes are zero). An edit that is tried with it is never written.
const unmade = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z"

// maxSteps bounds the edits of one file that are made one after the other.
const maxSteps = 2000

// maxRules is how large a file of rules may be, in bytes: it is read again at each step.
const maxRules = 1 << 20

// editAll makes the edits of everything in clear that names a recipient: each
// .sops.yaml, kilter.yaml and .sealward.yaml.
func (t *Tree) editAll(p *Plan) error {
	target := p.New
	if p.Mint {
		target = []sops.Recipient{{Kind: sops.Age, ID: unmade}}
	}
	for _, name := range t.ruleFiles() {
		e := rulesEdit{before: t.Rules[name], name: name, data: t.Rules[name].File.Data, old: p.Old, to: target, joins: t.joins(p, name)}
		if err := e.run(); err != nil {
			return fmt.Errorf("edit %s: %w", name, err)
		}
		p.edited(t.Rules[name].File, e.data, e.changes)
	}
	if len(p.Old) == 0 {
		return nil
	}
	for _, f := range t.kilter {
		if err := t.editKilter(p, f, target); err != nil {
			return err
		}
	}
	return t.editConfig(p, target)
}

// edited notes what became of a file. With a key that is still to be made, only the
// changes are told.
func (p *Plan) edited(f *syntax.File, data []byte, changes []Change) {
	if len(changes) == 0 {
		return
	}
	p.Changes = append(p.Changes, changes...)
	if !p.Mint {
		p.Rules = append(p.Rules, repo.Edit{Path: f.Name, Data: data})
	}
}

// joins tells who is let into a rule of a .sops.yaml beside who is there.
func (t *Tree) joins(p *Plan, name string) func(sops.CreationRule) []sops.Recipient {
	return func(rule sops.CreationRule) []sops.Recipient {
		has := sops.Union(rule.Groups)
		switch {
		case len(has) == 0, len(p.Add) == 0:
			return nil
		case p.Env == "" || len(common(has, p.scope)) > 0:
			return sops.Difference(p.Add, has)
		}
		return nil
	}
}

// rulesEdit takes recipients out of a .sops.yaml and puts others in their place.
type rulesEdit struct {
	before  *sops.Rules
	name    string
	old, to []sops.Recipient
	joins   func(sops.CreationRule) []sops.Recipient

	data    []byte
	changes []Change
	now     *sops.Rules // data, read
}

func (e *rulesEdit) run() error {
	if len(e.data) > maxRules {
		return errByHand
	}
	if err := e.possible(); err != nil {
		return err
	}
	for range maxSteps {
		var err error
		if e.now, err = sops.ReadRules(syntax.ParseAs(e.name, e.data, syntax.YAML)); err != nil {
			return errByHand
		}
		edits, err := e.next()
		if err != nil {
			return err
		}
		if len(edits) == 0 {
			return e.verify()
		}
		if e.data, err = syntax.Apply(e.data, edits); err != nil {
			return errByHand
		}
	}
	return errByHand
}

// possible refuses what would leave a rule without anybody.
func (e *rulesEdit) possible() error {
	for _, r := range slices.Concat(e.before.Rules, e.before.Destinations) {
		for _, g := range r.Groups {
			if len(common(g, e.old)) > 0 && len(e.to) == 0 && len(sops.Difference(g, e.old)) == 0 {
				return fmt.Errorf("line %d: nobody but %s may read what this rule seals; say who takes their place with --to, or remove the rule and its files",
					r.Span.Start.Line, shorts(e.old))
			}
		}
		if join := e.joins(r); len(join) > 0 && len(r.Groups) > 1 && len(common(sops.Union(r.Groups), e.old)) == 0 {
			return fmt.Errorf("line %d: the rule has %d key groups, and nothing says which one %s joins; add it there by hand",
				r.Span.Start.Line, len(r.Groups), shorts(join))
		}
	}
	return nil
}

// next returns the edits that are to be made next, together.
func (e *rulesEdit) next() ([]syntax.Replace, error) {
	if going := e.spare(); len(going) > 0 {
		return e.drop(going)
	}
	if going := e.going(nil); len(going) > 0 {
		return e.replace(going)
	}
	if edits, err := e.leftover(); len(edits) > 0 || err != nil {
		return edits, err
	}
	for _, r := range e.now.Rules {
		if join := e.joins(r); len(join) > 0 {
			return e.join(r, join[0])
		}
	}
	return nil, nil
}

// going lists where the rules name the recipients that go, of those rules that want is
// true of.
func (e *rulesEdit) going(want func(sops.CreationRule) bool) []sops.RecipientAt {
	var out []sops.RecipientAt
	for _, r := range slices.Concat(e.now.Rules, e.now.Destinations) {
		for _, at := range r.Recipients {
			if slices.Contains(e.old, at.Recipient) && (want == nil || want(r)) {
				out = append(out, at)
			}
		}
	}
	return out
}

// spare lists the old recipients that need no replacement, because their rule names all
// new ones already, and that no other rule shares.
func (e *rulesEdit) spare() []sops.RecipientAt {
	full := func(r sops.CreationRule) bool { return len(sops.Difference(e.to, sops.Union(r.Groups))) == 0 }
	wanting := e.going(func(r sops.CreationRule) bool { return !full(r) })
	return slices.DeleteFunc(e.going(full), func(at sops.RecipientAt) bool {
		return slices.ContainsFunc(wanting, func(w sops.RecipientAt) bool { return w.Source == at.Source })
	})
}

// replace puts the new recipients where the old ones stand: where an alias names them,
// at the anchor.
func (e *rulesEdit) replace(going []sops.RecipientAt) ([]syntax.Replace, error) {
	var edits []syntax.Replace
	text := ids(e.to)
	seen := map[extent]bool{}
	for _, at := range going {
		src := extentOf(at.Source)
		part, ok := within(e.data, src, at.Recipient)
		if !ok {
			return nil, errByHand
		}
		if seen[part] {
			continue
		}
		seen[part] = true
		edits = append(edits, syntax.Replace{Start: part.start, End: part.end, Text: text})
		e.changed(at.Source.Start.Line, fmt.Sprintf("%s becomes %s", at.Short(), e.named(e.to)))
	}
	return edits, nil
}

func ids(rs []sops.Recipient) string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.ID
	}
	return strings.Join(out, ",")
}

// named lists recipients for people.
func (e *rulesEdit) named(rs []sops.Recipient) string {
	if len(rs) == 1 && rs[0].ID == unmade {
		return "the new key"
	}
	return shorts(rs)
}

func (e *rulesEdit) changed(line int, what string) {
	e.changes = append(e.changes, Change{e.name, line, what})
}

// drop takes one recipient out: aliases before what they name.
func (e *rulesEdit) drop(going []sops.RecipientAt) ([]syntax.Replace, error) {
	at := going[0]
	for _, g := range going {
		if e.isAlias(g) {
			at = g
			break
		}
	}
	e.changed(at.Span.Start.Line, at.Short()+" goes")
	if e.isAlias(at) {
		leaf, ok := e.leafAt(at.Span, false)
		if !ok {
			return nil, errByHand
		}
		return e.dropValue(leaf, extentOf(at.Span))
	}
	leaf, ok := e.leafAt(at.Source, true)
	if !ok {
		return nil, errByHand
	}
	value := extentOf(leaf.Span)
	if part, ok := within(e.data, extentOf(at.Source), at.Recipient); ok {
		if cut, ok := dropPart(e.data, value, part); ok {
			return []syntax.Replace{cut}, nil
		}
	}
	return e.dropValue(leaf, value)
}

// dropValue takes out an element of a list, or a key with its value.
func (e *rulesEdit) dropValue(leaf syntax.Leaf, value extent) ([]syntax.Replace, error) {
	if leaf.Key.IsZero() {
		cut, err := dropItem(e.now.File, value)
		return []syntax.Replace{cut}, err
	}
	line := lineOf(e.data, leaf.Key.Start.Offset)
	last := lineOf(e.data, max(value.end-1, leaf.Key.Start.Offset))
	if strings.TrimSpace(string(e.data[line.start:leaf.Key.Start.Offset])) != "" {
		return nil, errByHand
	}
	return []syntax.Replace{{Start: line.start, End: last.end}}, nil
}

// isAlias reports whether a recipient is named by an alias of its own, as opposed to one
// of a list or mapping that holds it.
func (e *rulesEdit) isAlias(at sops.RecipientAt) bool {
	name, ok := strings.CutPrefix(string(at.Span.Cut(e.data)), "*")
	if !ok {
		return false
	}
	leaf, found := e.leafAt(at.Source, true)
	return found && slices.ContainsFunc(e.now.File.Anchors, func(a syntax.Anchor) bool {
		return a.Name == strings.TrimSpace(name) && a.Path.String() == leaf.Path.String()
	})
}

// leafAt finds the leaf whose value holds a place; own leaves out what comes through
// an alias.
func (e *rulesEdit) leafAt(at syntax.Span, own bool) (syntax.Leaf, bool) {
	for _, l := range e.now.File.Leaves {
		if l.Span.Start.Offset <= at.Start.Offset && at.Start.Offset < l.Span.End.Offset && l.Anchor.IsZero() == own {
			return l, true
		}
	}
	return syntax.Leaf{}, false
}

// leftover deals with what names an old recipient outside of the rules: the anchors
// that nothing refers to any more.
func (e *rulesEdit) leftover() ([]syntax.Replace, error) {
	for _, l := range e.now.File.Leaves {
		if !l.Anchor.IsZero() || len(l.Path) == 0 || l.Path[0].Key == "creation_rules" || l.Path[0].Key == "destination_rules" {
			continue
		}
		for _, r := range e.old {
			part, ok := within(e.data, extentOf(l.Span), r)
			switch {
			case !ok:
				continue
			case len(e.to) > 0:
				e.changed(l.Span.Start.Line, fmt.Sprintf("%s becomes %s", r.Short(), e.named(e.to)))
				return []syntax.Replace{{Start: part.start, End: part.end, Text: ids(e.to)}}, nil
			}
			e.changed(l.Span.Start.Line, r.Short()+" goes")
			if cut, ok := dropPart(e.data, extentOf(l.Span), part); ok {
				return []syntax.Replace{cut}, nil
			}
			return e.dropValue(l, extentOf(l.Span))
		}
	}
	return nil, nil
}

// verify holds the outcome to what was wanted: the same rules, and in each group who
// was there, without who goes, with who comes.
func (e *rulesEdit) verify() error {
	if len(e.changes) == 0 {
		return nil
	}
	if !e.same(e.before.Rules, e.now.Rules, true) || !e.same(e.before.Destinations, e.now.Destinations, false) ||
		len(e.now.Problems) > len(e.before.Problems) || (e.now.File.Broken != nil) != (e.before.File.Broken != nil) {
		return errByHand
	}
	return nil
}

func (e *rulesEdit) same(before, after []sops.CreationRule, joined bool) bool {
	return slices.EqualFunc(before, after, func(a, b sops.CreationRule) bool {
		if a.PathRegex != b.PathRegex || a.Selector != b.Selector || a.Threshold != b.Threshold || a.MACOnlyEnc != b.MACOnlyEnc || len(a.Groups) != len(b.Groups) {
			return false
		}
		for g := range a.Groups {
			want := sops.Difference(a.Groups[g], e.old)
			if len(common(a.Groups[g], e.old)) > 0 {
				want = append(want, e.to...)
			}
			if joined && g == 0 {
				want = append(want, e.joins(a)...)
			}
			if !slices.Equal(sops.Difference(want, nil), sops.Difference(b.Groups[g], nil)) {
				return false
			}
		}
		return true
	})
}
