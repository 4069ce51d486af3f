package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/github/githubtest"
)

// What a workflow or an event may hold that is not usual: it works, or says what is
// wrong and how to put it right, and never passes in silence.
func TestWorkflowOddities(t *testing.T) {
	dispatch := func(*stage) (string, map[string]any) {
		return "workflow_dispatch", map[string]any{"repository": repository(), "inputs": nil}
	}
	pull := func(s *stage) (string, map[string]any) {
		return "pull_request", s.pullEvent(s.repo.OpenPull("alice", "feature", "A change"))
	}
	push := func(before, ref string) func(*stage) (string, map[string]any) {
		return func(s *stage) (string, map[string]any) {
			return "push", map[string]any{"ref": ref, "before": before, "after": s.repo.Head("feature"), "forced": true, "repository": repository()}
		}
	}
	for _, c := range []struct {
		name  string
		files githubtest.Files
		event func(*stage) (string, map[string]any)
		with  map[string]string
		code  int
		want  string // in the log
	}{
		{"two branches by name", leaky(), dispatch, map[string]string{"INPUT_BASE": "main", "INPUT_HEAD": "feature"}, exitFindings, "deploy/db.yaml"},
		{"a head alone", leaky(), dispatch, map[string]string{"INPUT_HEAD": "feature"}, exitFindings, "deploy/db.yaml"},
		{"a head that is not there", leaky(), dispatch, map[string]string{"INPUT_HEAD": "no/such#branch?x"}, exitFailed, "no/such#branch?x"},
		{"a base that is not there", leaky(), pull, map[string]string{"INPUT_BASE": "nowhere"}, exitFailed, "nowhere"},
		{"the whole tree on a pull request", leaky(), pull, map[string]string{"INPUT_MODE": "full"}, exitFindings, "deploy/db.yaml"},
		{"a push over what is gone", leaky(), push(strings.Repeat("9", 40), "refs/heads/feature"), nil, exitFindings, "deploy/db.yaml"},
		{"a tag", leaky(), push(strings.Repeat("0", 40), "refs/tags/v1"), nil, exitFindings, "deploy/db.yaml"},
		{"a change of nothing", githubtest.Files{}, pull, nil, exitClean, ""},
		{"a deletion alone", githubtest.Files{"README.md": githubtest.Removed}, pull, nil, exitClean, ""},
		{"no token", harmless(), pull, map[string]string{"INPUT_GITHUB-TOKEN": ""}, exitClean, ""},
		{"a token that is wrong", leaky(), pull, map[string]string{"INPUT_GITHUB-TOKEN": "ghs_" + strings.Repeat("z", 36)}, exitFailed, "token"},
		{"an API with a slash", leaky(), pull, map[string]string{"INPUT_API-URL": "$API/"}, exitFindings, "deploy/db.yaml"},
		{"an API that is none", leaky(), pull, map[string]string{"INPUT_API-URL": "http://127.0.0.1:1"}, exitFailed, "read the change from http://127.0.0.1:1: "},
		{"no file for outputs", leaky(), pull, map[string]string{"GITHUB_OUTPUT": ""}, exitFindings, "deploy/db.yaml"},
		{"a file for outputs that is a directory", leaky(), pull, map[string]string{"GITHUB_OUTPUT": "/"}, exitFindings, "no outputs"},
		{"a summary that is a directory", leaky(), pull, map[string]string{"GITHUB_STEP_SUMMARY": "/"}, exitFindings, "no summary"},
		{"SARIF outside of the workspace", leaky(), pull, map[string]string{"INPUT_SARIF-FILE": "../a.sarif"}, exitFindings, "outside of the workspace"},
		{"SARIF in place of a directory", leaky(), pull, map[string]string{"INPUT_SARIF-FILE": "."}, exitFindings, "no sarif-file"},
		{"a configuration that is not there", leaky(), pull, map[string]string{"INPUT_CONFIG": "nowhere.yaml"}, exitFailed, "nowhere.yaml"},
		{"a repository that is another", leaky(), pull, map[string]string{"GITHUB_REPOSITORY": "octo/none"}, exitFailed, "octo/none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			s.repo.Commit("feature", "Change", c.files)
			event, payload := c.event(s)
			with := map[string]string{}
			for k, v := range c.with {
				with[k] = strings.NewReplacer("$API", s.fake.URL+"/api/v3").Replace(v)
			}
			got := s.run(event, payload, with)
			if got.code != c.code || !strings.Contains(got.stdout, c.want) {
				t.Errorf("exit %d, want %d and %q\n%s%s", got.code, c.code, c.want, got.stdout, got.stderr)
			}
			if _, err := os.Stat(filepath.Join(s.dir, "a.sarif")); err == nil {
				t.Error("a file was written outside of the workspace")
			}
		})
	}
}
