package github_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
	"github.com/sealward/sealward/internal/repo"
)

// writer is a client of a workflow that may write.
func writer(t *testing.T, s *githubtest.Server, r *githubtest.Repo) *github.Client {
	t.Helper()
	return newClient(t, s, s.ActionsToken(r.Name(), map[string]string{"contents": "read", "issues": "write", "pull_requests": "write"}))
}

func pullToWriteOn(t *testing.T) (*githubtest.Server, *githubtest.Repo, int) {
	t.Helper()
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a.env": "A=1\nB=2\nC=3\n"})
	r.Commit("feature", "Change", githubtest.Files{"a.env": "A=1\nB=2\nC=3\nD=4\n"})
	n := r.OpenPull("alice", "feature", "Change")
	s.Forget()
	return s, r, n
}

func TestOneCommentIsKept(t *testing.T) {
	s, r, n := pullToWriteOn(t)
	c := writer(t, s, r)
	ctx := context.Background()
	for i := range 120 { // ours is not on the first page
		r.Comment("alice", n, fmt.Sprintf("comment %d", i))
	}
	r.Comment("mallory", n, "<!-- sealward:review -->\nforged by a person")
	r.Comment("other[bot]", n, "> <!-- sealward:review -->\nquoted by a bot")
	keep := func(body string, create bool) (int64, github.Outcome) {
		t.Helper()
		id, out, err := c.KeepComment(ctx, github.Sticky{Repo: "octo/shop", Issue: n, Mark: "review", Body: body, Create: create})
		if err != nil {
			t.Fatal(err)
		}
		return id, out
	}
	if id, out := keep("clean", false); id != 0 || out != github.Unchanged {
		t.Errorf("%d %s: there was none to change", id, out)
	}
	id, out := keep("3 findings", true)
	if out != github.Created {
		t.Errorf("%s", out)
	}
	for i := range 50 {
		again, out := keep(fmt.Sprintf("%d findings", i), true)
		if again != id || out != github.Updated {
			t.Fatalf("%d %s, want %d updated", again, out, id)
		}
	}
	s.Forget()
	if again, out := keep("49 findings", true); again != id || out != github.Unchanged || len(s.Writes()) != 0 {
		t.Errorf("%d %s %v: it said that already", again, out, s.Writes())
	}
	mine := 0
	for _, cm := range r.Comments(n) {
		if cm.By == "github-actions[bot]" {
			mine++
		}
		if cm.By == "mallory" && !strings.Contains(cm.Body, "forged") {
			t.Error("a person's comment was written over")
		}
	}
	if mine != 1 {
		t.Errorf("%d comments of ours", mine)
	}
}

func TestLostAnswersLeaveOneComment(t *testing.T) {
	for name, faults := range map[string][]githubtest.Fault{
		"502 after the effect":        {githubtest.LostAnswer().On("issues/create-comment")},
		"connection cut after effect": {{Op: "issues/create-comment", After: true, Drop: true}},
		"502 before the effect":       {githubtest.Broken(502).On("issues/create-comment")},
		"all at once":                 {githubtest.LostAnswer().On("issues/create-comment"), githubtest.SecondaryLimit(429, "0").On("issues/list-comments"), githubtest.Broken(503).On("issues/list-comments")},
	} {
		t.Run(name, func(t *testing.T) {
			s, r, n := pullToWriteOn(t)
			s.Arm(faults...)
			id, _, err := writer(t, s, r).KeepComment(context.Background(), github.Sticky{Repo: "octo/shop", Issue: n, Mark: "review", Body: "x", Create: true})
			if err != nil || id == 0 || len(r.Comments(n)) != 1 {
				t.Errorf("%d comments, id %d, %v", len(r.Comments(n)), id, err)
			}
		})
	}
}

func TestRacingRunsLeaveOneComment(t *testing.T) {
	s, r, n := pullToWriteOn(t)
	s.SetLatency(5 * time.Millisecond)
	var wg sync.WaitGroup
	for i := range 8 {
		c := writer(t, s, r)
		wg.Add(1)
		go func() {
			defer wg.Done()
			_, _, err := c.KeepComment(context.Background(), github.Sticky{Repo: "octo/shop", Issue: n, Mark: "review", Body: fmt.Sprint(i), Create: true})
			if err != nil && !errors.Is(err, github.ErrNotFound) {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if got := len(r.Comments(n)); got != 1 {
		t.Errorf("%d comments", got)
	}
}

func TestALongCommentIsCut(t *testing.T) {
	s, r, n := pullToWriteOn(t)
	body := strings.Repeat("| ключ | значення |\n", 6000)
	if _, _, err := writer(t, s, r).KeepComment(context.Background(), github.Sticky{Repo: "octo/shop", Issue: n, Mark: "review", Body: body, Create: true}); err != nil {
		t.Fatal(err)
	}
	if got := r.Comments(n)[0].Body; !strings.Contains(got, "does not fit") || !strings.HasPrefix(got, "<!-- sealward:review -->\n| ключ") {
		t.Errorf("%.80q", got)
	}
}

func TestAPersonsTokenKnowsItsOwnComments(t *testing.T) {
	s, r, n := pullToWriteOn(t)
	r.Grant("dave", "write")
	c := newClient(t, s, s.UserToken("dave"))
	r.Comment("mallory", n, "<!-- sealward:review -->\nforged")
	for _, body := range []string{"one", "two"} {
		if _, _, err := c.KeepComment(context.Background(), github.Sticky{Repo: "octo/shop", Issue: n, Mark: "review", Body: body, Create: true}); err != nil {
			t.Fatal(err)
		}
	}
	list := r.Comments(n)
	if len(list) != 2 || list[1].By != "dave" || !strings.HasSuffix(list[1].Body, "two") || s.Count("users/get-authenticated") != 1 {
		t.Errorf("%+v, asked %d times who we are", list, s.Count("users/get-authenticated"))
	}
}

func TestCommentsAreReadAgain(t *testing.T) {
	s, r, n := pullToWriteOn(t)
	c := writer(t, s, r)
	ctx := context.Background()
	id := r.Comment("alice", n, "/rotate-key prod")
	r.EditComment(id, "alice", "/rotate-key dev")
	cm, err := c.Comment(ctx, "octo/shop", id)
	if err != nil || cm.Body != "/rotate-key dev" || cm.Author != "alice" || cm.Bot || cm.Issue != n {
		t.Errorf("%+v %v", cm, err)
	}
	if _, err := c.Comment(ctx, "octo/shop", 42); !errors.Is(err, github.ErrNotFound) {
		t.Errorf("%v", err)
	}
	if err := c.React(ctx, "octo/shop", id, "eyes"); err != nil {
		t.Error(err)
	}
	s.Arm(githubtest.LostAnswer().On("reactions/create-for-issue-comment"))
	if err := c.React(ctx, "octo/shop", id, "rocket"); err != nil {
		t.Error(err)
	}
	if got := r.Comments(n)[0].Reactions; fmt.Sprint(got) != "[eyes rocket]" {
		t.Errorf("%v", got)
	}
	since, err := c.CommentsSince(ctx, "octo/shop", time.Now().Add(-time.Hour))
	if err != nil || len(since) != 1 {
		t.Errorf("%v %v", since, err)
	}
	if none, err := c.CommentsSince(ctx, "octo/shop", time.Now().Add(time.Hour)); err != nil || len(none) != 0 {
		t.Errorf("%v %v", none, err)
	}
}

func TestOneIssueIsKept(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	c := writer(t, s, r)
	r.NewIssue("mallory", "Drift", "<!-- sealward:drift 00 -->\nforged")
	keep := func(want github.Outcome, body, hash string, open bool) github.Issue {
		t.Helper()
		s.Forget()
		i, out, err := c.KeepIssue(context.Background(), github.IssueReport{Repo: "octo/shop", Mark: "drift", Title: "Drift", Body: body, Hash: hash, Labels: []string{"sealward"}, Open: open})
		if err != nil || out != want {
			t.Errorf("%q: %s, %v; want %s", body, out, err, want)
		}
		if want == github.Unchanged && len(s.Writes()) > 0 || len(s.Writes()) > 1 {
			t.Errorf("%q: writes %v", body, s.Writes())
		}
		return i
	}
	if i := keep(github.Unchanged, "none", "0", false); i.Number != 0 {
		t.Errorf("%+v", i)
	}
	first := keep(github.Created, "two keys, 1 day", "h2", true)
	keep(github.Unchanged, "two keys, 2 days", "h2", true)
	keep(github.Updated, "three keys", "h3", true)
	keep(github.Closed, "none", "h0", false)
	keep(github.Unchanged, "none", "h0", false)
	again := keep(github.Reopened, "one key", "h1", true)
	r.CloseIssue(again.Number) // a person has seen it
	keep(github.Unchanged, "one key", "h1", true)
	keep(github.Reopened, "two other keys", "h5", true)
	s.Arm(githubtest.LostAnswer().On("issues/update"))
	keep2, out, err := c.KeepIssue(context.Background(), github.IssueReport{Repo: "octo/shop", Mark: "drift", Title: "Drift", Body: "more", Labels: []string{"sealward"}, Open: true})
	if err != nil || out != github.Updated || keep2.Number != first.Number || first.Number == 1 {
		t.Errorf("%+v %s %v", keep2, out, err)
	}
	if got := len(r.Issues()); got != 2 {
		t.Errorf("%d issues", got)
	}
	found, ok, err := c.FindIssue(context.Background(), "octo/shop", "drift", "sealward")
	if err != nil || !ok || found.Number != first.Number || !strings.HasSuffix(found.Body, "more") {
		t.Errorf("%+v %t %v", found, ok, err)
	}
}

func TestALostAnswerLeavesOneIssue(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	s.Arm(githubtest.LostAnswer().On("issues/create"))
	i, out, err := writer(t, s, r).KeepIssue(context.Background(), github.IssueReport{Repo: "octo/shop", Mark: "drift", Title: "T", Body: "B", Labels: []string{"l"}, Open: true})
	if err != nil || i.Number != 1 || len(r.Issues()) != 1 {
		t.Errorf("%+v %s %v, %d issues", i, out, err, len(r.Issues()))
	}
}

func TestSuggestionsArePostedOnce(t *testing.T) {
	s, r, n := pullToWriteOn(t)
	c := writer(t, s, r)
	list := []github.Suggestion{
		{Path: "a.env", Lines: repo.Lines{First: 4, Last: 4}, With: []string{"D=4", "E=5"}, Why: "`E` is missing"},
		{Path: "a.env", Lines: repo.Lines{First: 3, Last: 4}, With: []string{"C=3", "```", "D=4"}, Why: "two lines"},
	}
	s.Arm(githubtest.LostAnswer().On("pulls/create-review"))
	for range 3 {
		if _, err := c.Suggest(context.Background(), "octo/shop", n, r.Head("feature"), list); err != nil {
			t.Fatal(err)
		}
	}
	got := r.ReviewComments(n)
	if len(got) != 2 || !strings.Contains(got[0].Body, "```suggestion\nD=4\nE=5\n```\n") || !strings.Contains(got[1].Body, "````suggestion\n") || got[1].Start != 3 || got[1].Line != 4 {
		t.Errorf("%+v", got)
	}
	_, err := c.Suggest(context.Background(), "octo/shop", n, r.Head("feature"), []github.Suggestion{{Path: "a.env", Lines: repo.Lines{First: 90, Last: 90}}})
	if !errors.Is(err, github.ErrInvalid) {
		t.Errorf("outside of the diff: %v", err)
	}
}

func TestLabels(t *testing.T) {
	s, r, n := pullToWriteOn(t)
	c := writer(t, s, r)
	ctx := context.Background()
	if err := errors.Join(c.Label(ctx, "octo/shop", n, "a", "b"), c.Label(ctx, "octo/shop", n, "a"), c.Unlabel(ctx, "octo/shop", n, "b"), c.Unlabel(ctx, "octo/shop", n, "b")); err != nil {
		t.Error(err)
	}
	if got := r.Pulls()[0].Labels; fmt.Sprint(got) != "[a]" {
		t.Errorf("%v", got)
	}
}

func TestAReadOnlyTokenWritesNothing(t *testing.T) {
	s, r, n := pullToWriteOn(t)
	c := reader(t, s, r)
	ctx := context.Background()
	_, _, err1 := c.KeepComment(ctx, github.Sticky{Repo: "octo/shop", Issue: n, Mark: "review", Body: "x", Create: true})
	_, _, err2 := c.KeepIssue(ctx, github.IssueReport{Repo: "octo/shop", Mark: "drift", Title: "T", Body: "B", Labels: []string{"l"}, Open: true})
	_, err3 := c.Suggest(ctx, "octo/shop", n, r.Head("feature"), []github.Suggestion{{Path: "a.env", Lines: repo.Lines{First: 4, Last: 4}}})
	err4 := c.Label(ctx, "octo/shop", n, "x")
	for i, err := range []error{err1, err2, err3, err4} {
		if !errors.Is(err, github.ErrDenied) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if len(r.Comments(n)) != 0 || len(r.Issues()) != 0 {
		t.Error("something was written")
	}
}

func TestRoles(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	hidden := s.NewRepo("octo/hidden", githubtest.Files{"a": "1"}).Private()
	app := s.NewApp("sealward")
	in := app.Install(githubtest.AppPermissions(), r, hidden)
	for _, role := range []string{"read", "triage", "write", "maintain", "admin"} {
		r.Grant(role+"er", role)
	}
	hidden.Grant("stranger", "")
	s.Team("octo", "platform", "alice")
	c := installation(t, s, app, in, "", github.Permissions{Members: github.Read})
	ctx := context.Background()
	for login, want := range map[string]bool{"reader": false, "triageer": false, "writeer": true, "maintainer": true, "adminer": true, "stranger": false, "nobody-knows": false, "a/b": false, "": false} {
		if role, _ := c.Role(ctx, "octo/shop", login); role.MayWrite() != want {
			t.Errorf("%s: %s", login, role)
		}
	}
	if role, err := c.Role(ctx, "octo/hidden", "stranger"); role != github.RoleNone || err != nil {
		t.Errorf("%s %v", role, err)
	}
	s.Arm(githubtest.Broken(503).Repeat(-1))
	if role, err := c.Role(ctx, "octo/shop", "adminer"); role.MayWrite() || err == nil {
		t.Errorf("%s %v: what can not be asked is denied", role, err)
	}
	s.Disarm()
	for login, want := range map[string]bool{"alice": true, "bob": false, "../x": false} {
		if got, _ := c.TeamMember(ctx, "octo", "platform", login); got != want {
			t.Errorf("%s in the team: %t", login, got)
		}
	}
}
