package bot

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/sops"
)

// reopen ends the store as a process does that is told to, and opens it in another.
func (w *world) reopen(now func() time.Time) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	w.must(w.store.Close(ctx))
	s, err := store.Open(ctx, store.Options{URL: w.url, Own: true, Now: now})
	// A git of the fake that begins at this moment holds the lock until it has begun.
	for range 20 {
		if err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
		s, err = store.Open(ctx, store.Options{URL: w.url, Own: true, Now: now})
	}
	w.must(err)
	w.store = s
	w.t.Cleanup(func() { _ = s.Close(context.Background()) })
	w.remake()
}

func TestWorkGoesOnInAnotherProcess(t *testing.T) {
	w := newWorld(t)
	w.listen()
	reached, release := make(chan struct{}), make(chan struct{})
	w.paper.fail = func(n int, ask Ask) error {
		if n == 1 {
			close(reached)
			<-release
		}
		return nil
	}
	if _, err := w.bot.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	<-reached
	w.cut.set(0, false) // whatever it still does reaches nobody
	ended, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	go func() { time.Sleep(500 * time.Millisecond); close(release) }()
	_ = w.bot.Stop(ended)
	w.reopen(nil)
	w.cut.set(-1, false)
	w.start()
	start := time.Now()
	w.settle()
	w.one(0)
	has(t, w.answer(), "is open")
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("taken up again after %s", took)
	}
}

func TestSlotsThatWereMissedComeOnce(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.reopen(w.now.now)
	w.must(w.bot.keepSweeps(ctx))
	w.paper.policy = Policy{DriftCron: "0 * * * *"}
	w.must(w.store.SaveRepository(ctx, store.Repository{Name: "octo/shop", Installation: w.in}))
	w.must(w.work(w.job(kindRefresh, "1")))
	before := len(w.jobs())
	w.now.add(7*time.Hour + 30*time.Minute)
	for _, want := range []int{5, 0, 0} {
		if n, err := w.store.Tick(ctx, w.bot.slotJob); err != nil || n != want {
			t.Errorf("%d jobs, want %d: %v", n, want, err)
		}
	}
	kinds := map[string]int{}
	for _, j := range w.jobs()[:len(w.jobs())-before] {
		kinds[j.Kind]++
	}
	if kinds[kindDrift] != 1 || kinds[kindDeliveries] != 1 || kinds[kindSurvey] != 1 || kinds[kindSweep] != 2 {
		t.Errorf("%v", kinds)
	}
	// A second process that starts at the same moment sweeps no second time.
	all := len(w.jobs())
	w.must(w.bot.keepSweeps(ctx))
	w.must(w.bot.keepSweeps(ctx))
	if n := len(w.jobs()); n > all+4 {
		t.Errorf("%d jobs, %d before", n, all)
	}
}

// stingy is a paper whose keyring refuses to let a key go.
type stingy struct {
	*paper
	err error
}

func (s *stingy) Retire(ctx context.Context, on *github.Client, repository, env string, keep sops.Recipient) ([]sops.Recipient, bool, string, error) {
	if s.err != nil {
		return nil, false, "", s.err
	}
	return s.paper.Retire(ctx, on, repository, env, keep)
}

func TestAGivenUpJobIsToldAndTriedAgain(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	s := &stingy{w.paper, &UserError{errors.New("the Secret flux-system/sops-age can not be written: @octo/ops give the Role the verb patch")}}
	w.bot.opt.Rotator, w.bot.opt.RetireAfter = s, time.Millisecond
	w.listen()
	w.start()
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	w.settle()
	pull := w.repo.Pulls()[0].Number
	w.repo.Merge(pull, "alice")
	w.settle()
	failed, err := w.store.Jobs(ctx, store.JobFilter{States: []string{"discarded"}})
	if err != nil || len(failed) != 1 || failed[0].Kind != kindRetire {
		t.Fatalf("%+v %v\n%s", failed, err, w.log)
	}
	if got := w.answers(pull); len(got) != 1 || !strings.Contains(got[0], "still in the keyring") || !strings.Contains(got[0], "bot jobs retry") || strings.Contains(got[0], "@octo") {
		t.Errorf("%q", got)
	}
	if n := w.counter("sealward_jobs_total", map[string]string{"kind": kindRetire, "state": "discarded"}); n != 1 {
		t.Errorf("%v counted", n)
	}
	v, err := w.bot.View(ctx)
	if err != nil || len(v.Failed) != 1 || v.Failed[0].ID != failed[0].ID {
		t.Errorf("%+v %v", v.Failed, err)
	}
	w.paper.set(func(*paper) { s.err = nil })
	w.must(w.store.Retry(ctx, failed[0].ID))
	w.settle()
	if got := w.answers(pull); len(got) != 1 || !strings.Contains(got[0], "is retired") {
		t.Errorf("%q\n%s", got, w.log)
	}
	if len(w.rotations(stateRetired)) != 1 || len(w.paper.held["prod"]) != 1 {
		t.Errorf("%+v", w.rotations())
	}
}
