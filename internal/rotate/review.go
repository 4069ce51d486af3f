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

// Judge reviews a rotation before it is proposed: the files that it changes, as they
// are and as they will be. It returns the errors that the change would bring, one
// sentence each. fresh returns a changed file's new content, and nil for any other.
func (t *Tree) Judge(ctx context.Context, p *Plan, out *Outcome, fresh func(path string) ([]byte, error), rules []*review.Rule, now time.Time) ([]string, error) {
	var entries []repo.Entry
	for _, path := range t.judged(p, out) {
		info, err := fs.Stat(t.Snapshot.FS, path)
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", path, cause(err))
		}
		entries = append(entries, repo.Entry{Path: path, Size: info.Size()})
	}
	read := func(e repo.Entry) ([]byte, error) { return fs.ReadFile(t.Snapshot.FS, e.Path) }
	change := &repo.Change{
		Base: repo.Snapshot{FS: repo.Tree(entries, read), Name: "the tree"},
		Head: repo.Snapshot{Name: "the rotation", FS: repo.Tree(entries, func(e repo.Entry) ([]byte, error) {
			if data, err := fresh(e.Path); data != nil || err != nil {
				return data, err
			}
			return read(e)
		})},
	}
	var err error
	if change.Files, err = repo.Compare(ctx, change.Base, change.Head); err != nil {
		return nil, err
	}
	report, err := review.Run(ctx, change, review.Options{Rules: judges(rules), Config: t.Config, Now: now})
	if err != nil {
		return nil, err
	}
	found := slices.Clone(report.Incomplete)
	for _, f := range report.Findings {
		if f.Severity == review.Error && !excused(f, out) {
			found = append(found, fmt.Sprintf("%s:%d: %s (%s)", f.Home(), f.Span.Start.Line, f.Message, f.Rule))
		}
	}
	return found, nil
}

// judged are the files that the review is shown: what changes, and what says how it
// should be.
func (t *Tree) judged(p *Plan, out *Outcome) []string {
	paths := slices.Clone(out.Sealed)
	for _, e := range p.Rules {
		paths = append(paths, e.Path)
	}
	paths = append(paths, t.ruleFiles()...)
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
