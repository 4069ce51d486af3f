package bot

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
)

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
	t.Parallel()
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
