package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/github/githubtest"
	"github.com/sealward/sealward/internal/keyring"
)

func TestServeRotates(t *testing.T) {
	w := newServed(t, 3, githubtest.Files{".sealward.yaml": "environments:\n  prod:\n    paths: [\"secrets/prod/**\"]\nrotation:\n  copy-to: [COPY]\n  copy: keys/{env}.agekey.age\n"})
	friend, err := keyring.Generate(false)
	if err != nil {
		t.Fatal(err)
	}
	w.repo.Commit("main", "Name who gets a copy", githubtest.Files{".sealward.yaml": "environments:\n  prod:\n    paths: [\"secrets/prod/**\"]\nrotation:\n  copy-to: [" + friend.Recipient().ID + "]\n  copy: keys/{env}.agekey.age\n"})
	w.start()
	w.repo.Comment("alice", w.issue, "/rotate-key prod")
	w.until("the plan is there", func() bool { return strings.Contains(w.comments(w.issue), "Nothing was changed") })
	if len(w.ids()) != 1 || len(w.repo.Pulls()) != 0 {
		t.Fatal("a plan made something")
	}
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	w.until("the pull request is there", func() bool { return len(w.repo.Pulls()) == 1 })
	w.until("the answer is there", func() bool { return strings.Contains(w.comments(w.issue), "is open") })
	pull, ids := w.repo.Pulls()[0], w.ids()
	if len(ids) != 2 || ids[1].Recipient() != w.old.Recipient() {
		t.Fatalf("the keyring holds %v", ids)
	}
	for i := range 3 {
		path := fmt.Sprintf("secrets/prod/%d.yaml", i)
		if !w.opens(pull.HeadID, path, ids[0]) || w.opens(pull.HeadID, path, w.old) {
			t.Errorf("%s: not the new key's alone", path)
		}
	}
	if rules, _ := w.repo.ReadFile(pull.HeadID, ".sops.yaml"); !strings.Contains(rules, ids[0].Recipient().ID) || strings.Contains(rules, w.old.Recipient().ID) {
		t.Errorf("the rules are %s", rules)
	}
	if sealed, ok := w.repo.ReadFile(pull.HeadID, "keys/prod.agekey.age"); !ok || !strings.HasPrefix(sealed, "-----BEGIN AGE ENCRYPTED FILE-----") {
		t.Errorf("the copy of the key is %.60q", sealed)
	}
	if !strings.Contains(pull.Body, "TOKEN") || !strings.Contains(pull.Body, "history was not searched") {
		t.Errorf("the body is %s", pull.Body)
	}
	w.repo.Merge(pull.Number, "alice")
	w.until("the old key is retired", func() bool { return len(w.ids()) == 1 })
	if w.ids()[0].Recipient() != ids[0].Recipient() {
		t.Error("the wrong key was retired")
	}
	w.until("the pull request says so", func() bool { return strings.Contains(w.comments(pull.Number), "retired") })
	w.page()
	if code := w.kill(syscall.SIGTERM); code != 0 {
		t.Errorf("ended with %d", code)
	}
}

// The keyring that .sealward.yaml names is enough, for the account that named it first.
func TestServeUsesTheKeyringThatTheRepositoryNames(t *testing.T) {
	w := newServed(t, 2, nil)
	ring := filepath.Join(w.dir, "elsewhere", "prod.agekey")
	w.write("elsewhere/prod.agekey", w.old.Expose()+"\n")
	cfg := githubtest.Files{".sealward.yaml": "environments:\n  prod:\n    paths: [\"secrets/prod/**\"]\n    keyring: file://" + ring + "\n"}
	w.repo.Commit("main", "Name the keyring", cfg)
	rules, _ := w.repo.ReadFile(w.repo.Head("main"), ".sops.yaml")
	sealed, _ := w.repo.ReadFile(w.repo.Head("main"), "secrets/prod/0.yaml")
	stranger := w.hub.NewRepo("mallory/shop", githubtest.Files{".sops.yaml": rules, "secrets/prod/0.yaml": sealed, ".sealward.yaml": cfg[".sealward.yaml"]})
	stranger.Grant("mallory", "admin")
	w.app.Install(githubtest.AppPermissions(), stranger)
	theirs := stranger.NewIssue("mallory", "Give me a key", "")
	w.env = slices.DeleteFunc(w.env, func(kv string) bool { return strings.HasPrefix(kv, "SEALWARD_KEYS_DIR=") })
	w.start()
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	w.until("the pull request is there", func() bool { return len(w.repo.Pulls()) == 1 })
	held := func() int {
		data, err := os.ReadFile(ring)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(data), "AGE-SECRET-"+"KEY-1")
	}
	if n := held(); n != 2 {
		t.Errorf("the keyring holds %d keys", n)
	}
	stranger.Comment("mallory", theirs, "/rotate-key prod --force")
	w.until("the stranger is answered", func() bool {
		for _, c := range stranger.Comments(theirs) {
			if strings.Contains(c.Body, "has not allowed") {
				return true
			}
		}
		return false
	})
	if n := held(); n != 2 || len(stranger.Pulls()) != 0 {
		t.Errorf("a stranger reached the keyring: %d keys, %d pull requests", n, len(stranger.Pulls()))
	}
}

// A server that is killed at any write goes on at its next start, with one key, one pull
// request and one answer.
func TestServeIsKilled(t *testing.T) {
	w := newServed(t, 2, nil)
	w.start()
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	for range 4 {
		before := len(w.hub.Writes())
		w.until("a write", func() bool {
			return len(w.hub.Writes()) > before || strings.Contains(w.comments(w.issue), "is open")
		})
		w.kill(syscall.SIGKILL)
		w.start()
	}
	w.until("the answer is there", func() bool { return strings.Contains(w.comments(w.issue), "is open") })
	pulls, ids := w.repo.Pulls(), w.ids()
	if len(pulls) != 1 || len(ids) != 2 || len(w.repo.Branches()) != 2 || strings.Count(w.comments(w.issue), "is open") != 1 {
		t.Fatalf("%d pull requests, %d keys, branches %v, %s", len(pulls), len(ids), w.repo.Branches(), w.comments(w.issue))
	}
	if !w.opens(pulls[0].HeadID, "secrets/prod/1.yaml", ids[0]) {
		t.Error("the new key does not open the file")
	}
	if code := w.kill(syscall.SIGINT); code != 0 {
		t.Errorf("ended with %d", code)
	}
}

// Somebody replaces the recipient in .sops.yaml, and does not re-encrypt.
func TestServeFollowsRules(t *testing.T) {
	w := newServed(t, 2, nil)
	w.start()
	fresh, err := w.ring.Mint(context.Background(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	w.repo.CommitAs("alice", "main", "Replace the key", githubtest.Files{".sops.yaml": "creation_rules:\n  - path_regex: ^secrets/prod/\n    age: " + fresh.ID + "\n"})
	w.until("the pull request is there", func() bool { return len(w.repo.Pulls()) == 1 })
	if !w.opens(w.repo.Pulls()[0].HeadID, "secrets/prod/0.yaml", w.ids()[0]) {
		t.Error("the new key does not open the file")
	}
}

// A recipient that the rules do not name is a reason to propose nothing, and to make no key.
func TestServeRefusesAnInjectedRecipient(t *testing.T) {
	w := newServed(t, 1, nil)
	other, err := keyring.Generate(false)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(w.sops, "encrypt", "--age", w.old.Recipient().ID+","+other.Recipient().ID, filepath.Join(w.dir, "seal", "a.yaml"))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	w.repo.Commit("main", "Inject", githubtest.Files{"secrets/prod/evil.yaml": string(out)})
	w.start()
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	w.until("the answer is there", func() bool { return strings.Contains(w.comments(w.issue), "evil") })
	if len(w.repo.Pulls()) != 0 || len(w.ids()) != 1 {
		t.Errorf("%d pull requests, %d keys", len(w.repo.Pulls()), len(w.ids()))
	}
}

// What it costs: calls that write, and the time from the comment to the pull request at
// GitHub's pace of one write a second.
func TestServeIsQuick(t *testing.T) {
	w := newServed(t, 100, nil)
	w.start()
	w.hub.SetLatency(20 * time.Millisecond)
	time.Sleep(1500 * time.Millisecond) // what the start does is done
	w.hub.Forget()
	began := time.Now()
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	w.until("the pull request is there", func() bool { return len(w.repo.Pulls()) == 1 })
	took := time.Since(began)
	w.until("the answer is there", func() bool { return strings.Contains(w.comments(w.issue), "is open") })
	t.Logf("%s from the comment to the pull request, %s to the answer; writes: %v", took.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), w.hub.Writes())
	if n := len(w.hub.Writes()); n > 8 {
		t.Errorf("%d writes", n)
	}
	if took > 20*time.Second {
		t.Errorf("%s", took)
	}
}

// The commands beside the server, on its database while it runs.
func TestCommandsBesideTheServer(t *testing.T) {
	w := newServed(t, 1, nil)
	if out, code := w.command("jobs", "list"); code != exitFailed || !strings.Contains(out, "bot migrate") {
		t.Errorf("%d %s", code, out)
	}
	if out, code := w.command("migrate"); code != 0 || !strings.Contains(out, "sealward 1") {
		t.Errorf("%d %s", code, out)
	}
	if out, code := w.command("migrate"); code != 0 || !strings.Contains(out, "nothing to do") {
		t.Errorf("%d %s", code, out)
	}
	w.start()
	w.hub.LoseDeliveries(1000)
	id := w.repo.Comment("alice", w.issue, "/rotate-key prod")
	payload, err := json.Marshal(map[string]any{
		"action": "created", "installation": map[string]any{"id": w.installation()}, "sender": map[string]any{"login": "alice", "type": "User"},
		"repository": map[string]any{"full_name": "octo/shop", "default_branch": "main"}, "issue": map[string]any{"number": w.issue},
		"comment": map[string]any{"id": id, "body": "/rotate-key prod", "user": map[string]any{"login": "alice", "type": "User"}, "created_at": time.Now().UTC().Format(time.RFC3339), "updated_at": time.Now().UTC().Format(time.RFC3339)},
	})
	if err != nil {
		t.Fatal(err)
	}
	saved, err := json.Marshal(map[string]any{"guid": "8e1b7f80-0000-4000-8000-000000000001", "request": map[string]any{"headers": map[string]string{"X-GitHub-Event": "issue_comment"}, "payload": json.RawMessage(payload)}})
	if err != nil {
		t.Fatal(err)
	}
	w.write("delivery.json", string(saved))
	w.write("payload.json", string(payload))
	if out, code := w.command("replay", filepath.Join(w.dir, "delivery.json")); code != 0 || !strings.Contains(out, "2 jobs stored") {
		t.Errorf("%d %s", code, out)
	}
	if out, code := w.command("replay", filepath.Join(w.dir, "delivery.json")); code != 0 || !strings.Contains(out, "taken before") {
		t.Errorf("%d %s", code, out)
	}
	w.until("the plan is there", func() bool { return strings.Contains(w.comments(w.issue), "Nothing was changed") })
	if out, code := w.command("replay", filepath.Join(w.dir, "payload.json")); code != exitFailed || !strings.Contains(out, "--event") {
		t.Errorf("%d %s", code, out)
	}
	if _, code := w.command("replay", "--event", "issue_comment", filepath.Join(w.dir, "payload.json")); code != 0 {
		t.Error(code)
	}
	out, code := w.command("jobs", "list", "--format", "json")
	var list []struct{ ID, Kind, State string }
	if code != 0 || !strings.Contains(out, `"kind": "command"`) {
		t.Errorf("%d %s %v", code, out, list)
	}
	for _, args := range [][]string{{"jobs"}, {"jobs", "list", "--state", "lost"}, {"jobs", "retry"}, {"jobs", "retry", "x"}, {"jobs", "retry", "999999"}, {"replay"}, {"replay", "/nowhere"}, {"jobs", "list", "--limit", "0"}} {
		if out, code := w.command(args...); code != exitFailed || !strings.Contains(out, "error: ") {
			t.Errorf("%q: %d %s", args, code, out)
		}
	}
	// A second server would own the file too.
	second := exec.Command("bot", "serve")
	second.Env = w.env
	text, err := second.CombinedOutput()
	if err == nil || second.ProcessState.ExitCode() != exitFailed {
		t.Errorf("a second server: %s", text)
	}
}

func (w *served) command(args ...string) (string, int) {
	w.t.Helper()
	cmd := exec.Command("bot", args...)
	cmd.Env = w.env
	out, _ := cmd.CombinedOutput()
	return string(out), cmd.ProcessState.ExitCode()
}

// installation is the number of the App's installation, as deliveries say it.
func (w *served) installation() int64 {
	w.t.Helper()
	w.repo.NewIssue("alice", "x", "")
	return w.app.Install(githubtest.AppPermissions(), w.repo)
}

// The flow of /setup, from the printed address to the next start.
func TestSetup(t *testing.T) {
	w := newServed(t, 1, nil)
	var env []string
	for _, kv := range w.env {
		if name, _, _ := strings.Cut(kv, "="); name != "APP_ID" && name != "PRIVATE_KEY_PATH" && name != "WEBHOOK_SECRET" {
			env = append(env, kv)
		}
	}
	w.env = env
	w.launch()
	link := regexp.MustCompile(`(http://[^/]+)(/setup\?token=[A-Z0-9]+)`)
	w.until("the address is printed", func() bool { return link.MatchString(w.log.String()) })
	m := link.FindStringSubmatch(w.log.String())
	w.private = m[1]
	for _, path := range []string{"/setup", "/setup?token=x", "/setup/done?code=x&state=x", "/setup/done"} {
		if status, body, _ := w.get(nil, path, ""); status != 403 || strings.Contains(body, "manifest") {
			t.Errorf("%s: %d", path, status)
		}
	}
	status, body, header := w.get(nil, m[2]+"&org=octo", "")
	if status != 200 || header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("%d %s", status, body)
	}
	for _, want := range []string{"/organizations/octo/settings/apps/new?state=", "&#34;public&#34;:false", "issue_comment", "/api/github/webhooks"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	state := regexp.MustCompile(`state=([A-Z0-9]+)`).FindStringSubmatch(body)[1]
	code := w.hub.ManifestCode()
	if status, _, _ := w.get(nil, "/setup/done?code="+code+"&state=X"+state, ""); status != 403 {
		t.Errorf("a wrong state: %d", status)
	}
	status, body, _ = w.get(nil, "/setup/done?code="+code+"&state="+state, "")
	if status != 200 || !strings.Contains(body, "/installations/new") {
		t.Fatalf("%d %s", status, body)
	}
	w.clean(body)
	<-w.ended
	if code := w.kill(0); code != 0 {
		t.Errorf("ended with %d", code)
	}
	file := filepath.Join(w.dir, ".local", "state", "sealward", "app.json")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	w.start()
	if status, _, _ := w.get(nil, "/readyz", ""); status != 200 {
		t.Error(status)
	}
}
