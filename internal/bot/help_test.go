package bot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

// publicKeys are recipients whose private halves nobody has.
var publicKeys = [...]string{
	"age1nx27fjrdxh5rtvd466nyvpd9mwsp2hx27lmm776qrfcvhu5qavjqug3zw4",
	"age1jcqmy48cc3zegj0rp4gyp5qt0wgxxpv2exfydww5679gc3sz3egq7kc9pe",
	"age1z075k0yp2dq6tsmn04dl399kl3054j7z93hp03zqff8llufe69qspwsadf",
	"age1hyysrekkeetw4mxwnxqftef8uc48u2xtncwvwflhslvnqpmc9qrqrr5mjl",
	"age1w6azrtehvynhdcj900ctu2s07drpluys3vwmqnnctzxrhqu3kaaqwgq4t8",
	"age1f5hhpdqsnazdpk95gqn35c0nj44l0r8k8hmmpjdrttsms0ar6a0sks70ae",
	"age1x3q5plyp2dt6c347qjf9ekgtftpgv60kz79lnhhw5pj9e39ztptquf03g2",
	"age1u6x39kgdeyk82h2fm775stvg56wel5dcakskczaqym3rcqjtt5esjxugpt",
}

func testRecipient(t testing.TB, n int) string {
	t.Helper()
	return publicKeys[n]
}

func key(n int) sops.Recipient { return sops.Recipient{Kind: sops.Age, ID: publicKeys[n]} }

// paper is a Rotator over repositories whose sealed files are one line of text: the
// recipient that they are sealed for. Its keyrings are in memory, as of a process that
// never ends: a key that was made stays made.
type paper struct {
	mu      sync.Mutex
	held    map[string][]sops.Recipient // by environment
	next    int                         // of publicKeys, the next to be made
	minted  int
	runs    int
	fail    func(n int, ask Ask) error // of the n-th run
	policy  Policy
	drift   github.IssueReport
	noRetir string // why nothing is retired yet
}

func newPaper() *paper {
	return &paper{held: map[string][]sops.Recipient{"prod": {key(0)}, "staging": {key(1)}}, next: 2}
}

func paperFiles() githubtest.Files {
	return githubtest.Files{
		"secrets/prod.txt": publicKeys[0] + "\n", "secrets/prod-db.txt": publicKeys[0] + "\n", "secrets/staging.txt": publicKeys[1] + "\n", "README.md": "hello\n",
	}
}

// sealed reads which files of an environment are sealed for whom.
func (p *paper) sealed(snap repo.Snapshot, env string) (map[string]sops.Recipient, error) {
	names, err := fs.Glob(snap, "secrets/"+env+"*.txt")
	if err != nil {
		return nil, err
	}
	out := map[string]sops.Recipient{}
	for _, name := range names {
		data, err := fs.ReadFile(snap, name)
		if err != nil {
			return nil, err
		}
		out[name] = sops.Recipient{Kind: sops.Age, ID: strings.TrimSpace(strings.Split(string(data), "\n")[0])}
	}
	return out, nil
}

func (p *paper) Run(ctx context.Context, on *github.Client, ask Ask) (*Answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs++
	if p.fail != nil {
		if err := p.fail(p.runs, ask); err != nil {
			return nil, err
		}
	}
	snap, err := on.Snapshot(ctx, ask.Repo, ask.Branch)
	if err != nil {
		return nil, err
	}
	env := ask.Env
	if env == "production" {
		env = "prod"
	}
	if env == "" {
		env = "*"
	}
	files, err := p.sealed(snap, env)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, &UserError{fmt.Errorf("no environment %q: known are prod, staging", ask.Env)}
	}
	plan, err := p.plan(ctx, ask, env, files)
	if err != nil {
		return nil, err
	}
	if ask.Plan || plan.Idle || len(plan.Files) == 0 {
		return &Answer{Plan: plan}, nil
	}
	return p.propose(ctx, on, ask, plan, snap)
}

func (p *paper) plan(ctx context.Context, ask Ask, env string, files map[string]sops.Recipient) (*rotate.Plan, error) {
	plan := &rotate.Plan{Request: ask.Request, Env: env}
	if env == "*" {
		plan.Env = ""
	}
	held := p.held[env]
	switch {
	case len(ask.To) > 0:
		plan.New = ask.To
	case len(ask.Add) > 0:
		plan.New = ask.Add
	default:
		plan.New = held[:1]
	}
	behind := func() bool {
		for _, r := range files {
			if r != plan.New[0] {
				return true
			}
		}
		return false
	}
	if len(ask.To)+len(ask.Add) == 0 && !behind() && ask.Before == nil {
		plan.Idle, plan.Mint, plan.New = !ask.Force, true, nil
		if ask.Force && !ask.Plan {
			if err := ask.Begin(ctx, slices.Clone(held)); err != nil {
				return nil, err
			}
			ask.Before = held
		}
	}
	if ask.Before != nil && ask.Force && !ask.Plan {
		if len(p.held[env]) == len(ask.Before) {
			p.held[env] = append([]sops.Recipient{key(p.next)}, p.held[env]...)
			p.next++
			p.minted++
		}
		plan.New, plan.Mint = p.held[env][:1], false
	}
	for name, r := range files {
		if len(plan.New) == 0 || r != plan.New[0] {
			plan.Files = append(plan.Files, rotate.Reseal{Path: name, From: []sops.Recipient{r}, To: plan.New, Env: env, Values: 2, Docs: 1, Why: "sealed for the old key"})
			if !slices.Contains(plan.Old, r) {
				plan.Old = append(plan.Old, r)
			}
			plan.Exposed = append(plan.Exposed, rotate.Exposed{Path: name, Value: rotate.Value{Key: "DB_PASSWORD"}})
		}
	}
	slices.SortFunc(plan.Files, func(a, b rotate.Reseal) int { return strings.Compare(a.Path, b.Path) })
	return plan, nil
}

func (p *paper) propose(ctx context.Context, on *github.Client, ask Ask, plan *rotate.Plan, snap repo.Snapshot) (*Answer, error) {
	var edits []repo.Edit
	out := &rotate.Outcome{}
	for _, f := range plan.Files {
		old, err := fs.ReadFile(snap, f.Path)
		if err != nil {
			return nil, err
		}
		_, rest, _ := strings.Cut(string(old), "\n")
		edits = append(edits, repo.Edit{Path: f.Path, Data: []byte(plan.New[0].ID + "\n" + rest)})
		out.Sealed = append(out.Sealed, f.Path)
	}
	done, err := on.Publish(ctx, plan.Proposal(snap.Commit, edits, nil), github.ProposeOptions{Labels: []string{"sealward"}, NeedVerified: true, ReopenIfClosed: ask.Reopen})
	return &Answer{Plan: plan, Outcome: out, Pull: done}, err
}

// Behind looks for a file .rules of lines "environment recipient".
func (p *paper) Behind(ctx context.Context, on *github.Client, repository string) ([]rotate.Request, error) {
	snap, err := on.Snapshot(ctx, repository, "main")
	if err != nil {
		return nil, err
	}
	data, err := fs.ReadFile(snap, ".rules")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []rotate.Request
	for line := range strings.Lines(string(data)) {
		env, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		files, err := p.sealed(snap, env)
		if err != nil {
			return nil, err
		}
		for _, r := range files {
			if r.ID != id {
				out = append(out, rotate.Request{Repo: repository, Branch: "main", Env: env, To: []sops.Recipient{{Kind: sops.Age, ID: id}}})
				break
			}
		}
	}
	return out, nil
}

func (p *paper) Retire(ctx context.Context, on *github.Client, repository, env string, keep sops.Recipient) ([]sops.Recipient, bool, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.noRetir != "" {
		return nil, false, p.noRetir, nil
	}
	snap, err := on.Snapshot(ctx, repository, "main")
	if err != nil {
		return nil, false, "", err
	}
	files, err := p.sealed(snap, env)
	if err != nil {
		return nil, false, "", err
	}
	var removed, left []sops.Recipient
	for _, r := range p.held[env] {
		if r == keep {
			left = append(left, r)
			continue
		}
		for name, used := range files {
			if used == r {
				return nil, false, name + " is still sealed for it", nil
			}
		}
		removed = append(removed, r)
	}
	p.held[env] = left
	return removed, true, "", nil
}

func (p *paper) Environments(context.Context, *github.Client, string) ([]Environment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return []Environment{{Name: "prod", Keyring: "file:///keys/prod.agekey", Held: slices.Clone(p.held["prod"]), InUse: []sops.Recipient{key(0)}, Files: 2, Warnings: []string{"@octo/all look"}}}, nil
}

func (p *paper) Policy(context.Context, *github.Client, string) (Policy, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.policy, nil
}

func (p *paper) Drift(_ context.Context, _ *github.Client, repository string) (github.IssueReport, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.drift
	r.Repo, r.Mark, r.Labels = repository, "drift", []string{"sealward"}
	return r, nil
}

func (p *paper) set(f func(p *paper)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

// world is a bot with all that is around it.
type world struct {
	t      *testing.T
	hub    *githubtest.Server
	app    *githubtest.App
	repo   *githubtest.Repo
	in     int64 // the installation
	issue  int
	paper  *paper
	store  *store.Store
	url    string // of the store
	bot    *Bot
	hook   *httptest.Server
	log    *lockedBuffer
	reg    *prometheus.Registry
	cut    *cutter
	now    *clock
	gitHub *github.App
}

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// clock is the time as the test has it.
type clock struct {
	mu     sync.Mutex
	offset time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// cutter ends the process, as GitHub sees it: from some request on nothing is sent.
type cutter struct {
	mu    sync.Mutex
	after int  // so many requests pass; negative: all
	lose  bool // the answer to the last of them is lost
	seen  int
	at    string // the end of the path of a POST that is the last one; its answer is lost
}

var errCut = errors.New("the process has ended")

func (c *cutter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	dead := c.after >= 0 && c.seen >= c.after
	lose := c.lose && c.seen == c.after-1
	if !dead && c.at != "" && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, c.at) {
		lose, c.after = true, 0
	}
	c.seen++
	c.mu.Unlock()
	if dead {
		return nil, errCut
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if lose && err == nil {
		_ = resp.Body.Close()
		return nil, errCut
	}
	return resp, err
}

func (c *cutter) set(after int, lose bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.after, c.lose, c.seen, c.at = after, lose, 0, ""
}

// setAt ends the process once a POST to such a path has taken effect.
func (c *cutter) setAt(path string) {
	c.set(-1, false)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = path
}

const testSecret = "webhook-secret-sealward"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, hub: githubtest.New(t), paper: newPaper(), log: &lockedBuffer{}, cut: &cutter{after: -1}, now: &clock{}}
	w.app = w.hub.NewApp("sealward")
	w.repo = w.hub.NewRepo("octo/shop", paperFiles())
	w.repo.Grant("alice", "write")
	w.repo.Grant("rita", "read")
	w.in = w.app.Install(githubtest.AppPermissions(), w.repo)
	w.issue = w.repo.NewIssue("alice", "A key leaked", "")
	w.url = storeURL(t)
	w.open()
	return w
}

// storeURL names a new database: SQLite, or PostgreSQL where the tests are given one.
func storeURL(t *testing.T) string {
	t.Helper()
	return "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "bot.db"))
}

// open opens the store and makes a bot on it.
func (w *world) open() {
	w.t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, store.Options{URL: w.url, Own: true})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := s.Migrate(ctx); err != nil {
		w.t.Fatal(err)
	}
	w.store = s
	w.t.Cleanup(func() { _ = s.Close(context.Background()) })
	w.remake()
}

// remake makes a bot as a new process would.
func (w *world) remake() {
	w.t.Helper()
	verifier, err := github.NewVerifier("an-older-secret", testSecret)
	if err != nil {
		w.t.Fatal(err)
	}
	w.reg = prometheus.NewRegistry()
	metrics := NewMetrics(w.reg, "v1.2.3")
	w.gitHub, err = github.NewApp(w.app.ID, w.app.PrivateKey, github.Options{
		BaseURL: w.hub.URL, Transport: w.cut, Backoff: time.Millisecond, Fresh: []time.Duration{}, MaxWait: -1, Observe: metrics.Call,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	level := slog.LevelInfo
	if os.Getenv("SEALWARD_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	w.bot, err = New(Options{
		Store: w.store, App: w.gitHub, Verifier: verifier, Rotator: w.paper, Reader: w.paper, Metrics: metrics, Quiet: -1, Tick: 50 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: level})), Now: w.now.now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.hook == nil {
		w.hook = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.bot.Webhook().ServeHTTP(rw, r) }))
		w.t.Cleanup(w.hook.Close)
	}
}

// listen has GitHub deliver its events to the bot.
func (w *world) listen() { w.hub.Webhook(w.hook.URL, testSecret) }

// start has the bot work, until the test ends.
func (w *world) start() {
	w.t.Helper()
	if _, err := w.bot.Start(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	bot := w.bot
	w.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := bot.Stop(ctx); err != nil {
			w.t.Errorf("stop: %v", err)
		}
		if w.t.Failed() {
			w.t.Log(w.log.String())
		}
	})
}

// settle waits until there is nothing to do now.
func (w *world) settle() {
	w.t.Helper()
	quiet := 0
	for range 2000 {
		w.hub.Settle()
		jobs, err := w.store.Jobs(context.Background(), store.JobFilter{States: []string{"available", "running", "retryable", "scheduled"}})
		if err != nil {
			w.t.Fatal(err)
		}
		busy := slices.ContainsFunc(jobs, func(j store.JobRow) bool {
			return j.State != "scheduled" || j.At.Before(w.now.now().Add(20*time.Second)) || j.At.Before(time.Now().Add(20*time.Second))
		})
		if quiet++; busy {
			quiet = 0
		}
		if quiet == 3 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	jobs, _ := w.store.Jobs(context.Background(), store.JobFilter{})
	w.t.Fatalf("the bot does not come to rest: %+v\n%s", jobs, w.log.String())
}

// work runs a job as the store would, once.
func (w *world) work(j store.Job) error {
	w.t.Helper()
	return w.bot.handlers()[j.Kind](context.Background(), store.Work{Job: j, ID: 7, Attempt: 1})
}

// ask comments and returns the jobs of it, which nobody works yet.
func (w *world) ask(login, body string) (int64, []store.Job) {
	w.t.Helper()
	id := w.repo.Comment(login, w.issue, body)
	return id, w.bot.commentJobs(w.in, w.repo.Name(), github.Comment{ID: id, Issue: w.issue, Author: login, Body: body})
}

// run comments and works what comes of it.
func (w *world) run(login, body string) string {
	w.t.Helper()
	_, jobs := w.ask(login, body)
	for _, j := range jobs {
		if err := w.work(j); err != nil {
			w.t.Fatalf("%s: %v\n%s", j.Kind, err, w.log.String())
		}
	}
	return w.answer()
}

// answer is the App's last comment on the issue.
func (w *world) answer() string {
	list := w.answers(w.issue)
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

func (w *world) answers(issue int) []string {
	var out []string
	for _, c := range w.repo.Comments(issue) {
		if c.By == w.app.Login() {
			out = append(out, c.Body)
		}
	}
	return out
}

func (w *world) rotations(states ...string) []store.Rotation {
	w.t.Helper()
	list, err := w.store.Rotations(context.Background(), "", states...)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func (w *world) onMain(path string) string {
	data, _ := w.repo.ReadFile("main", path)
	return strings.TrimSpace(data)
}

func (w *world) counter(name string, labels map[string]string) float64 {
	w.t.Helper()
	families, err := w.reg.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	sum := 0.0
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			fits := true
			for _, l := range m.GetLabel() {
				if want, ok := labels[l.GetName()]; ok && want != l.GetValue() {
					fits = false
				}
			}
			if fits {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}

func has(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is not in:\n%s", p, text)
		}
	}
}
