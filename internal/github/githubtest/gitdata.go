package githubtest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"
)

var fullID = regexp.MustCompile(`^[0-9a-f]{40}$`)

func getBlob(s *Server, c *call) answer {
	id, kind, data, err := c.repo.git.read(c.params["file_sha"])
	if err != nil || kind != "blob" || !fullID.MatchString(c.params["file_sha"]) {
		return notFound()
	}
	if strings.Contains(c.r.Header.Get("Accept"), "raw") {
		return answer{status: http.StatusOK, body: data, header: http.Header{"Content-Type": {"application/vnd.github.raw; charset=utf-8"}}}
	}
	return ok(object{
		"sha": id, "node_id": "B_" + id, "size": len(data), "url": c.repo.url("/git/blobs/", id),
		"content": wrap(base64.StdEncoding.EncodeToString(data)), "encoding": "base64",
	})
}

// wrap breaks base64 into lines, as GitHub does.
func wrap(s string) string {
	var b strings.Builder
	for len(s) > 60 {
		b.WriteString(s[:60] + "\n")
		s = s[60:]
	}
	return b.String() + s + "\n"
}

func createBlob(s *Server, c *call) answer {
	var in struct{ Content, Encoding string }
	c.decode(&in)
	data := []byte(in.Content)
	if in.Encoding == "base64" {
		var err error
		if data, err = base64.StdEncoding.DecodeString(in.Content); err != nil {
			return fail(http.StatusUnprocessableEntity, "content is not valid Base64")
		}
	}
	id, err := c.repo.git.write("blob", data)
	s.must(err)
	return created(object{"sha": id, "url": c.repo.url("/git/blobs/", id)})
}

func (c *call) treeObject(id string, list []treeEntry) object {
	entries := []object{}
	for _, e := range list {
		o := object{"path": e.path, "mode": e.mode, "type": e.kind, "sha": e.id}
		if e.kind == "blob" {
			o["size"] = e.size
		}
		if e.kind != "commit" {
			o["url"] = c.repo.url("/git/", e.kind, "s/", e.id)
		}
		entries = append(entries, o)
	}
	cut := len(entries) > c.s.limits.TreeEntries
	if cut {
		entries = entries[:c.s.limits.TreeEntries]
	}
	return object{"sha": id, "url": c.repo.url("/git/trees/", id), "tree": entries, "truncated": cut}
}

func getTree(s *Server, c *call) answer {
	id, found := c.repo.git.ref(c.params["tree_sha"] + "^{tree}")
	if !found {
		return notFound()
	}
	list, err := c.repo.git.list(id, c.query.Has("recursive"))
	if err != nil {
		return notFound()
	}
	return ok(c.treeObject(id, list))
}

func createTree(s *Server, c *call) answer {
	var in struct {
		BaseTree string `json:"base_tree"`
		Tree     []struct {
			Path, Mode, Type string
			SHA, Content     *string
		}
	}
	c.decode(&in)
	files := map[string]leaf{}
	if in.BaseTree != "" {
		var err error
		if files, err = c.repo.git.leaves(in.BaseTree); err != nil {
			return fail(http.StatusUnprocessableEntity, "base_tree is not a valid tree oid")
		}
	}
	for _, e := range in.Tree {
		switch {
		case e.Content != nil && e.SHA != nil:
			return fail(http.StatusUnprocessableEntity, "Must supply either tree.sha or tree.content, not both")
		case e.Content != nil:
			if !utf8.ValidString(*e.Content) {
				return fail(http.StatusUnprocessableEntity, "content is not UTF-8")
			}
			id, err := c.repo.git.write("blob", []byte(*e.Content))
			s.must(err)
			files[e.Path] = leaf{e.Mode, id}
		case e.SHA == nil:
			if _, there := files[e.Path]; !there {
				return fail(http.StatusUnprocessableEntity, "GitRPC::BadObjectState")
			}
			delete(files, e.Path)
		default:
			if _, _, _, err := c.repo.git.read(*e.SHA); err != nil {
				return fail(http.StatusUnprocessableEntity, "tree.sha "+*e.SHA+" is not a valid blob")
			}
			files[e.Path] = leaf{e.Mode, *e.SHA}
		}
	}
	id, err := c.repo.git.writeTree(files)
	if err != nil {
		return fail(http.StatusUnprocessableEntity, "tree is not valid: "+err.Error())
	}
	list, err := c.repo.git.list(id, false)
	s.must(err)
	return created(c.treeObject(id, list))
}

func (r *Repo) verification(id string) object {
	if !r.verified[id] {
		return object{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
	}
	return object{"verified": true, "reason": "valid", "signature": "-----BEGIN PGP SIGNATURE-----", "payload": "tree", "verified_at": stamp(r.s.clock())}
}

func (r *Repo) gitCommitObject(o *commitObject) object {
	parents := []object{}
	for _, p := range o.parents {
		parents = append(parents, object{"sha": p, "url": r.url("/git/commits/", p), "html_url": r.html("/commit/", p)})
	}
	return object{
		"sha": o.id, "node_id": "C_" + o.id, "url": r.url("/git/commits/", o.id), "html_url": r.html("/commit/", o.id),
		"author": o.author.object(), "committer": o.committer.object(), "message": o.message,
		"tree": object{"sha": o.tree, "url": r.url("/git/trees/", o.tree)}, "parents": parents, "verification": r.verification(o.id),
	}
}

func getGitCommit(s *Server, c *call) answer {
	o, err := c.repo.git.commit(c.params["commit_sha"])
	if err != nil || !fullID.MatchString(c.params["commit_sha"]) {
		return notFound()
	}
	return ok(c.repo.gitCommitObject(o))
}

func createGitCommit(s *Server, c *call) answer {
	var in struct {
		Message, Tree     string
		Parents           []string
		Author, Committer *struct{ Name, Email string }
		Signature         string
	}
	c.decode(&in)
	if _, found := c.repo.git.ref(in.Tree + "^{tree}"); !found {
		return fail(http.StatusUnprocessableEntity, "Tree SHA does not exist")
	}
	for _, p := range in.Parents {
		if _, found := c.repo.git.ref(p + "^{commit}"); !found {
			return fail(http.StatusUnprocessableEntity, "Parent SHA does not exist or is not a commit object")
		}
	}
	u := s.user(c.grant.login)
	own := person{u.login, fmt.Sprintf("%d+%s@users.noreply.github.com", u.id, u.login), s.clock()}
	o := &commitObject{tree: in.Tree, parents: in.Parents, message: in.Message, author: own, committer: person{"GitHub", "noreply@github.com", s.clock()}}
	if in.Author != nil {
		o.author = person{in.Author.Name, in.Author.Email, s.clock()}
	}
	if in.Committer != nil {
		o.committer = person{in.Committer.Name, in.Committer.Email, s.clock()}
	} else if in.Author != nil {
		o.committer = o.author
	}
	id, err := c.repo.git.writeCommit(o)
	s.must(err)
	o.id = id
	// GitHub signs for an App that lets it say who the author is, and for nobody else.
	if c.grant.kind == installed && in.Author == nil && in.Committer == nil && !c.repo.unsigned {
		c.repo.verified[id] = true
	}
	return created(c.repo.gitCommitObject(o))
}

func (r *Repo) refObject(name, id string) object {
	return object{
		"ref": name, "node_id": "REF_" + name, "url": r.url("/git/", name),
		"object": object{"type": "commit", "sha": id, "url": r.url("/git/commits/", id)},
	}
}

func getRef(s *Server, c *call) answer {
	name := "refs/" + c.params["ref"]
	id, found := c.repo.git.ref(name)
	if !found {
		return notFound()
	}
	return ok(c.repo.refObject(name, id))
}

func listRefs(s *Server, c *call) answer {
	refs, err := c.repo.git.refs("refs/" + c.params["ref"])
	s.must(err)
	list := []object{}
	for _, r := range refs {
		list = append(list, c.repo.refObject(r[0], r[1]))
	}
	return ok(list)
}

func createRef(s *Server, c *call) answer {
	var in struct{ Ref, SHA string }
	c.decode(&in)
	if !strings.HasPrefix(in.Ref, "refs/") || strings.Count(in.Ref, "/") < 2 {
		return fail(http.StatusUnprocessableEntity, "Reference name must start with 'refs' and have at least two slashes")
	}
	if _, found := c.repo.git.ref(in.SHA + "^{commit}"); !found {
		return fail(http.StatusUnprocessableEntity, "Object does not exist")
	}
	if _, found := c.repo.git.ref(in.Ref); found {
		return fail(http.StatusUnprocessableEntity, "Reference already exists")
	}
	if err := c.repo.git.setRef(in.Ref, in.SHA, ""); err != nil {
		return fail(http.StatusUnprocessableEntity, "Reference update failed")
	}
	s.pushed(c, in.Ref, "", in.SHA)
	return created(c.repo.refObject(in.Ref, in.SHA))
}

func updateRef(s *Server, c *call) answer {
	var in struct {
		SHA   string
		Force bool
	}
	c.decode(&in)
	name := "refs/" + c.params["ref"]
	old, found := c.repo.git.ref(name)
	if !found {
		return fail(http.StatusUnprocessableEntity, "Reference does not exist")
	}
	if _, found := c.repo.git.ref(in.SHA + "^{commit}"); !found {
		return fail(http.StatusUnprocessableEntity, "Object does not exist")
	}
	if !in.Force && c.repo.git.mergeBase(old, in.SHA) != old {
		return fail(http.StatusUnprocessableEntity, "Update is not a fast forward")
	}
	s.must(c.repo.git.setRef(name, in.SHA, old))
	s.pushed(c, name, old, in.SHA)
	return ok(c.repo.refObject(name, in.SHA))
}

func deleteRef(s *Server, c *call) answer {
	name := "refs/" + c.params["ref"]
	old, found := c.repo.git.ref(name)
	if !found {
		return fail(http.StatusUnprocessableEntity, "Reference does not exist")
	}
	s.must(c.repo.git.deleteRef(name))
	s.pushed(c, name, old, "")
	return noContent()
}

// pushed tells the webhook that a token moved a branch.
func (s *Server) pushed(c *call, ref, before, after string) {
	r, login := c.repo, c.grant.login
	s.later(func() { s.emitPush(r, ref, before, after, login) })
}

func getBranch(s *Server, c *call) answer {
	id, found := c.repo.git.ref("refs/heads/" + c.params["branch"])
	if !found {
		return fail(http.StatusNotFound, "Branch not found")
	}
	return ok(object{
		"name": c.params["branch"], "commit": c.repo.commitObject(s, id, nil), "protected": false, "protection_url": c.repo.url("/branches/x/protection"),
		"_links": object{"html": c.repo.html("/tree/", c.params["branch"]), "self": c.repo.url("/branches/", c.params["branch"])},
	})
}

func getContent(s *Server, c *call) answer {
	rev := c.query.Get("ref")
	if rev == "" {
		rev = c.repo.main
	}
	path := strings.Trim(c.params["path"], "/")
	id, kind, data, err := c.repo.git.read(rev + ":" + path)
	if err != nil {
		return notFound()
	}
	raw := strings.Contains(c.r.Header.Get("Accept"), "raw")
	switch {
	case kind == "tree":
		list, err := c.repo.git.list(id, false)
		s.must(err)
		return ok(c.directory(path, rev, list))
	case kind != "blob":
		return notFound()
	case raw:
		return answer{status: http.StatusOK, body: data, header: http.Header{"Content-Type": {"application/vnd.github.raw; charset=utf-8"}}}
	}
	o := c.fileObject(path, rev, id, int64(len(data)))
	o["content"], o["encoding"] = wrap(base64.StdEncoding.EncodeToString(data)), "base64"
	if len(data) > 1<<20 { // GitHub leaves the content out and wants to be asked for it raw
		o["content"], o["encoding"] = "", "none"
	}
	return ok(o)
}

func (c *call) fileObject(path, rev, id string, size int64) object {
	name := path[strings.LastIndex(path, "/")+1:]
	self := c.repo.url("/contents/", path, "?ref=", rev)
	return object{
		"type": "file", "name": name, "path": path, "sha": id, "size": size, "url": self, "git_url": c.repo.url("/git/blobs/", id),
		"html_url": c.repo.html("/blob/", rev, "/", path), "download_url": c.repo.html("/raw/", rev, "/", path),
		"_links": object{"self": self, "git": c.repo.url("/git/blobs/", id), "html": c.repo.html("/blob/", rev, "/", path)},
	}
}

func (c *call) directory(dir, rev string, list []treeEntry) []object {
	out := []object{}
	for _, e := range list {
		path := strings.TrimPrefix(dir+"/"+e.path, "/")
		o := c.fileObject(path, rev, e.id, e.size)
		if e.kind == "tree" {
			o["type"], o["size"] = "dir", 0
		}
		out = append(out, o)
	}
	sort.Slice(out, func(i, j int) bool { return out[i]["name"].(string) < out[j]["name"].(string) })
	return out
}

func getTarball(s *Server, c *call) answer {
	id, found := c.repo.git.ref(c.params["ref"] + "^{commit}")
	if !found {
		return notFound()
	}
	to := fmt.Sprintf("%s/codeload/%s/legacy.tar.gz/%s?token=%s", s.URL, c.repo.name, id, s.mint("code-", &grant{expires: s.clock().Add(5 * 60e9)}))
	return answer{status: http.StatusFound, header: http.Header{"Location": {to}}}
}
