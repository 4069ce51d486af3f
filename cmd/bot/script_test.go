package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sealward/sealward/internal/keyring"
)

var update = flag.Bool("update", false, "rewrite what the scripts expect")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bot": botUnderWatch})
}

// botUnderWatch is the program, with a canary at its outputs: where a value passes that
// $CANARY lists, or any private key, it exits with a status of its own.
func botUnderWatch() {
	c := &canary{}
	if list := os.Getenv("CANARY"); list != "" {
		c.words = strings.Fields(list)
	}
	out, errs := &watched{os.Stdout, c}, &watched{os.Stderr, c}
	code := run(context.Background(), os.Args[1:], os.Getenv, os.Stdin, out, errs)
	if c.sang != "" {
		fmt.Fprintf(os.Stderr, "CANARY: the output holds a secret, %s\n", c.sang)
		code = 99
	}
	os.Exit(code)
}

// canary looks for secrets in all that a program prints, raw and encoded.
type canary struct {
	mu    sync.Mutex
	words []string
	seen  bytes.Buffer
	sang  string
}

type watched struct {
	w io.Writer
	c *canary
}

func (w *watched) Write(p []byte) (int, error) {
	w.c.watch(p)
	return w.w.Write(p)
}

func (c *canary) watch(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen.Write(p)
	all := c.seen.String()
	if len(c.words) > 0 && strings.Contains(strings.ToUpper(all), "AGE-SECRET-"+"KEY-") {
		c.sang = "a private key"
	}
	for _, w := range c.words {
		for how, form := range encodings(w) {
			if strings.Contains(all, form) {
				c.sang = how
			}
		}
	}
}

// encodings are the forms in which a value could leave a program. Base64 of a value
// inside of a longer text has one of three forms, by where it begins.
func encodings(w string) map[string]string {
	out := map[string]string{"raw": w, "as a URL": url.QueryEscape(w)}
	for shift := range 3 {
		coded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", shift) + w))
		from := (shift*8 + 5) / 6
		to := (shift + len(w)) * 8 / 6
		out[fmt.Sprintf("in base64 (%d)", shift)] = coded[from:to]
	}
	return out
}

// The canary must be able to sing.
func TestCanary(t *testing.T) {
	for _, text := range []string{"it is hunter2secret!", base64.StdEncoding.EncodeToString([]byte("hunter2secret")),
		base64.StdEncoding.EncodeToString([]byte("k: hunter2secret\n")), base64.StdEncoding.EncodeToString([]byte("kk: hunter2secret")),
		"AGE-SECRET-" + "KEY-1QQQ"} {
		c := &canary{words: []string{"hunter2secret"}}
		for _, b := range []byte(text) {
			c.watch([]byte{b})
		}
		if c.sang == "" {
			t.Errorf("%q went past the canary", text)
		}
	}
	c := &canary{words: []string{"hunter2secret"}}
	c.watch([]byte("nothing of the kind"))
	if c.sang != "" {
		t.Error("the canary sings at nothing:", c.sang)
	}
}

// sopsCLI finds the program of SOPS, or builds it from this module's own requirements.
var sopsCLI = sync.OnceValues(func() (string, error) {
	for _, p := range []string{os.Getenv("SOPS"), "sops"} {
		if found, err := exec.LookPath(p); p != "" && err == nil {
			return found, nil
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		if p := filepath.Join(home, "go", "bin", "sops"); exec.Command(p, "--version").Run() == nil {
			return p, nil
		}
	}
	if testing.Short() {
		return "", errors.New("no sops program, and none is built in short mode")
	}
	dir, err := os.MkdirTemp("", "sops")
	if err != nil {
		return "", err
	}
	p := filepath.Join(dir, "sops")
	if out, err := exec.Command("go", "build", "-o", p, "github.com/getsops/sops/v3/cmd/sops").CombinedOutput(); err != nil {
		return "", errors.New(string(out))
	}
	return p, nil
})

// needSops skips a test on a machine without the program of SOPS.
func needSops(t testing.TB) string {
	t.Helper()
	p, err := sopsCLI()
	if err != nil {
		t.Skipf("the program of SOPS is needed: %v", err)
	}
	return p
}

// The scripts run the program as a program, on real repositories, with real age keys
// and the real sops. They add to testscript's commands:
//
//	status N COMMAND...     runs it and wants exactly this exit status
//	commit MESSAGE          commits all there is
//	person NAME             makes an identity file NAME.agekey; $NAME is its public half
//	current VAR FILE        sets VAR to the current recipient of a keyring file
//	expand FILE...          puts values in the place of $NAME in files
//	seal FILE...            seals files in place, by the rules that there are
//	[!] opens KEYFILE FILE  decrypts with sops, by the identities of one file alone
//	sparse FILE BYTES       makes a file larger, without writing it
func TestScripts(t *testing.T) {
	testscript.Run(t, scriptParams("testdata/script", needSops(t)))
}

// scriptParams are the environment and the commands of scripts.
func scriptParams(dir, program string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("SOPS", program)
			e.Setenv("HOME", filepath.Join(e.WorkDir, ".home"))
			e.Setenv("KEYS", filepath.Join(e.WorkDir, ".home", "keys"))
			e.Setenv("CANARY", "synthetic-plaintext")
			for _, kv := range []string{"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com"} {
				name, value, _ := strings.Cut(kv, "=")
				e.Setenv(name, value)
			}
			return os.MkdirAll(filepath.Join(e.WorkDir, ".home", "keys"), 0o700)
		},
		Condition: func(name string) (bool, error) {
			if name != "root" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return os.Geteuid() == 0, nil // who may read everything
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status":  statusCommand,
			"commit":  commitCommand,
			"person":  personCommand,
			"current": currentCommand,
			"expand":  expandCommand,
			"seal":    sealCommand,
			"opens":   opensCommand,
			"sparse":  sparseCommand,
		},
	}
}

func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s exited with %d, want %d", args[1], got, want)
	}
}

func commitCommand(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("git", "add", "-A"))
	ts.Check(ts.Exec("git", "commit", "-q", "-m", strings.Join(args, " ")))
}

func personCommand(ts *testscript.TestScript, _ bool, args []string) {
	id, err := keyring.Generate(false)
	ts.Check(err)
	name := filepath.Join(ts.Getenv("KEYS"), args[0]+".agekey")
	ts.Check(os.WriteFile(name, []byte(id.Expose()+"\n"), 0o600))
	ts.Setenv(args[0], id.Recipient().ID)
}

func currentCommand(ts *testscript.TestScript, _ bool, args []string) {
	ring, err := keyring.Open("file://"+ts.MkAbs(args[1]), keyring.Options{})
	ts.Check(err)
	ids, err := ring.Identities(context.Background(), "test")
	ts.Check(err)
	if len(ids) == 0 {
		ts.Fatalf("%s holds no key", args[1])
	}
	ts.Setenv(args[0], ids[0].Recipient().ID)
}

func expandCommand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := os.Expand(ts.ReadFile(name), func(v string) string {
			if value := ts.Getenv(v); value != "" {
				return value
			}
			return "$" + v
		})
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o644))
	}
}

func sealCommand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		ts.Check(ts.Exec(ts.Getenv("SOPS"), "encrypt", "--in-place", name))
	}
}

func opensCommand(ts *testscript.TestScript, neg bool, args []string) {
	cmd := exec.Command(ts.Getenv("SOPS"), "decrypt", ts.MkAbs(args[1]))
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("WORK"), "SOPS_AGE_KEY_FILE=" + ts.MkAbs(args[0])}
	out, err := cmd.CombinedOutput()
	switch {
	case neg && err == nil:
		ts.Fatalf("%s opens %s", args[0], args[1])
	case !neg && err != nil:
		ts.Fatalf("%s does not open %s: %s", args[0], args[1], out)
	}
}

func sparseCommand(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	old := []byte(ts.ReadFile(args[0]))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(old, bytes.Repeat([]byte("# padding\n"), int(size)/10)...), 0o644))
}
