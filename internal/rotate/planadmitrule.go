package rotate

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/sops"
)

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
