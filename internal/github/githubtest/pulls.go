package githubtest

import (
	"fmt"
	"maps"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// pull is what a pull request has beyond its issue.
type pull struct {
	*issue
	head, base   string // branches
	fork         string // owner/name of the fork that head lies in, or ""
	headID       string // kept up when the branch moves, and after it is gone
	baseID       string // what the base pointed to when it was opened or head last moved
	merged       time.Time
	mergeID      string
	mergedBy     string
	maintainable bool
}

// review is a review of a pull request with its comments.
type review struct {
	id       int64
	pull     int
	by       string
	body     string
	event    string
	commit   string
	when     time.Time
	comments []reviewComment
}

type reviewComment struct {
	id         int64
	path, body string
	line       int
	start      int
}

// OpenPull opens a pull request from a branch of the repository into the default one.
func (r *Repo) OpenPull(login, head, title string) int {
	r.s.t.Helper()
	r.s.mu.Lock()
	p, err := r.open(login, head, r.main, "", title, "")
	r.s.mu.Unlock()
	if err != nil {
		r.s.t.Fatalf("open a pull request from %s: %v", head, err)
	}
	r.s.emitPull(r, p, "opened", login)
	return p.number
}

// OpenForkPull opens a pull request from a fork: its commits are reachable here
// by id alone.
func (r *Repo) OpenForkPull(login, title string, commits ...Files) int {
	r.s.t.Helper()
	r.s.mu.Lock()
	id, _ := r.git.ref("refs/heads/" + r.main)
	var err error
	for i, files := range commits {
		if id, err = r.commitOn(id, fmt.Sprintf("Change %d", i+1), login, files); err != nil {
			r.s.mu.Unlock()
			r.s.t.Fatalf("commit to a fork: %v", err)
		}
	}
	ref := fmt.Sprintf("refs/forks/%s/patch", login)
	err = r.git.setRef(ref, id, "")
	p, openErr := r.open(login, ref, r.main, login+"/"+r.short(), title, "")
	r.s.mu.Unlock()
	if err != nil || openErr != nil {
		r.s.t.Fatalf("open a pull request from a fork: %v %v", err, openErr)
	}
	r.s.emitPull(r, p, "opened", login)
	return p.number
}

func (r *Repo) open(login, head, base, fork, title, body string) (*pull, error) {
	ref := head
	if fork == "" {
		ref = "refs/heads/" + head
	}
	id, found := r.git.ref(ref)
	if !found {
		return nil, fmt.Errorf("no branch %q", head)
	}
	baseID, found := r.git.ref("refs/heads/" + base)
	if !found {
		return nil, fmt.Errorf("no branch %q", base)
	}
	p := &pull{issue: r.newIssue(login, title, body), head: strings.TrimPrefix(head, "refs/forks/"+login+"/"), base: base, fork: fork, headID: id, baseID: baseID}
	r.pulls[p.number] = p
	return p, r.git.setRef(fmt.Sprintf("refs/pull/%d/head", p.number), id, "")
}

// follow brings open pull requests up to a branch that moved.
func (r *Repo) follow(ref, id string) []*pull {
	branch := strings.TrimPrefix(ref, "refs/heads/")
	var moved []*pull
	for _, n := range keys(r.pulls) {
		p := r.pulls[n]
		if p.state != "open" || p.fork != "" || p.head != branch || id == "" {
			continue
		}
		name := fmt.Sprintf("refs/pull/%d/head", p.number)
		old, _ := r.git.ref(name)
		r.s.must(r.git.setRef(name, id, old))
		p.headID = id
		if base, ok := r.git.ref("refs/heads/" + p.base); ok {
			p.baseID = base
		}
		moved = append(moved, p)
	}
	return moved
}

// Merge merges a pull request by a merge commit, which it returns.
func (r *Repo) Merge(number int, login string) string {
	r.s.t.Helper()
	r.s.mu.Lock()
	p := r.pulls[number]
	if p == nil || p.state != "open" {
		r.s.mu.Unlock()
		r.s.t.Fatalf("no open pull request %d", number)
		return ""
	}
	before, _ := r.git.ref("refs/heads/" + p.base)
	id, err := r.merge(p.base, p.headID, fmt.Sprintf("Merge pull request #%d", number), login)
	if err != nil {
		r.s.mu.Unlock()
		r.s.t.Fatalf("merge %d: %v", number, err)
	}
	p.state, p.merged, p.closed, p.mergeID, p.mergedBy = "closed", r.s.clock(), r.s.clock(), id, login
	r.s.mu.Unlock()
	r.s.emitPull(r, p, "closed", login)
	r.s.emitPush(r, "refs/heads/"+p.base, before, id, login)
	return id
}

// ClosePull closes a pull request without merging it.
func (r *Repo) ClosePull(number int, login string) {
	r.s.mu.Lock()
	p := r.pulls[number]
	p.state, p.closed = "closed", r.s.clock()
	r.s.mu.Unlock()
	r.s.emitPull(r, p, "closed", login)
}

// Pull is a pull request as a test looks at it.
type Pull struct {
	Number                         int
	Title, Body, State, Head, Base string
	Author, HeadID                 string
	Merged                         bool
	Labels                         []string
}

// Pulls lists all pull requests.
func (r *Repo) Pulls() []Pull {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var list []Pull
	for _, n := range keys(r.pulls) {
		p := r.pulls[n]
		list = append(list, Pull{p.number, p.title, p.body, p.state, p.head, p.base, p.by, p.headID, !p.merged.IsZero(), append([]string(nil), p.labels...)})
	}
	return list
}

func (r *Repo) side(p *pull, branch, id, fork string) object {
	repo := r.object()
	owner := r.owner()
	if fork != "" {
		owner = strings.Split(fork, "/")[0]
		repo["full_name"], repo["fork"], repo["id"], repo["owner"] = fork, true, r.id+1_000_000, r.s.user(owner).object()
	}
	return object{"label": owner + ":" + branch, "ref": branch, "sha": id, "user": r.s.user(owner).object(), "repo": repo}
}

func (r *Repo) pullObject(p *pull) object {
	o := r.issueObject(p.issue)
	delete(o, "pull_request")
	self, html := r.url("/pulls/", strconv.Itoa(p.number)), r.html("/pull/", strconv.Itoa(p.number))
	link := func(href string) object { return object{"href": href} }
	base, head := r.side(p, p.base, p.baseID, ""), r.side(p, p.head, p.headID, p.fork)
	maps.Copy(o, object{
		"url": self, "html_url": html, "diff_url": html + ".diff", "patch_url": html + ".patch", "issue_url": r.url("/issues/", strconv.Itoa(p.number)),
		"commits_url": self + "/commits", "review_comments_url": self + "/comments", "review_comment_url": self + "/comments{/number}",
		"comments_url": r.url("/issues/1/comments"), "statuses_url": r.url("/statuses/", p.headID), "head": head, "base": base, "draft": false,
		"merge_commit_sha": null(p.mergeID), "merged_at": when(p.merged), "requested_reviewers": []object{}, "requested_teams": []object{}, "auto_merge": nil,
		"_links": object{
			"self": link(self), "html": link(html), "issue": link(self), "comments": link(self), "review_comments": link(self), "review_comment": link(self),
			"commits": link(self), "statuses": link(self),
		},
	})
	return o
}

func (r *Repo) fullPull(p *pull) object {
	o := r.pullObject(p)
	files, err := r.git.diff(r.git.mergeBase(p.baseNow(r), p.headID), p.headID)
	r.s.must(err)
	ids, err := r.git.between(p.baseNow(r), p.headID)
	r.s.must(err)
	maps.Copy(o, object{
		"merged": !p.merged.IsZero(), "mergeable": p.state == "open", "mergeable_state": "clean", "merged_by": nil,
		"comments": len(r.commentsOf(p.number)), "review_comments": 0, "maintainer_can_modify": p.maintainable,
		"commits": len(ids), "additions": 0, "deletions": 0, "changed_files": len(files),
	})
	if p.mergedBy != "" {
		o["merged_by"] = r.s.user(p.mergedBy).object()
	}
	return o
}

// baseNow is the tip of the base branch; after a merge, what it was before.
func (p *pull) baseNow(r *Repo) string {
	if p.mergeID != "" {
		return p.mergeID + "^1"
	}
	if id, ok := r.git.ref("refs/heads/" + p.base); ok {
		return id
	}
	return p.baseID
}

func (c *call) pull() *pull { return c.repo.pulls[c.number("pull_number")] }

func getPull(s *Server, c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	return ok(c.repo.fullPull(p))
}

func listPulls(s *Server, c *call) answer {
	state := c.query.Get("state")
	if state == "" {
		state = "open"
	}
	owner, head, byHead := strings.Cut(c.query.Get("head"), ":")
	var list []*pull
	for _, n := range keys(c.repo.pulls) {
		p := c.repo.pulls[n]
		from := c.repo.owner()
		if p.fork != "" {
			from = strings.Split(p.fork, "/")[0]
		}
		if state != "all" && p.state != state || c.query.Get("base") != "" && p.base != c.query.Get("base") ||
			byHead && (p.head != head || !strings.EqualFold(from, owner)) {
			continue
		}
		list = append(list, p)
	}
	if c.query.Get("direction") != "asc" {
		sort.Slice(list, func(i, j int) bool { return list[i].number > list[j].number })
	}
	return paged(c, list, c.repo.pullObject)
}

func createPull(s *Server, c *call) answer {
	var in struct {
		Title, Head, Base, Body string
	}
	c.decode(&in)
	head := strings.TrimPrefix(in.Head, c.repo.owner()+":")
	for _, p := range c.repo.pulls {
		if p.state == "open" && p.head == head && p.base == in.Base && p.fork == "" {
			return fail(http.StatusUnprocessableEntity, "Validation Failed", object{
				"resource": "PullRequest", "code": "custom", "message": fmt.Sprintf("A pull request already exists for %s:%s.", c.repo.owner(), head),
			})
		}
	}
	if utf8.RuneCountInString(in.Body) > 65536 {
		return fail(http.StatusUnprocessableEntity, "Validation Failed", object{"resource": "PullRequest", "code": "custom", "field": "body", "message": "body is too long (maximum is 65536 characters)"})
	}
	a, found := c.repo.git.ref("refs/heads/" + in.Base)
	b, foundHead := c.repo.git.ref("refs/heads/" + head)
	if !found || !foundHead {
		return fail(http.StatusUnprocessableEntity, "Validation Failed", object{"resource": "PullRequest", "field": "head", "code": "invalid"})
	}
	if ids, err := c.repo.git.between(a, b); err != nil || len(ids) == 0 {
		return fail(http.StatusUnprocessableEntity, "Validation Failed", object{"resource": "PullRequest", "code": "custom", "message": "No commits between " + in.Base + " and " + head})
	}
	p, err := c.repo.open(c.grant.login, head, in.Base, "", in.Title, in.Body)
	s.must(err)
	repo, login := c.repo, c.grant.login
	s.later(func() { s.emitPull(repo, p, "opened", login) })
	return created(c.repo.fullPull(p))
}

func updatePull(s *Server, c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	var in struct{ Title, Body, State *string }
	c.decode(&in)
	p.edit(s, in.Title, in.Body, in.State)
	return ok(c.repo.fullPull(p))
}

func listPullFiles(s *Server, c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	files, err := c.repo.git.diff(c.repo.git.mergeBase(p.baseNow(c.repo), p.headID), p.headID)
	s.must(err)
	return paged(c, files[:min(len(files), s.limits.PullFiles)], func(f diffFile) object { return c.repo.diffObject(f, p.headID) })
}

func listPullCommits(s *Server, c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	ids, err := c.repo.git.between(p.baseNow(c.repo), p.headID)
	s.must(err)
	return paged(c, ids[:min(len(ids), s.limits.PullCommits)], func(id string) object { return c.repo.commitObject(s, id, nil) })
}

func null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func when(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}
