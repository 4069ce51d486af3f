package rotate

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

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
