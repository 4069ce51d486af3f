package githubtest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

func createReview(s *Server, c *call) answer {
	p := c.pull()
	if p == nil {
		return notFound()
	}
	var in struct {
		CommitID string `json:"commit_id"`
		Body     string
		Event    string
		Comments []struct {
			Path, Body, Side string
			Line             int
			StartLine        int `json:"start_line"`
		}
	}
	c.decode(&in)
	files, err := c.repo.git.diff(c.repo.git.mergeBase(p.baseNow(c.repo), p.headID), p.headID)
	s.must(err)
	rv := &review{id: s.id(), pull: p.number, by: c.grant.login, body: in.Body, event: in.Event, commit: in.CommitID, when: s.clock()}
	if rv.commit == "" {
		rv.commit = p.headID
	}
	for _, cm := range in.Comments {
		if !inDiff(files, cm.Path, cm.Line) || cm.StartLine > 0 && !inDiff(files, cm.Path, cm.StartLine) {
			return fail(http.StatusUnprocessableEntity, "Unprocessable Entity", object{"message": "Pull request review thread line must be part of the diff"})
		}
		rv.comments = append(rv.comments, reviewComment{s.id(), cm.Path, cm.Body, cm.Line, cm.StartLine})
	}
	c.repo.reviews = append(c.repo.reviews, rv)
	return ok(c.repo.reviewObject(rv))
}

// inDiff says whether a line of the new file is shown by a patch.
func inDiff(files []diffFile, path string, line int) bool {
	for _, f := range files {
		if f.path != path {
			continue
		}
		at := 0
		for _, l := range strings.Split(f.patch, "\n") {
			switch {
			case strings.HasPrefix(l, "@@ "):
				_, to, _ := strings.Cut(l, "+")
				n, _ := strconv.Atoi(strings.FieldsFunc(to, func(r rune) bool { return r < '0' || r > '9' })[0])
				at = n - 1
			case strings.HasPrefix(l, "+"), strings.HasPrefix(l, " "):
				if at++; at == line {
					return true
				}
			}
		}
	}
	return false
}

func (r *Repo) reviewObject(rv *review) object {
	self := r.url("/pulls/", strconv.Itoa(rv.pull))
	return object{
		"id": rv.id, "node_id": fmt.Sprintf("PRR_%d", rv.id), "user": r.s.user(rv.by).object(), "body": rv.body, "state": "COMMENTED", "commit_id": rv.commit,
		"html_url": r.html("/pull/", strconv.Itoa(rv.pull)), "pull_request_url": self, "submitted_at": stamp(rv.when),
		"_links": object{"html": object{"href": self}, "pull_request": object{"href": self}},
	}
}

func listReviews(s *Server, c *call) answer {
	var list []*review
	for _, rv := range c.repo.reviews {
		if rv.pull == c.number("pull_number") {
			list = append(list, rv)
		}
	}
	return paged(c, list, c.repo.reviewObject)
}

func listReviewComments(s *Server, c *call) answer {
	list := []object{}
	for _, rv := range c.repo.reviews {
		if rv.pull != c.number("pull_number") {
			continue
		}
		for _, cm := range rv.comments {
			self := c.repo.url("/pulls/comments/", fmt.Sprint(cm.id))
			o := object{
				"id": cm.id, "url": self, "pull_request_review_id": rv.id, "path": cm.path, "commit_id": rv.commit, "original_commit_id": rv.commit,
				"user": s.user(rv.by).object(), "body": cm.body, "line": cm.line, "side": "RIGHT", "created_at": stamp(rv.when), "updated_at": stamp(rv.when),
				"html_url": self, "pull_request_url": c.repo.url("/pulls/", strconv.Itoa(rv.pull)),
				"_links": object{"self": object{"href": self}, "html": object{"href": self}, "pull_request": object{"href": self}},
			}
			if cm.start > 0 {
				o["start_line"] = cm.start
			}
			list = append(list, o)
		}
	}
	return paged(c, list, func(o object) object { return o })
}

// ReviewComment is a comment of a review as a test looks at it.
type ReviewComment struct {
	Path, Body  string
	Start, Line int
}

// ReviewComments lists the comments of all reviews of a pull request.
func (r *Repo) ReviewComments(number int) []ReviewComment {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	var list []ReviewComment
	for _, rv := range r.reviews {
		for _, cm := range rv.comments {
			if rv.pull == number {
				list = append(list, ReviewComment{cm.path, cm.body, cm.start, cm.line})
			}
		}
	}
	return list
}
