package rule

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/sealward/sealward/internal/leak"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

var unsealedFile = &review.Rule{
	ID: "unsealed-file", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerTree,
	Doc: `A file that .sops.yaml says must be sealed is in clear.

The first rule of the nearest .sops.yaml that matches the file's path would seal at least one of its values, and
the file is data: a Kubernetes Secret, a file whose name says sops, enc or secret, or one whose
siblings of that name are sealed. Kustomizations, examples and documentation are not findings, nor are
values that are placeholders or references.

## Why it matters
Somebody forgot to run sops: the values are readable by everybody, and Flux applies them as they are, so nothing fails.

## Example
    # .sops.yaml: creation_rules: [{path_regex: secrets/.*, age: age1...}]
    # secrets/db.yaml, in clear
    password: correct-horse

## What to do
Replace the values, then seal the file before it is committed:

    sops encrypt --in-place secrets/db.yaml
`,
	Check: func(p *review.Pass) error {
		rules := p.Tree.SopsRules()
		if len(rules) == 0 {
			return nil
		}
		sealed := sealedNames(p.Tree)
		for _, f := range p.Tree.Files() {
			r := sops.Nearest(rules, f.Path)
			if r == nil || notData(f.Path) {
				continue
			}
			rule := r.Match(f.Path)
			if rule == nil || !claimsToBeSealed(f, sealed) || f.Sops() != nil && len(f.Sops().Sealed) > 0 {
				continue
			}
			if l, ok := wouldSeal(f, rule.Selector); ok {
				p.Report(review.Finding{Span: l.Span, Class: "",
					Message: fmt.Sprintf("%s is in clear, but rule %d of %s would seal it (first at %s)", f.Base(), rule.Index+1, r.Name, l.Path),
					Hint:    fmt.Sprintf("Replace the values at their providers, then run: sops encrypt --in-place %s", f.Path),
					Related: []review.Related{{Span: rule.Span, Message: "the rule that matches"}}})
			}
		}
		return nil
	},
}

// notData reports files that no one seals, whatever a rule's regex matches.
func notData(p string) bool {
	b := strings.ToLower(path.Base(p))
	return isKustomization(p) || isExample(p) || strings.HasPrefix(b, "readme") || strings.HasSuffix(b, ".md") || strings.HasSuffix(b, ".keys") ||
		b == ".sops.yaml" || b == ".sealward.yaml" || b == "kilter.yaml" || b == "chart.yaml" || b == ".gitignore" || b == ".gitkeep" ||
		strings.HasPrefix(p, ".github/")
}

var saysSealed = regexp.MustCompile(`(?i)(^|[._-])(sops|enc|encrypted|secrets?)([._-]|$)`)

// otherSecrets are names of the tools that deal with secrets, and of the objects that
// refer to them: their own settings hold none.
var otherSecrets = regexp.MustCompile(`(?i)(external|sealed)[._-]?secrets?|secrets?[._-]?(store|stores|generator|operator|manager|provider|provider-class|reflector|replicator|csi)([._-]|$)`)

// sealedNames are the base names that are sealed by habit: at least half of the files
// of such a name are. One sealed values.yaml says nothing of all others.
func sealedNames(t *review.Tree) map[string]bool {
	sealed, all := map[string]int{}, map[string]int{}
	for _, f := range t.SealedFiles() {
		sealed[f.Base()]++
	}
	for _, f := range t.Files() {
		all[f.Base()]++
	}
	habit := map[string]bool{}
	for name, n := range sealed {
		habit[name] = n*2 >= all[name]
	}
	return habit
}

// claimsToBeSealed reports whether a file is of the kind that people seal: by what it
// is, by its name, or by the company it keeps.
func claimsToBeSealed(f *review.File, sealed map[string]bool) bool {
	named := saysSealed.MatchString(f.Base()) && !otherSecrets.MatchString(f.Base())
	if !named && !sealed[f.Base()] && !manifestWithSecret(f) {
		return false
	}
	s := f.Syntax()
	if s.Broken != nil || s.Format == syntax.Text || len(s.Leaves) == 0 {
		return false
	}
	objects := wiring.Objects(s)
	if len(objects) == 0 {
		return named || sealed[f.Base()]
	}
	// Of Kubernetes' objects only Secrets are sealed by habit; an ExternalSecret or a
	// SecretStore has "secret" in its name and holds none.
	for _, o := range objects {
		if o.Is("", "Secret") {
			return true
		}
	}
	return false
}

func manifestWithSecret(f *review.File) bool {
	ext := path.Ext(f.Path)
	return (ext == ".yaml" || ext == ".yml" || ext == ".json") && strings.Contains(string(f.Data()), "Secret")
}

// wouldSeal returns the first leaf that the selector seals and that is worth it.
func wouldSeal(f *review.File, sel sops.Selector) (syntax.Leaf, bool) {
	s := f.Syntax()
	secretDoc := map[int]bool{}
	objects := wiring.Objects(s)
	for _, o := range objects {
		if o.Is("", "Secret") {
			secretDoc[o.Doc] = true
		}
	}
	for _, l := range s.Leaves {
		if len(objects) > 0 && (!secretDoc[l.Doc] || structural(l)) {
			continue
		}
		if l.Value != "" && l.Kind == syntax.String && sel.Seals(l) && !leak.Placeholder(l.Path.Last(), l.Value) && !sops.Sealed(l.Value) {
			return l, true
		}
	}
	return syntax.Leaf{}, false
}

// structural reports whether a leaf is one of the fields that Kubernetes and Flux
// must read in clear.
func structural(l syntax.Leaf) bool {
	if len(l.Path) == 0 {
		return false
	}
	switch l.Path[0].Key {
	case "apiVersion", "kind", "metadata", "type", "immutable":
		return true
	}
	return false
}
