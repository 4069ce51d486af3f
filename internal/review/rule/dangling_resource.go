package rule

import (
	"fmt"
	"path"
	"strings"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var danglingResource = &review.Rule{
	ID: "dangling-resource", Since: "1.0", Family: review.Flux, Severity: review.Error, Scope: review.PerTree,
	Doc: `A kustomization lists a file or directory that is not there.

In templates, and where Git ignores the file, it is a notice: the file may be made later.

## Why it matters
kustomize refuses to build, and nothing of that directory is applied any more.

## Example
    resources: [deployment.yaml, secret.sops.yaml]     # the second was renamed

## What to do
Correct the path, or take the entry out.
`,
	Check: func(p *review.Pass) error {
		graph := p.Tree.Wiring()
		for _, k := range graph.Kustomizations() {
			if templateDir(k.Path) {
				continue
			}
			refs := k.Refs
			for _, list := range [][]wiring.Generator{k.Secrets, k.ConfigMaps} {
				for _, g := range list {
					refs = append(refs, g.Files...)
				}
			}
			for _, r := range refs {
				if r.Remote || graph.Exists(r.Target) || templated(r.Target) || strings.HasPrefix(r.Target, "..") || r.Field == "helmCharts" || unread(p.Tree, r.Target) {
					continue
				}
				f := review.Finding{Span: r.Span, Key: r.Field + "/" + r.Target, Class: k.Path, Message: fmt.Sprintf("%s is listed in %s and is not there", r.Target, r.Field),
					Hint: "Correct the path, or take the entry out."}
				if p.Tree.Ignored(r.Target) {
					f.Severity = review.Notice
					f.Hint = "Git ignores the file: whoever builds this must have made it."
				}
				p.Report(f)
			}
		}
		return nil
	},
}

// unread reports whether a path is, or lies below, what is not reviewed: what is there
// behind a symbolic link or in a submodule is not known.
func unread(t *review.Tree, p string) bool {
	for ; p != "." && p != "/"; p = path.Dir(p) {
		if t.Skipped(p) {
			return true
		}
	}
	return false
}

// templateDir reports directories whose kustomizations are filled in later.
func templateDir(p string) bool {
	for seg := range strings.SplitSeq(path.Dir(strings.ToLower(p)), "/") {
		if strings.Contains(seg, "template") || strings.Contains(seg, "archive") || strings.Contains(seg, "disabled") || strings.Contains(seg, "cookiecutter") || strings.Contains(seg, "{{") ||
			seg == "attic" || seg == "old" || seg == "deprecated" || seg == "testdata" || seg == "scaffold" {
			return true
		}
	}
	return isExample(p)
}
