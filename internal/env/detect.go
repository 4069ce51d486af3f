package env

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/config"
)

// detector gathers what a tree's paths say, then decides.
type detector struct {
	paths  []string
	cfg    *config.Config
	names  map[string]word   // names beyond the dictionary, from the configuration and kilter.yaml
	rename map[string]string // canonical name -> the name that the configuration has for it
	known  map[string]word   // tokens that were asked about; the zero word for none
	out    *Map

	dirs     map[string]*dir
	families map[string]*family
	own      map[string][]*member // by path: what the file's own name may stand in
}

// dir is a directory with the environments that it may stand in.
type dir struct {
	path     string
	parent   *dir
	barred   string    // why nothing below belongs to an environment
	source   bool      // it is inside a program
	chart    bool      // it holds a Chart.yaml
	own      []*member // of its own name
	words    int       // how many words of environments its path has
	children []*dir
}

// family is what may be one group: names that are equal but for one word, each word
// an environment's.
type family struct {
	parent  *dir
	dirs    bool // of directories; else of files
	whole   bool // the word is the directory's whole name
	members []*member
	envs    int // accepted ones, distinct
}

// member is one name of a family.
type member struct {
	family   *family
	raw      string // the word as written
	word     word
	at       span // of the word in the member's path
	dir      *dir
	path     string // of a file; of the directory where dir is set
	config   bool   // it configures something, or a file below it does
	accepted bool
	alone    bool // accepted for its siblings' sake, with no one in the same template
	twin     bool // accepted for its files, not for its name
	env      string
}

func newDetector(paths []string, cfg *config.Config) *detector {
	d := &detector{
		paths: paths, cfg: cfg,
		names: map[string]word{}, rename: map[string]string{}, known: map[string]word{},
		out:  &Map{places: map[string]place{}, units: map[string]map[string]string{}, tree: map[string]bool{}},
		dirs: map[string]*dir{}, families: map[string]*family{}, own: map[string][]*member{},
	}
	for _, p := range paths {
		d.out.tree[p] = true
	}
	if cfg != nil {
		for _, name := range slices.Sorted(maps.Keys(cfg.Environments)) {
			d.learn(name)
		}
		for _, r := range cfg.Recipients {
			for _, name := range r.Environments {
				d.learn(name)
			}
		}
	}
	return d
}

// learn takes a name into the dictionary, as it is written.
func (d *detector) learn(name string) {
	w, known := named(name)
	if known && w.env != name {
		if _, taken := d.rename[w.env]; !taken {
			d.rename[w.env] = name
		}
	}
	d.names[strings.ToLower(name)] = word{name, max(w.weight, medium)}
}

// word tells the environment that a token names. Trees repeat a few tokens many
// times, so the answers are kept.
func (d *detector) word(token string) (word, bool) {
	if w, known := d.known[token]; known {
		return w, w.weight > 0
	}
	w, ok := d.names[strings.ToLower(token)]
	if !ok {
		if w, ok = named(token); ok && d.rename[w.env] != "" {
			w.env = d.rename[w.env]
		}
	}
	d.known[token] = w
	return w, ok
}

// byName detects by the names of directories and files.
func (d *detector) byName() {
	for _, p := range d.paths {
		d.file(p)
	}
	for _, f := range d.families {
		d.judge(f)
	}
	var told map[*dir]beside
	for _, f := range d.families {
		if f.dirs && f.envs > 1 {
			d.twins(f)
			told = f.tell(told)
		}
	}
	for parent, b := range told {
		b.lone(parent)
	}
	for _, f := range d.families {
		d.nameMembers(f)
	}
	for _, p := range d.paths {
		if _, placed := d.out.places[p]; !placed {
			if m := d.best(p); m != nil {
				d.out.places[p] = place{Place: Place{Env: m.env}, by: m}
			}
		}
	}
}

// parentOf is path.Dir for clean relative paths, without a copy.
func parentOf(p string) string {
	if i := strings.LastIndexByte(p, '/'); i > 0 {
		return p[:i]
	}
	return "."
}

// dir returns the directory of a path, "." the root.
func (d *detector) dir(p string) *dir {
	if have := d.dirs[p]; have != nil {
		return have
	}
	here := &dir{path: p}
	d.dirs[p] = here
	if p == "." {
		return here
	}
	here.parent = d.dir(parentOf(p))
	name := path.Base(p)
	first := here.parent.path == "."
	here.barred = here.parent.barred
	if here.barred == "" {
		here.barred = elsewhere(name, first)
	}
	here.source = here.parent.source || source(name)
	here.parent.children = append(here.parent.children, here)
	here.words = here.parent.words
	if here.barred == "" {
		d.nameDir(here, name)
		here.words += len(here.own)
	}
	return here
}

// nameDir makes the directory a member of each family that its name may stand in.
func (d *detector) nameDir(here *dir, name string) {
	parent := path.Base(here.parent.path)
	if certificates(name) || certificates(parent) && !home(parent) && parent != "cert-manager" {
		return
	}
	at := len(here.path) - len(name)
	if w, ok := d.word(name); ok {
		here.own = append(here.own, d.join(here.path, span{at, len(here.path)}, w, here.parent, here))
		return
	}
	for s := range tokens(name, at) {
		if w, ok := d.word(here.path[s.start:s.end]); ok {
			here.own = append(here.own, d.join(here.path, s, w, here.parent, here))
		}
	}
}

// join makes a member of the family of names that differ from p in one word only.
// Files are of one family whether or not their names say that they are sealed.
func (d *detector) join(p string, at span, w word, parent, isDir *dir) *member {
	key := p[:at.start] + "*" + p[at.end:]
	if isDir != nil {
		key += "/"
	} else {
		key = unsealed(key)
	}
	f := d.families[key]
	if f == nil {
		f = &family{parent: parent, dirs: isDir != nil, whole: isDir != nil && at.end-at.start == len(path.Base(p))}
		d.families[key] = f
	}
	m := &member{family: f, raw: p[at.start:at.end], word: w, at: at, dir: isDir, path: p, config: isDir == nil}
	f.members = append(f.members, m)
	return m
}

// file takes one path in: its directories learn whether they hold configuration, its
// own name may be a member.
func (d *detector) file(p string) {
	name := path.Base(p)
	here := d.dir(parentOf(p))
	if here.barred != "" {
		return
	}
	if name == "Chart.yaml" {
		here.chart = true
	}
	if !configures(name) {
		return
	}
	for up := here; up != nil; up = up.parent {
		for _, m := range up.own {
			m.config = true
		}
	}
	if chartTest(here) || certificates(name) || certificates(path.Base(here.path)) && !strings.HasPrefix(name, "values") {
		return
	}
	at := len(p) - len(name)
	for s := range tokens(name, at) {
		if w, ok := d.word(p[s.start:s.end]); ok {
			d.own[p] = append(d.own[p], d.join(p, s, w, here, nil))
		}
	}
}

// chartTest holds for the folder of values that Helm's own chart tests read.
func chartTest(here *dir) bool {
	return here.parent != nil && path.Base(here.path) == "ci" && here.parent.chart
}

// best picks, of the accepted members that a path stands in, the one with the most
// siblings; then a directory's whole name, then the outermost.
func (d *detector) best(p string) *member {
	var best *member
	consider := func(m *member) {
		if m.accepted && (best == nil || better(m, best)) {
			best = m
		}
	}
	var chain []*dir
	for up := d.dirs[parentOf(p)]; up != nil; up = up.parent {
		chain = append(chain, up)
	}
	for _, up := range slices.Backward(chain) {
		for _, m := range up.own {
			consider(m)
		}
	}
	for _, m := range d.own[p] {
		consider(m)
	}
	return best
}

func better(a, b *member) bool {
	if a.alone != b.alone {
		return b.alone
	}
	if a.family.envs != b.family.envs {
		return a.family.envs > b.family.envs
	}
	return a.family.whole && !b.family.whole
}

// unsealed drops from a name what only says that the file is sealed, and spells
// yml as yaml.
func unsealed(p string) string {
	at := strings.LastIndexByte(p, '/') + 1
	name := p[at:]
	if !strings.Contains(name, "enc") && !strings.Contains(name, "sops") && !strings.Contains(name, "sealed") && !strings.HasSuffix(name, ".yml") {
		return p
	}
	var b strings.Builder
	from := 0
	for s := range tokens(name, 0) {
		switch name[s.start:s.end] {
		case "enc", "sops", "encrypted", "sealed":
			if s.start > 0 {
				b.WriteString(name[from:max(from, s.start-1)])
				from = s.end
			}
		case "yml":
			if s.end == len(name) {
				b.WriteString(name[from:s.start])
				b.WriteString("yaml")
				from = s.end
			}
		}
	}
	if from == 0 {
		return p
	}
	return p[:at] + b.String() + name[from:]
}
