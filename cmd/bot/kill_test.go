package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/seal"
)

// rounds is how often the program is killed; $SEALWARD_KILL_ROUNDS says otherwise.
func rounds(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("SEALWARD_KILL_ROUNDS")); err == nil {
		return n
	}
	if testing.Short() {
		return 3
	}
	return 12
}

const killedFiles = 200

// A rotation that is killed at any moment leaves every file whole, each opens with what
// the keyring holds, and the next run leaves a tree that is wholly new, or wholly old
// with --undo.
func TestKilledAtAnyMoment(t *testing.T) {
	at := newKilled(t)
	began := time.Now()
	at.bot("rotate", "prod", "--force")
	whole := time.Since(began)
	at.check("after a run that nobody killed")
	seen := map[string]int{}
	for i := range rounds(t) {
		before := at.contents()
		if i%3 == 0 {
			at.kill(time.Duration(rand.Int64N(int64(whole)*11/10)), false)
		} else {
			at.kill(time.Duration(rand.Int64N(int64(writing))), true)
		}
		at.check(fmt.Sprintf("round %d, killed", i))
		changed := differing(before, at.contents())
		switch {
		case changed == 0:
			seen["nothing was written yet"]++
		case changed == killedFiles+1:
			seen["all was written"]++
		default:
			seen["some was written"]++
		}
		if i%2 == 1 && changed <= killedFiles {
			at.bot("rotate", "--undo")
			if n := differing(before, at.contents()); n > 0 {
				t.Fatalf("round %d: %d files differ after --undo", i, n)
			}
			seen["undone"]++
		}
		at.bot("rotate", "prod")
		at.newest(i)
		at.check(fmt.Sprintf("round %d, at its end", i))
		at.clean(i)
	}
	t.Logf("a run takes %v; %v", whole, seen)
	if seen["some was written"] == 0 && rounds(t) > 10 {
		t.Error("no kill came while the tree was written: the test shows too little")
	}
}

// killed is a repository with many sealed files.
type killed struct {
	t    *testing.T
	dir  string
	env  []string
	ring keyring.Keyring
}

func newKilled(t *testing.T) *killed {
	t.Helper()
	program := needSops(t)
	top := t.TempDir()
	k := &killed{t: t, dir: filepath.Join(top, "repo")}
	address := "file://" + filepath.Join(top, "keys", "prod.agekey")
	k.env = append(os.Environ(), "HOME="+top, "SEALWARD_KEYRING="+address, "GIT_CONFIG_NOSYSTEM=1")
	var err error
	if k.ring, err = keyring.Open(address, keyring.Options{}); err != nil {
		t.Fatal(err)
	}
	k.write("secrets/prod.env", "A=synthetic-1\n")
	k.write("overlays/prod/kustomization.yaml", "resources: []\n")
	k.write("overlays/dev/kustomization.yaml", "resources: []\n")
	k.run("git", "init", "-q", "-b", "main")
	k.bot("keys", "init", "prod")
	k.write("overlays/prod/0.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n"+values(20))
	k.run(program, "encrypt", "--in-place", "overlays/prod/0.yaml")
	sealed, err := os.ReadFile(filepath.Join(k.dir, "overlays/prod/0.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	k.write("secrets/prod.env", "")
	for i := 1; i < killedFiles; i++ {
		k.write(fmt.Sprintf("overlays/prod/%d/%d.yaml", i%7, i), string(sealed))
	}
	k.run("git", "add", "-A")
	k.run("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "sealed")
	return k
}

func values(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "  KEY_%d: synthetic-%d\n", i, i)
	}
	return b.String()
}

func (k *killed) write(name, data string) {
	k.t.Helper()
	p := filepath.Join(k.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		k.t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(data), 0o644); err != nil {
		k.t.Fatal(err)
	}
}

func (k *killed) command(args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = k.dir, k.env
	return cmd
}

func (k *killed) run(args ...string) {
	k.t.Helper()
	if out, err := k.command(args...).CombinedOutput(); err != nil {
		k.t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// program is the test binary, which is the bot where it is called so.
func (k *killed) program(args ...string) *exec.Cmd {
	p, err := exec.LookPath("bot")
	if err != nil {
		k.t.Fatal(err)
	}
	return k.command(append([]string{p}, args...)...)
}

func (k *killed) bot(args ...string) {
	k.t.Helper()
	if out, err := k.program(args...).CombinedOutput(); err != nil {
		k.t.Fatalf("bot %v: %v\n%s", args, err, out)
	}
}

// writing is about how long the tree itself is written.
const writing = 25 * time.Millisecond

// kill starts a rotation and kills it: so long after its start, or after the moment from
// which on it writes the tree.
func (k *killed) kill(wait time.Duration, written bool) {
	k.t.Helper()
	cmd := k.program("rotate", "prod", "--force")
	if err := cmd.Start(); err != nil {
		k.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	for written {
		_, err := os.Stat(filepath.Join(k.dir, ".git", "sealward", "rotation.journal"))
		if err == nil || isClosed(ended) { // on a busy machine the moment passes unseen
			break
		}
		time.Sleep(200 * time.Microsecond)
	}
	time.Sleep(wait)
	_ = cmd.Process.Kill() // it may have ended by itself
	<-ended
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func (k *killed) contents() map[string]string {
	k.t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(os.DirFS(k.dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == ".git" {
			if d != nil && d.Name() == ".git" {
				return fs.SkipDir
			}
			return err
		}
		if d.IsDir() {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(k.dir, filepath.FromSlash(p)))
		out[p] = string(data)
		return err
	})
	if err != nil {
		k.t.Fatal(err)
	}
	return out
}

func differing(a, b map[string]string) int {
	n := 0
	for p, data := range a {
		if b[p] != data {
			n++
		}
	}
	for p := range b {
		if _, ok := a[p]; !ok {
			n++
		}
	}
	return n
}

func (k *killed) identities() []keyring.Identity {
	k.t.Helper()
	ids, err := k.ring.Identities(context.Background(), "prod")
	if err != nil || len(ids) == 0 {
		k.t.Fatal("the keyring is damaged", err)
	}
	return ids
}

// check opens every file with what the keyring holds.
func (k *killed) check(when string) {
	k.t.Helper()
	ids, sealed := k.identities(), 0
	for p, data := range k.contents() {
		if !strings.HasPrefix(p, "overlays/prod/") || strings.HasSuffix(p, "kustomization.yaml") {
			continue
		}
		sealed++
		opened, err := seal.Opens(context.Background(), p, []byte(data), ids)
		if err != nil || len(opened) != 1 || opened[0].Err != nil {
			k.t.Fatalf("%s: %s does not open: %v %v", when, p, err, opened)
		}
	}
	if sealed != killedFiles {
		k.t.Fatalf("%s: %d sealed files, want %d", when, sealed, killedFiles)
	}
}

// newest checks that every file and the rules name the current key alone.
func (k *killed) newest(round int) {
	k.t.Helper()
	ids := k.identities()
	for p, data := range k.contents() {
		for _, id := range ids[1:] {
			if strings.Contains(data, id.Recipient().ID) {
				k.t.Fatalf("round %d: %s still names an older key", round, p)
			}
		}
	}
	rules, err := os.ReadFile(filepath.Join(k.dir, ".sops.yaml"))
	if err != nil || !bytes.Contains(rules, []byte(ids[0].Recipient().ID)) {
		k.t.Fatalf("round %d: the rules do not name the current key: %v", round, err)
	}
}

// clean checks that nothing is left beside the tree.
func (k *killed) clean(round int) {
	k.t.Helper()
	left, err := os.ReadDir(filepath.Join(k.dir, ".git", "sealward"))
	if err == nil && len(left) > 0 {
		k.t.Fatalf("round %d: %v is left in the journal", round, left)
	}
}
