package githubtest

import (
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// issue is an issue, or the issue half of a pull request.
type issue struct {
	id               int64
	number           int
	by, title, body  string
	state            string
	labels           []string
	created, updated time.Time
	closed           time.Time
	locked           bool
}

// comment is a comment on an issue or a pull request.
type comment struct {
	id               int64
	issue            int
	by, body         string
	created, updated time.Time
	reactions        []*reaction
}

type reaction struct {
	id          int64
	by, content string
	when        time.Time
}

// NewIssue opens an issue.
func (r *Repo) NewIssue(login, title, body string) int {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.newIssue(login, title, body).number
}

func (r *Repo) newIssue(login, title, body string) *issue {
	i := &issue{id: r.s.id(), number: r.next, by: r.s.user(login).login, title: title, body: body, state: "open", created: r.s.clock(), updated: r.s.clock()}
	r.issues[i.number] = i
	r.next++
	return i
}

// Comment comments on an issue or a pull request, tells the webhook and returns the comment's id.
func (r *Repo) Comment(login string, number int, body string) int64 {
	r.s.t.Helper()
	r.s.mu.Lock()
	if r.issues[number] == nil {
		r.s.mu.Unlock()
		r.s.t.Fatalf("no issue %d to comment on", number)
	}
	c := r.newComment(login, number, body)
	r.s.mu.Unlock()
	r.s.emitComment(r, c, "created", login)
	return c.id
}

func (r *Repo) newComment(login string, number int, body string) *comment {
	c := &comment{id: r.s.id(), issue: number, by: r.s.user(login).login, body: body, created: r.s.clock(), updated: r.s.clock()}
	r.comments = append(r.comments, c)
	return c
}

// EditComment changes a comment's text and tells the webhook.
func (r *Repo) EditComment(id int64, login, body string) {
	r.s.mu.Lock()
	c := r.comment(id)
	c.body, c.updated = body, r.s.clock()
	r.s.mu.Unlock()
	r.s.emitComment(r, c, "edited", login)
}

// DeleteComment takes a comment away.
func (r *Repo) DeleteComment(id int64) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.comments = slices.DeleteFunc(r.comments, func(c *comment) bool { return c.id == id })
}

func (r *Repo) comment(id int64) *comment {
	for _, c := range r.comments {
		if c.id == id {
			return c
		}
	}
	return nil
}

func (r *Repo) commentsOf(number int) []*comment {
	var list []*comment
	for _, c := range r.comments {
		if c.issue == number {
			list = append(list, c)
		}
	}
	return list
}

// Comment is a comment as a test looks at it.
type Comment struct {
	ID        int64
	By, Body  string
	Reactions []string
}

// Comments lists the comments of an issue or a pull request.
func (r *Repo) Comments(number int) []Comment {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var list []Comment
	for _, c := range r.commentsOf(number) {
		v := Comment{ID: c.id, By: c.by, Body: c.body}
		for _, x := range c.reactions {
			v.Reactions = append(v.Reactions, x.content)
		}
		list = append(list, v)
	}
	return list
}

// Issue is an issue as a test looks at it.
type Issue struct {
	Number                 int
	By, Title, Body, State string
	Labels                 []string
}

// Issues lists the issues that are no pull requests.
func (r *Repo) Issues() []Issue {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var list []Issue
	for _, n := range keys(r.issues) {
		if i := r.issues[n]; r.pulls[n] == nil {
			list = append(list, Issue{i.number, i.by, i.title, i.body, i.state, append([]string(nil), i.labels...)})
		}
	}
	return list
}

// CloseIssue closes an issue, as a person does.
func (r *Repo) CloseIssue(number int) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	i := r.issues[number]
	i.state, i.closed = "closed", r.s.clock()
}

func labelObjects(r *Repo, labels []string) []object {
	list := []object{}
	for i, name := range labels {
		list = append(list, object{"id": 7000 + i, "node_id": "L", "url": r.url("/labels/x"), "name": name, "description": "", "color": "ededed", "default": false})
	}
	return list
}

func (r *Repo) issueObject(i *issue) object {
	n := strconv.Itoa(i.number)
	o := object{
		"id": i.id, "node_id": "I_" + n, "number": i.number, "title": i.title, "body": i.body, "state": i.state, "user": r.s.user(i.by).object(),
		"labels": labelObjects(r, i.labels), "locked": i.locked, "comments": len(r.commentsOf(i.number)), "assignees": []object{},
		"url": r.url("/issues/", n), "html_url": r.html("/issues/", n), "repository_url": r.url(), "comments_url": r.url("/issues/", n, "/comments"),
		"created_at": stamp(i.created), "updated_at": stamp(i.updated), "closed_at": when(i.closed), "author_association": "NONE",
	}
	if i.state == "open" {
		o["closed_at"] = nil
	}
	if r.pulls[i.number] != nil {
		o["html_url"] = r.html("/pull/", n)
		o["pull_request"] = object{"url": r.url("/pulls/", n), "html_url": r.html("/pull/", n), "diff_url": nil, "patch_url": nil}
	}
	return o
}

func (r *Repo) commentObject(c *comment) object {
	id, n := fmt.Sprint(c.id), strconv.Itoa(c.issue)
	o := object{
		"id": c.id, "node_id": "IC_" + id, "url": r.url("/issues/comments/", id), "html_url": r.html("/issues/", n, "#issuecomment-", id),
		"issue_url": r.url("/issues/", n), "body": c.body, "user": r.s.user(c.by).object(), "created_at": stamp(c.created), "updated_at": stamp(c.updated),
		"author_association": "NONE",
	}
	return o
}

func (i *issue) edit(s *Server, title, body, state *string) {
	if title != nil {
		i.title = *title
	}
	if body != nil {
		i.body = *body
	}
	if state != nil && *state != i.state {
		i.state, i.closed = *state, s.clock()
	}
	i.updated = s.clock()
}

func tooLong(body string) (answer, bool) {
	if utf8.RuneCountInString(body) <= 65536 {
		return answer{}, false
	}
	return fail(http.StatusUnprocessableEntity, "Validation Failed", object{"resource": "IssueComment", "code": "unprocessable", "field": "data", "message": "Body is too long (maximum is 65536 characters)"}), true
}

func (c *call) issue() *issue { return c.repo.issues[c.number("issue_number")] }

func getIssue(s *Server, c *call) answer {
	if c.issue() == nil {
		return notFound()
	}
	return ok(c.repo.issueObject(c.issue()))
}

func listIssues(s *Server, c *call) answer {
	state := c.query.Get("state")
	if state == "" {
		state = "open"
	}
	var list []*issue
	for _, n := range keys(c.repo.issues) {
		i := c.repo.issues[n]
		if state != "all" && i.state != state || c.query.Get("creator") != "" && !strings.EqualFold(i.by, c.query.Get("creator")) {
			continue
		}
		if want := c.query.Get("labels"); want != "" && slices.ContainsFunc(strings.Split(want, ","), func(l string) bool { return !slices.Contains(i.labels, l) }) {
			continue
		}
		list = append(list, i)
	}
	if c.query.Get("direction") != "asc" {
		sort.Slice(list, func(a, b int) bool { return list[a].number > list[b].number })
	}
	return paged(c, list, c.repo.issueObject)
}

func createIssue(s *Server, c *call) answer {
	var in struct {
		Title, Body string
		Labels      []string
	}
	c.decode(&in)
	if a, bad := tooLong(in.Body); bad {
		return a
	}
	i := c.repo.newIssue(c.grant.login, in.Title, in.Body)
	i.labels = in.Labels
	return created(c.repo.issueObject(i))
}

func updateIssue(s *Server, c *call) answer {
	i := c.issue()
	if i == nil {
		return notFound()
	}
	var in struct {
		Title, Body, State *string
		Labels             []string
	}
	c.decode(&in)
	if in.Body != nil {
		if a, bad := tooLong(*in.Body); bad {
			return a
		}
	}
	i.edit(s, in.Title, in.Body, in.State)
	if in.Labels != nil {
		i.labels = in.Labels
	}
	return ok(c.repo.issueObject(i))
}

func addLabels(s *Server, c *call) answer {
	i := c.issue()
	if i == nil {
		return notFound()
	}
	var in struct{ Labels []string }
	if len(c.body) > 0 && c.body[0] == '[' {
		c.decode(&in.Labels)
	} else {
		c.decode(&in)
	}
	for _, l := range in.Labels {
		if !slices.Contains(i.labels, l) {
			i.labels = append(i.labels, l)
		}
	}
	return ok(labelObjects(c.repo, i.labels))
}

func removeLabel(s *Server, c *call) answer {
	i := c.issue()
	if i == nil || !slices.Contains(i.labels, c.params["name"]) {
		return fail(http.StatusNotFound, "Label does not exist")
	}
	i.labels = slices.DeleteFunc(i.labels, func(l string) bool { return l == c.params["name"] })
	return ok(labelObjects(c.repo, i.labels))
}
