package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/github/githubtest"
)

// driftingInventories are two lists of names that grow apart in one change, with a
// secret in the place of a name and one in a comment beside them.
func driftingInventories() githubtest.Files {
	names := strings.Repeat("HOST\n", 1) + "MODE\nPORT\n"
	return githubtest.Files{
		"secrets/dev.env.keys":  names + "QUEUE\nTOPIC\n",
		"secrets/prod.env.keys": names + syntheticToken() + "\n",
		"deploy/dev/app.env":    "A=1\nB=2\nNEW=" + syntheticToken() + "\n",
		"deploy/prod/app.env":   "A=1\n\n# " + syntheticToken() + "\nB=2\n",
	}
}

// Suggestions are posted once, however often the step runs, and hold no secret.
func TestSuggestions(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.repo.Commit("main", "Start", githubtest.Files{
		"secrets/dev.env.keys": "HOST\nPORT\n", "secrets/prod.env.keys": "HOST\nPORT\n", "deploy/dev/app.env": "A=1\nB=2\n", "deploy/prod/app.env": "A=1\nB=2\n",
	})
	s.repo.Commit("feature", "Change", driftingInventories())
	n := s.repo.OpenPull("alice", "feature", "A change")
	first := s.run("pull_request", s.pullEvent(n), nil)
	got := s.repo.ReviewComments(n)
	if len(got) != 2 {
		t.Fatalf("%d suggestions: %+v\n%s", len(got), got, first.stdout)
	}
	for i, want := range []struct{ path, text string }{
		{"deploy/prod/app.env", "```suggestion\nNEW=\n\n```\n"}, {"secrets/prod.env.keys", "```suggestion\nPORT\nQUEUE\nTOPIC\n```\n"},
	} {
		if got[i].Path != want.path || !strings.Contains(got[i].Body, want.text) || !strings.Contains(got[i].Body, "lacks it") || strings.Contains(got[i].Body, syntheticToken()) {
			t.Errorf("%d: %+v, want %+v", i, got[i], want)
		}
	}
	s.fake.Forget()
	s.run("pull_request", s.pullEvent(n), nil)
	if w := s.fake.Writes(); len(w) > 0 {
		t.Errorf("a second run wrote: %v", w)
	}
	s.repo.Commit("feature", "More", githubtest.Files{"secrets/prod.env.keys": "\n#---\nHOST\nMODE\nPORT\n"})
	s.run("pull_request", s.pullEvent(n), nil)
	if again := s.repo.ReviewComments(n); len(again) != 2 {
		t.Errorf("%d suggestions after a push that moved the lines: %+v", len(again), again)
	}
}

// On a token that may not write, on a dry run and where nobody wants them there are none.
func TestNoSuggestions(t *testing.T) {
	for name, with := range map[string]map[string]string{"fork": nil, "off": {"INPUT_SUGGESTIONS": "false"}, "dry run": {"INPUT_DRY-RUN": "true"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.repo.Commit("main", "Start", githubtest.Files{"secrets/dev.env.keys": "HOST\nPORT\n", "secrets/prod.env.keys": "HOST\nPORT\n"})
			n := s.repo.OpenForkPull("mallory", "A change", driftingInventories())
			if name == "fork" {
				s.token = s.fake.ActionsToken("octo/shop", map[string]string{"contents": "read", "pull_requests": "read"})
			}
			got := s.run("pull_request", s.pullEvent(n), with)
			if got.code != exitFindings || len(s.repo.ReviewComments(n)) != 0 || !strings.Contains(got.summary, "secrets/dev.env.keys") {
				t.Errorf("exit %d, %+v\n%s", got.code, s.repo.ReviewComments(n), got.stdout)
			}
			if told := strings.Contains(got.stdout, "suggestion"); told == (name == "off") {
				t.Errorf("told %t\n%s", told, got.stdout)
			}
		})
	}
}

// Whatever stands around the place of a suggestion, no line of the diff is repeated
// that holds a value: 1,000 secrets in as many files, of every shape there is.
func TestSuggestionsRepeatNoValue(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	before, after := githubtest.Files{}, githubtest.Files{}
	var secrets []string
	secret := func() string {
		v := fmt.Sprintf("x%dq%dZ", len(secrets)*7919, len(secrets))
		secrets = append(secrets, v)
		return v
	}
	for i := range 200 {
		dev, prod := fmt.Sprintf("apps/a%d/dev/app.env", i), fmt.Sprintf("apps/a%d/prod/app.env", i)
		before[dev], before[prod] = "A=1\nB=2\n", "A=1\nB=2\n"
		after[dev] = "A=1\nB=2\nNEW=" + secret() + "\n"
		after[prod] = [...]string{
			"A=" + secret() + "\n# " + secret() + "\nB=" + secret() + "\n\n#----\n",
			"A=\"" + secret() + "\n\n" + secret() + "\"\nB=2\nEMPTY=\n",
			secret() + "\n\nA=1\nB=2 # " + secret() + "\n",
			"A=1\nB=2\nexport C=\n# PASSWORD=" + secret() + "\n",
		}[i%4]
	}
	s.repo.Commit("main", "Start", before)
	s.repo.Commit("feature", "Change", after)
	n := s.repo.OpenPull("alice", "feature", "A change")
	s.run("pull_request", s.pullEvent(n), nil)
	list := s.repo.ReviewComments(n)
	if len(list) == 0 {
		t.Fatal("there is no suggestion to look at")
	}
	for _, c := range list {
		for _, v := range secrets {
			if strings.Contains(c.Body, v) {
				t.Fatalf("%s repeats a value: %s", c.Path, c.Body)
			}
		}
	}
}

// A thousand keys make one suggestion that GitHub takes.
func TestSuggestionOfManyKeys(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.repo.Commit("main", "Start", githubtest.Files{"secrets/dev.env.keys": "HOST\nPORT\n", "secrets/prod.env.keys": "HOST\nPORT\n"})
	var names strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&names, "M%s_%04d\n", strings.Repeat("X", 110), i)
	}
	s.repo.Commit("feature", "Change", githubtest.Files{"secrets/dev.env.keys": "HOST\n" + names.String() + "PORT\n", "secrets/prod.env.keys": "HOST\nLAST\nPORT\n"})
	n := s.repo.OpenPull("alice", "feature", "A change")
	got := s.run("pull_request", s.pullEvent(n), nil)
	list := s.repo.ReviewComments(n)
	if len(list) != 2 || len(list[0].Body) > 65_536 || strings.Contains(got.stdout, "no suggestion") {
		t.Errorf("%d suggestions\n%.2000s", len(list), got.stdout)
	}
}
