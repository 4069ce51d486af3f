package review

import (
	"fmt"
	"slices"
)

// identity tells whether two findings are the same one, seen in two trees. The
// place is left out: lines move. The subject is in: a new value under an old key is
// a new leak.
type identity struct{ rule, path, key, subject string }

func (r *run) identityOf(f *Finding) identity {
	path := f.Span.File
	if to, ok := r.renamed[path]; ok {
		path = to
	}
	return identity{f.Rule, path, f.Key, f.Subject}
}

// subtract returns what Head has and Base has not, each as often as it is new, and
// all that the rules of the change as a whole found.
func (r *run) subtract() []Finding {
	known := map[identity]int{}
	for i := range r.inBase {
		known[r.identityOf(&r.inBase[i])]++
	}
	// The last ones are the new ones, where a finding is there more often than before.
	var found []Finding
	for i := range r.inHead {
		id := r.identityOf(&r.inHead[i])
		if known[id] > 0 {
			known[id]--
			continue
		}
		found = append(found, r.inHead[i])
	}
	return append(found, r.inChange...)
}

// relatedShown is how many members of a class are listed one by one.
const relatedShown = 20

// classes merges the findings of one class, which have one cause, into the first of
// them; the others become its related places.
func classes(found []Finding) []Finding {
	first := map[string]int{}
	members := map[int]int{}
	out := found[:0:0]
	for _, f := range found {
		key := f.Rule + "\x00" + f.Class
		i, ok := first[key]
		if f.Class == "" || !ok {
			if f.Class != "" {
				first[key] = len(out)
			}
			out = append(out, f)
			continue
		}
		members[i]++
		lead := &out[i]
		lead.Severity = max(lead.Severity, f.Severity)
		if members[i] <= relatedShown {
			lead.Related = append(lead.Related, Related{f.Span, "here too"})
		}
	}
	for i, n := range members {
		out[i].Message = fmt.Sprintf("%s (and %d more like it)", out[i].Message, n)
	}
	return slices.Clip(out)
}

// anchor moves findings into a file that the change touches, where one of their
// related places lies in one: there people see them.
func (r *run) anchor(found []Finding) {
	if r.opt.Mode != ReviewChange {
		return
	}
	for i := range found {
		f := &found[i]
		if r.touched[f.Span.File] || f.Commit != "" {
			continue
		}
		for j, rel := range f.Related {
			if r.touched[rel.Span.File] && r.head.File(rel.Span.File) != nil {
				f.home = f.Span.File
				f.Related[j] = Related{f.Span, "this is where it shows"}
				f.Span = rel.Span
				break
			}
		}
	}
}
