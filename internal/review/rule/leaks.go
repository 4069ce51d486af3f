package rule

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/leak"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

// leakAt is one secret of a file. Exactly one rule owns it, so that one secret is
// one finding: the rule that knows most about the place it stands in.
type leakAt struct {
	leak.Match
	owner  string
	span   syntax.Span
	key    string       // the key path of its leaf, "" outside of one
	leaf   *syntax.Leaf // nil outside of one
	object string       // "Secret shop/db" where it stands in a Kubernetes object
	value  string       // compared, never printed
}

// leaks is every secret of a file, with the rule that owns it.
type leaks []leakAt

// leaksOf scans a file once for all rules.
func leaksOf(f *review.File) leaks { return review.Once(f, scanFile) }

// report hands in the leaks that the pass's rule owns.
func (ls leaks) report(p *review.Pass, message func(leakAt) review.Finding) {
	for _, l := range ls {
		if l.owner != p.Rule.ID {
			continue
		}
		f := message(l)
		f.Span, f.Key, f.Subject = l.span, l.key, l.value
		if f.Severity == 0 {
			f.Severity = severityOf(l.Severity)
		}
		if f.Hint == "" {
			f.Hint = l.plan()
		}
		p.Report(f)
	}
}

// ownedBy reports whether a rule owns any of the leaks.
func (ls leaks) ownedBy(rule string) bool {
	return slices.ContainsFunc(ls, func(l leakAt) bool { return l.owner == rule })
}

func severityOf(s leak.Severity) review.Severity { return review.Severity(s) }

// plan is what a person does about a leaked value.
func (l leakAt) plan() string {
	first := "Replace the value at its provider: a revert does not un-leak it, since history, clones and logs keep it."
	if l.Revoke != "" {
		first = l.Revoke + " A revert does not un-leak it: history, clones and logs keep it."
	}
	return first + " Then commit the new value sealed with SOPS, or keep it in a secret store and commit the reference."
}

func scanFile(f *review.File) leaks {
	data := f.Data()
	if len(data) == 0 {
		return nil
	}
	s := f.Syntax()
	if s.Broken != nil || s.Format == syntax.Text || len(s.Leaves) == 0 {
		return place(f, scanText(s, data, 0, look(f, data)))
	}
	found := scanLeaves(f, s)
	for _, c := range s.Comments {
		if !strings.HasPrefix(strings.TrimSpace(c.Text), "ENC[") {
			text := c.Span.Cut(data)
			found = append(found, scanText(s, data, c.Span.Start.Offset, look(f, text))...)
		}
	}
	if s.Format == syntax.INI || namesLeak(s) {
		found = append(found, beside(found, withoutLeaves(s, scanText(s, data, 0, look(f, data))))...)
	}
	return place(f, dedupe(found))
}

// tooDense is why a file was not looked at everywhere.
const tooDense = "names of secrets stand so dense in it that some were passed over"

// look scans a stretch of a file, and names the file where not all was looked at.
func look(f *review.File, data []byte) []leak.Match {
	found, whole := leak.Look(f.Path, data)
	if !whole {
		f.ReadInPart(tooDense)
	}
	return found
}

// beside keeps what overlaps none of the leaks found already. Much that is read as
// INI holds more than names and values: inventories, units, routers' directives.
func beside(found, more leaks) leaks {
	return slices.DeleteFunc(more, func(m leakAt) bool {
		return slices.ContainsFunc(found, func(l leakAt) bool {
			return l.span.Start.Offset < m.span.End.Offset && m.span.Start.Offset < l.span.End.Offset
		})
	})
}

// withoutLeaves drops what a reader of lines took for a secret and is a whole value:
// that was judged with its neighbours before.
func withoutLeaves(s *syntax.File, found leaks) leaks {
	whole := map[int]bool{}
	for _, l := range s.Leaves {
		whole[l.Span.Start.Offset] = true
		if l.Style != syntax.Plain {
			whole[l.Span.Start.Offset+1] = true
		}
	}
	return slices.DeleteFunc(found, func(l leakAt) bool { return whole[l.span.Start.Offset] })
}

func scanText(s *syntax.File, data []byte, at int, matches []leak.Match) leaks {
	var out leaks
	for _, m := range matches {
		start, end := at+m.Start, at+m.End
		out = append(out, leakAt{Match: m, value: string(data[start:end]),
			span: syntax.Span{File: s.Name, Start: s.At(start), End: s.At(end)}})
	}
	return out
}

// scanLeaves judges the values of each document together. A value that comes
// through an alias is found where it stands, once.
func scanLeaves(f *review.File, s *syntax.File) leaks {
	var out, aliased leaks
	memory := review.Memory[leafValues](f)
	for i := range s.Docs {
		d := &s.Docs[i]
		hits, whole := leak.LookAt(leak.Document{Name: f.Path, Values: memory.of(d.Leaves)})
		if !whole {
			f.ReadInPart(tooDense)
		}
		for _, h := range hits {
			l := &d.Leaves[h.Index]
			at := leakAt{Match: h.Match, leaf: l, key: l.Path.String(), value: l.Value[h.Start:h.End]}
			if !l.Anchor.IsZero() {
				at.span = l.Anchor
				aliased = append(aliased, at)
				continue
			}
			at.span = s.Sub(*l, h.Start, h.End)
			out = append(out, at)
		}
	}
	return append(out, beside(out, dedupe(aliased))...)
}

// leafValues is the memory in which leaves become values.
type leafValues struct {
	values []leak.Value
	keys   []string // of all values
}

// of makes values of leaves, valid until the next call.
func (m *leafValues) of(leaves []syntax.Leaf) []leak.Value {
	clear(m.values) // which hold on to the text of the file before
	clear(m.keys)
	m.values, m.keys = m.values[:0], m.keys[:0]
	for i := range leaves {
		l := &leaves[i]
		from := len(m.keys)
		for _, step := range l.Path {
			if step.Index < 0 {
				m.keys = append(m.keys, step.Key)
			}
		}
		v := leak.Value{Keys: m.keys[from:len(m.keys):len(m.keys)], Text: l.Value, Quoted: l.Style != syntax.Plain, Scalar: l.Kind != syntax.String}
		if sops.Sealed(l.Value) {
			v.Text = "" // sealed: there is nothing to find in it
		}
		m.values = append(m.values, v)
	}
	return m.values
}

// dedupe drops what was found twice at one place, as through an alias or a merge.
func dedupe(found leaks) leaks {
	seen := map[[2]int]bool{}
	return slices.DeleteFunc(found, func(l leakAt) bool {
		at := [2]int{l.span.Start.Offset, l.span.End.Offset}
		was := seen[at]
		seen[at] = true
		return was
	})
}

// keyMaterial are the patterns whose match is a private key, or opens a cluster as one does.
func keyMaterial(pattern string) bool {
	return strings.Contains(pattern, "private-key") || strings.Contains(pattern, "age-identity") ||
		strings.Contains(pattern, "kubeconfig") || strings.Contains(pattern, "talosconfig") || strings.Contains(pattern, "age-secret-key")
}

// place gives each leak to the rule that knows its place best.
func place(f *review.File, found leaks) leaks {
	if len(found) == 0 {
		return nil
	}
	objects := wiring.Objects(f.Syntax())
	sealed := f.Sops()
	chart := renderedChart(f)
	dotenv := isDotenv(f)
	out := found[:0]
	for _, l := range found {
		o := objectAt(objects, l.span)
		if o != nil {
			l.object = o.Kind + " " + objectName(o)
		}
		switch {
		case clearInSealed(sealed, l):
			continue // partly-sealed speaks of it
		case o != nil && secretLeaf(o, l.leaf) && chart && keyMaterial(l.Rule):
			l.owner = "rendered-chart-key"
		case keyMaterial(l.Rule) && !inlined(o):
			l.owner = "private-key"
		case o != nil && secretLeaf(o, l.leaf):
			l.owner = "plaintext-secret"
			if l.Issuer != "" {
				l.owner = "leaked-token"
			}
		case inlined(o) && (l.Issuer != "" || keyMaterial(l.Rule)):
			l.owner = "inline-secret"
		case generatorLeaf(f, l.leaf):
			l.owner = "generator-literal"
		case dotenv && l.Issuer == "":
			l.owner = "tracked-dotenv"
		default:
			l.owner = "leaked-token"
		}
		out = append(out, l)
	}
	return out
}

func objectAt(objects []wiring.Object, s syntax.Span) *wiring.Object {
	for i := range objects {
		ls := objects[i].Leaves
		if len(ls) > 0 && first(ls[0]) <= s.Start.Offset && s.Start.Offset <= ls[len(ls)-1].Span.End.Offset {
			return &objects[i]
		}
	}
	return nil
}

func first(l syntax.Leaf) int {
	if l.Key.IsZero() {
		return l.Span.Start.Offset
	}
	return min(l.Key.Start.Offset, l.Span.Start.Offset)
}

func objectName(o *wiring.Object) string {
	if o.Namespace == "" {
		return o.Name
	}
	return o.Namespace + "/" + o.Name
}

// clearInSealed reports whether the leak is a leaf that its document's own selector
// says must be sealed.
func clearInSealed(s *sops.File, l leakAt) bool {
	if s == nil || l.leaf == nil {
		return false
	}
	for _, d := range s.Sealed {
		for _, c := range d.Clear {
			if c.Span.Start == l.leaf.Span.Start {
				return true
			}
		}
	}
	return false
}

// secretLeaf reports whether a leaf is a value of a v1 Secret.
func secretLeaf(o *wiring.Object, l *syntax.Leaf) bool {
	if l == nil || !o.Is("", "Secret") {
		return false
	}
	p := o.Rel(*l)
	return len(p) == 2 && (p[0].Key == "data" || p[0].Key == "stringData")
}

// inlined reports whether the object is one that is not made to hold secrets.
func inlined(o *wiring.Object) bool {
	if o == nil {
		return false
	}
	switch o.Kind {
	case "Route", "ConfigMap", "HelmRelease", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod", "Rollout":
		return true
	}
	return false
}

func renderedChart(f *review.File) bool {
	d := f.Data()
	return bytes.HasPrefix(d, []byte("# Source:")) || bytes.Contains(d, []byte("\n# Source:")) || bytes.Contains(d, []byte("helm.sh/chart:"))
}

func generatorLeaf(f *review.File, l *syntax.Leaf) bool {
	if l == nil || !isKustomization(f.Path) {
		return false
	}
	keys := l.Path.Keys()
	return len(keys) > 0 && keys[0] == "secretGenerator"
}

func isKustomization(p string) bool {
	b := path.Base(p)
	return b == "kustomization.yaml" || b == "kustomization.yml" || b == "Kustomization"
}

// isDotenv reports whether the file is an environment file by name and format.
func isDotenv(f *review.File) bool { return f.Syntax().Format == syntax.Dotenv }

// isExample reports whether the name says that the file shows the shape of another
// and holds no values of its own.
func isExample(p string) bool {
	b := strings.ToLower(path.Base(p))
	for _, word := range []string{"example", "sample", "template", ".tpl", ".tmpl", ".dist", "skeleton", ".j2"} {
		if strings.Contains(b, word) {
			return true
		}
	}
	for dir := range strings.SplitSeq(strings.ToLower(path.Dir(p)), "/") {
		if dir == "example" || dir == "examples" || dir == "samples" || dir == "testdata" || dir == "fixtures" {
			return true
		}
	}
	return false
}
