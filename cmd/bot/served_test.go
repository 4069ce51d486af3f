package main

import (
	"bytes"
	"context"
	"fmt"
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
