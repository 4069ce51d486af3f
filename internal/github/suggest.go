package github

import (
	"context"
	"errors"
	"fmt"
	"strings"

	gh "github.com/google/go-github/v62/github"
	"github.com/sealward/sealward/internal/repo"
)

// Suggestion replaces whole lines of a file in a pull request, at a click. GitHub
// takes it only where the lines are shown by the diff.
type Suggestion struct {
	Path  string
	Lines repo.Lines // of Head
	With  []string   // the new lines, without their ends; none deletes
	New   []string   // what tells it from others of the file, whatever stands around it; With where it is empty
	Why   string     // Markdown, above the suggestion
}

// maxSuggestions is how many suggestions one review carries.
const maxSuggestions = 20

// Suggest posts those suggestions that are not on the pull request yet as one
// review of the commit, and returns how many those are. GitHub takes all of a review
// or nothing: where it refuses, each is tried by itself, and what it does not take of
// them is left out. It errors where it takes none.
func (c *Client) Suggest(ctx context.Context, repository string, pull int, commit string, list []Suggestion) (int, error) {
	posted, err := c.suggest(ctx, repository, pull, commit, list)
	if len(list) < 2 || !errors.Is(err, ErrInvalid) {
		return posted, err
	}
	for i := range list[:min(len(list), maxSuggestions)] {
		n, one := c.suggest(ctx, repository, pull, commit, list[i:i+1])
		if one != nil && !errors.Is(one, ErrInvalid) {
			return posted, one
		}
		posted += n
	}
	if posted > 0 {
		err = nil
	}
	return posted, err
}

func (c *Client) suggest(ctx context.Context, repository string, pull int, commit string, list []Suggestion) (int, error) {
	n, err := ParseName(repository)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	posted := 0
	err = c.looked(ctx, func(ctx context.Context) error {
		there, err := c.suggested(ctx, n, pull)
		if err != nil {
			return err
		}
		review := &gh.PullRequestReviewRequest{CommitID: &commit, Event: gh.String("COMMENT")}
		for _, s := range list {
			if cm := s.comment(); !there[s.mark()] && len(review.Comments) < maxSuggestions {
				there[s.mark()] = true
				review.Comments = append(review.Comments, cm)
			}
		}
		if len(review.Comments) == 0 {
			return nil
		}
		const op = "pulls/create-review"
		_, _, err = c.api.PullRequests.CreateReview(named(ctx, op), n.Owner, n.Repo, pull, review)
		if err == nil {
			posted = len(review.Comments)
		}
		return apiError(op, err)
	})
	return posted, err
}

// suggested are the marks of our suggestions that the pull request has.
func (c *Client) suggested(ctx context.Context, n Name, pull int) (map[string]bool, error) {
	self, err := c.whoami(ctx)
	if err != nil {
		return nil, err
	}
	const op = "pulls/list-review-comments"
	marks := map[string]bool{}
	opt := &gh.PullRequestListCommentsOptions{ListOptions: gh.ListOptions{PerPage: 100}}
	for {
		page, resp, err := c.api.PullRequests.ListComments(named(ctx, op), n.Owner, n.Repo, pull, opt)
		if err != nil {
			return nil, apiError(op, err)
		}
		for _, cm := range page {
			if line, _, _ := strings.Cut(normal(cm.GetBody()), "\n"); self.wrote(cm.GetUser()) {
				marks[line] = true
			}
		}
		if resp.NextPage == 0 {
			return marks, nil
		}
		opt.Page = resp.NextPage
	}
}

// mark tells a suggestion from others; it does not change when lines move. One that
// takes lines out is told by what it is for.
func (s *Suggestion) mark() string {
	text := strings.Join(s.New, "\n")
	if len(s.New) == 0 {
		text = strings.Join(s.With, "\n")
	}
	if text == "" {
		text = s.Why
	}
	return "<!-- sealward:suggestion " + digest(s.Path, text) + " -->"
}

func (s *Suggestion) comment() *gh.DraftReviewComment {
	text := strings.Join(s.With, "\n")
	if len(s.With) > 0 {
		text += "\n"
	}
	fence := "```"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	body := fmt.Sprintf("%s\n%s\n\n%ssuggestion\n%s%s\n", s.mark(), s.Why, fence, text, fence)
	cm := &gh.DraftReviewComment{Path: &s.Path, Body: &body, Line: &s.Lines.Last, Side: gh.String("RIGHT")}
	if s.Lines.First < s.Lines.Last {
		cm.StartLine, cm.StartSide = &s.Lines.First, gh.String("RIGHT")
	}
	return cm
}
