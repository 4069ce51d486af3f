package rotate

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
)

// atOnce is how many sealed files one review is shown: few are held in memory at a time.
const atOnce = 100

// Judge reviews a rotation before it is proposed: the files that it changes, as they
// will be, and where something is wrong with these, as they are too. It returns the
// errors that the change would bring, one sentence each. fresh returns a changed file's
// new content, and nil for any other.
func (t *Tree) Judge(ctx context.Context, p *Plan, out *Outcome, fresh func(path string) ([]byte, error), rules []*review.Rule, now time.Time) ([]string, error) {
	j := judge{tree: t, out: out, fresh: fresh, opt: review.Options{Rules: judges(rules), Config: t.Config, Now: now}}
	var found []string
	beside := t.besides(p)
	for first := 0; first == 0 || first < len(out.Sealed); first += atOnce {
		some := slices.Concat(beside, out.Sealed[first:min(first+atOnce, len(out.Sealed))])
		wrong, err := j.judge(ctx, some)
		if err != nil {
			return nil, err
		}
		found = append(found, wrong...)
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

type judge struct {
	tree  *Tree
	out   *Outcome
	fresh func(path string) ([]byte, error)
	opt   review.Options
}

// judge reviews some files. Where nothing is wrong with a tree, no change brought it.
func (j judge) judge(ctx context.Context, paths []string) ([]string, error) {
	base, head, err := j.trees(paths)
	if err != nil {
		return nil, err
	}
	opt := j.opt
	opt.Mode = review.ReviewTree
	report, err := review.Run(ctx, &repo.Change{Head: head}, opt)
	if err != nil {
		return nil, err
	}
	if len(j.errors(report)) == 0 {
		return nil, nil
	}
	change := &repo.Change{Base: base, Head: head}
	if change.Files, err = repo.Compare(ctx, base, head); err != nil {
		return nil, err
	}
	if report, err = review.Run(ctx, change, j.opt); err != nil {
		return nil, err
	}
	return j.errors(report), nil
}

func (j judge) errors(report *review.Report) []string {
	found := slices.Clone(report.Incomplete)
	for _, f := range report.Findings {
		if f.Severity == review.Error && !excused(f, j.out) {
			found = append(found, fmt.Sprintf("%s:%d: %s (%s)", f.Home(), f.Span.Start.Line, f.Message, f.Rule))
		}
	}
	return found
}

// trees are the files as they are and as they will be.
func (j judge) trees(paths []string) (base, head repo.Snapshot, err error) {
	var entries []repo.Entry
	for _, path := range paths {
		info, err := fs.Stat(j.tree.Snapshot.FS, path)
		if err != nil {
			return base, head, fmt.Errorf("read %q: %w", path, cause(err))
		}
		entries = append(entries, repo.Entry{Path: path, Size: info.Size()})
	}
	read := func(e repo.Entry) ([]byte, error) { return fs.ReadFile(j.tree.Snapshot.FS, e.Path) }
	base = repo.Snapshot{FS: repo.Tree(entries, read), Name: "the tree"}
	head = repo.Snapshot{Name: "the rotation", FS: repo.Tree(entries, func(e repo.Entry) ([]byte, error) {
		if data, err := j.fresh(e.Path); data != nil || err != nil {
			return data, err
		}
		return read(e)
	})}
	return base, head, nil
}

// besides are the files that say how sealed ones should be.
func (t *Tree) besides(p *Plan) []string {
	paths := t.ruleFiles()
	for _, e := range p.Rules {
		paths = append(paths, e.Path)
	}
	for _, k := range t.kilter {
		paths = append(paths, k.Name)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// judges are the rules that a change of recipients could break.
func judges(all []*review.Rule) []*review.Rule {
	return slices.DeleteFunc(slices.Clone(all), func(r *review.Rule) bool {
		return r.Family != review.Leaks && r.Family != review.Sealing && r.Family != review.Kilter
	})
}

// excused holds for what the plan says itself: a data key that could not be made anew.
func excused(f review.Finding, out *Outcome) bool {
	return f.Rule == "removed-not-rotated" &&
		slices.ContainsFunc(out.NotRotated, func(n NotRotated) bool { return n.Path == f.Home() })
}
