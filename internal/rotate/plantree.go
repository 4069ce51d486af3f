package rotate

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// The limits of a tree, in bytes: a sealed file above maxSealed is refused, and one
// above maxLooked is not even looked into.
const (
	maxSealed = 5 << 20 // Flux decrypts nothing larger
	maxLooked = 16 << 20
)

// Tree is a repository as a rotation sees it: what is sealed in it and for whom, the
// rules, the environments. It keeps summaries and the rules, no contents.
type Tree struct {
	Snapshot repo.Snapshot
	Config   *config.Config
	Sealed   []*Sealed              // sorted by path
	Rules    map[string]*sops.Rules // every .sops.yaml that can be read, by path
	// Incomplete names what could not be read and may be sealed; Notes what was not
	// looked into and very likely is not.
	Incomplete, Notes []string

	paths   []string
	places  *env.Map
	kilter  []*syntax.File
	flux    []fluxKustomization
	named   map[sops.Recipient][]string // the files in clear that name a recipient
	content map[string]*syntax.File     // of the few files that env.Detect reads
}

// Sealed is a file with SOPS metadata, in short.
type Sealed struct {
	Path string
	ID   string // of its content, where the snapshot knows it
	Env  string // the environment that its path stands for, "" for none
	Docs []SealedDoc
	// Problem says why it cannot be re-sealed, "" where nothing speaks against it. Its
	// recipients are then those that its text names anywhere.
	Problem string
}

// SealedDoc is one sealed document.
type SealedDoc struct {
	Line       int // of its metadata
	Recipients []sops.Recipient
	Values     []Value // what is sealed in it
}

// Value names a sealed value, never what it is.
type Value struct {
	Object string // namespace/name of the Kubernetes object, "" for other files
	Key    string // its key path
}

// Recipients returns everybody that a document of the file is sealed for, sorted.
func (s *Sealed) Recipients() []sops.Recipient {
	var all []sops.Recipient
	for _, d := range s.Docs {
		all = append(all, d.Recipients...)
	}
	return sops.Difference(all, nil)
}

// Lists reports whether any document of the file is sealed for r.
func (s *Sealed) Lists(r sops.Recipient) bool {
	return slices.ContainsFunc(s.Docs, func(d SealedDoc) bool { return slices.Contains(d.Recipients, r) })
}

// ReadTree reads a snapshot. ignored are paths that git keeps out of the repository:
// what is sealed in them counts, and what cannot be read of them is only noted.
func ReadTree(snap repo.Snapshot, ignored map[string]bool) (*Tree, error) {
	entries, err := snap.List()
	if err != nil {
		return nil, err
	}
	t := &Tree{Snapshot: snap, Rules: map[string]*sops.Rules{}, named: map[sops.Recipient][]string{}, content: map[string]*syntax.File{}}
	if t.Config, err = readConfig(snap); err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Mode.IsRegular() && !ignored[e.Path] {
			t.paths = append(t.paths, e.Path)
		}
	}
	for _, l := range lookAll(snap, entries) {
		t.take(l, ignored[l.entry.Path])
	}
	slices.Sort(t.Incomplete)
	slices.Sort(t.Notes)
	return t, t.locate()
}

func readConfig(snap repo.Snapshot) (*config.Config, error) {
	data, err := fs.ReadFile(snap.FS, config.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &config.Config{}, nil
	case err != nil:
		return nil, fmt.Errorf("read %q: %w", config.Name, err)
	}
	return config.Parse(config.Name, data)
}

// take files what a look found.
func (t *Tree) take(l look, ignored bool) {
	p := l.entry.Path
	switch {
	case l.entry.Mode&fs.ModeSymlink != 0 && path.Base(p) == ".sops.yaml" && !ignored:
		t.Incomplete = append(t.Incomplete, p+" is a symbolic link, and links are not followed here, as they are by sops: put the file itself there")
	case l.entry.Mode&fs.ModeSymlink != 0:
		return // what it names is listed by itself, or is not part of the repository
	case !l.entry.Mode.IsRegular():
		t.Notes = append(t.Notes, p+" is a repository of its own or a special file, and was not looked into")
	case l.large:
		t.Notes = append(t.Notes, fmt.Sprintf("%s was not looked into: it has %d MB, and Flux decrypts no file above %d", p, l.entry.Size>>20, maxSealed>>20))
	case l.err != nil && ignored:
		t.Notes = append(t.Notes, fmt.Sprintf("%s, which git ignores, was not read: %v", p, cause(l.err)))
	case l.err != nil:
		t.Incomplete = append(t.Incomplete, fmt.Sprintf("%s was not read: %v", p, cause(l.err)))
	case l.file != nil:
		t.takeFile(l.file)
	case l.sealed != nil:
		t.Sealed = append(t.Sealed, l.sealed)
	}
	for _, r := range l.named {
		t.named[r] = append(t.named[r], p)
	}
	t.flux = append(t.flux, l.flux...)
}

func (t *Tree) takeFile(f *syntax.File) {
	t.content[f.Name] = f
	switch path.Base(f.Name) {
	case ".sops.yaml":
		r, err := sops.ReadRules(f)
		if err != nil {
			t.Incomplete = append(t.Incomplete, err.Error())
			return
		}
		t.Rules[f.Name] = r
	case "kilter.yaml", "kilter.yml":
		if f.Broken != nil {
			t.Incomplete = append(t.Incomplete, fmt.Sprintf("%s was not understood: %v", f.Name, f.Broken))
			return
		}
		t.kilter = append(t.kilter, f)
	}
}

// locate finds the environments.
func (t *Tree) locate() error {
	m, err := env.Detect(treeSource{t}, t.Config)
	if err != nil {
		t.Notes = append(t.Notes, err.Error())
	}
	t.places = m
	for _, s := range t.Sealed {
		s.Env = t.EnvOf(s.Path)
	}
	slices.SortFunc(t.Sealed, func(a, b *Sealed) int { return cmp.Compare(a.Path, b.Path) })
	return nil
}

// treeSource is a tree as env.Detect asks it.
type treeSource struct{ t *Tree }

func (s treeSource) Paths() []string { return s.t.paths }

func (s treeSource) Syntax(p string) (*syntax.File, error) {
	if f := s.t.content[p]; f != nil {
		return f, nil
	}
	data, err := fs.ReadFile(s.t.Snapshot.FS, p)
	if err != nil {
		return nil, err
	}
	return syntax.Parse(p, data), nil
}

// EnvOf returns the environment that a path stands for, or "". Where the tree has only
// one environment nothing vouches for its name, and a word of the path is enough.
func (t *Tree) EnvOf(p string) string {
	if at, ok := t.places.Of(p); ok {
		return at.Env
	}
	dirs := strings.Split(p, "/")
	for _, d := range dirs[:len(dirs)-1] {
		if env.Known(d) {
			return t.spelled(d)
		}
	}
	for _, w := range words(dirs[len(dirs)-1]) {
		if env.Known(w) {
			return t.spelled(w)
		}
	}
	return ""
}

// words are the parts of a name.
func words(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '_' || r == '-' })
}

// Rule returns the rule that governs a path, and the file that it stands in; nil where
// there is none.
func (t *Tree) Rule(p string) (*sops.Rules, *sops.CreationRule) {
	r := sops.Nearest(t.Rules, p)
	return r, r.Match(p)
}

// Environments returns the environments that the tree and its configuration know,
// least critical first.
func (t *Tree) Environments() []string {
	all := t.places.Environments()
	for name := range t.Config.Environments {
		all = append(all, name)
	}
	for _, k := range t.kilterRecipients() {
		all = append(all, k.env)
	}
	for _, s := range t.Sealed {
		all = append(all, s.Env)
	}
	slices.SortFunc(all, func(a, b string) int {
		return cmp.Or(cmp.Compare(env.Rank(a), env.Rank(b)), strings.Compare(a, b))
	})
	return slices.DeleteFunc(slices.Compact(all), func(name string) bool { return name == "" })
}

// Environment returns the environment that a person means by a name: as the
// configuration has it, or by any of its usual names (production is prod). ok is false
// where the tree knows no such environment.
func (t *Tree) Environment(name string) (string, bool) {
	for _, n := range t.Environments() {
		if n == name || sameEnv([]string{n}, name) {
			return n, true
		}
	}
	return env.Canonical(name), slices.ContainsFunc(t.hints(), func(h hint) bool { return sameEnv(h.envs, name) })
}

// sameEnv reports whether an environment is in a list under any of its usual names.
func sameEnv(list []string, name string) bool {
	return slices.ContainsFunc(list, func(n string) bool { return env.Canonical(n) == env.Canonical(name) })
}

// spelled is an environment's name as the configuration writes it.
func (t *Tree) spelled(name string) string {
	canonical := env.Canonical(name)
	for n := range t.Config.Environments {
		if env.Canonical(n) == canonical {
			return n
		}
	}
	return canonical
}
