package rotate

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// exposed lists every value that an old key could read: what files hold that are sealed
// for it now, and what they held at any time while they were.
func (t *Tree) exposed(p *Plan, past []Exposed) []Exposed {
	type id struct {
		path string
		Value
	}
	seen := map[id]bool{}
	var out []Exposed
	add := func(e Exposed) {
		if key := (id{e.Path, e.Value}); !seen[key] {
			seen[key] = true
			out = append(out, e)
		}
	}
	for _, s := range t.Sealed {
		for _, d := range s.Docs {
			if len(common(d.Recipients, p.Old)) == 0 {
				continue
			}
			for _, v := range d.Values {
				add(Exposed{Path: s.Path, Value: v})
			}
		}
	}
	for _, e := range past {
		add(e)
	}
	slices.SortStableFunc(out, func(a, b Exposed) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Object, b.Object), strings.Compare(a.Key, b.Key))
	})
	return out
}

// ExposedIn lists the values of one version of a file that any of the keys could read.
func ExposedIn(path string, data []byte, keys []sops.Recipient) []Exposed {
	if len(data) > maxLooked || !slices.ContainsFunc(keys, func(r sops.Recipient) bool { return mayName(data, r) }) {
		return nil
	}
	f := sops.Read(syntax.Parse(path, data))
	if f == nil {
		return nil
	}
	var out []Exposed
	for _, d := range f.Sealed {
		if len(common(d.Recipients(), keys)) == 0 {
			continue
		}
		for _, v := range valuesOf(f, d) {
			out = append(out, Exposed{Path: path, Value: v, History: true})
		}
	}
	return out
}

// mayName reports whether a file can be sealed for r, without reading it: an age
// recipient stands in it as it is; other kinds are written in more than one form.
func mayName(data []byte, r sops.Recipient) bool {
	return r.Kind != sops.Age || bytes.Contains(data, []byte(r.ID))
}
