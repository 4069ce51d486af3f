package githubtest

import (
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Files maps paths to contents, for seeding. [Removed] as a content deletes the
// file; [Symlink] and [Executable] make other kinds.
type Files map[string]string

// Removed as a file's content deletes the file.
const Removed = "\x00removed"

// Symlink is the content of a symbolic link to target.
func Symlink(target string) string { return "\x00link:" + target }

// Executable is the content of an executable file.
func Executable(data string) string { return "\x00exec:" + data }

// Submodule is the content of a submodule at a commit.
func Submodule(commit string) string { return "\x00module:" + commit }

// Repo is a repository of the fake.
type Repo struct {
	s        *Server
	id       int64
	name     string // owner/name
	main     string
	private  bool
	strict   bool
	unsigned bool
	git      *objects
	roles    map[string]string // login in lower case: read, triage, write, maintain, admin
	next     int               // number of the next issue or pull request
	issues   map[int]*issue
	pulls    map[int]*pull // their issue is in issues too
	comments []*comment
	reviews  []*review
	verified map[string]bool // commits that GitHub signed
	checks   []*check
	sarifs   []string
}

// NewRepo makes a public repository with one commit on its default branch main.
func (s *Server) NewRepo(name string, files Files) *Repo {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	git, err := newObjects(s.temp(), "main")
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	r := &Repo{
		s: s, id: s.id(), name: name, main: "main", git: git, roles: map[string]string{}, next: 1,
		issues: map[int]*issue{}, pulls: map[int]*pull{}, verified: map[string]bool{},
	}
	s.repos[strings.ToLower(name)] = r
	s.user(r.owner())
	if _, err := r.commit("refs/heads/main", "Begin", "octocat", files); err != nil {
		s.t.Fatalf("%v", err)
	}
	return r
}

// Name is owner/name.
func (r *Repo) Name() string { return r.name }

// GitDir is the bare repository.
func (r *Repo) GitDir() string { return r.git.dir }

func (r *Repo) owner() string { return strings.Split(r.name, "/")[0] }
func (r *Repo) short() string { return strings.Split(r.name, "/")[1] }

// Private hides the repository from who has no role, and makes tokens need their
// permissions to read it too.
func (r *Repo) Private() *Repo {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.private = true
	return r
}

// Unsigned makes GitHub sign no commit, as an Enterprise Server without signing.
func (r *Repo) Unsigned() *Repo {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.unsigned = true
	return r
}

// Grant gives a person a role: read, triage, write, maintain or admin; "" takes it away.
func (r *Repo) Grant(login, role string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.s.user(login)
	r.roles[strings.ToLower(login)] = role
}

// Commit adds a commit to a branch, which is made from the default branch when
// there is none, and returns its id. An open pull request from that branch follows.
func (r *Repo) Commit(branch, message string, files Files) string {
	r.s.t.Helper()
	return r.CommitAs("octocat", branch, message, files)
}

// CommitAs is Commit with an author.
func (r *Repo) CommitAs(login, branch, message string, files Files) string {
	r.s.t.Helper()
	r.s.mu.Lock()
	before, _ := r.git.ref("refs/heads/" + branch)
	id, err := r.commit("refs/heads/"+branch, message, login, files)
	if err != nil {
		r.s.mu.Unlock()
		r.s.t.Fatalf("commit to %s: %v", branch, err)
	}
	r.s.mu.Unlock()
	r.s.emitPush(r, "refs/heads/"+branch, before, id, login)
	return id
}

// commit writes a commit and moves its reference.
func (r *Repo) commit(ref, message, login string, files Files) (string, error) {
	parent, exists := r.git.ref(ref)
	old := parent
	if !exists {
		parent, _ = r.git.ref("refs/heads/" + r.main)
	}
	id, err := r.commitOn(parent, message, login, files)
	if err != nil {
		return "", err
	}
	return id, r.git.setRef(ref, id, old)
}

func (r *Repo) commitOn(parent, message, login string, files Files) (string, error) {
	leaves := map[string]leaf{}
	c := &commitObject{message: message}
	if parent != "" {
		var err error
		if leaves, err = r.git.leaves(parent); err != nil {
			return "", err
		}
		c.parents = []string{parent}
	}
	for path, content := range files {
		if content == Removed {
			delete(leaves, path)
			continue
		}
		l, err := r.leaf(content)
		if err != nil {
			return "", err
		}
		leaves[path] = l
	}
	var err error
	if c.tree, err = r.git.writeTree(leaves); err != nil {
		return "", err
	}
	c.author = person{login, login + "@example.com", r.s.clock()}
	c.committer = c.author
	return r.git.writeCommit(c)
}

func (r *Repo) leaf(content string) (leaf, error) {
	mode := "100644"
	switch {
	case strings.HasPrefix(content, "\x00link:"):
		mode, content = "120000", content[6:]
	case strings.HasPrefix(content, "\x00exec:"):
		mode, content = "100755", content[6:]
	case strings.HasPrefix(content, "\x00module:"):
		return leaf{"160000", content[8:]}, nil
	}
	id, err := r.git.write("blob", []byte(content))
	return leaf{mode, id}, err
}

// Branch makes or moves a branch to a commit, given by any name that git knows.
func (r *Repo) Branch(name, commit string) {
	r.s.t.Helper()
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	id, found := r.git.ref(commit + "^{commit}")
	if !found {
		r.s.t.Fatalf("no commit %q", commit)
	}
	old, _ := r.git.ref("refs/heads/" + name)
	if err := r.git.setRef("refs/heads/"+name, id, old); err != nil {
		r.s.t.Fatalf("%v", err)
	}
}

// MergeInto merges one branch into another by a merge commit, as a person does
// who brings a branch up to date, and returns the commit. Theirs win.
func (r *Repo) MergeInto(branch, from string) string {
	r.s.t.Helper()
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	id, err := r.merge(branch, from, fmt.Sprintf("Merge branch '%s' into %s", from, branch), "octocat")
	if err != nil {
		r.s.t.Fatalf("%v", err)
	}
	return id
}

func (r *Repo) merge(branch, from, message, login string) (string, error) {
	ours, _ := r.git.ref("refs/heads/" + branch)
	theirs, found := r.git.ref(from)
	if !found {
		return "", fmt.Errorf("no %s to merge", from)
	}
	base := r.git.mergeBase(ours, theirs)
	left, err := r.git.leaves(ours)
	if err != nil {
		return "", err
	}
	was, err := r.git.leaves(base)
	if err != nil {
		return "", err
	}
	now, err := r.git.leaves(theirs)
	if err != nil {
		return "", err
	}
	for path, l := range now {
		if was[path] != l {
			left[path] = l
		}
	}
	for path := range was {
		if _, kept := now[path]; !kept {
			delete(left, path)
		}
	}
	c := &commitObject{parents: []string{ours, theirs}, message: message, author: person{login, login + "@example.com", r.s.clock()}}
	c.committer = c.author
	if c.tree, err = r.git.writeTree(left); err != nil {
		return "", err
	}
	id, err := r.git.writeCommit(c)
	if err != nil {
		return "", err
	}
	return id, r.git.setRef("refs/heads/"+branch, id, ours)
}

// Head is the commit that a branch, or any other name that git knows, points to; "" if none.
func (r *Repo) Head(name string) string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	id, _ := r.git.ref(name + "^{commit}")
	return id
}

// ReadFile returns a file at a revision.
func (r *Repo) ReadFile(rev, path string) (string, bool) {
	_, kind, data, err := r.git.read(rev + ":" + path)
	return string(data), err == nil && kind == "blob"
}

// Branches lists the branches.
func (r *Repo) Branches() []string {
	refs, err := r.git.refs("refs/heads/")
	r.s.must(err)
	var names []string
	for _, ref := range refs {
		names = append(names, strings.TrimPrefix(ref[0], "refs/heads/"))
	}
	return names
}

// Fsck lets git check the whole repository.
func (r *Repo) Fsck() error {
	_, err := r.git.git(nil, "fsck", "--strict", "--no-dangling")
	return err
}

func (r *Repo) url(rest ...string) string {
	return r.s.URL + "/repos/" + r.name + strings.Join(rest, "")
}

func (r *Repo) html(rest ...string) string {
	return r.s.URL + "/" + r.name + strings.Join(rest, "")
}

func (r *Repo) object() object {
	return object{
		"id": r.id, "node_id": fmt.Sprintf("R_%d", r.id), "name": r.short(), "full_name": r.name, "owner": r.s.user(r.owner()).object(),
		"private": r.private, "fork": false, "html_url": r.html(), "url": r.url(), "default_branch": r.main,
		"clone_url": r.html(".git"), "archived": false, "disabled": false,
		"created_at": stamp(r.s.clock()), "updated_at": stamp(r.s.clock()), "pushed_at": stamp(r.s.clock()),
	}
}

func getRepo(s *Server, c *call) answer { return ok(c.repo.object()) }

func getPermission(s *Server, c *call) answer {
	u := s.users[strings.ToLower(c.params["username"])]
	if u == nil {
		return notFound()
	}
	role := c.repo.roles[strings.ToLower(u.login)]
	permission := map[string]string{"": "none", "triage": "read", "maintain": "write"}[role]
	if permission == "" {
		permission = role
	}
	if role == "" {
		role = "none"
		if !c.repo.private {
			permission, role = "read", "read"
		}
	}
	o := u.object()
	o["role_name"] = role
	return ok(object{"permission": permission, "role_name": role, "user": o})
}

// Team puts people into an organisation's team.
func (s *Server) Team(org, slug string, members ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.teams[strings.ToLower(org+"/"+slug)] = members
}

func getMembership(s *Server, c *call) answer {
	for _, m := range s.teams[strings.ToLower(c.params["org"]+"/"+c.params["team_slug"])] {
		if strings.EqualFold(m, c.params["username"]) {
			return ok(object{"role": "member", "state": "active", "url": s.URL + c.r.URL.Path})
		}
	}
	return notFound()
}

func getMe(s *Server, c *call) answer {
	o := s.user(c.grant.login).object()
	o["created_at"], o["updated_at"], o["user_view_type"] = stamp(time.Unix(0, 0)), stamp(time.Unix(0, 0)), "private"
	return ok(o)
}

func getMeta(s *Server, c *call) answer {
	return ok(object{"verifiable_password_authentication": false})
}

func getRateLimit(s *Server, c *call) answer {
	rate := object{"limit": 5000, "remaining": 4900, "reset": s.clock().Add(time.Hour).Unix(), "used": 100}
	return ok(object{"rate": rate, "resources": object{"core": rate, "search": rate}})
}

func (c *call) number(name string) int { return int(c.id(name)) }

func (c *call) id(name string) int64 {
	n, _ := strconv.ParseInt(c.params[name], 10, 64)
	return n
}

func keys[V any](m map[int]V) []int {
	var list []int
	for k := range m {
		list = append(list, k)
	}
	sort.Ints(list)
	return list
}

var _ http.Handler = (*Server)(nil)
