package github

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	gh "github.com/google/go-github/v62/github"
	"github.com/sealward/sealward/internal/repo"
)

// maxCommits is how many commits of a change are read one by one, a call each. A
// workflow's token has a thousand calls an hour.
const maxCommits = 600

// commit is one commit of the change, on its way to a [repo.Commit].
type commit struct {
	repo.Commit
	tree    string
	parent  string // the first
	files   []commitFile
	read    bool
	content map[string]string // path to the id of what the commit put there
}

// readCommits reads the commits of the change, oldest first. One whose tree is
// Head's or Base's holds nothing that those do not show, and costs no call.
func (r *reading) readCommits(ctx context.Context, change repo.Change) ([]repo.Commit, error) {
	headTree := ""
	list := make([]*commit, len(r.compared.commits))
	for i, c := range r.compared.commits {
		list[i] = newCommit(c)
		if list[i].ID == r.rng.Head {
			headTree = list[i].tree
		}
	}
	var todo []*commit
	for _, c := range list {
		switch c.tree {
		case headTree:
			c.Files, c.Tree = change.Files, change.Head
		case r.compared.baseTree:
			c.Tree = change.Base
		default:
			todo = append(todo, c)
		}
	}
	if err := r.readEach(ctx, r.readPacked(ctx, todo)); err != nil {
		return nil, err
	}
	if err := r.commitContents(ctx, list); err != nil {
		return nil, err
	}
	out := make([]repo.Commit, 0, len(list))
	for _, c := range list {
		if c.read {
			r.finish(c)
		}
		if c.Tree.FS != nil {
			out = append(out, c.Commit)
		}
	}
	return out, nil
}

func newCommit(c *gh.RepositoryCommit) *commit {
	subject, _, _ := strings.Cut(c.GetCommit().GetMessage(), "\n")
	out := &commit{
		Commit: repo.Commit{ID: c.GetSHA(), Subject: subject, When: c.GetCommit().GetCommitter().GetDate().Time},
		tree:   c.GetCommit().GetTree().GetSHA(),
	}
	if len(c.Parents) > 0 {
		out.parent = c.Parents[0].GetSHA()
	}
	return out
}

// readEach asks for the files of commits.
func (r *reading) readEach(ctx context.Context, todo []*commit) error {
	if n := len(todo) - maxCommits; n > 0 {
		r.say("%d of the change's commits, from %s to %s, were not looked at one by one: %d are the most that are", n, short(todo[0].ID), short(todo[n-1].ID), maxCommits)
		todo = todo[n:]
	}
	return each(ctx, len(todo), func(ctx context.Context, i int) error {
		c := todo[i]
		var err error
		c.files, err = r.commitFiles(ctx, c.ID)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			r.say("commit %s could not be read, so what it added and a later one removed was not looked at: %v", short(c.ID), err)
			return nil
		}
		c.read = true
		if len(c.files) >= 3000 {
			r.say("commit %s changes more than the 3,000 files that GitHub lists of one: the others were not looked at in it", short(c.ID))
		}
		return nil
	})
}

// commitFiles lists the files that a commit changes against its first parent.
func (r *reading) commitFiles(ctx context.Context, id string) ([]commitFile, error) {
	const op = "repos/get-commit"
	var files []commitFile
	for page := 1; page != 0; {
		opt := &gh.ListOptions{Page: page}
		if page == 1 {
			opt = nil
		}
		c, resp, err := r.c.api.Repositories.GetCommit(named(ctx, op), r.name.Owner, r.name.Repo, id, opt)
		if err != nil {
			return nil, apiError(op, err)
		}
		for _, f := range c.Files {
			files = append(files, commitFileOf(f))
		}
		page = resp.NextPage
	}
	return files, nil
}

// state is what a commit's tree holds, as far as the change touched it.
type state struct {
	under map[string]repo.Entry
	over  map[string]string // path to id; "" is a deleted file
	taken bool              // a child goes on with over
}

func (s *state) id(path string) string {
	if id, ok := s.over[path]; ok {
		return id
	}
	return s.under[path].ID
}

// commitContents gets the contents that commits put into files: each follows from
// its parent's by the patch, and is held to its id; what does not follow is fetched.
// A content that had to be fetched may let others follow, so it takes some rounds.
func (r *reading) commitContents(ctx context.Context, list []*commit) error {
	for round := range 3 {
		missing := r.follow(list, round == 2)
		if len(missing) == 0 {
			return nil
		}
		if err := r.fetch.fetch(ctx, missing); err != nil {
			return err
		}
	}
	return nil
}

// follow goes through the commits once. It returns the contents that must be
// fetched for others to follow from, or with all set every one that is not known.
func (r *reading) follow(list []*commit, all bool) []repo.Entry {
	states := map[string]*state{}
	var missing []repo.Entry
	for _, c := range list {
		s := r.stateAfter(states[c.parent], c)
		states[c.ID] = s
		if !c.read {
			continue
		}
		c.content = map[string]string{}
		for _, f := range c.files {
			switch {
			case f.status == "removed":
				s.over[f.path] = ""
				continue
			case f.isSubmodule():
				continue
			}
			was := s.id(cmp.Or(f.old, f.path))
			c.content[f.path] = f.id
			if e := (repo.Entry{Path: f.path, ID: f.id, Mode: 0o644}); r.rng.Keep(e) && !r.followed(f, was) && (all || r.known(was)) {
				missing = append(missing, e)
			}
		}
		for path, id := range c.content {
			s.over[path] = id
		}
		for _, f := range c.files {
			if f.status == "renamed" {
				s.over[f.old] = ""
			}
		}
	}
	return missing
}

// stateAfter is the state of a commit before its own changes: its first parent's.
func (r *reading) stateAfter(parent *state, c *commit) *state {
	switch {
	case c.tree != "" && c.Tree.FS != nil && c.Tree.Commit == r.rng.Head:
		return &state{under: r.head.files, over: map[string]string{}}
	case parent == nil || c.Tree.FS != nil:
		return &state{under: r.base.files, over: map[string]string{}}
	case parent.taken:
		return &state{under: parent.under, over: maps.Clone(parent.over)}
	}
	parent.taken = true
	return &state{under: parent.under, over: parent.over}
}

// known says whether a content is there, or there is none to be had.
func (r *reading) known(id string) bool { return id == "" || r.store.has(id) }

// followed makes a file's new content from the old one, unless it is there already.
func (r *reading) followed(f commitFile, was string) bool {
	if r.store.has(f.id) {
		return true
	}
	var old []byte
	if f.status != "added" {
		var ok bool
		if old, ok = r.store.text(was); !ok {
			return false
		}
	}
	p, ok := parsePatch(f.patch)
	if !ok {
		return r.store.put(f.id, old) // an empty file, or one that only moved
	}
	now, ok := p.forward(old)
	return ok && r.store.put(f.id, now)
}

// isSubmodule says whether a file is another repository's commit. No text can pass
// for one: it would have to hold its own hash.
func (f commitFile) isSubmodule() bool {
	return strings.Contains("\n"+f.patch+"\n", "\n+Subproject commit "+f.id+"\n")
}

// finish makes a commit's files and tree of what was read.
func (r *reading) finish(c *commit) {
	entries := map[string]repo.Entry{}
	for _, f := range c.files {
		change := repo.FileChange{Path: f.path, Old: f.path}
		switch f.status {
		case "added", "copied":
			change.Kind, change.Old = repo.Added, ""
		case "removed":
			change.Kind = repo.Deleted
		case "renamed":
			change.Kind, change.Old = repo.Renamed, f.old
		}
		id, there := c.content[change.Path]
		switch {
		case there:
			data, _ := r.store.get(id) // where it is not there, who reads it is told why
			change.ID = id
			entries[change.Path] = repo.Entry{Path: change.Path, Size: int64(len(data)), Mode: 0o644, ID: id}
		case change.Kind != repo.Deleted:
			continue
		}
		c.Files = append(c.Files, change)
	}
	slices.SortFunc(c.Files, func(a, b repo.FileChange) int { return strings.Compare(a.Path, b.Path) })
	c.Tree = repo.Snapshot{FS: snapshotOf(entries, r.store), Commit: c.ID, Name: short(c.ID)}
}
