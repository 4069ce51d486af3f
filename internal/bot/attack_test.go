package bot

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
)

// untouched says that nothing came of an attack.
func (w *world) untouched() {
	w.t.Helper()
	if n := len(w.repo.Pulls()); n != 0 || w.paper.minted != 0 || w.paper.runs != 0 || len(w.repo.Branches()) != 1 || len(w.rotations()) != 0 {
		w.t.Errorf("%d pull requests, %d keys, %d runs, branches %v, %+v", n, w.paper.minted, w.paper.runs, w.repo.Branches(), w.rotations())
	}
}

func TestForgedSignatures(t *testing.T) {
	w := newWorld(t)
	body := w.commentEvent(w.repo.Comment("alice", w.issue, "/rotate-key prod --force"), "alice", "/rotate-key prod --force")
	for name, change := range map[string]func(http.Header){
		"another secret": func(h http.Header) { copyHeader(h, githubtest.Signed("guess", body)) },
		"empty secret":   func(h http.Header) { copyHeader(h, githubtest.Signed("", body)) },
		"SHA-1 alone":    func(h http.Header) { h.Del("X-Hub-Signature-256") },
		"SHA-1 as 256":   func(h http.Header) { h.Set("X-Hub-Signature-256", h.Get("X-Hub-Signature")) },
		"none":           func(h http.Header) { h.Del("X-Hub-Signature-256"); h.Del("X-Hub-Signature") },
		"another body's": func(h http.Header) { copyHeader(h, githubtest.Signed(testSecret, []byte("{}"))) },
	} {
		if status, _ := w.post("issue_comment", guid, body, change); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, status)
		}
	}
	if len(w.jobs()) != 0 {
		t.Errorf("%+v", w.jobs())
	}
	if n := w.counter("sealward_webhook_deliveries_total", map[string]string{"result": "refused"}); n != 6 {
		t.Errorf("%v refusals counted", n)
	}
	w.untouched()
}

func copyHeader(to, from http.Header) {
	for k, v := range from {
		to[k] = v
	}
}

func TestAnEmptySecretIsRefusedAtStart(t *testing.T) {
	for _, secrets := range [][]string{nil, {""}, {"good", ""}} {
		if _, err := github.NewVerifier(secrets...); err == nil {
			t.Errorf("%q passed", secrets)
		}
	}
	w := newWorld(t)
	w.bot.opt.Verifier = nil
	if status, _ := w.post("ping", guid, []byte("{}"), nil); status != http.StatusServiceUnavailable {
		t.Errorf("without a verifier: %d", status)
	}
}

func TestReplaysStartNothing(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.start()
	id := w.repo.Comment("alice", w.issue, "/rotate-key staging --force")
	w.settle()
	runs := w.paper.runs
	body := w.commentEvent(id, "alice", "/rotate-key staging --force")
	for i := range 20 {
		if status, _ := w.post("issue_comment", fmt.Sprintf("replay-%d", i%5), body, nil); status != 202 {
			t.Fatal(status)
		}
	}
	w.settle()
	if len(w.repo.Pulls()) != 1 || len(w.answers(w.issue)) != 1 || w.paper.runs != runs || w.paper.minted != 1 {
		t.Errorf("%+v %d runs, before %d", w.repo.Pulls(), w.paper.runs, runs)
	}
}

func TestAReaderIsRefusedOnce(t *testing.T) {
	w := newWorld(t)
	for _, role := range []string{"read", "triage"} {
		w.repo.Grant("rita", role)
		has(t, w.run("rita", "/rotate-key prod --force"), "Nothing was done", "permission to push", "`rita`")
	}
	has(t, w.run("stranger", "/rotate-key status"), "`stranger`")
	if got := w.answers(w.issue); len(got) != 2 {
		t.Errorf("%d answers: %q", len(got), got)
	}
	w.untouched()
	for _, role := range []string{"write", "maintain", "admin"} {
		w.repo.Grant("rita", role)
		has(t, w.run("rita", "/rotate-key prod"), "Nothing was changed")
	}
}

func TestARevokedPermissionCounts(t *testing.T) {
	w := newWorld(t)
	_, jobs := w.ask("alice", "/rotate-key prod --force")
	w.repo.Grant("alice", "read")
	if err := w.work(jobs[1]); err != nil {
		t.Fatal(err)
	}
	has(t, w.answer(), "permission to push")
	w.untouched()
}

func TestNoPermissionOnAnyError(t *testing.T) {
	const op = "repos/get-collaborator-permission-level"
	for name, fault := range map[string]githubtest.Fault{
		"denied": githubtest.Denied(), "missing": githubtest.Missing(), "broken": githubtest.Broken(500), "gateway": githubtest.Broken(502),
		"limit": githubtest.SecondaryLimit(403, "600"), "dropped": {Drop: true}, "nonsense": {Status: 200, Body: `{"permission":"owner-of-all"}`}, "empty": {Status: 200, Body: `{}`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, jobs := w.ask("alice", "/rotate-key prod --force")
			w.hub.Arm(fault.On(op).Repeat(-1))
			_ = w.work(jobs[1])
			w.untouched()
		})
	}
}

func TestAllowNarrows(t *testing.T) {
	w := newWorld(t)
	w.repo.Grant("bob", "write")
	w.repo.Grant("carol", "read")
	w.hub.Team("octo", "platform", "bob", "carol")
	w.hub.Team("rivals", "platform", "alice")
	tests := []struct {
		allow []string
		login string
		ok    bool
	}{
		{[]string{"octo/platform"}, "bob", true},
		{[]string{"octo/platform"}, "alice", false},
		{[]string{"octo/platform"}, "carol", false}, // of the team, and may not push
		{[]string{"@octo/platform"}, "bob", true},
		{[]string{"octo/platform", "Alice"}, "alice", true},
		{[]string{"rivals/platform"}, "alice", false},
		{[]string{"octo/nobody"}, "alice", false},
		{[]string{"dora"}, "alice", false},
	}
	for _, tt := range tests {
		w.paper.set(func(p *paper) { p.policy = Policy{Allow: tt.allow} })
		w.issue = w.repo.NewIssue("alice", "Again", "")
		answer := w.run(tt.login, "/rotate-key prod")
		if ok := strings.Contains(answer, "Nothing was changed"); ok != tt.ok {
			t.Errorf("%v %s: %s", tt.allow, tt.login, answer)
		}
	}
	w.paper.set(func(p *paper) { p.policy = Policy{Problem: "line 3: no key \"rotatoin\"\n[x](https://evil.example)"} })
	w.issue = w.repo.NewIssue("alice", "Again", "")
	has(t, w.run("alice", "/rotate-key prod --force"), "could not be read", "line 3")
	if w.paper.minted != 0 {
		t.Error("a key was made")
	}
}

func TestEditedCommentsAreNotRun(t *testing.T) {
	w := newWorld(t)
	w.listen()
	// An edit alone is no event for us.
	id := w.repo.Comment("alice", w.issue, "hello")
	w.repo.EditComment(id, "mallory", "/rotate-key prod --force")
	if len(w.jobs()) != 0 {
		t.Fatalf("%+v", w.jobs())
	}
	// Edited between the delivery and the work, within the second, and later.
	for name, change := range map[string]func(id int64){
		"another command": func(id int64) { w.repo.EditComment(id, "mallory", "/rotate-key prod --force") },
		"more commands":   func(id int64) { w.repo.EditComment(id, "mallory", "/rotate-key status\n/rotate-key prod --force") },
		"later": func(id int64) {
			w.hub.Advance(3e9)
			w.repo.EditComment(id, "mallory", "/rotate-key status\n")
		},
	} {
		id, jobs := w.ask("alice", "/rotate-key status")
		change(id)
		if err := w.work(jobs[1]); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(w.answer(), "was changed after it was written") {
			t.Errorf("%s: %s", name, w.answer())
		}
	}
	// Taken back: there is nothing to answer.
	before := len(w.answers(w.issue))
	id, jobs := w.ask("alice", "/rotate-key prod --force")
	w.repo.EditComment(id, "alice", "never mind")
	if err := w.work(jobs[1]); err != nil {
		t.Fatal(err)
	}
	id, jobs = w.ask("alice", "/rotate-key prod --force")
	w.repo.DeleteComment(id)
	for _, j := range jobs {
		if err := w.work(j); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.answers(w.issue)) != before {
		t.Errorf("%q", w.answers(w.issue)[before:])
	}
	w.untouched()
}

func TestQuotedCommandsAndBotsAreIgnored(t *testing.T) {
	w := newWorld(t)
	w.repo.Grant("helper[bot]", "admin")
	w.listen()
	w.repo.Comment("alice", w.issue, "> /rotate-key prod --force")
	w.repo.Comment("alice", w.issue, "```\n/rotate-key prod --force\n```")
	w.repo.Comment("helper[bot]", w.issue, "/rotate-key prod --force")
	w.repo.Comment(w.app.Login(), w.issue, "/rotate-key prod --force")
	if len(w.jobs()) != 0 {
		t.Errorf("%+v", w.jobs())
	}
	w.untouched()
}

func TestAForksHeadDecidesNothing(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.start()
	w.settle()
	fork := w.repo.OpenForkPull("mallory", "From a fork", githubtest.Files{
		".sealward.yaml": "rotation: {allow: [mallory]}\n", ".rules": "prod " + publicKeys[7] + "\n", "secrets/prod.txt": publicKeys[7] + "\n",
	})
	w.repo.Comment("mallory", fork, "/rotate-key prod --force")
	w.settle()
	has(t, w.answers(fork)[0], "permission to push")
	// A person with permission rotates what is on the default branch, wherever it is asked for.
	w.repo.Comment("alice", fork, "/rotate-key prod --force")
	w.settle()
	pulls := w.repo.Pulls()
	if len(pulls) != 2 || w.onMain("secrets/prod.txt") != publicKeys[0] {
		t.Fatalf("%+v", pulls)
	}
	for _, path := range []string{"secrets/prod.txt", "secrets/prod-db.txt"} {
		if data, _ := w.repo.ReadFile(pulls[1].HeadID, path); strings.TrimSpace(data) != publicKeys[2] {
			t.Errorf("%s: %q", path, data)
		}
	}
	if strings.Contains(pulls[1].Body, publicKeys[7]) {
		t.Error("the fork's recipient came in")
	}
}

func TestAPullRequestThatInjectsARecipientStartsNothing(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.start()
	w.settle()
	w.repo.Commit("feature", "Add a recipient", githubtest.Files{".rules": "prod " + publicKeys[7] + "\n"})
	w.repo.OpenPull("rita", "feature", "Add a recipient")
	w.settle()
	if n := len(w.repo.Pulls()); n != 1 {
		t.Errorf("%d pull requests", n)
	}
}

func TestHostileNamesAreHarmless(t *testing.T) {
	w := newWorld(t)
	hostile := "secrets/prod-[x](https:evil.example) @octo <img src=x> `a` | b\u202e.txt"
	w.repo.Commit("main", "Hostile", githubtest.Files{hostile: publicKeys[0] + "\n"})
	w.repo.Commit("sealward/rotate-prod-000000000000", "A branch like ours", githubtest.Files{"x": "1"})
	answer := w.run("alice", "/rotate-key prod")
	if strings.Contains(answer, "\u202e") || strings.Contains(answer, hostile) || !strings.Contains(answer, "`` ") {
		t.Errorf("%s", answer)
	}
	for line := range strings.Lines(answer) {
		if strings.HasPrefix(line, "| `") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 4 && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 3 {
			t.Errorf("the row is broken: %s", line)
		}
	}
	// A foreign branch and pull request of such a name are not taken for ours.
	n := w.repo.OpenPull("rita", "sealward/rotate-prod-000000000000", "Like ours")
	j := newJob(kindPull, guid, w.in, w.repo.Name(), pullArgs{Number: n, Branch: "sealward/rotate-prod-000000000000"})
	if err := w.work(j); err != nil {
		t.Fatal(err)
	}
	if len(w.answers(n)) != 0 {
		t.Errorf("%q", w.answers(n))
	}
}

func TestAHugeBodyIsRefused(t *testing.T) {
	w := newWorld(t)
	body := []byte(`{"a":"` + strings.Repeat("x", 25<<20) + `"}`)
	if status, _ := w.post("issue_comment", guid, body, nil); status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d", status)
	}
	resp, err := http.Get(w.hook.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != http.MethodPost {
		t.Errorf("%d", resp.StatusCode)
	}
}

func TestAPrivateKeyIsNeverRepeated(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.start()
	for _, body := range []string{
		"/rotate-key prod --to " + private, "/rotate-key " + private, "/rotate-key prod --force\nthe old one is\n```\n" + private + "\n```",
		"/rotate-key prod --" + private, "/rotate-key prod " + private + " --force",
	} {
		w.repo.Comment("alice", w.issue, body)
	}
	w.repo.Comment("rita", w.issue, "/rotate-key prod --to "+private)
	w.settle()
	answers := w.answers(w.issue)
	if len(answers) != 6 {
		t.Fatalf("%q", answers)
	}
	all := w.log.String()
	for _, a := range answers {
		has(t, a, "holds a private key", "everybody who can read it has the key now")
		all += a
	}
	for _, j := range w.jobs() {
		all += fmt.Sprintf("%+v", j)
	}
	for _, p := range w.repo.Pulls() {
		all += p.Body + p.Title + p.Head
	}
	for _, secret := range []string{private, private[:24], strings.ToLower(private)[:24]} {
		if strings.Contains(all, secret) {
			t.Errorf("%q came out", secret)
		}
	}
	if len(w.repo.Pulls()) != 1 {
		t.Errorf("%+v", w.repo.Pulls())
	}
}
