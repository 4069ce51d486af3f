package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	gh "github.com/google/go-github/v62/github"
)

// Issue is an issue that this product keeps.
type Issue struct {
	Number  int
	URL     string
	Title   string
	Body    string
	Open    bool
	Created time.Time
	Hash    string // what the issue said about, when it was last written
	user    *gh.User
}

// IssueReport is an issue that is kept current: there is one of each mark in a repository.
type IssueReport struct {
	Repo   string
	Mark   string // names the issue among ours: "drift"
	Title  string
	Body   string   // Markdown
	Hash   string   // of what matters in Body; "" takes all of it. Ages and dates need not be in it
	Labels []string // given to a new issue; the first is how it is found, so there must be one
	Open   bool     // whether there is anything to report; without it an open issue is closed
}

// KeepIssue makes the issue say what it should: made, edited in place, closed when
// there is nothing to report, reopened when there is again. It writes nothing where
// the hash is the same, and leaves an issue closed that a person closed as it is.
// The Number is 0 where there is no issue and none is needed.
func (c *Client) KeepIssue(ctx context.Context, rep IssueReport) (Issue, Outcome, error) {
	n, err := ParseName(rep.Repo)
	if err != nil {
		return Issue{}, Unchanged, err
	}
	if len(rep.Labels) == 0 {
		return Issue{}, Unchanged, errors.New("an issue needs a label to be found by")
	}
	if rep.Hash == "" {
		rep.Hash = digest(rep.Title, normal(rep.Body))
	}
	body, err := marked(rep.Mark, " "+rep.Hash, rep.Body)
	if err != nil {
		return Issue{}, Unchanged, err
	}
	k := &issueKeeper{c: c, name: n, rep: rep, body: body}
	err = c.looked(ctx, k.keep)
	return k.issue, k.outcome, err
}

// FindIssue returns the issue of that mark and label, and false where there is none.
func (c *Client) FindIssue(ctx context.Context, repository, mark, label string) (Issue, bool, error) {
	n, err := ParseName(repository)
	if err != nil {
		return Issue{}, false, err
	}
	mine, err := c.issues(ctx, n, mark, label)
	if err != nil || len(mine) == 0 {
		return Issue{}, false, err
	}
	return current(mine), true, nil
}

// current is the issue that is kept, of several that a race has made: the last open
// one, and otherwise the last.
func current(mine []Issue) Issue {
	kept := mine[len(mine)-1]
	for _, i := range mine {
		if i.Open {
			kept = i
		}
	}
	return kept
}

// issues are our issues of that mark, the first made first. They are looked for by
// label, and where a person took that away, among the latest of our own.
func (c *Client) issues(ctx context.Context, n Name, mark, label string) ([]Issue, error) {
	self, err := c.whoami(ctx)
	if err != nil {
		return nil, err
	}
	login := self.login
	if login == "" {
		login = "github-actions[bot]"
	}
	for _, opt := range []gh.IssueListByRepoOptions{{Labels: []string{label}}, {Creator: login}} {
		opt.State, opt.Sort, opt.Direction = "all", "created", "desc"
		opt.PerPage = 100
		mine, err := c.issuePages(ctx, n, mark, self, opt)
		if err != nil || len(mine) > 0 {
			return mine, err
		}
	}
	return nil, nil
}

// issuePages reads at most ten pages of a list of issues.
func (c *Client) issuePages(ctx context.Context, n Name, mark string, self account, opt gh.IssueListByRepoOptions) ([]Issue, error) {
	const op = "issues/list-for-repo"
	var mine []Issue
	for range 10 {
		list, resp, err := c.api.Issues.ListByRepo(named(ctx, op), n.Owner, n.Repo, &opt)
		if err != nil {
			return nil, apiError(op, err)
		}
		for _, i := range list {
			hash, ok := hasMark(i.GetBody(), mark)
			if ok && !i.IsPullRequest() && self.wrote(i.GetUser()) {
				mine = append(mine, newIssue(i, hash))
			}
		}
		if resp.NextPage == 0 {
			break
		}
		opt.Page = resp.NextPage
	}
	slices.SortFunc(mine, func(a, b Issue) int { return a.Number - b.Number })
	return mine, nil
}

func newIssue(i *gh.Issue, hash string) Issue {
	return Issue{
		Number: i.GetNumber(), URL: i.GetHTMLURL(), Title: i.GetTitle(), Body: i.GetBody(), Open: i.GetState() == "open",
		Created: i.GetCreatedAt().Time, Hash: hash, user: i.GetUser(),
	}
}

type issueKeeper struct {
	c       *Client
	name    Name
	rep     IssueReport
	body    string
	issue   Issue
	outcome Outcome
}

func (k *issueKeeper) keep(ctx context.Context) error {
	mine, err := k.c.issues(ctx, k.name, k.rep.Mark, k.rep.Labels[0])
	if err != nil {
		return err
	}
	if len(mine) == 0 {
		return k.create(ctx)
	}
	k.issue = current(mine)
	was, same := k.issue.Open, k.issue.Hash == k.rep.Hash
	switch {
	case k.rep.Open && same, !k.rep.Open && !was:
		return nil
	case !k.rep.Open:
		return k.edit(ctx, Closed, "closed")
	case !was:
		return k.edit(ctx, Reopened, "open")
	}
	return k.edit(ctx, Updated, "")
}

func (k *issueKeeper) create(ctx context.Context) error {
	if !k.rep.Open {
		return nil
	}
	const op = "issues/create"
	i, _, err := k.c.api.Issues.Create(named(ctx, op), k.name.Owner, k.name.Repo, &gh.IssueRequest{Title: &k.rep.Title, Body: &k.body, Labels: &k.rep.Labels})
	if err != nil {
		return apiError(op, err)
	}
	k.issue, k.outcome = newIssue(i, k.rep.Hash), Created
	return nil
}

func (k *issueKeeper) edit(ctx context.Context, outcome Outcome, state string) error {
	req := &gh.IssueRequest{Title: &k.rep.Title, Body: &k.body}
	if state != "" {
		req.State = &state
	}
	if state == "closed" {
		req.StateReason = gh.String("completed")
	}
	const op = "issues/update"
	i, _, err := k.c.api.Issues.Edit(repeatable(ctx, op), k.name.Owner, k.name.Repo, k.issue.Number, req)
	if err != nil {
		return apiError(op, err)
	}
	k.issue, k.outcome = newIssue(i, k.rep.Hash), outcome
	return nil
}

// Label adds labels to an issue or pull request; one that it has stays.
func (c *Client) Label(ctx context.Context, repository string, issue int, labels ...string) error {
	n, err := ParseName(repository)
	if err != nil {
		return err
	}
	const op = "issues/add-labels"
	// go-github sends a bare array, which GitHub's description does not know.
	req, err := c.api.NewRequest(http.MethodPost, fmt.Sprintf("repos/%s/%s/issues/%d/labels", n.Owner, n.Repo, issue), struct {
		Labels []string `json:"labels"`
	}{labels})
	if err == nil {
		_, err = c.api.Do(repeatable(ctx, op), req, nil)
	}
	return apiError(op, err)
}

// Unlabel takes a label away; one that is not there is no error.
func (c *Client) Unlabel(ctx context.Context, repository string, issue int, label string) error {
	n, err := ParseName(repository)
	if err != nil {
		return err
	}
	const op = "issues/remove-label"
	_, err = c.api.Issues.RemoveLabelForIssue(repeatable(ctx, op), n.Owner, n.Repo, issue, label)
	if err := apiError(op, err); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}
