package rotate

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/syntax"
)

// maxRead bounds what is read of a file to tell what it is, in bytes.
const maxRead = 1 << 20

// content is what a YAML file is, for whoever seals it.
type content int

const (
	asNothing  content = iota // not to be sealed, or not to be told
	asManifest                // of Kubernetes
	asValues                  // any other mapping: values of a chart, an application's configuration
)

// contentOf reads a YAML file.
func (t *Tree) contentOf(p string) content {
	switch base := strings.TrimSuffix(path.Base(p), path.Ext(p)); base {
	case "kustomization":
		return asManifest
	case ".sops", ".sealward", "kilter", "Chart", "helmfile", "kustomizeconfig":
		return asNothing
	}
	data, err := fs.ReadFile(t.Snapshot.FS, p)
	if err != nil || len(data) > maxRead {
		return asNothing
	}
	f := syntax.ParseAs(p, data, syntax.YAML)
	out := asNothing
	for _, d := range f.Docs {
		switch {
		case len(d.Leaves) == 0 || len(d.Leaves[0].Path) == 0 || d.Leaves[0].Path[0].Index >= 0: // empty, a scalar, a list of patches
		case d.Str("apiVersion") == "" || d.Str("kind") == "":
			return asValues
		default:
			out = asManifest
		}
	}
	if f.Broken != nil {
		return asNothing // a template, of which sops seals nothing either
	}
	return out
}

// manifestsIn writes which of the places where an environment's YAML stands hold
// manifests, as one regular expression, and which of the files there are none. Where
// the environment has no YAML yet, what the tree's other environments have decides.
func (t *Tree) manifestsIn(name string, places []string) (manifests string, others []string) {
	found, mixed := map[string]bool{}, map[string]bool{}
	empty, elsewhere := true, false
	res := make([]*regexp.Regexp, len(places))
	for i, place := range places {
		res[i] = regexp.MustCompile(anyOf([]string{place}))
	}
	for _, p := range t.paths {
		if ext := path.Ext(p); ext != ".yaml" && ext != ".yml" {
			continue
		}
		if e := t.EnvOf(p); e != name {
			elsewhere = elsewhere || e != "" && t.contentOf(p) == asManifest
			continue
		}
		empty = false
		at := slices.IndexFunc(res, func(re *regexp.Regexp) bool { return re.MatchString(p) })
		if at < 0 {
			continue
		}
		switch t.contentOf(p) {
		case asManifest:
			found[places[at]], mixed[path.Dir(p)] = true, true
		case asValues:
			others = append(others, p)
		}
	}
	within := slices.DeleteFunc(slices.Clone(places), func(place string) bool { return !found[place] && !(empty && elsewhere) })
	if len(within) == 0 {
		return "", nil
	}
	manifests = anyOf(within)
	in := regexp.MustCompile(manifests)
	others = slices.DeleteFunc(others, func(p string) bool { return !in.MatchString(p) })
	return manifests, exactly(others, mixed)
}

// maxExact is how many files a rule names one by one.
const maxExact = 12

// exactly names files one by one, or, where they are many, by those of their
// directories that hold no manifests.
func exactly(files []string, mixed map[string]bool) []string {
	var out []string
	for _, p := range files {
		if dir := path.Dir(p); len(files) > maxExact && !mixed[dir] {
			out = append(out, regexp.QuoteMeta(dir)+`/[^/]*\.ya?ml$`)
		} else {
			out = append(out, regexp.QuoteMeta(p)+"$")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pathRegex writes what the files of an environment have in common, and the places
// where YAML stands among them: alternatives, each without the start of the path.
func (t *Tree) pathRegex(name string) (all string, yamlIn []string) {
	const anyYAML = `.*\.ya?ml$`
	var inDirs, single []string
	for _, g := range t.Config.Environments[name].Paths {
		if dir, ok := strings.CutSuffix(g, "/**"); ok {
			inDirs = append(inDirs, globRegex(dir)+"/")
			continue
		}
		single = append(single, globRegex(g)+"$")
	}
	if len(inDirs)+len(single) == 0 {
		inDirs, single = t.detected(name)
	}
	slices.Sort(inDirs)
	slices.Sort(single)
	inDirs, single = slices.Compact(inDirs), slices.Compact(single)
	if n := len(inDirs) + len(single); n == 0 || n > 12 && len(t.Config.Environments[name].Paths) == 0 {
		words := strings.Join(t.namesOf(name), "|")
		return `(^|[/._-])(` + words + `)([/._-]|$)`, []string{`(.*[/._-])?(` + words + `)([/._-].*)?\.ya?ml$`}
	}
	for _, d := range inDirs {
		yamlIn = append(yamlIn, d+anyYAML)
	}
	for _, s := range single {
		if strings.HasSuffix(s, `\.yaml$`) || strings.HasSuffix(s, `\.yml$`) {
			yamlIn = append(yamlIn, s)
		}
	}
	return anyOf(append(inDirs, single...)), yamlIn
}

// detected are the directories of an environment, and its files elsewhere.
func (t *Tree) detected(name string) (inDirs, single []string) {
	for _, g := range t.places.Groups() {
		if d := g.Dirs[name]; d != "" {
			inDirs = append(inDirs, regexp.QuoteMeta(d)+"/")
		}
	}
	under := regexp.MustCompile("^(" + strings.Join(append(inDirs, `\x00`), "|") + ")")
	for _, p := range slices.Concat(t.paths, t.kilterFiles(name)) {
		if t.EnvOf(p) != name || under.MatchString(p) || !t.holdsValues(p) && !t.holdsSecret(p) {
			continue
		}
		if dir := dirNamed(p, name); dir != "" {
			inDirs = append(inDirs, regexp.QuoteMeta(dir)+"/")
		} else {
			single = append(single, regexp.QuoteMeta(p)+"$")
		}
	}
	return inDirs, single
}

// dirNamed is the directory above a file that an environment's name is the name of, or "".
func dirNamed(p, name string) string {
	dirs := strings.Split(path.Dir(p), "/")
	for i, d := range dirs {
		if d == name || env.Known(d) && sameEnv([]string{strings.ToLower(d)}, name) {
			return path.Join(dirs[:i+1]...)
		}
	}
	return ""
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
	// Directories whose YAML is meant share their end.
	const end = `.*\.ya?ml$`
	if !slices.ContainsFunc(alternatives, func(a string) bool { return !strings.HasSuffix(a, "/"+end) }) {
		return strings.ReplaceAll("^("+strings.Join(alternatives, "|")+")", end, "") + end
	}
	return "^(" + strings.Join(alternatives, "|") + ")"
}

// holdsSecret reports whether a YAML file has what a rule is for: a Secret, or any
// values where the file's name says that they are secret.
func (t *Tree) holdsSecret(p string) bool {
	if ext := path.Ext(p); ext != ".yaml" && ext != ".yml" {
		return false
	}
	switch t.contentOf(p) {
	case asValues:
		return strings.Contains(strings.ToLower(p), "secret")
	case asManifest:
		data, err := fs.ReadFile(t.Snapshot.FS, p)
		return err == nil && secretKind.Match(data)
	}
	return false
}

var secretKind = regexp.MustCompile(`(?m)^kind: *["']?Secret["']?\s*(#.*)?$`)

// namesOf are the names that an environment's directories and files have, here or commonly.
func (t *Tree) namesOf(name string) []string {
	out := []string{name}
	common := []string{"production", "prd", "stage", "stg", "development", "develop", "testing"}
	for _, w := range append(common, t.spellings(name)...) {
		if !slices.Contains(out, w) && sameEnv([]string{strings.ToLower(w)}, name) {
			out = append(out, w)
		}
	}
	for i := range out {
		out[i] = regexp.QuoteMeta(out[i])
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
