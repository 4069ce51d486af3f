package review

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/syntax"
)

// Mode is the kind of a run.
type Mode uint8

// The modes.
const (
	ReviewChange Mode = iota // what the change brought
	ReviewTree               // all of Head, no base: --all
	ReportDrift              // all of Head, the Drift family alone
)

// Options steer a run. The zero value of each field is its default.
type Options struct {
	Mode    Mode
	Rules   []*Rule                // required: the catalogue
	Config  *config.Config         // Base's; nil is a repository without one
	Now     time.Time              // required where Config.Ignore has dates
	Ignored func(path string) bool // .gitignore's word; nil asks the .gitignore files of the tree itself
	// Redact takes secrets out of what findings say: names of a file stand in it, and one
	// may be a secret. nil takes out nothing.
	Redact   func(text string) string
	Progress func(done, total int) // called from one goroutine at a time
}

// Run reviews a change. It errors only when it could do no work at all; what it
// could not read is in Report.Incomplete.
func Run(ctx context.Context, change *repo.Change, opt Options) (*Report, error) {
	r, err := newRun(ctx, change, opt)
	if err != nil {
		return nil, err
	}
	if opt.Mode == ReviewChange {
		r.detectProfile()
		r.perFile()
	} else {
		r.perFileOfTree()
		r.detectProfile()
	}
	r.perTree()
	r.perChange()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("review stopped: %w", context.Cause(ctx))
	}
	found := r.subtract()
	found = append(found, r.history(found)...)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("review stopped: %w", context.Cause(ctx))
	}
	return r.finish(found), nil
}

// run is one review under way.
type run struct {
	ctx        context.Context
	change     *repo.Change
	opt        Options
	config     *config.Config
	rules      []*Rule // that are on
	profile    Profile
	log        *log
	base, head *Tree
	touched    map[string]bool   // paths of Head and Base that the change touches
	renamed    map[string]string // old path -> new path

	inBase, inHead []Finding
	inChange       []Finding

	mu             sync.Mutex // guards the rest
	done, todo     int        // files, for the progress
	scanned, total int        // files of Head that were read, and that there were to read
}

func newRun(ctx context.Context, change *repo.Change, opt Options) (*run, error) {
	r := &run{ctx: ctx, change: change, opt: opt, config: opt.Config, log: &log{},
		touched: map[string]bool{}, renamed: map[string]string{}}
	if change.Head.FS == nil {
		return nil, errors.New("there is nothing to review: no head")
	}
	if r.config == nil {
		r.config = &config.Config{}
	}
	for _, c := range change.Files {
		r.touched[c.Path] = true
		if c.Old != "" {
			r.touched[c.Old] = true
		}
		if c.Kind == repo.Renamed {
			r.renamed[c.Old] = c.Path
		}
	}
	if err := r.openTrees(); err != nil {
		return nil, err
	}
	r.rules = slices.DeleteFunc(slices.Clone(opt.Rules), func(rule *Rule) bool { return !r.on(rule) })
	return r, nil
}

func (r *run) openTrees() error {
	opt := treeOptions{config: r.config, cache: newCache(), log: r.log, ignored: r.opt.Ignored, names: r.opt.Mode != ReviewChange}
	var err error
	if r.opt.Mode == ReviewChange {
		if r.base, err = newTree(r.change.Base, opt); err != nil {
			return fmt.Errorf("read the base: %w", err)
		}
		// What the comparison did not name is equal, whatever the snapshots are made of.
		opt.share = func(e repo.Entry) *File {
			if r.touched[e.Path] {
				return nil
			}
			return r.base.File(e.Path)
		}
	}
	if r.head, err = newTree(r.change.Head, opt); err != nil {
		return fmt.Errorf("read the head: %w", err)
	}
	return nil
}

// on reports whether a rule takes part in this run, whatever the profile.
func (r *run) on(rule *Rule) bool {
	set, named := r.config.Review.Rules[rule.ID]
	switch {
	case named && set == "off":
		return false
	case rule.OptIn && !named:
		return false
	}
	switch r.opt.Mode {
	case ReviewChange:
		return rule.When != OnlyReport
	case ReportDrift:
		return rule.Family == Drift && rule.When != OnlyChange && rule.Scope != PerChange
	default:
		return rule.When != OnlyChange && rule.Scope != PerChange
	}
}

// detectProfile finds out what the repository is, and lets go of the rules of others
// and of what they found: a tree is read once, and its files tell the profile.
func (r *run) detectProfile() {
	r.profile = DetectProfile(r.head, r.config)
	off := map[string]bool{}
	r.rules = slices.DeleteFunc(r.rules, func(rule *Rule) bool {
		_, named := r.config.Review.Rules[rule.ID]
		off[rule.ID] = len(rule.Profiles) > 0 && !named && !slices.Contains(rule.Profiles, r.profile.Name)
		return off[rule.ID]
	})
	r.inHead = slices.DeleteFunc(r.inHead, func(f Finding) bool { return off[f.Rule] })
}

func (r *run) scoped(s Scope) []*Rule {
	var out []*Rule
	for _, rule := range r.rules {
		if rule.Scope == s {
			out = append(out, rule)
		}
	}
	return out
}

// perFile runs the rules of one file on what differs in a change.
func (r *run) perFile() {
	rules := r.scoped(PerFile)
	var base, head []*File
	for _, c := range r.change.Files {
		if f := r.base.File(c.Old); f != nil {
			base = append(base, f)
		}
		if f := r.head.File(c.Path); f != nil && c.Kind != repo.Deleted {
			head = append(head, f)
		}
	}
	r.todo, r.total = len(base)+len(head), len(head)
	r.inBase = gather(len(base), func(_, i int) []Finding { return r.checkFile(rules, r.base, base[i]) })
	r.inHead = gather(len(head), func(_, i int) []Finding {
		found := r.checkFile(rules, r.head, head[i])
		r.count(head[i])
		if head[i].spent() {
			head[i].from.cache.drop(head[i])
		}
		return found
	})
}

// gather calls look for 0 to n-1 in parallel and returns what they found, in order:
// two runs over the same files report the same.
func gather(n int, look func(worker, i int) []Finding) []Finding {
	found := make([][]Finding, n)
	parallel(n, func(worker, i int) { found[i] = look(worker, i) })
	return slices.Concat(found...)
}

// perFileOfTree looks at every file of a tree once, in the memory of the worker that
// does, and notes what the rules of the tree as a whole will ask for.
func (r *run) perFileOfTree() {
	rules := r.scoped(PerFile)
	files := r.head.Files()
	r.todo, r.total = len(files), len(files)
	scratches := make([]scratch, workers(len(files)))
	r.inHead = gather(len(files), func(worker, i int) []Finding {
		f := files[i]
		if !r.head.small() {
			f = scratches[worker].glance(f)
		}
		found := r.checkFile(rules, r.head, f)
		defer r.log.survive(f.Path)
		r.count(f)
		files[i].adopt(f)
		return found
	})
}

// count notes a file of Head that was read, and one that could be read by lines alone.
func (r *run) count(f *File) {
	if broken := f.Syntax().Broken; syntax.Refused(broken) {
		r.log.say(fmt.Sprintf("%s was read line by line alone: %v", f.Path, broken))
	}
	if f.Data(); f.Read() {
		r.mu.Lock()
		r.scanned++
		r.mu.Unlock()
	}
}

func (r *run) checkFile(rules []*Rule, t *Tree, f *File) []Finding {
	if r.ctx.Err() != nil {
		return nil
	}
	var found []Finding
	p := Pass{Tree: t, File: f}
	for _, rule := range rules {
		p.Rule = rule
		found = append(found, r.check(&p, f.Path)...)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.step()
	return found
}

// step counts a file as done; r.mu is held.
func (r *run) step() {
	r.done++
	if r.opt.Progress != nil {
		r.opt.Progress(r.done, r.todo)
	}
}

func (r *run) perTree() {
	rules := r.scoped(PerTree)
	inBase := make([][]Finding, len(rules))
	inHead := make([][]Finding, len(rules))
	parallel(len(rules), func(_, i int) {
		if r.base != nil {
			inBase[i] = r.check(&Pass{Rule: rules[i], Tree: r.base}, "the base")
		}
		inHead[i] = r.check(&Pass{Rule: rules[i], Tree: r.head}, "the tree")
	})
	r.inBase = append(r.inBase, slices.Concat(inBase...)...)
	r.inHead = append(r.inHead, slices.Concat(inHead...)...)
}

func (r *run) perChange() {
	rules := r.scoped(PerChange)
	r.inChange = gather(len(rules), func(_, i int) []Finding {
		return r.check(&Pass{Rule: rules[i], Tree: r.head, Base: r.base, Change: r.change}, "the change")
	})
}

// severityOf is a rule's severity, and whether the configuration sets it.
func (r *run) severityOf(rule *Rule) (s Severity, configured bool) {
	if name, ok := r.config.Review.Rules[rule.ID]; ok {
		if set, err := ParseSeverity(name); err == nil && set != 0 {
			return set, set != rule.Severity
		}
	}
	return rule.Severity, false
}

// check runs one rule. A rule that fails or panics makes the review incomplete; what
// it panicked with is not printed, since it may hold a value of the file.
func (r *run) check(p *Pass, on string) (found []Finding) {
	if r.ctx.Err() != nil {
		return nil
	}
	severity, configured := r.severityOf(p.Rule)
	p.Config, p.Catalogue, p.profile = r.config, r.opt.Rules, r.profile.Name
	p.report = func(f Finding) {
		f.Rule = p.Rule.ID
		if f.Severity == 0 || configured {
			f.Severity = severity
		}
		if f.Why == "" {
			f.Why = p.Rule.why()
		}
		found = append(found, f)
	}
	defer func() {
		if recover() != nil {
			r.log.say(fmt.Sprintf("rule %s failed on %s: this is a defect of sealward", p.Rule.ID, on))
		}
	}()
	if err := p.Rule.Check(p); err != nil {
		r.log.say(fmt.Sprintf("rule %s could not look at %s: %v", p.Rule.ID, on, err))
	}
	return found
}

// finish turns what is left into the report.
func (r *run) finish(found []Finding) *Report {
	r.redact(found)
	found = classes(found)
	r.anchor(found)
	found = slices.DeleteFunc(found, func(f Finding) bool { return !r.speaks(&f) })
	kept, ignored := r.ignore(found)
	order := func(a, b *Finding) int {
		return cmp.Or(-cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Span.File, b.Span.File),
			cmp.Compare(a.Span.Start.Line, b.Span.Start.Line), cmp.Compare(a.Span.Start.Col, b.Span.Start.Col),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Message, b.Message))
	}
	slices.SortStableFunc(kept, func(a, b Finding) int { return order(&a, &b) })
	slices.SortStableFunc(ignored, func(a, b Ignored) int { return order(&a.Finding, &b.Finding) })
	return &Report{Findings: kept, Ignored: ignored, Incomplete: r.incomplete(), Skipped: r.skipped(),
		Scanned: r.scanned, Total: r.total, Commits: len(r.change.Commits), Profile: r.profile, Rules: r.rules}
}

// redact leaves no secret in what findings say. A finding that named one has no fix: it
// would write the secret down again.
func (r *run) redact(found []Finding) {
	if r.opt.Redact == nil {
		return
	}
	for i := range found {
		f := &found[i]
		key, message := r.opt.Redact(f.Key), r.opt.Redact(f.Message)
		if key != f.Key || message != f.Message {
			f.Fixes = nil
		}
		f.Key, f.Message, f.Hint = key, message, r.opt.Redact(f.Hint)
		for j := range f.Related {
			f.Related[j].Message = r.opt.Redact(f.Related[j].Message)
		}
	}
}

// speaks drops what a rule of a change says about files that the change leaves alone.
func (r *run) speaks(f *Finding) bool {
	if r.opt.Mode != ReviewChange {
		return true
	}
	for _, rule := range r.rules {
		if rule.ID == f.Rule && rule.When == ChangeTouching {
			return r.touches(f)
		}
	}
	return true
}

func (r *run) touches(f *Finding) bool {
	return r.touched[f.Span.File] || slices.ContainsFunc(f.Related, func(rel Related) bool { return r.touched[rel.Span.File] })
}

func (r *run) incomplete() []string {
	return append(slices.Clone(r.change.Incomplete), r.log.sentences()...)
}

// skipped lists, of the files that this run looked at, those that are not text.
func (r *run) skipped() []Skip {
	var out []Skip
	for _, s := range r.head.skipped {
		if r.opt.Mode != ReviewChange || r.touched[s.Path] {
			out = append(out, s)
		}
	}
	for _, f := range r.head.Files() {
		if (r.opt.Mode != ReviewChange || r.touched[f.Path]) && f.found(binary) {
			out = append(out, Skip{f.Path, binaryReason(f.Path)})
		}
	}
	slices.SortFunc(out, func(a, b Skip) int { return strings.Compare(a.Path, b.Path) })
	return out
}

func binaryReason(path string) string {
	for _, ext := range []string{".tgz", ".gz", ".zip", ".tar", ".xz", ".bz2", ".zst", ".7z", ".jar"} {
		if strings.HasSuffix(strings.ToLower(path), ext) {
			return "an archive, which is not read"
		}
	}
	return "a binary file"
}
