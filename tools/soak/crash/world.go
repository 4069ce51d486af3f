package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"filippo.io/age"
	"github.com/sealward/sealward/internal/github/githubtest"
)

// world is all that there is beside the bot: GitHub, its people, their repositories and
// keys, and the way that deliveries take.
type world struct {
	settings
	tb      *tb
	random  *rand.Rand
	fake    *githubtest.Server
	app     *githubtest.App
	ingress *ingress
	bots    []*process
	asked   []*rotation
	sealed  map[string]githubtest.Files // by environment: its files, sealed for its old key
	old     map[string]*age.X25519Identity

	installed map[string]int64 // installations, by repository
}

// rotation is one that a person asks for, and what must come of it.
type rotation struct {
	repo    *githubtest.Repo
	env     string
	issue   int
	comment int64
	keys    string // the environment's keyring
}

func (r *rotation) String() string { return r.repo.Name() + " " + r.env }

// tb is a test to the fake; what it finds wrong is a violation.
type tb struct {
	dir   string
	mu    sync.Mutex
	wrong []string
	ends  []func()
}

func (t *tb) Helper()         {}
func (t *tb) TempDir() string { return t.dir }

func (t *tb) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrong = append(t.wrong, "GitHub: "+fmt.Sprintf(format, args...))
}

func (t *tb) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (t *tb) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ends = append(t.ends, f)
}

func (t *tb) faults() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.wrong)
}

func (w *world) close() {
	for _, p := range w.bots {
		p.end()
	}
	if w.ingress != nil {
		w.ingress.close()
	}
	for _, f := range slices.Backward(w.tb.ends) {
		f()
	}
}

// environments of every repository.
var environments = [...]string{"dev", "qa", "staging", "prod", "dr"}

func newWorld(ctx context.Context, s settings) (*world, error) {
	for _, dir := range []string{"git", "keys", "state", "logs"} {
		if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o700); err != nil {
			return nil, err
		}
	}
	w := &world{
		settings: s, tb: &tb{dir: filepath.Join(s.dir, "git")}, random: rand.New(rand.NewPCG(s.seed, 1)),
		sealed: map[string]githubtest.Files{}, old: map[string]*age.X25519Identity{}, installed: map[string]int64{},
	}
	w.fake = githubtest.New(w.tb)
	w.app = w.fake.NewApp("sealward-soak")
	if err := os.WriteFile(filepath.Join(s.dir, "app.pem"), w.app.PrivateKey, 0o600); err != nil {
		return nil, err
	}
	for _, env := range environments {
		if err := w.seal(ctx, env, 2); err != nil {
			return nil, err
		}
	}
	for n := 0; len(w.asked) < s.rotations; n++ {
		list, err := w.repository(fmt.Sprintf("org%d/platform", n))
		if err != nil {
			return nil, err
		}
		w.asked = append(w.asked, list[:min(len(list), s.rotations-len(w.asked))]...)
	}
	var err error
	if w.ingress, err = newIngress(w); err != nil {
		return nil, err
	}
	w.fake.Webhook(w.ingress.url, w.app.Secret)
	for i := range s.replicas {
		p, err := w.newProcess(fmt.Sprintf("bot-%d", i))
		if err != nil {
			return nil, err
		}
		w.bots = append(w.bots, p)
	}
	return w, nil
}

// seal makes an environment's key, and its files by the program of SOPS.
func (w *world) seal(ctx context.Context, env string, files int) error {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	w.old[env], w.sealed[env] = id, githubtest.Files{}
	for i := range files {
		name := fmt.Sprintf("secrets/%s/app-%d.yaml", env, i)
		cmd := exec.CommandContext(ctx, w.sops, "--config", "/dev/null", "--encrypt", "--age", id.Recipient().String(), "--input-type", "yaml", "--output-type", "yaml", "/dev/stdin")
		cmd.Stdin = strings.NewReader(plain(env, i))
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("seal %s: %w%s", name, err, stderr(err))
		}
		w.sealed[env][name] = string(out)
	}
	return nil
}

// plain is what a sealed file holds.
func plain(env string, i int) string {
	return fmt.Sprintf("database:\n    user: app-%d\n    password: not-a-secret-%s-%d\nworkers: %d\n", i, env, i, i+1)
}

func stderr(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return ": " + strings.TrimSpace(string(exit.Stderr))
	}
	return ""
}

// repository makes one with its keyrings and an installation of its own, and returns the
// rotations that can be asked for there.
func (w *world) repository(name string) ([]*rotation, error) {
	files, rules, config := githubtest.Files{}, "creation_rules:\n", "environments:\n"
	var list []*rotation
	for _, env := range environments {
		maps.Copy(files, w.sealed[env])
		rules += fmt.Sprintf("  - path_regex: ^secrets/%s/\n    age: %s\n", env, w.old[env].Recipient())
		keys := filepath.Join(w.dir, "keys", filepath.FromSlash(name), env+".agekey")
		config += fmt.Sprintf("  %s:\n    paths: [\"secrets/%s/**\"]\n", env, env)
		if err := os.MkdirAll(filepath.Dir(keys), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(keys, []byte("# public key: "+w.old[env].Recipient().String()+"\n"+w.old[env].String()+"\n"), 0o600); err != nil {
			return nil, err
		}
		list = append(list, &rotation{env: env, keys: keys})
	}
	files[".sops.yaml"], files[".sealward.yaml"], files["README.md"] = rules, config, "# Secrets\n"
	r := w.fake.NewRepo(name, files)
	r.Private().Grant("olga", "write")
	w.installed[name] = w.app.Install(githubtest.AppPermissions(), r)
	for _, a := range list {
		a.repo, a.issue = r, r.NewIssue("olga", "Rotate "+a.env, "")
	}
	return list, nil
}
