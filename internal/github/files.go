package github

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	gh "github.com/google/go-github/v62/github"
	"github.com/sealward/sealward/internal/repo"
)

// difference is one file that differs between Base and Head, on its way to a
// [repo.FileChange].
type difference struct {
	repo.FileChange
	base, head repo.Entry // ID is "" on the side that has no such file
	patch      patch
}

// readFiles tells how Head differs from Base. That is read from the two trees, so
// that no limit of GitHub's lists hides a file; the patches that GitHub shows give
// the old contents and the lines.
func (r *reading) readFiles(ctx context.Context) ([]repo.FileChange, error) {
	diffs := differ(r.base.files, r.head.files)
	shown := r.compared.files
	if r.rng.Pull != 0 && !showsAll(shown, diffs) {
		// Where the token may not read pull requests, git has the contents all the same.
		if more, err := r.pullFiles(ctx, len(diffs)); err == nil {
			shown = append(more, shown...)
		} else if ctx.Err() != nil {
			return nil, err
		}
	}
	diffs = join(diffs, shown)
	var missing []repo.Entry
	for i := range diffs {
		if e, ok := r.oldContent(&diffs[i]); !ok {
			missing = append(missing, e)
		}
	}
	if err := r.fetch.fetch(ctx, missing); err != nil {
		return nil, err
	}
	files := make([]repo.FileChange, len(diffs))
	for i := range diffs {
		r.setLines(&diffs[i])
		files[i] = diffs[i].FileChange
	}
	r.sayUnread()
	return files, nil
}

// unread is a file whose old version could not be had.
type unread struct{ path, why string }

// sayUnread says it once for each reason, and names the first of many.
func (r *reading) sayUnread() {
	const most = 20
	why := map[string][]string{}
	for _, u := range r.unread {
		why[u.why] = append(why[u.why], strconv.Quote(u.path))
	}
	for _, reason := range slices.Sorted(maps.Keys(why)) {
		paths := why[reason]
		more := ""
		if n := len(paths) - most; n > 0 {
			paths, more = paths[:most], fmt.Sprintf(" and %d more", n)
		}
		r.say("the old version could not be read (%s), so the whole file is taken as new, of %s%s", reason, strings.Join(paths, ", "), more)
	}
}

// showsAll says whether GitHub's list names every file that differs; it ends at 300.
func showsAll(shown []*gh.CommitFile, diffs []difference) bool {
	named := make(map[string]bool, len(shown))
	for _, f := range shown {
		named[f.GetFilename()], named[f.GetPreviousFilename()] = true, true
	}
	for _, d := range diffs {
		if !named[d.Path] {
			return false
		}
	}
	return true
}

// differ compares two listings.
func differ(base, head map[string]repo.Entry) []difference {
	var diffs []difference
	for path, h := range head {
		b, both := base[path]
		switch {
		case !both:
			diffs = append(diffs, difference{FileChange: repo.FileChange{Kind: repo.Added, Path: path, ID: h.ID}, head: h})
		case b.ID != h.ID || b.Mode != h.Mode:
			diffs = append(diffs, difference{FileChange: repo.FileChange{Kind: repo.Modified, Path: path, Old: path, ID: h.ID}, base: b, head: h})
		}
	}
	for path, b := range base {
		if _, both := head[path]; !both {
			diffs = append(diffs, difference{FileChange: repo.FileChange{Kind: repo.Deleted, Path: path, Old: path}, base: b})
		}
	}
	slices.SortFunc(diffs, func(a, b difference) int { return strings.Compare(a.Path, b.Path) })
	return diffs
}

// join takes renames and patches over from GitHub's list, where it speaks of the
// same contents. Files that only moved are found without it too.
func join(diffs []difference, shown []*gh.CommitFile) []difference {
	at := map[string]int{}
	byID := map[string]int{}
	for i, d := range diffs {
		at[d.Path] = i
		if d.Kind == repo.Deleted {
			byID[d.base.ID] = i
		}
	}
	gone := map[int]bool{}
	rename := func(i, from int) {
		d := &diffs[i]
		if d.Kind != repo.Added || gone[from] || diffs[from].Kind != repo.Deleted {
			return
		}
		d.Kind, d.Old, d.base = repo.Renamed, diffs[from].Path, diffs[from].base
		gone[from] = true
	}
	for _, f := range shown {
		i, ok := at[f.GetFilename()]
		if !ok {
			continue
		}
		if from, ok := at[f.GetPreviousFilename()]; ok && f.GetStatus() == "renamed" {
			rename(i, from)
		}
		if id := f.GetSHA(); id == diffs[i].head.ID || diffs[i].Kind == repo.Deleted && id == diffs[i].base.ID {
			diffs[i].patch, _ = parsePatch(f.GetPatch())
		}
	}
	for i := range diffs {
		if from, ok := byID[diffs[i].head.ID]; ok {
			rename(i, from)
		}
	}
	var out []difference
	for i, d := range diffs {
		if !gone[i] {
			out = append(out, d)
		}
	}
	return out
}

// pullFiles lists the files of the pull request: 3,000 at most.
func (r *reading) pullFiles(ctx context.Context, n int) ([]*gh.CommitFile, error) {
	const op = "pulls/list-files"
	pages := make([][]*gh.CommitFile, min((n+99)/100, 30))
	err := each(ctx, len(pages), func(ctx context.Context, i int) error {
		files, _, err := r.c.api.PullRequests.ListFiles(named(ctx, op), r.name.Owner, r.name.Repo, r.rng.Pull, &gh.ListOptions{Page: i + 1, PerPage: 100})
		pages[i] = files
		return apiError(op, err)
	})
	return slices.Concat(pages...), err
}

// oldContent gets a file's old content without a call: it may be known, or follow
// from the new one and the patch. It reports false for one that must be fetched.
func (r *reading) oldContent(d *difference) (repo.Entry, bool) {
	if d.base.ID == "" || !d.base.Mode.IsRegular() || !r.rng.Keep(d.base) || r.store.has(d.base.ID) {
		return d.base, true
	}
	var now []byte
	if d.head.ID != "" && d.head.Mode.IsRegular() {
		var ok bool
		if now, ok = r.store.text(d.head.ID); !ok {
			return d.base, false
		}
	}
	if d.patch != nil {
		if was, ok := d.patch.reverse(now); ok && r.store.put(d.base.ID, was) {
			return d.base, true
		}
	}
	return d.base, false
}

// setLines says which lines of Head are new.
func (r *reading) setLines(d *difference) {
	if d.Kind == repo.Deleted || !d.head.Mode.IsRegular() || !r.rng.Keep(d.head) {
		return
	}
	now, ok := r.store.text(d.head.ID)
	switch {
	case !ok:
		return // binary, or the reader of it will say that it is not there
	case d.base.ID == d.head.ID:
		return
	case d.Kind == repo.Added || !d.base.Mode.IsRegular():
		d.Added = allLines(now)
		return
	}
	was, err := r.store.get(d.base.ID)
	if err != nil {
		r.unread = append(r.unread, unread{d.Path, err.Error()})
		delete(r.base.files, d.Old)
		d.Added = allLines(now)
		return
	}
	if d.patch != nil {
		if old, ok := d.patch.reverse(now); ok && string(old) == string(was) {
			d.Added = d.patch.added()
			return
		}
	}
	d.Added = repo.AddedLines(was, now)
}
