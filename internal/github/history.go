package github

import (
	"context"

	gh "github.com/google/go-github/v62/github"
)

// commitFile is a file that a commit changed.
type commitFile struct {
	status    string // as GitHub has it: added, removed, modified, renamed, copied, changed
	path, old string
	id        string // the content that the commit put there
	patch     string
}

func commitFileOf(f *gh.CommitFile) commitFile {
	return commitFile{f.GetStatus(), f.GetFilename(), f.GetPreviousFilename(), f.GetSHA(), f.GetPatch()}
}

// fewCommits is how many commits are cheaper to ask for one by one.
const fewCommits = 2

// readPacked reads what commits changed from one pack, in one call to git, and
// returns those that it did not tell of. A pack that can not be had is no failure:
// the API has the same, a call for each commit.
func (r *reading) readPacked(ctx context.Context, todo []*commit) []*commit {
	if len(todo) <= fewCommits {
		return todo
	}
	var wants []string
	for _, c := range todo {
		wants = append(wants, c.ID)
	}
	objects, err := r.c.gitFetch(ctx, r.name, wants[:min(len(wants), 1000)], []string{r.compared.mergeBase})
	if err != nil {
		return todo
	}
	h := &packed{objects: objects, known: r.trees(), tree: map[string]string{r.compared.mergeBase: r.compared.baseTree}}
	for _, c := range r.compared.commits {
		h.tree[c.GetSHA()] = c.GetCommit().GetTree().GetSHA()
	}
	var left []*commit
	for _, c := range todo {
		files, ok := h.files(c)
		if !ok {
			left = append(left, c)
			continue
		}
		c.files, c.read = files, true
		for _, f := range files {
			if o, ok := objects[f.id]; ok && o.kind == blobObject {
				r.store.put(f.id, o.data)
			}
		}
	}
	return left
}

// packed tells what commits changed, by their trees.
type packed struct {
	objects map[string]gitObject
	known   map[string][]treeLine // trees by name, that the pack may leave out
	tree    map[string]string     // a commit's
}

// files are what a commit changed against its first parent, or all of the first
// commit. It is false where a tree is in neither the pack nor a listing.
func (h *packed) files(c *commit) ([]commitFile, bool) {
	was := ""
	if c.parent != "" {
		var ok bool
		if was, ok = h.tree[c.parent]; !ok {
			return nil, false
		}
	}
	var files []commitFile
	return files, h.diff("", was, c.tree, &files)
}

func (h *packed) lines(id string) ([]treeLine, bool) {
	if id == "" {
		return nil, true
	}
	if o, ok := h.objects[id]; ok && o.kind == treeObject {
		return parseTree(o.data)
	}
	lines, ok := h.known[id]
	return lines, ok
}

func (h *packed) diff(dir, was, now string, out *[]commitFile) bool {
	before, ok := h.lines(was)
	after, ok2 := h.lines(now)
	if now == "" && !ok {
		return true // a directory that is gone: no content of it is looked for
	}
	if !ok || !ok2 {
		return false
	}
	old := map[string]treeLine{}
	for _, l := range before {
		old[l.name] = l
	}
	for _, l := range after {
		o := old[l.name]
		delete(old, l.name)
		if o.id == l.id && o.mode == l.mode {
			continue
		}
		if !h.entry(dir+l.name, o, l, out) {
			return false
		}
	}
	for name, o := range old {
		if !h.entry(dir+name, o, treeLine{}, out) {
			return false
		}
	}
	return true
}

// entry tells of one name that differs: each side is a file, a directory or nothing.
func (h *packed) entry(path string, was, now treeLine, out *[]commitFile) bool {
	wasTree, nowTree := "", ""
	if was.isTree() {
		wasTree = was.id
	}
	if now.isTree() {
		nowTree = now.id
	}
	if (wasTree != "" || nowTree != "") && !h.diff(path+"/", wasTree, nowTree, out) {
		return false
	}
	wasFile, nowFile := was.id != "" && wasTree == "", now.id != "" && nowTree == ""
	const submodule = "160000"
	switch {
	case now.mode == submodule, was.mode == submodule && !nowFile:
	case nowFile && wasFile:
		*out = append(*out, commitFile{status: "modified", path: path, id: now.id})
	case nowFile:
		*out = append(*out, commitFile{status: "added", path: path, id: now.id})
	case wasFile:
		*out = append(*out, commitFile{status: "removed", path: path, id: was.id})
	}
	return true
}

// trees are the directories of Base and Head by their names in git.
func (r *reading) trees() map[string][]treeLine {
	known := map[string][]treeLine{}
	for _, l := range []*listing{r.base, r.head} {
		for id, lines := range l.trees {
			known[id] = lines
		}
	}
	return known
}
