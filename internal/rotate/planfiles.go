package rotate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/sops"
)

// chooseFiles picks every file that is sealed for a key that goes, wherever it stands,
// and every one that somebody new is let into.
func (t *Tree) chooseFiles(p *Plan) {
	for _, s := range t.Sealed {
		from, to, affected := p.change(s)
		if !affected {
			continue
		}
		if why := t.refuse(s, from, to, len(to) > 0 || p.Mint); why != "" {
			p.Skipped = append(p.Skipped, Skip{s.Path, why})
			continue
		}
		f := Reseal{Path: s.Path, From: from, To: to, Known: t.known(s), Env: s.Env, Why: t.why(p, s, from), sealed: s}
		for _, d := range s.Docs {
			if len(from) == 0 || len(common(d.Recipients, from)) > 0 {
				f.Docs++
				f.Values += len(d.Values)
			}
		}
		p.Files = append(p.Files, f)
		if s.Env != "" && !slices.Contains(p.Envs, s.Env) {
			p.Envs = append(p.Envs, s.Env)
		}
	}
	slices.SortFunc(p.Envs, func(a, b string) int { return cmp.Or(cmp.Compare(env.Rank(a), env.Rank(b)), strings.Compare(a, b)) })
}

// change tells who goes from a file and who comes into it.
func (p *Plan) change(s *Sealed) (from, to []sops.Recipient, affected bool) {
	has := s.Recipients()
	from = common(has, p.Old)
	if len(from) > 0 {
		return from, p.New, true
	}
	switch {
	case p.behind[s.Path]:
		return nil, p.New, true
	case p.Env != "" && len(common(has, p.scope)) == 0:
		return nil, nil, false
	case len(sops.Difference(p.Add, has)) > 0:
		return nil, p.Add, true
	}
	return nil, nil, false
}

func common(a, b []sops.Recipient) []sops.Recipient {
	var out []sops.Recipient
	for _, r := range a {
		if slices.Contains(b, r) {
			out = append(out, r)
		}
	}
	return out
}

// known are the recipients that the rules explain beside the ones that go.
func (t *Tree) known(s *Sealed) []sops.Recipient {
	_, rule := t.Rule(s.Path)
	if rule == nil {
		return nil
	}
	named := sops.Union(rule.Groups)
	known := slices.Clone(named)
	for _, r := range s.Recipients() {
		if !slices.Contains(known, r) && slices.ContainsFunc(named, func(n sops.Recipient) bool { return sameKey(n, r) }) {
			known = append(known, r)
		}
	}
	return known
}

// sameKey holds for two fingerprints of a PGP key, of which one is cut.
func sameKey(a, b sops.Recipient) bool {
	return a.Kind == sops.PGP && b.Kind == sops.PGP && min(len(a.ID), len(b.ID)) >= 16 &&
		(strings.HasSuffix(a.ID, b.ID) || strings.HasSuffix(b.ID, a.ID))
}

// refuse says why a file is not to be re-sealed, or "".
func (t *Tree) refuse(s *Sealed, from, to []sops.Recipient, replaced bool) string {
	if s.Problem != "" {
		return s.Problem
	}
	rules, rule := t.Rule(s.Path)
	for _, d := range s.Docs {
		for _, r := range sops.Difference(d.Recipients, slices.Concat(from, to, t.known(s))) {
			return fmt.Sprintf("it is sealed for %s, which %s, nor is it the key that is replaced: whoever added it would read the new values too; "+
				"name it in the rule if it belongs there, else take it out with --remove %s", r.Short(), unexplained(rules, rule), r.ID)
		}
		if !replaced && len(common(d.Recipients, from)) > 0 && len(sops.Difference(d.Recipients, from)) == 0 {
			return "nobody would be left to open it; say who takes the place of the one who goes with --to, or remove the file"
		}
	}
	return ""
}

func unexplained(rules *sops.Rules, rule *sops.CreationRule) string {
	switch {
	case rules == nil:
		return "no .sops.yaml names"
	case rule == nil:
		return "no rule of " + rules.Name + " names for this path"
	}
	return fmt.Sprintf("rule %d of %s does not name", rule.Index+1, rules.Name)
}

// why says in one line why a file is affected, and what is odd about it.
func (t *Tree) why(p *Plan, s *Sealed, from []sops.Recipient) string {
	said := []string{"sealed for " + shorts(from)}
	switch {
	case p.behind[s.Path]:
		said[0] = "lacks the key, which its rule names"
	case len(from) == 0:
		said[0] = "gets another recipient"
	}
	switch {
	case p.Env == "" || s.Env == p.Env:
	case s.Env == "":
		said = append(said, "stands in no environment")
	default:
		said = append(said, "belongs to "+s.Env+", which shares the key")
	}
	rules, rule := t.Rule(s.Path)
	if rule == nil {
		return strings.Join(append(said, unruled(rules)), "; ")
	}
	if lacks := missing(sops.Union(rule.Groups), slices.Concat(s.Recipients(), p.New)); len(lacks) > 0 {
		said = append(said, fmt.Sprintf("lacks %s, which rule %d of %s demands", shorts(lacks), rule.Index+1, rules.Name))
	}
	return strings.Join(said, "; ")
}

func unruled(rules *sops.Rules) string {
	if rules == nil {
		return "no .sops.yaml governs it"
	}
	return "no rule of " + rules.Name + " matches it"
}

// missing returns what want has and have lacks.
func missing(want, have []sops.Recipient) []sops.Recipient {
	return slices.DeleteFunc(sops.Difference(want, have), func(w sops.Recipient) bool {
		return slices.ContainsFunc(have, func(h sops.Recipient) bool { return sameKey(w, h) })
	})
}

// interplay warns of what the plan touches beyond the files that were asked for.
func (t *Tree) interplay(p *Plan) {
	if p.Env != "" && len(p.Old) > 0 && len(p.Envs) > 1 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("%s share the key: all of them move to the new one, and each of their clusters needs it; "+
			"for keys apart, give each environment a rule of its own in .sops.yaml first", list(p.Envs)))
	}
	kept := map[string][]string{}
	for _, f := range p.Files {
		for _, r := range sops.Difference(f.sealed.Recipients(), f.From) {
			if r.Kind != sops.Age {
				kept[r.Short()] = append(kept[r.Short()], f.Path)
			}
		}
	}
	for _, r := range sortedKeys(kept) {
		p.Warnings = append(p.Warnings, fmt.Sprintf("%s in %s: it needs credentials that are not here, so the data key of these files stays as it is, and whoever held the old key can still open what they hold; "+
			"rotate them with sops rotate where the credentials are", r, some(kept[r], 3)))
	}
	for _, r := range p.Old {
		if files := t.named[r]; len(files) > 0 {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s is named in clear in %s, which a rotation does not edit", r.Short(), some(files, 5)))
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// shorts lists recipients, abbreviated.
func shorts(rs []sops.Recipient) string {
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.Short()
	}
	return list(out)
}

// list writes "a, b and c".
func list(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

// some writes the first few words and how many there are beside.
func some(words []string, most int) string {
	if more := len(words) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), more)
	}
	return list(words)
}

// count writes "1 file" or "2 files".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
