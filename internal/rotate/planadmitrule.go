package rotate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/sops"
)

// newRule is a rule that is to be written.
type newRule struct {
	comment, regex string
	selector       sops.Selector
	macOnly        bool
}

const ofManifests = ": of manifests, only what a Secret holds is sealed; other YAML needs a rule above"

// onlySecrets seals what a Secret holds, and nothing of other objects: Flux and kustomize
// read the rest of a manifest in clear.
func onlySecrets() sops.Selector {
	return sops.Selector{Kind: sops.EncryptedRegex, Value: "^(data|stringData)$"}
}

// newRules are the rules of an environment's files: as the one that governs them now
// seals, else as the repository's rules of another environment do, else by what they are.
func (t *Tree) newRules(name string, root *sops.Rules, before *sops.CreationRule) []newRule {
	if before != nil {
		regex, _ := t.pathRegex(name)
		return []newRule{{name, regex, before.Selector, before.MACOnlyEnc}}
	}
	if out := t.likeSiblings(name, root); len(out) > 0 {
		return out
	}
	return t.byContent(name)
}

// byContent makes rules by what the environment's files are. Where manifests are among
// them, these have a rule of their own; YAML in between that is none has another, for
// the selector of manifests would leave it in clear.
func (t *Tree) byContent(name string) []newRule {
	all, yamlIn := t.pathRegex(name)
	rest := newRule{name, all, sops.DefaultSelector(), false}
	manifests, others := t.manifestsIn(name, yamlIn)
	if manifests == "" {
		return []newRule{rest}
	}
	var out []newRule
	if len(others) > 0 {
		out = append(out, newRule{name + ": YAML that is no manifest is sealed whole", anyOf(others), sops.DefaultSelector(), false})
	}
	return append(out,
		newRule{name + ofManifests, manifests, onlySecrets(), false},
		rest)
}

// textOf writes rules, each with the same recipients.
func textOf(rules []newRule, indent string, to []sops.Recipient) string {
	var b strings.Builder
	for _, r := range rules {
		fmt.Fprintf(&b, "%s# %s\n%s- path_regex: %s\n", indent, r.comment, indent, yamlQuoted(r.regex))
		if r.selector.Kind != sops.NoSelector && r.selector != sops.DefaultSelector() {
			fmt.Fprintf(&b, "%s  %s: %s\n", indent, r.selector.Kind, yamlQuoted(r.selector.Value))
		}
		if r.macOnly {
			fmt.Fprintf(&b, "%s  mac_only_encrypted: true\n", indent)
		}
		fmt.Fprintf(&b, "%s  age: %s\n", indent, ids(to))
	}
	return b.String()
}

func yamlQuoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// likeSiblings copies the rules that the repository has for another environment, with
// this one's name in the place of the other's, where they then govern its files and
// nobody else's.
func (t *Tree) likeSiblings(name string, root *sops.Rules) []newRule {
	if root == nil {
		return nil
	}
	bySibling := map[string][]sops.CreationRule{}
	var order []string
	for _, r := range root.Rules {
		s := t.siblingOf(name, root, r)
		if s == "" {
			continue
		}
		if bySibling[s] == nil {
			order = append(order, s)
		}
		bySibling[s] = append(bySibling[s], r)
	}
	slices.SortStableFunc(order, func(a, b string) int { return len(bySibling[b]) - len(bySibling[a]) })
	for _, s := range order {
		for _, spelling := range t.spellings(name) {
			if out := t.translated(bySibling[s], s, name, spelling); len(out) > 0 {
				return out
			}
		}
	}
	return nil
}

// siblingOf is the one environment that a rule is for, where that is another one.
func (t *Tree) siblingOf(name string, root *sops.Rules, r sops.CreationRule) string {
	said := envsNamed(r.PathRegex)
	if len(said) == 0 {
		for _, p := range t.paths {
			rules, rule := t.Rule(p)
			if e := t.EnvOf(p); e != "" && rules == root && rule != nil && rule.Index == r.Index && !slices.Contains(said, e) {
				said = append(said, e)
			}
		}
	}
	if len(said) != 1 || sameEnv(said, name) {
		return ""
	}
	return said[0]
}

// spellings are the names that an environment has in the tree's paths, the most
// frequent one first, and its own.
func (t *Tree) spellings(name string) []string {
	count := map[string]int{}
	for _, p := range t.paths {
		if t.EnvOf(p) != name {
			continue
		}
		for _, w := range wordsOfPath(p) {
			if w == name || env.Known(w) && sameEnv([]string{strings.ToLower(w)}, name) {
				count[w]++
			}
		}
	}
	out := sortedKeys(count)
	slices.SortStableFunc(out, func(a, b string) int { return count[b] - count[a] })
	if !slices.Contains(out, name) {
		out = append(out, name)
	}
	return out
}

func wordsOfPath(p string) []string {
	out := strings.Split(p, "/")
	for _, part := range out {
		out = append(out, words(part)...)
	}
	return out
}

// translated are a sibling's rules for another environment; none where they do not fit.
func (t *Tree) translated(rules []sops.CreationRule, from, name, to string) []newRule {
	var out []newRule
	var res []*regexp.Regexp
	for _, r := range rules {
		regex := renamed(r.PathRegex, from, to)
		re, err := regexp.Compile(regex)
		if err != nil || regex == r.PathRegex {
			return nil
		}
		res = append(res, re)
		comment := name
		if r.Selector == onlySecrets() {
			comment += ofManifests
		}
		out = append(out, newRule{comment, regex, r.Selector, r.MACOnlyEnc})
	}
	own, governed := 0, 0
	for _, p := range t.paths {
		matches := slices.ContainsFunc(res, func(re *regexp.Regexp) bool { return re.MatchString(p) })
		switch {
		case t.EnvOf(p) != name && matches:
			return nil
		case t.EnvOf(p) == name && t.holdsValues(p) && !matches:
			return nil // a file with values would stay without a rule
		case t.EnvOf(p) == name:
			own++
			if matches {
				governed++
			}
		}
	}
	if own > 0 && governed == 0 {
		return nil
	}
	return out
}

// renamed puts one environment's name in the place of another's, whole words alone.
func renamed(regex, from, to string) string {
	word := regexp.MustCompile(`[A-Za-z0-9]+`)
	if !word.MatchString(from) || strings.ContainsAny(from, "-_.") {
		word = regexp.MustCompile(`[A-Za-z0-9]+(?:\\?[-_.][A-Za-z0-9]+)*`)
	}
	return word.ReplaceAllStringFunc(regex, func(w string) string {
		plain := strings.ReplaceAll(w, `\`, "")
		if plain == from || env.Known(strings.ToLower(plain)) && env.Canonical(strings.ToLower(plain)) == from {
			return regexp.QuoteMeta(to)
		}
		return w
	})
}
