package github

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"
)

// Comment is a comment on an issue or a pull request. Its text is untrusted.
type Comment struct {
	ID      int64
	Issue   int // the issue's or pull request's number
	Author  string
	Bot     bool // the author is no person
	Body    string
	Created time.Time
	Updated time.Time
	URL     string // for people
	user    *gh.User
}

func newComment(c *gh.IssueComment) Comment {
	url := c.GetIssueURL()
	n, _ := strconv.Atoi(url[strings.LastIndexByte(url, '/')+1:])
	return Comment{
		ID: c.GetID(), Issue: n, Author: c.GetUser().GetLogin(), Bot: c.GetUser().GetType() == "Bot", Body: c.GetBody(),
		Created: c.GetCreatedAt().Time, Updated: c.GetUpdatedAt().Time, URL: c.GetHTMLURL(), user: c.GetUser(),
	}
}

// Comment returns one comment, as it is now.
func (c *Client) Comment(ctx context.Context, repository string, id int64) (Comment, error) {
	n, err := ParseName(repository)
	if err != nil {
		return Comment{}, err
	}
	cm, _, err := c.api.Issues.GetComment(named(ctx, "issues/get-comment"), n.Owner, n.Repo, id)
	if err != nil {
		return Comment{}, apiError("issues/get-comment", err)
	}
	return newComment(cm), nil
}

// CommentsSince returns the repository's comments that were made or changed since
// then, oldest first.
func (c *Client) CommentsSince(ctx context.Context, repository string, since time.Time) ([]Comment, error) {
	n, err := ParseName(repository)
	if err != nil {
		return nil, err
	}
	return c.comments(ctx, n, 0, since)
}

// comments lists the comments of an issue, or of all with issue 0, since a time.
func (c *Client) comments(ctx context.Context, n Name, issue int, since time.Time) ([]Comment, error) {
	op := "issues/list-comments"
	opt := &gh.IssueListCommentsOptions{ListOptions: gh.ListOptions{PerPage: 100}}
	if issue == 0 {
		op = "issues/list-comments-for-repo"
		opt.Sort, opt.Direction = gh.String("updated"), gh.String("asc")
	}
	if !since.IsZero() {
		opt.Since = &since
	}
	var list []Comment
	for {
		page, resp, err := c.api.Issues.ListComments(named(ctx, op), n.Owner, n.Repo, issue, opt)
		if err != nil {
			return nil, apiError(op, err)
		}
		for _, cm := range page {
			list = append(list, newComment(cm))
		}
		if resp.NextPage == 0 {
			return list, nil
		}
		opt.Page = resp.NextPage
	}
}

// Sticky is a comment that is kept current: there is one of each mark on an issue
// or pull request, edited in place.
type Sticky struct {
	Repo   string
	Issue  int    // of the issue or pull request
	Mark   string // names the comment among ours: "review"
	Body   string // Markdown
	Create bool   // make it where there is none; without it only one that is there is changed
}

// KeepComment makes the comment say what it should, and returns its id; 0 where
// there is none. It writes nothing where it says that already. Of two that a race
// has made, the older stays.
func (c *Client) KeepComment(ctx context.Context, s Sticky) (int64, Outcome, error) {
	n, err := ParseName(s.Repo)
	if err != nil {
		return 0, Unchanged, err
	}
	body, err := marked(s.Mark, "", s.Body)
	if err != nil {
		return 0, Unchanged, err
	}
	k := &commentKeeper{c: c, name: n, sticky: s, body: body}
	err = c.looked(ctx, k.keep)
	return k.id, k.outcome, err
}

// rounds is how often a write whose outcome is open is looked for and made again.
const rounds = 3

// looked runs a step that looks and then writes, and runs it again where the write
// may have taken effect without an answer, or where somebody else was faster.
func (c *Client) looked(ctx context.Context, step func(context.Context) error) error {
	for round := 0; ; round++ {
		err := step(ctx)
		if round+1 == rounds || !open(err) {
			return err
		}
		if err := sleep(ctx, jitter(c.opt.Backoff<<round)); err != nil {
			return err
		}
	}
}

type commentKeeper struct {
	c       *Client
	name    Name
	sticky  Sticky
	body    string
	id      int64
	outcome Outcome
}

// ours are our comments with the mark, oldest first.
func (k *commentKeeper) ours(ctx context.Context, since time.Time) ([]Comment, error) {
	self, err := k.c.whoami(ctx)
	if err != nil {
		return nil, err
	}
	all, err := k.c.comments(ctx, k.name, k.sticky.Issue, since)
	mine := slices.DeleteFunc(all, func(cm Comment) bool {
		_, ok := hasMark(cm.Body, k.sticky.Mark)
		return !ok || !self.wrote(cm.user)
	})
	slices.SortFunc(mine, func(a, b Comment) int { return int(min(max(a.ID-b.ID, -1), 1)) })
	return mine, err
}

func (k *commentKeeper) keep(ctx context.Context) error {
	mine, err := k.ours(ctx, time.Time{})
	switch {
	case err != nil:
		return err
	case len(mine) > 0:
		return k.edit(ctx, mine)
	case !k.sticky.Create:
		return nil
	}
	const op = "issues/create-comment"
	cm, _, err := k.c.api.Issues.CreateComment(named(ctx, op), k.name.Owner, k.name.Repo, k.sticky.Issue, &gh.IssueComment{Body: &k.body})
	if err != nil {
		return apiError(op, err)
	}
	k.id, k.outcome = cm.GetID(), Created
	// Another run may have looked before this one wrote. Both see it now.
	mine, err = k.ours(ctx, cm.GetCreatedAt().Add(-10*time.Minute))
	if err != nil || len(mine) < 2 {
		return nil //nolint:nilerr // the comment is there, which is what was asked for
	}
	return k.edit(ctx, mine)
}

// edit changes the oldest comment, and takes away the others.
func (k *commentKeeper) edit(ctx context.Context, mine []Comment) error {
	k.id = mine[0].ID
	for _, extra := range mine[1:] {
		_, err := k.c.api.Issues.DeleteComment(repeatable(ctx, "issues/delete-comment"), k.name.Owner, k.name.Repo, extra.ID)
		if err := apiError("issues/delete-comment", err); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	if normal(mine[0].Body) == normal(k.body) {
		return nil
	}
	const op = "issues/update-comment"
	_, _, err := k.c.api.Issues.EditComment(repeatable(ctx, op), k.name.Owner, k.name.Repo, k.id, &gh.IssueComment{Body: &k.body})
	if err == nil && k.outcome == Unchanged {
		k.outcome = Updated
	}
	return apiError(op, err)
}

// React adds a reaction, such as "eyes", to a comment. To add it again changes nothing.
func (c *Client) React(ctx context.Context, repository string, comment int64, content string) error {
	n, err := ParseName(repository)
	if err != nil {
		return err
	}
	const op = "reactions/create-for-issue-comment"
	_, _, err = c.api.Reactions.CreateIssueCommentReaction(repeatable(ctx, op), n.Owner, n.Repo, comment, content)
	return apiError(op, err)
}
