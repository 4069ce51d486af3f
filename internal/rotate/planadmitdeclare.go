package rotate

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/syntax"
)

// maxPlaces is how many globs an environment is declared with.
const maxPlaces = 8

// Speaks reports whether directories or files of the tree have a name in theirs that the
// tree does not know for an environment's, such as customer-a: [Tree.Admit] declares it.
func (t *Tree) Speaks(name string) bool { return len(t.placesNamed(name)) > 0 }

// placesNamed are the globs of the directories that have a name, and of the files
// elsewhere that have it in theirs.
func (t *Tree) placesNamed(name string) []string {
	word := regexp.MustCompile(`(^|[._-])` + regexp.QuoteMeta(name) + `([._-]|$)`)
	var out []string
	for _, p := range t.paths {
		parts := strings.Split(p, "/")
		if i := slices.Index(parts[:len(parts)-1], name); i >= 0 {
			out = append(out, path.Join(parts[:i+1]...)+"/**")
		} else if word.MatchString(parts[len(parts)-1]) {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	if out = slices.Compact(out); len(out) > maxPlaces {
		return []string{"**/" + name + "/**", "**/*" + name + "*"}
	}
	return out
}

// declare names an environment in .sealward.yaml that nothing else tells, and returns
// the tree as it is read then; nil where there is nothing to declare.
func (t *Tree) declare(name string) (*Tree, *repo.Edit, error) {
	globs := t.placesNamed(name)
	if env.Known(name) || slices.Contains(t.Environments(), name) || len(globs) == 0 {
		return nil, nil, nil
	}
	for i, g := range globs {
		globs[i] = yamlQuoted(g)
	}
	line := fmt.Sprintf("%s: {paths: [%s]}", yamlKey(name), strings.Join(globs, ", "))
	byHand := fmt.Errorf("edit %s: %w: under environments: say %s", config.Name, errByHand, line)
	data, ok := withEnvironment(t.content[config.Name], line)
	if !ok {
		return nil, nil, byHand
	}
	after, err := config.Parse(config.Name, data)
	if err != nil || len(after.Environments) != len(t.Config.Environments)+1 || after.Environments[name].Paths == nil {
		return nil, nil, byHand
	}
	now := *t
	now.Config = after
	if err := now.locate(); err != nil {
		return nil, nil, err
	}
	return &now, &repo.Edit{Path: config.Name, Data: data}, nil
}

// yamlKey quotes a name that YAML would not take for text.
func yamlKey(name string) string {
	if syntax.ParseAs("", []byte("- "+name+"\n"), syntax.YAML).Leaves[0].Kind == syntax.String {
		return name
	}
	return yamlQuoted(name)
}

// withEnvironment puts a line under the environments of a configuration; f is nil where
// there is none yet.
func withEnvironment(f *syntax.File, line string) ([]byte, bool) {
	if f == nil {
		return []byte("environments:\n  " + line + "\n"), true
	}
	nl := newline(f.Data)
	first := slices.IndexFunc(f.Leaves, func(l syntax.Leaf) bool { return len(l.Path) > 0 && l.Path[0].Key == "environments" })
	if first < 0 {
		text := strings.TrimRight(string(f.Data), " \t\r\n")
		if text != "" {
			text += nl
		}
		return []byte(text + "environments:" + nl + "  " + line + nl), true
	}
	for at := lineOf(f.Data, f.Leaves[first].Span.Start.Offset).start; at > 0; {
		above := lineOf(f.Data, at-1)
		head, _, _ := strings.Cut(string(f.Data[above.start:above.end]), "#")
		if strings.TrimRight(head, " \t\r\n") == "environments:" {
			indent := strings.Repeat(" ", max(indentOf(f.Data[at:]), 1))
			data, err := syntax.Apply(f.Data, []syntax.Replace{{Start: at, End: at, Text: indent + line + nl}})
			return data, err == nil
		}
		at = above.start
	}
	return nil, false
}
