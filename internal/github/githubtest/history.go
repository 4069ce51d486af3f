package githubtest

import (
	"net/http"
	"strings"
)

func (r *Repo) diffObject(f diffFile, rev string) object {
	o := object{
		"sha": f.id, "filename": f.path, "status": f.status, "additions": f.added, "deletions": f.deleted, "changes": f.added + f.deleted,
		"blob_url": r.html("/blob/", rev, "/", f.path), "raw_url": r.html("/raw/", rev, "/", f.path), "contents_url": r.url("/contents/", f.path, "?ref=", rev),
	}
	if f.patch != "" && len(f.patch) <= r.s.limits.PatchBytes {
		// A patch travels as JSON text: what is not UTF-8 is lost on the way.
		o["patch"] = strings.ToValidUTF8(f.patch, "\uFFFD")
	}
	if f.old != "" {
		o["previous_filename"] = f.old
	}
	return o
}

func (r *Repo) commitObject(s *Server, id string, files []object) object {
	c, err := r.git.commit(id)
	s.must(err)
	if err != nil {
		return object{}
	}
	parents := []object{}
	for _, p := range c.parents {
		parents = append(parents, object{"sha": p, "url": r.url("/commits/", p), "html_url": r.html("/commit/", p)})
	}
	o := object{
		"sha": id, "node_id": "C_" + id, "url": r.url("/commits/", id), "html_url": r.html("/commit/", id), "comments_url": r.url("/commits/", id, "/comments"),
		"commit": object{
			"url": r.url("/git/commits/", id), "author": c.author.object(), "committer": c.committer.object(), "message": c.message, "comment_count": 0,
			"tree": object{"sha": c.tree, "url": r.url("/git/trees/", c.tree)}, "verification": r.verification(id),
		},
		"author": s.byEmail(c.author.email), "committer": s.byEmail(c.committer.email), "parents": parents,
	}
	if files != nil {
		o["files"] = files
	}
	return o
}

// byEmail is the account that GitHub links a commit to, or nil.
func (s *Server) byEmail(email string) any {
	local, _, _ := strings.Cut(email, "@")
	if _, login, ok := strings.Cut(local, "+"); ok {
		local = login
	}
	if u := s.users[strings.ToLower(local)]; u != nil {
		return u.object()
	}
	return nil
}

func listCommits(s *Server, c *call) answer {
	rev := c.query.Get("sha")
	if rev == "" {
		rev = c.repo.main
	}
	out, err := c.repo.git.git(nil, "rev-list", "--max-count=1000", rev)
	if err != nil {
		return notFound()
	}
	return paged(c, strings.Fields(string(out)), func(id string) object { return c.repo.commitObject(s, id, nil) })
}

func getCommit(s *Server, c *call) answer {
	o, err := c.repo.git.commit(c.params["ref"])
	if branch, found := c.repo.git.ref("refs/heads/" + c.params["ref"]); found {
		o, err = c.repo.git.commit(branch)
	}
	if err != nil {
		return fail(http.StatusUnprocessableEntity, "No commit found for SHA: "+c.params["ref"])
	}
	if strings.Contains(c.r.Header.Get("Accept"), ".sha") {
		return answer{status: http.StatusOK, body: []byte(o.id), header: http.Header{"Content-Type": {"application/vnd.github.v3.sha; charset=utf-8"}}}
	}
	parent := ""
	if len(o.parents) > 0 {
		parent = o.parents[0]
	}
	files, err := c.repo.git.diff(parent, o.id)
	s.must(err)
	files = files[:min(len(files), s.limits.CommitFiles)]
	from, to, h := c.window(len(files), s.limits.CompareFiles)
	list := []object{}
	added, deleted := 0, 0
	for _, f := range files {
		added, deleted = added+f.added, deleted+f.deleted
	}
	for _, f := range files[from:to] {
		list = append(list, c.repo.diffObject(f, o.id))
	}
	commit := c.repo.commitObject(s, o.id, list)
	commit["stats"] = object{"additions": added, "deletions": deleted, "total": added + deleted}
	return answer{status: http.StatusOK, body: commit, header: h}
}

func compare(s *Server, c *call) answer {
	base, head, ok := strings.Cut(c.params["basehead"], "...")
	if !ok {
		return notFound()
	}
	base, okBase := c.repo.resolve(base)
	head, okHead := c.repo.resolve(head)
	if !okBase || !okHead {
		return notFound()
	}
	fork := c.repo.git.mergeBase(base, head)
	if fork == "" {
		return fail(http.StatusNotFound, "No common ancestor between "+base+" and "+head+".")
	}
	ids, err := c.repo.git.between(base, head)
	s.must(err)
	behind, err := c.repo.git.between(head, base)
	s.must(err)
	from, to, h := c.window(len(ids), 250)
	commits := []object{}
	for _, id := range ids[from:to] {
		commits = append(commits, c.repo.commitObject(s, id, nil))
	}
	o := object{
		"url": c.repo.url("/compare/", c.params["basehead"]), "status": position(len(ids), len(behind)), "ahead_by": len(ids), "behind_by": len(behind),
		"total_commits": len(ids), "commits": commits,
		"base_commit": c.repo.commitObject(s, base, nil), "merge_base_commit": c.repo.commitObject(s, fork, nil),
	}
	if from == 0 { // only the first page has files
		files, err := c.repo.git.diff(fork, head)
		s.must(err)
		list := []object{}
		for _, f := range files[:min(len(files), s.limits.CompareFiles)] {
			list = append(list, c.repo.diffObject(f, head))
		}
		o["files"] = list
	}
	return answer{status: http.StatusOK, body: o, header: h}
}

func position(ahead, behind int) string {
	switch {
	case ahead > 0 && behind > 0:
		return "diverged"
	case ahead > 0:
		return "ahead"
	case behind > 0:
		return "behind"
	}
	return "identical"
}

// resolve finds a commit by branch, by owner:branch of the same network, or by id.
func (r *Repo) resolve(name string) (string, bool) {
	if _, branch, ok := strings.Cut(name, ":"); ok {
		name = branch
	}
	if id, ok := r.git.ref("refs/heads/" + name); ok {
		return id, true
	}
	return r.git.ref(name + "^{commit}")
}
