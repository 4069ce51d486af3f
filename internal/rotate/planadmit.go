package rotate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// Admission is what it takes for an environment's new key to be sealed for: edits of
// .sops.yaml and kilter.yaml.
type Admission struct {
	Edits   []repo.Edit
	Changes []Change
	Notes   []string // what is left for a person
}

// Admit names a new key of an environment in the rules: in the place of the recipients
// that it replaces, or, where there are none, in the rules that are the environment's
// alone. Without such a rule it makes one, and an environment that only directories or
// files are named after is declared in .sealward.yaml.
func (t *Tree) Admit(env string, key sops.Recipient, replaced []sops.Recipient) (*Admission, error) {
	p := &Plan{Old: sops.Difference(replaced, []sops.Recipient{key}), New: []sops.Recipient{key}}
	a := &Admission{}
	if len(p.Old) > 0 {
		err := t.editAll(p)
		a.Edits, a.Changes, a.Notes = p.Rules, p.Changes, p.Warnings
		return a, err
	}
	declared, edit, err := t.declare(env)
	if err != nil {
		return nil, err
	}
	if edit != nil {
		t = declared
		a.Edits = append(a.Edits, *edit)
		a.Changes = append(a.Changes, Change{edit.Path, 1, "the files of " + env})
	}
	own, shared := t.rulesOf(env)
	switch {
	case len(own) > 0:
		err = t.admitInto(a, own, key)
	default:
		err = t.admitAnew(a, env, key, shared)
	}
	if err == nil {
		t.admitKilter(a, env, key)
	}
	return a, err
}

// ruleAt names a rule by its file and index.
type ruleAt struct {
	file  string
	index int
}

// rulesOf tells the rules that govern an environment's paths apart: those that are its
// own, and those that govern others' too, in order.
func (t *Tree) rulesOf(name string) (own, shared []ruleAt) {
	envs := map[ruleAt][]string{}
	for _, p := range t.paths {
		if rules, rule := t.Rule(p); rule != nil {
			at := ruleAt{rules.Name, rule.Index}
			if e := t.EnvOf(p); !slices.Contains(envs[at], e) {
				envs[at] = append(envs[at], e)
			}
		}
	}
	for _, file := range t.ruleFiles() {
		for _, rule := range t.Rules[file].Rules {
			at := ruleAt{file, rule.Index}
			said := envsNamed(rule.PathRegex)
			governs := slices.DeleteFunc(envs[at], func(e string) bool { return e == "" })
			switch {
			case len(said) == 1 && sameEnv(said, name), len(said) == 0 && slices.Equal(governs, []string{name}) && rule.PathRegex != "":
				own = append(own, at)
			case rule.PathRegex == "", slices.Contains(governs, name), sameEnv(said, name):
				shared = append(shared, at)
			}
		}
	}
	return own, shared
}

// admitInto adds the key to rules that are there.
func (t *Tree) admitInto(a *Admission, own []ruleAt, key sops.Recipient) error {
	for _, file := range t.ruleFiles() {
		e := rulesEdit{before: t.Rules[file], name: file, data: t.Rules[file].File.Data,
			joins: func(rule sops.CreationRule) []sops.Recipient {
				if !slices.Contains(own, ruleAt{file, rule.Index}) {
					return nil
				}
				return sops.Difference([]sops.Recipient{key}, sops.Union(rule.Groups))
			}}
		if err := e.run(); err != nil {
			return fmt.Errorf("edit %s: %w", file, err)
		}
		if len(e.changes) > 0 {
			a.Edits = append(a.Edits, repo.Edit{Path: file, Data: e.data})
			a.Changes = append(a.Changes, e.changes...)
		}
	}
	return nil
}

// admitAnew makes rules for the environment: before the one that governs its files
// now, or at the end, or in a .sops.yaml of their own.
func (t *Tree) admitAnew(a *Admission, name string, key sops.Recipient, shared []ruleAt) error {
	const file = ".sops.yaml"
	r := t.Rules[file]
	if r == nil && slices.Contains(t.paths, file) {
		return fmt.Errorf("edit %s: it cannot be read; mend it first", file)
	}
	others, plain := []sops.Recipient(nil), true
	var before *sops.CreationRule
	if len(shared) > 0 {
		if shared[0].file != file {
			a.Notes = append(a.Notes, fmt.Sprintf("%s governs the files of %s along with others': add a rule for %s there by hand, with the recipient %s", shared[0].file, name, name, key.ID))
			return nil
		}
		before = &r.Rules[shared[0].index]
		others = sops.Union(before.Groups)
		plain = len(before.Groups) < 2 && !slices.ContainsFunc(others, func(r sops.Recipient) bool { return r.Kind != sops.Age || r.SSH() })
	}
	if !plain {
		a.Notes = append(a.Notes, fmt.Sprintf("rule %d of %s governs the files of %s, with key groups or keys other than age: add a rule for %s above it by hand, with the recipient %s",
			before.Index+1, file, name, name, key.ID))
		return nil
	}
	indent, nl, err := layout(r, before)
	if err != nil {
		return fmt.Errorf("edit %s: %w", file, err)
	}
	rules := t.newRules(name, r, before)
	data, line, err := placeRule(r, before, strings.ReplaceAll(textOf(rules, indent, append(others, key)), "\n", nl))
	if err != nil {
		return err
	}
	if err := t.checkAdmitted(file, r, data, name, key); err != nil {
		return err
	}
	a.Edits = append(a.Edits, repo.Edit{Path: file, Data: data})
	a.Changes = append(a.Changes, Change{file, line, ruleNote(name, rules)})
	if before != nil {
		a.Notes = append(a.Notes, fmt.Sprintf("rule %d of %s governed the files of %s along with others': the new rule stands above it, and names its recipients too, so that nobody who reads them now is left out; take out who should not",
			before.Index+1, file, name))
	}
	return nil
}

func ruleNote(name string, rules []newRule) string {
	if len(rules) == 1 {
		return "a rule for the files of " + name
	}
	return count(len(rules), "rule") + " for the files of " + name
}

// layout is the indentation of the list of rules, and the file's line break.
func layout(r *sops.Rules, before *sops.CreationRule) (indent, nl string, err error) {
	if r == nil {
		return "  ", "\n", nil
	}
	like := before
	if like == nil && len(r.Rules) > 0 {
		like = &r.Rules[len(r.Rules)-1]
	}
	if like == nil {
		return "  ", newline(r.File.Data), nil
	}
	line := lineOf(r.File.Data, like.Span.Start.Offset)
	head := string(r.File.Data[line.start:like.Span.Start.Offset])
	if !itemHead(head) {
		return "", "", errByHand
	}
	return head[:strings.IndexByte(head, '-')], newline(r.File.Data), nil
}

// placeRule puts a rule's text before another one, or at the end.
func placeRule(r *sops.Rules, before *sops.CreationRule, text string) (data []byte, line int, err error) {
	switch {
	case r == nil:
		return []byte("creation_rules:\n" + text), 2, nil
	case before != nil:
		at := aboveComments(r.File.Data, lineOf(r.File.Data, before.Span.Start.Offset).start)
		data, err = syntax.Apply(r.File.Data, []syntax.Replace{{Start: at, End: at, Text: text}})
		return data, r.File.At(at).Line, err
	}
	old := strings.TrimRight(string(r.File.Data), " \t\r\n")
	if old != "" {
		old += newline(r.File.Data)
	}
	if len(r.Rules) > 0 {
		last := r.Rules[len(r.Rules)-1]
		at := lineOf(r.File.Data, max(0, last.Span.End.Offset-1)).end
		if lineOf(r.File.Data, last.Span.Start.Offset).start == 0 {
			return nil, 0, fmt.Errorf("edit %s: %w", r.Name, errByHand)
		}
		data, err = syntax.Apply(r.File.Data, []syntax.Replace{{Start: at, End: at, Text: text}})
		return data, r.File.At(at).Line, err
	}
	return []byte(old + "creation_rules:\n" + text), strings.Count(old, "\n") + 2, nil
}

// aboveComments is where the comment lines right above a line begin.
func aboveComments(data []byte, at int) int {
	indent := indentOf(data[at:])
	for at > 0 {
		above := lineOf(data, at-1)
		text := string(data[above.start:above.end])
		if !strings.HasPrefix(strings.TrimSpace(text), "#") || indentOf([]byte(text)) != indent {
			break
		}
		at = above.start
	}
	return at
}

// checkAdmitted reads the rules again: every file of the environment is sealed for the
// key by them, and every other file as before.
func (t *Tree) checkAdmitted(file string, was *sops.Rules, data []byte, name string, key sops.Recipient) error {
	now, err := sops.ReadRules(syntax.ParseAs(file, data, syntax.YAML))
	if err != nil || was != nil && len(now.Problems) > len(was.Problems) {
		return fmt.Errorf("edit %s: %w", file, errByHand)
	}
	for _, p := range t.paths {
		if nearest := sops.Nearest(t.Rules, p); nearest != nil && nearest.Name != file {
			continue
		}
		before, after := was.Match(p), now.Match(p)
		switch {
		case t.EnvOf(p) == name && after == nil, after != nil && slices.Contains(sops.Union(after.Groups), key) == (t.EnvOf(p) == name):
			continue
		case before == nil && after == nil, before != nil && after != nil && before.PathRegex == after.PathRegex:
			continue
		}
		return fmt.Errorf("edit %s: a rule for %s would govern %s too; write it by hand, with the recipient %s", file, name, p, key.ID)
	}
	return nil
}
