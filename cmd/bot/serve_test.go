package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/github/githubtest"
	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
)

// plaintext is in every sealed file of these tests, and must be nowhere else.
const plaintext = "synthetic-plaintext-of-the-server"

// adminToken opens the page of these tests.
const adminToken = "synthetic-admin-token"

// buffer gathers what a process writes.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// served is a `bot serve` over a GitHub of its own.
type served struct {
	t       *testing.T
	hub     *githubtest.Server
	app     *githubtest.App
	repo    *githubtest.Repo
	issue   int
	dir     string
	sops    string
	env     []string
	old     keyring.Identity
	ring    keyring.Keyring
	ringDir string

	log             *buffer
	cmd             *exec.Cmd
	ended           chan struct{}
	public, private string
}

func newServed(t *testing.T, files int, more githubtest.Files) *served {
	t.Helper()
	w := &served{t: t, hub: githubtest.New(t), dir: t.TempDir(), log: &buffer{}, sops: needSops(t)}
	w.app = w.hub.NewApp("sealward")
	var err error
	if w.old, err = keyring.Generate(false); err != nil {
		t.Fatal(err)
	}
	w.ringDir = filepath.Join(w.dir, "keys", "octo", "shop")
	w.write("keys/octo/shop/prod.agekey", w.old.Expose()+"\n")
	if w.ring, err = keyring.Open("file://"+filepath.Join(w.ringDir, "prod.agekey"), keyring.Options{}); err != nil {
		t.Fatal(err)
	}
	w.write("app.pem", string(w.app.PrivateKey))
	sealed := w.seal(w.old.Recipient())
	tree := githubtest.Files{
		".sops.yaml":     "creation_rules:\n  - path_regex: ^secrets/prod/\n    age: " + w.old.Recipient().ID + "\n",
		".sealward.yaml": "environments:\n  prod:\n    paths: [\"secrets/prod/**\"]\n",
		"README.md":      "# Shop\n",
	}
	for i := range files {
		tree[fmt.Sprintf("secrets/prod/%d.yaml", i)] = sealed
	}
	for name, data := range more {
		tree[name] = data
	}
	w.repo = w.hub.NewRepo("octo/shop", tree)
	w.repo.Private().Grant("alice", "write")
	w.app.Install(githubtest.AppPermissions(), w.repo)
	w.issue = w.repo.NewIssue("alice", "A key leaked", "")
	w.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "PORT=0", "ADMIN_ADDRESS=127.0.0.1:0", "ADMIN_TOKEN=" + adminToken,
		fmt.Sprintf("APP_ID=%d", w.app.ID), "PRIVATE_KEY_PATH=" + filepath.Join(w.dir, "app.pem"), "WEBHOOK_SECRET=" + w.app.Secret,
		"GITHUB_API_URL=" + w.hub.URL + "/api/v3", "LOG_FORMAT=json", "LOG_LEVEL=debug", "SEALWARD_KEYS_DIR=" + filepath.Join(w.dir, "keys"),
		"SEALWARD_RETIRE_AFTER=1s", "DATABASE_URL=sqlite://" + filepath.Join(w.dir, "state", "bot.db"),
	}
	t.Cleanup(func() {
		w.kill(syscall.SIGKILL)
		w.silent()
		if t.Failed() {
			t.Logf("the log:\n%s", w.log)
		}
	})
	return w
}

func (w *served) write(name, data string) {
	w.t.Helper()
	p := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(data), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// seal makes a file that sops itself has sealed.
func (w *served) seal(r sops.Recipient) string {
	w.t.Helper()
	w.write("seal/a.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  TOKEN: "+plaintext+"\n"+values(5))
	cmd := exec.Command(w.sops, "encrypt", "--age", r.ID, "--encrypted-regex", "^stringData$", filepath.Join(w.dir, "seal", "a.yaml"))
	cmd.Env = []string{"HOME=" + w.dir, "PATH=" + os.Getenv("PATH")}
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(out)
}

var servingLine = regexp.MustCompile(`"msg":"serving".*"public":"([^"]+)","private":"([^"]+)"`)

// start starts the program, and waits until it serves.
func (w *served) start(more ...string) {
	w.t.Helper()
	from := len(w.log.String())
	w.launch(more...)
	w.until("the server serves", func() bool {
		m := servingLine.FindStringSubmatch(w.log.String()[from:])
		if m == nil {
			return false
		}
		w.public, w.private = "http://"+m[1], "http://"+m[2]
		return true
	})
	w.hub.Webhook(w.public+"/api/github/webhooks", w.app.Secret)
}

func (w *served) launch(more ...string) {
	w.t.Helper()
	w.cmd = exec.Command("bot", "serve")
	w.cmd.Env = append(append([]string{}, w.env...), more...)
	w.cmd.Stdout, w.cmd.Stderr = w.log, w.log
	if err := w.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(w.cmd, w.ended)
}

// kill sends a signal, and returns the exit status.
func (w *served) kill(s syscall.Signal) int {
	if w.cmd == nil {
		return 0
	}
	_ = w.cmd.Process.Signal(s)
	select {
	case <-w.ended:
	case <-time.After(30 * time.Second):
		w.t.Errorf("the server did not end by %s", s)
		_ = w.cmd.Process.Kill()
		<-w.ended
	}
	code := w.cmd.ProcessState.ExitCode()
	w.cmd = nil
	return code
}

// until waits for something, for as long as the server runs.
func (w *served) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(60 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		select {
		case <-w.ended:
			w.t.Fatalf("the server ended before %s", what)
		default:
		}
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain: %s", what)
		}
	}
}

func (w *served) comments(number int) string {
	var b strings.Builder
	for _, c := range w.repo.Comments(number) {
		if c.By == w.app.Login() {
			b.WriteString(c.Body + "\n")
		}
	}
	return b.String()
}

func (w *served) ids() []keyring.Identity {
	w.t.Helper()
	ids, err := w.ring.Identities(context.Background(), "prod")
	if err != nil {
		w.t.Fatal(err)
	}
	return ids
}

// opens decrypts a file of a revision with sops, by one identity alone.
func (w *served) opens(rev, path string, id keyring.Identity) bool {
	w.t.Helper()
	data, ok := w.repo.ReadFile(rev, path)
	if !ok {
		w.t.Fatalf("%s is not there", path)
	}
	w.write("open/"+filepath.Base(path), data)
	w.write("open/key", id.Expose()+"\n")
	cmd := exec.Command(w.sops, "decrypt", filepath.Join(w.dir, "open", filepath.Base(path)))
	cmd.Env = []string{"HOME=" + filepath.Join(w.dir, "open"), "PATH=" + os.Getenv("PATH"), "SOPS_AGE_KEY_FILE=" + filepath.Join(w.dir, "open", "key")}
	out, err := cmd.Output()
	return err == nil && strings.Contains(string(out), plaintext)
}

// silent says that no secret came out: in the log, the database, comments or requests.
func (w *served) silent() {
	w.t.Helper()
	out := w.log.String()
	for _, p := range w.repo.Pulls() {
		out += p.Title + p.Body + w.comments(p.Number)
	}
	out += w.comments(w.issue)
	err := filepath.WalkDir(filepath.Join(w.dir, "state"), func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		data, err := os.ReadFile(name)
		out += string(data)
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
	w.clean(out)
}

func (w *served) clean(out string) {
	w.t.Helper()
	pem := strings.Split(string(w.app.PrivateKey), "\n")
	for what, secret := range map[string]string{
		"plaintext": plaintext, "a private key": "AGE-SECRET-" + "KEY-1", "the webhook's secret": w.app.Secret, "the App's key": pem[1], "the admin token": adminToken, "a token": "ghs" + "_",
	} {
		for how, form := range encodings(secret) {
			if strings.Contains(out, form) {
				w.t.Errorf("%s came out, %s", what, how)
			}
		}
	}
}

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

// page looks at the private listener, as who has the token and as who has not.
func (w *served) page() {
	w.t.Helper()
	for path, want := range map[string]int{"/": 401, "/healthz": 200, "/readyz": 200, "/metrics": 200, "/page.css": 200, "/nothing": 404} {
		status, body, header := w.get(nil, path, "")
		if status != want || header.Get("X-Content-Type-Options") != "nosniff" && want == 401 {
			w.t.Errorf("%s: %d, want %d", path, status, want)
		}
		if path == "/" && strings.Contains(body, "octo/shop") {
			w.t.Error("the page is open")
		}
		w.clean(body)
	}
	for _, given := range []string{"Bearer wrong", "Bearer ", "Basic Og=="} {
		if status, _, _ := w.get(nil, "/", given); status != 401 {
			w.t.Errorf("%s: %d", given, status)
		}
	}
	status, body, header := w.get(nil, "/", "Bearer "+adminToken)
	if status != 200 || !strings.Contains(body, "octo/shop") || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		w.t.Errorf("with the token: %d %s", status, body)
	}
	w.clean(body)
	w.login()
}

// login goes through the form, and retries what cannot be retried.
func (w *served) login() {
	w.t.Helper()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	_, body, _ := w.get(client, "/", "")
	post := func(path string, form url.Values, origin string) (int, string) {
		req, err := http.NewRequest(http.MethodPost, w.private+path, strings.NewReader(form.Encode()))
		if err != nil {
			w.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", origin)
		resp, err := client.Do(req)
		if err != nil {
			w.t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	csrf := regexp.MustCompile(`name="csrf" value="([^"]+)"`)
	form := func(body string, more ...string) url.Values {
		v := url.Values{}
		if m := csrf.FindStringSubmatch(body); m != nil {
			v.Set("csrf", m[1])
		} else {
			w.t.Errorf("no form in %s", body)
		}
		for i := 0; i < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return v
	}
	if status, _ := post("/login", form(body, "token", "not it"), w.private); status != 401 {
		w.t.Errorf("a wrong token: %d", status)
	}
	if status, _ := post("/login", url.Values{"token": {adminToken}}, w.private); status != 403 {
		w.t.Errorf("no form's mark: %d", status)
	}
	status, inside := post("/login", form(body, "token", adminToken), w.private)
	if status != 200 || !strings.Contains(inside, "octo/shop") {
		w.t.Fatalf("the token: %d %s", status, inside)
	}
	if status, _ := post("/jobs/retry", url.Values{"job": {"1"}}, w.private); status != 403 {
		w.t.Errorf("a retry without the form's mark: %d", status)
	}
	if status, _ := post("/jobs/retry", form(inside, "job", "1"), "https://evil.example"); status != 403 {
		w.t.Errorf("a retry from elsewhere: %d", status)
	}
	if status, text := post("/jobs/retry", form(inside, "job", "999999"), w.private); status != 409 || !strings.Contains(text, "was not retried") {
		w.t.Errorf("a retry of no job: %d", status)
	}
	if status, text := post("/logout", form(inside), w.private); status != 401 || strings.Contains(text, "octo/shop") {
		w.t.Errorf("signed out: %d", status)
	}
}

func (w *served) get(client *http.Client, path, auth string) (int, string, http.Header) {
	w.t.Helper()
	if client == nil {
		client = http.DefaultClient
	}
	req, err := http.NewRequest(http.MethodGet, w.private+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	resp, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
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
