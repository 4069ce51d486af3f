package rotate

import (
	"errors"
	"fmt"
	"path"
	"regexp"
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
// alone. Without such a rule it makes one.
func (t *Tree) Admit(env string, key sops.Recipient, replaced []sops.Recipient) (*Admission, error) {
	p := &Plan{Old: sops.Difference(replaced, []sops.Recipient{key}), New: []sops.Recipient{key}}
	a := &Admission{}
	if len(p.Old) > 0 {
		err := t.editAll(p)
		a.Edits, a.Changes, a.Notes = p.Rules, p.Changes, p.Warnings
		return a, err
	}
	own, shared := t.rulesOf(env)
	var err error
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
	others, selector, plain := []sops.Recipient(nil), sops.Selector{}, true
	var before *sops.CreationRule
	if len(shared) > 0 && shared[0].file == file {
		before = &r.Rules[shared[0].index]
		others, selector = sops.Union(before.Groups), before.Selector
		plain = len(before.Groups) < 2 && !slices.ContainsFunc(others, func(r sops.Recipient) bool { return r.Kind != sops.Age || r.SSH() })
	}
	if !plain {
		a.Notes = append(a.Notes, fmt.Sprintf("rule %d of %s governs the files of %s, with key groups or keys other than age: add a rule for %s above it by hand, with the recipient %s",
			before.Index+1, file, name, name, key.ID))
		return nil
	}
	indent, nl := "  ", "\n"
	if before != nil {
		nl = newline(r.File.Data)
		line := lineOf(r.File.Data, before.Span.Start.Offset)
		head := string(r.File.Data[line.start:before.Span.Start.Offset])
		if !itemHead(head) {
			return fmt.Errorf("edit %s: %w", file, errByHand)
		}
		indent = head[:strings.IndexByte(head, '-')]
	}
	text := strings.ReplaceAll(t.ruleText(name, indent, append(others, key), selector, before == nil), "\n", nl)
	data, line, err := placeRule(r, before, text)
	if err != nil {
		return err
	}
	if err := t.checkAdmitted(file, r, data, name, key); err != nil {
		return err
	}
	a.Edits = append(a.Edits, repo.Edit{Path: file, Data: data})
	a.Changes = append(a.Changes, Change{file, line, fmt.Sprintf("a rule for the files of %s", name)})
	if before != nil {
		a.Notes = append(a.Notes, fmt.Sprintf("rule %d of %s governed the files of %s along with others': the new rule stands above it, and names its recipients too, so that nobody who reads them now is left out; take out who should not",
			before.Index+1, file, name))
	}
	return nil
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

// ruleText writes the rules of an environment. Where Kubernetes manifests are among its
// files, these have a rule of their own, by which only what a Secret holds is sealed.
func (t *Tree) ruleText(name, indent string, to []sops.Recipient, selector sops.Selector, fresh bool) string {
	if selector.Kind == sops.NoSelector {
		selector = sops.DefaultSelector()
	}
	regex, dirs := t.pathRegex(name)
	var b strings.Builder
	write := func(regex string, selector sops.Selector) {
		fmt.Fprintf(&b, "%s- path_regex: %s\n", indent, yamlQuoted(regex))
		if selector != sops.DefaultSelector() {
			fmt.Fprintf(&b, "%s  %s: %s\n", indent, selector.Kind, yamlQuoted(selector.Value))
		}
		fmt.Fprintf(&b, "%s  age: %s\n", indent, ids(to))
	}
	if fresh && dirs != "" && t.manifests(name) {
		fmt.Fprintf(&b, "%s# %s: of manifests, only what a Secret holds is sealed\n", indent, name)
		write(dirs+`.*\.ya?ml$`, sops.Selector{Kind: sops.EncryptedRegex, Value: "^(data|stringData)$"})
	}
	fmt.Fprintf(&b, "%s# %s\n", indent, name)
	write(regex, selector)
	return b.String()
}

func yamlQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// manifests reports whether Kubernetes manifests are among an environment's files.
func (t *Tree) manifests(name string) bool {
	return slices.ContainsFunc(t.paths, func(p string) bool {
		b := path.Base(p)
		return (b == "kustomization.yaml" || b == "kustomization.yml") && t.EnvOf(p) == name
	})
}

// pathRegex writes what the files of an environment have in common, and the part of it
// that is directories.
func (t *Tree) pathRegex(name string) (all, dirs string) {
	var inDirs, single []string
	if globs := t.Config.Environments[name].Paths; len(globs) > 0 {
		for _, g := range globs {
			single = append(single, globRegex(g)+"$")
		}
		return anyOf(single), ""
	}
	for _, g := range t.places.Groups() {
		if d := g.Dirs[name]; d != "" {
			inDirs = append(inDirs, regexp.QuoteMeta(d)+"/")
		}
	}
	under := regexp.MustCompile("^(" + strings.Join(append(inDirs, `\x00`), "|") + ")")
	for _, p := range slices.Concat(t.paths, t.kilterFiles(name)) {
		if t.EnvOf(p) == name && !under.MatchString(p) && t.holdsValues(p) {
			single = append(single, regexp.QuoteMeta(p)+"$")
		}
	}
	slices.Sort(inDirs)
	slices.Sort(single)
	inDirs, single = slices.Compact(inDirs), slices.Compact(single)
	if n := len(inDirs) + len(single); n == 0 || n > 12 {
		words := strings.Join(namesOf(name), "|")
		return `(^|[/._-])(` + words + `)([/._-]|$)`, `(^|/)(` + words + `)/`
	}
	if len(inDirs) > 0 {
		dirs = anyOf(inDirs)
	}
	return anyOf(append(inDirs, single...)), dirs
}

// holdsValues reports whether a file has values to seal by its very name: an env file.
// Of other files, those that are sealed have.
func (t *Tree) holdsValues(p string) bool {
	base := path.Base(p)
	return path.Ext(base) == ".env" || strings.HasPrefix(base, ".env.") && path.Ext(base) != ".keys" && path.Ext(base) != ".example" ||
		slices.ContainsFunc(t.Sealed, func(s *Sealed) bool { return s.Path == p })
}

func anyOf(alternatives []string) string {
	if len(alternatives) == 1 {
		return "^" + alternatives[0]
	}
	return "^(" + strings.Join(alternatives, "|") + ")"
}

// namesOf are the names that an environment's directories and files commonly have.
func namesOf(name string) []string {
	out := []string{regexp.QuoteMeta(name)}
	for _, w := range []string{"production", "prd", "stage", "stg", "development", "develop", "testing"} {
		if sameEnv([]string{w}, name) && w != name {
			out = append(out, w)
		}
	}
	return out
}

// globRegex writes a glob of the configuration as a regular expression.
func globRegex(glob string) string {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; {
		case strings.HasPrefix(glob[i:], "**/"):
			b.WriteString("(.*/)?")
			i += 2
		case strings.HasPrefix(glob[i:], "**"):
			b.WriteString(".*")
			i++
		case c == '*':
			b.WriteString("[^/]*")
		case c == '?':
			b.WriteString("[^/]")
		case c == '{':
			b.WriteString("(")
			depth++
		case c == '}' && depth > 0:
			b.WriteString(")")
			depth--
		case c == ',' && depth > 0:
			b.WriteString("|")
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	if strings.HasSuffix(glob, "/") {
		b.WriteString(".*")
	}
	return b.String()
}

// kilterFiles are the env files that a kilter.yaml names for an environment.
func (t *Tree) kilterFiles(name string) []string {
	var out []string
	for _, f := range t.kilter {
		for _, l := range f.Leaves {
			p := l.Path
			if len(p) > 2 && p[0].Key == "environments" && sameEnv([]string{p[1].Key}, name) && p[2].Key == "secrets" && l.Kind == syntax.String && l.Value != "" {
				out = append(out, path.Join(path.Dir(f.Name), l.Value))
			}
		}
	}
	return out
}

// admitKilter names the key as the environment's sopsRecipient.
func (t *Tree) admitKilter(a *Admission, name string, key sops.Recipient) {
	for _, f := range t.kilter {
		edit, line, err := kilterEdit(f, name, key)
		if errors.Is(err, errByHand) {
			a.Notes = append(a.Notes, fmt.Sprintf("set the sopsRecipient of %s in %s by hand: %s", name, f.Name, key.ID))
		}
		if err != nil || line == 0 {
			continue
		}
		data, err := syntax.Apply(f.Data, []syntax.Replace{edit})
		if err != nil || syntax.ParseAs(f.Name, data, syntax.YAML).Broken != nil {
			a.Notes = append(a.Notes, fmt.Sprintf("set the sopsRecipient of %s in %s by hand: %s", name, f.Name, key.ID))
			continue
		}
		a.Edits = append(a.Edits, repo.Edit{Path: f.Name, Data: data})
		a.Changes = append(a.Changes, Change{f.Name, line, fmt.Sprintf("the sopsRecipient of %s is the new key", name)})
	}
}

// kilterEdit sets or adds the sopsRecipient; line is 0 where the file does not have the
// environment, or has the key already.
func kilterEdit(f *syntax.File, name string, key sops.Recipient) (edit syntax.Replace, line int, err error) {
	var first *syntax.Leaf
	for i, l := range f.Leaves {
		p := l.Path
		if len(p) < 3 || p[0].Key != "environments" || p[1].Index >= 0 || !sameEnv([]string{p[1].Key}, name) {
			continue
		}
		if len(p) == 3 && p[2].Key == "sopsRecipient" {
			if l.Value == key.ID {
				return edit, 0, nil
			}
			edit, err = overwrite(f, l, key)
			return edit, l.Span.Start.Line, err
		}
		if first == nil {
			first = &f.Leaves[i]
		}
	}
	if first == nil {
		return edit, 0, nil
	}
	return kilterInsert(f, first, key)
}

// kilterInsert adds the sopsRecipient as the first thing that an environment says, and
// reads the file again to prove that it is there and nothing else has changed.
func kilterInsert(f *syntax.File, first *syntax.Leaf, key sops.Recipient) (syntax.Replace, int, error) {
	name := first.Path[1].Key
	for at := lineOf(f.Data, first.Span.Start.Offset).start; at > 0; {
		above := lineOf(f.Data, at-1)
		head, _, _ := strings.Cut(string(f.Data[above.start:above.end]), "#")
		if strings.Trim(strings.TrimSpace(head), `"'`) != name+":" && strings.TrimSpace(head) != `"`+name+`":` {
			at = above.start
			continue
		}
		next := lineOf(f.Data, above.end)
		indent := strings.Repeat(" ", indentOf(f.Data[next.start:next.end]))
		edit := syntax.Replace{Start: above.end, End: above.end, Text: indent + "sopsRecipient: " + key.ID + newline(f.Data)}
		data, err := syntax.Apply(f.Data, []syntax.Replace{edit})
		if err != nil {
			return edit, 0, errByHand
		}
		again := syntax.ParseAs(f.Name, data, syntax.YAML)
		if again.Broken != nil || len(again.Leaves) != len(f.Leaves)+1 || again.Docs[first.Doc].Str("environments", name, "sopsRecipient") != key.ID {
			return edit, 0, errByHand
		}
		return edit, f.At(above.end).Line, nil
	}
	return syntax.Replace{}, 0, errByHand
}
