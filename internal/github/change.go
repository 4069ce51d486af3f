package github

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"sync"

	gh "github.com/google/go-github/v62/github"
	"github.com/sealward/sealward/internal/repo"
)

// Range names a change on GitHub: a pull request, a push or a merge group.
type Range struct {
	Repo string // owner/name, required
	Head string // the commit that is reviewed, required: of a pull request its head, not GitHub's test merge
	// Base is what Head is measured against, from their merge base on: a commit or a
	// branch. "" and a commit of zeros, as a push of a new branch has it, mean the
	// default branch.
	Base  string
	Pull  int  // the pull request's number, or 0; it helps with more than 300 files
	Whole bool // there is no base: all of Head is new
	// Keep says which files are wanted; nil means all. The others are listed, but
	// cannot be read.
	Keep func(repo.Entry) bool
	// Workspace is a checkout, if there is one. It saves the tarball: what it holds of
	// Head is taken from it, what it holds otherwise is not.
	Workspace fs.FS
}

// reading is one change on its way from GitHub.
type reading struct {
	c     *Client
	name  Name
	rng   Range
	store *store
	lists *lister
	fetch *fetcher

	compared   *comparison
	base, head *listing

	unread []unread

	mu         sync.Mutex
	incomplete []string
}

// Change reads a change without a checkout. What of it could not be read is told in
// its Incomplete; an error means that there is nothing to review.
//
// It costs five calls: the comparison, the two trees, and the tarball with its
// address. Beyond them it costs one to git for all that commits in between held,
// where there are more than three of those, and one each otherwise; one for every
// hundred files where there are more than 300, and for every hundred commits; and
// one to git for all old contents that neither Head nor a patch gives. Without a
// Base that names a commit the default branch is asked for first. Where git does not
// answer, the API is asked for commits and contents one by one, within bounds.
func (c *Client) Change(ctx context.Context, rng Range) (repo.Change, error) {
	if rng.Whole {
		return c.whole(ctx, rng)
	}
	r, err := c.newReading(ctx, rng)
	if err != nil {
		return repo.Change{}, err
	}
	err = together(ctx, r.readComparison, r.readHead)
	if err != nil {
		return repo.Change{}, err
	}
	if err := r.readBase(ctx); err != nil {
		return repo.Change{}, err
	}
	files, err := r.readFiles(ctx)
	if err != nil {
		return repo.Change{}, err
	}
	change := repo.Change{
		Base:  repo.Snapshot{FS: snapshotOf(r.base.files, r.store), Commit: r.compared.mergeBase, Name: r.rng.Repo + " before the change"},
		Head:  repo.Snapshot{FS: snapshotOf(r.head.files, r.store), Commit: r.rng.Head, Name: r.rng.Repo + " at " + short(r.rng.Head)},
		Files: files,
	}
	if r.compared.mergeBase == "" {
		change.Base = repo.Snapshot{}
	}
	change.Commits, err = r.readCommits(ctx, change)
	change.Incomplete = r.incomplete
	return change, err
}

// whole reads one commit without any base.
func (c *Client) whole(ctx context.Context, rng Range) (repo.Change, error) {
	rng.Base = "-"
	r, err := c.newReading(ctx, rng)
	if err != nil {
		return repo.Change{}, err
	}
	if err := r.readHead(ctx); err != nil {
		return repo.Change{}, err
	}
	head := repo.Snapshot{FS: snapshotOf(r.head.files, r.store), Commit: r.rng.Head, Name: r.rng.Repo + " at " + short(r.rng.Head)}
	return repo.Change{Head: head, Incomplete: r.incomplete}, nil
}

// Snapshot reads the tip of a branch; "" is the default branch. It errors where a
// part of the tree stays unknown; a single file that could not be had errors when
// it is read.
func (c *Client) Snapshot(ctx context.Context, repository, branch string) (repo.Snapshot, error) {
	if branch == "" {
		branch = "HEAD"
	}
	change, err := c.whole(ctx, Range{Repo: repository, Head: branch})
	if err != nil {
		return repo.Snapshot{}, fmt.Errorf("read %s of %s: %w", branch, repository, err)
	}
	if len(change.Incomplete) > 0 {
		return repo.Snapshot{}, fmt.Errorf("read %s of %s: %s", branch, repository, change.Incomplete[0])
	}
	return change.Head, nil
}

func (c *Client) newReading(ctx context.Context, rng Range) (*reading, error) {
	n, err := ParseName(rng.Repo)
	if err != nil {
		return nil, err
	}
	if isZero(rng.Head) {
		return nil, errors.New("there is no commit to review: a deleted branch has none")
	}
	if rng.Keep == nil {
		rng.Keep = func(repo.Entry) bool { return true }
	}
	if !commitID.MatchString(rng.Head) {
		if rng.Head, err = c.commitOf(ctx, n, rng.Head); err != nil {
			return nil, err
		}
	}
	if isZero(rng.Base) {
		r, err := c.Repository(ctx, rng.Repo)
		if err != nil {
			return nil, err
		}
		rng.Base = r.DefaultBranch
	}
	s := newStore()
	return &reading{c: c, name: n, rng: rng, store: s, lists: c.newLister(n), fetch: &fetcher{c: c, name: n, store: s, left: maxBlobs}}, nil
}

var commitID = regexp.MustCompile(`^[0-9a-f]{40}$`)

// isZero is what a push calls the commit before the first, and after the last.
func isZero(commit string) bool { return strings.Trim(commit, "0") == "" }

func short(commit string) string { return commit[:min(len(commit), 12)] }

// commitOf resolves a branch or a tag.
func (c *Client) commitOf(ctx context.Context, n Name, ref string) (string, error) {
	if strings.Contains(ref, "..") || ref == "" {
		return "", fmt.Errorf("%q is no branch", ref)
	}
	id, _, err := c.api.Repositories.GetCommitSHA1(named(ctx, "repos/get-commit"), n.Owner, n.Repo, ref, "")
	if err != nil {
		return "", apiError("repos/get-commit", err)
	}
	if !commitID.MatchString(id) {
		return "", &APIError{"repos/get-commit", 200, "no commit id came back"}
	}
	return id, nil
}

// say notes what could not be read.
func (r *reading) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.incomplete = append(r.incomplete, fmt.Sprintf(format, args...))
}

func (r *reading) sayCut(l *listing) {
	for _, sentence := range l.incomplete() {
		r.say("%s", sentence)
	}
}

// together runs steps side by side and returns the first error.
func together(ctx context.Context, steps ...func(context.Context) error) error {
	return each(ctx, len(steps), func(ctx context.Context, i int) error { return steps[i](ctx) })
}

// readHead lists Head and gets the contents that are wanted of it: from the
// workspace, the tarball, and one by one what neither has.
func (r *reading) readHead(ctx context.Context) error {
	var url string
	err := together(ctx, func(ctx context.Context) (err error) {
		r.head, err = r.lists.list(ctx, r.rng.Head)
		return err
	}, func(ctx context.Context) error {
		if r.rng.Workspace == nil {
			url, _ = r.c.tarballURL(ctx, r.name, r.rng.Head)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.sayCut(r.head)
	want := r.wanted()
	if r.rng.Workspace != nil {
		r.readWorkspace(want)
	}
	// In a workspace at another commit most files are Head's all the same.
	if r.rng.Workspace == nil || len(r.missing(want)) > maxBlobs/4 {
		if err := r.readTarball(ctx, url, want); err != nil {
			return err
		}
	}
	return r.fetch.fetch(ctx, r.missing(want))
}

// readTarball reads the tarball, from its beginning again where it breaks off. It
// may fail: there is another way, for a number of files.
func (r *reading) readTarball(ctx context.Context, url string, want map[string]repo.Entry) error {
	var err error
	for range 3 {
		if url == "" {
			url, err = r.c.tarballURL(ctx, r.name, r.rng.Head)
		}
		if url != "" {
			if err = r.c.readTarball(ctx, url, want, r.store); err == nil {
				return nil
			}
			url = ""
		}
		var limited *LimitError
		if ctx.Err() != nil || errors.As(err, &limited) || errors.Is(err, ErrUnauthorized) {
			return err
		}
	}
	r.say("the tarball of %s could not be read (%v): files were fetched one by one, as far as that goes", short(r.rng.Head), err)
	return nil
}

func (r *reading) wanted() map[string]repo.Entry {
	want := map[string]repo.Entry{}
	for path, e := range r.head.files {
		if e.Mode.IsRegular() && r.rng.Keep(e) {
			want[path] = e
		}
	}
	return want
}

func (r *reading) missing(want map[string]repo.Entry) []repo.Entry {
	var list []repo.Entry
	for _, e := range want {
		if !r.store.has(e.ID) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b repo.Entry) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// readWorkspace takes from a checkout what is Head's to the byte.
func (r *reading) readWorkspace(want map[string]repo.Entry) {
	for path, e := range want {
		info, err := fs.Stat(r.rng.Workspace, path)
		if err != nil || !info.Mode().IsRegular() || info.Size() != e.Size || e.Size > maxFile {
			continue
		}
		if data, err := fs.ReadFile(r.rng.Workspace, path); err == nil {
			r.store.put(e.ID, data)
		}
	}
}

// readBase lists the tree that the change started from.
func (r *reading) readBase(ctx context.Context) error {
	if r.compared.mergeBase == "" {
		r.base = &listing{}
		return nil
	}
	var err error
	r.base, err = r.lists.list(ctx, r.compared.baseTree)
	if err == nil {
		r.sayCut(r.base)
	}
	return err
}

// comparison is what GitHub says of two commits.
type comparison struct {
	mergeBase, baseTree string // "" where the histories have nothing in common
	commits             []*gh.RepositoryCommit
	files               []*gh.CommitFile // the first 300
}

// readComparison asks for the comparison, all pages of its commits.
func (r *reading) readComparison(ctx context.Context) error {
	r.compared = &comparison{}
	first, err := r.comparePage(ctx, 1)
	if errors.Is(err, ErrServer) {
		// A diff can be too much for GitHub; pages after the first hold none.
		if again, err2 := r.comparePage(ctx, 2); err2 == nil {
			first, err = again, nil
			first.Commits = nil
			r.say("GitHub could not show the first %d commits of the change: what they added and later ones removed was not looked at", comparePageSize)
		}
	}
	if errors.Is(err, ErrNotFound) {
		return r.unrelated(ctx, err)
	}
	if err != nil {
		return err
	}
	r.compared.mergeBase = first.GetMergeBaseCommit().GetSHA()
	r.compared.baseTree = first.GetMergeBaseCommit().GetCommit().GetTree().GetSHA()
	r.compared.files, r.compared.commits = first.Files, first.Commits
	pages := (first.GetTotalCommits() + comparePageSize - 1) / comparePageSize
	rest := make([][]*gh.RepositoryCommit, max(pages-1, 0))
	err = each(ctx, len(rest), func(ctx context.Context, i int) error {
		p, err := r.comparePage(ctx, i+2)
		if err == nil {
			rest[i] = p.Commits
		}
		return err
	})
	for _, commits := range rest {
		r.compared.commits = append(r.compared.commits, commits...)
	}
	if err == nil && len(r.compared.commits) < first.GetTotalCommits() {
		r.say("GitHub named %d of the change's %d commits: the others were not looked at one by one", len(r.compared.commits), first.GetTotalCommits())
	}
	return err
}

const comparePageSize = 100

func (r *reading) comparePage(ctx context.Context, page int) (*gh.CommitsComparison, error) {
	const op = "repos/compare-commits-with-basehead"
	cmp, _, err := r.c.api.Repositories.CompareCommits(named(ctx, op), r.name.Owner, r.name.Repo, r.rng.Base, r.rng.Head,
		&gh.ListOptions{Page: page, PerPage: comparePageSize})
	return cmp, apiError(op, err)
}

// unrelated handles a comparison that GitHub does not make: the base is gone (after
// a force push), or the histories have nothing in common. The default branch may
// still do; otherwise all of Head is new.
func (r *reading) unrelated(ctx context.Context, missing error) error {
	info, err := r.c.Repository(ctx, r.rng.Repo)
	if err != nil {
		return err
	}
	if r.rng.Base != info.DefaultBranch && r.rng.Pull == 0 {
		r.rng.Base = info.DefaultBranch
		return r.readComparison(ctx)
	}
	if _, err := r.c.commitOf(ctx, r.name, r.rng.Head); err != nil {
		return fmt.Errorf("find %s in %s: %w", short(r.rng.Head), r.rng.Repo, err)
	}
	r.say("%s has no history in common with %s (%v): all its files are taken as new, and its commits were not looked at one by one", short(r.rng.Head), r.rng.Base, missing)
	return nil
}
