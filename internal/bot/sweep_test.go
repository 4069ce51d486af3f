package bot

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
)

// job is a job of the repository without arguments.
func (w *world) job(kind, key string) store.Job {
	return newJob(kind, key, w.in, w.repo.Name(), nothing{})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.log)
	}
}

func TestStartFindsWhatWasMissed(t *testing.T) {
	w := newWorld(t)
	other := w.hub.NewRepo("octo/blog", paperFiles())
	w.app.Install(githubtest.AppPermissions(), other)
	w.must(w.store.SaveRepository(context.Background(), store.Repository{Name: "octo/gone", Installation: 99}))
	w.paper.policy = Policy{DriftCron: "0 6 * * *"}
	w.start()
	w.settle()
	repos, err := w.store.Repositories(context.Background())
	w.must(err)
	if len(repos) != 2 || repos[0].Name != "octo/blog" || repos[1].Name != "octo/shop" || repos[1].Branch != "main" || repos[1].Installation != w.in || repos[1].Swept.IsZero() {
		t.Errorf("%+v", repos)
	}
}

func TestLostDeliveriesAreAskedForAgain(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.hub.LoseDeliveries(1)
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	w.start()
	w.settle()
	has(t, w.answer(), "is open")
	if n := w.hub.Count("apps/redeliver-webhook-delivery"); n != 1 {
		t.Errorf("%d redeliveries", n)
	}
	// What was taken is not asked for again.
	w.must(w.work(newJob(kindDeliveries, "again", 0, "", nothing{})))
	if n := w.hub.Count("apps/redeliver-webhook-delivery"); n != 1 {
		t.Errorf("%d redeliveries", n)
	}
}

func TestRedeliveriesEnd(t *testing.T) {
	w := newWorld(t)
	w.hub.Webhook(w.hook.URL, "a-secret-that-is-not-known")
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	for i := range 2 * deliveriesAgain {
		w.must(w.work(newJob(kindDeliveries, fmt.Sprint(i), 0, "", nothing{})))
		w.hub.Settle()
	}
	if n := w.hub.Count("apps/redeliver-webhook-delivery"); n != deliveriesAgain-1 {
		t.Errorf("%d redeliveries", n)
	}
}

func TestCommentsWithoutDeliveryAreFound(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force") // before the App was known here
	w.must(w.store.SaveRepository(ctx, store.Repository{Name: "octo/shop", Installation: w.in, Branch: "main"}))
	w.hub.Advance(10 * time.Minute)
	w.now.add(10 * time.Minute)
	w.must(w.work(w.job(kindComments, "1")))
	if len(w.jobs()) != 0 {
		t.Fatalf("%+v", w.jobs())
	}
	w.hub.Advance(10 * time.Minute)
	w.now.add(10 * time.Minute)
	id := w.repo.Comment("alice", w.issue, "/rotate-key prod")
	edited := w.repo.Comment("alice", w.issue, "hello")
	w.hub.Advance(10 * time.Second)
	w.repo.EditComment(edited, "mallory", "/rotate-key prod --force")
	w.repo.Comment(w.app.Login(), w.issue, "/rotate-key prod --force")
	for i := range 3 {
		w.must(w.work(w.job(kindComments, fmt.Sprint(2+i))))
	}
	jobs := w.jobs()
	if len(jobs) != 2 || jobs[0].Key != fmt.Sprint(id) {
		t.Fatalf("%+v", jobs)
	}
	// The delivery that comes after all makes no other job.
	if status, _ := w.post("issue_comment", guid, w.commentEvent(id, "alice", "/rotate-key prod"), nil); status != 202 || len(w.jobs()) != 2 {
		t.Errorf("%d %+v", status, w.jobs())
	}
	list, err := w.store.Repositories(ctx)
	w.must(err)
	if age := w.now.now().Sub(list[0].Swept); age > 2*time.Minute || age < 0 {
		t.Errorf("swept %s ago", age)
	}
}

func TestLostEndsOfPullRequestsAreFound(t *testing.T) {
	w := newWorld(t)
	w.run("alice", "/rotate-key prod --force")
	w.run("alice", "/rotate-key staging --force")
	pulls := w.repo.Pulls()
	w.repo.Merge(pulls[0].Number, "alice")
	w.repo.ClosePull(pulls[1].Number, "alice")
	for i := range 2 {
		w.must(w.work(w.job(kindRotations, fmt.Sprint(i))))
	}
	if len(w.rotations(stateMerged)) != 1 || len(w.rotations(stateClosed)) != 1 || len(w.answers(pulls[1].Number)) != 1 {
		t.Errorf("%+v", w.rotations())
	}
	jobs := w.jobs()
	if len(jobs) != 1 || jobs[0].Kind != kindRetire {
		t.Errorf("%+v", jobs)
	}
}

func TestAReopenedPullRequestIsOpen(t *testing.T) {
	w := newWorld(t)
	w.run("alice", "/rotate-key prod --force")
	pull := w.repo.Pulls()[0]
	r := w.rotations()[0]
	r.State = stateClosed
	w.must(w.store.SaveRotation(context.Background(), r))
	j := newJob(kindPull, guid, w.in, w.repo.Name(), pullArgs{Number: pull.Number, Branch: pull.Head})
	w.must(w.work(j))
	if len(w.rotations(stateOpen)) != 1 {
		t.Errorf("%+v", w.rotations())
	}
}

func TestInstallationsAreFollowed(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.paper.policy = Policy{DriftCron: "0 6 * * 1"}
	w.must(w.store.SaveRepository(ctx, store.Repository{Name: "octo/removed", Installation: w.in}))
	w.must(w.work(newJob(kindInstallation, "event/1", w.in, "", nothing{})))
	repos, err := w.store.Repositories(ctx)
	w.must(err)
	if len(repos) != 1 || repos[0].Name != "octo/shop" {
		t.Fatalf("%+v", repos)
	}
	var kinds []string
	for _, j := range w.jobs() {
		kinds = append(kinds, j.Kind)
	}
	if len(kinds) != 2 {
		t.Errorf("%v", kinds)
	}
	// An installation that is gone takes its repositories along.
	w.must(w.store.SaveRepository(ctx, store.Repository{Name: "octo/lost", Installation: 4711}))
	w.must(w.work(newJob(kindInstallation, "event/2", 4711, "", nothing{})))
	if repos, err = w.store.Repositories(ctx); err != nil || len(repos) != 1 {
		t.Errorf("%+v %v", repos, err)
	}
}

func TestDriftIsReportedOnSchedule(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	w.paper.policy = Policy{DriftCron: "0 6 * * *"}
	w.paper.drift = github.IssueReport{Title: "Drift", Body: "| key |\n", Open: true}
	w.must(w.store.SaveRepository(ctx, store.Repository{Name: "octo/shop", Installation: w.in}))
	w.must(w.work(w.job(kindRefresh, "1")))
	slot := time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)
	j := w.bot.slotJob(store.Schedule{Repo: "octo/shop", Name: kindDrift, Installation: w.in}, slot)
	if j.Key != "octo/shop/2026-11-23T06:00:00Z" {
		t.Errorf("%+v", j)
	}
	for range 3 {
		w.must(w.work(j))
	}
	if issues := w.repo.Issues(); len(issues) != 2 || issues[1].Title != "Drift" || issues[1].State != "open" {
		t.Fatalf("%+v", issues)
	}
	w.paper.set(func(p *paper) { p.drift.Open = false })
	w.must(w.work(j))
	if issues := w.repo.Issues(); issues[1].State != "closed" {
		t.Errorf("%+v", issues)
	}
	// A bad configuration leaves the schedule, and a removed one takes it away.
	w.paper.set(func(p *paper) { p.policy = Policy{Problem: "bad"} })
	w.must(w.work(w.job(kindRefresh, "2")))
	w.paper.set(func(p *paper) { p.policy = Policy{DriftCron: "every day"} })
	w.must(w.work(w.job(kindRefresh, "3")))
}

func TestDoubledDroppedAndReorderedDeliveries(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.start()
	w.settle()
	w.hub.DoubleDeliveries(3)
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	w.settle()
	pull := w.repo.Pulls()[0].Number
	// The merge's push comes, and its event does not.
	w.hub.LoseDeliveries(1)
	w.repo.Merge(pull, "alice")
	w.settle()
	if len(w.rotations(stateMerged)) != 1 || len(w.answers(w.issue)) != 1 {
		t.Errorf("%+v\n%s", w.rotations(), w.log)
	}
	retires := 0
	for _, j := range w.jobs() {
		if j.Kind == kindRetire {
			retires++
		}
	}
	if retires != 1 {
		t.Errorf("%d retirements", retires)
	}
}

func TestThePageShowsWhatIsKnown(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.start()
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	w.settle()
	w.bot.lookAt(context.Background(), store.Repository{Name: "octo/shop", Installation: w.in})
	v, err := w.bot.View(context.Background())
	w.must(err)
	if len(v.Repositories) != 1 || len(v.Repositories[0].Environments) != 1 || v.Repositories[0].Environments[0].Name != "prod" || len(v.Rotations) != 1 || len(v.Queue) == 0 {
		t.Errorf("%+v", v)
	}
	if r := v.Rotations[0]; r.State != stateOpen || r.Pull == 0 || r.Comment == "" || len(r.New) != 1 {
		t.Errorf("%+v", r)
	}
	if n := w.counter("sealward_queue_depth", map[string]string{"kind": kindCommand, "state": "completed"}); n != 1 {
		t.Errorf("%v commands are done", n)
	}
	if n := w.counter("sealward_github_requests_total", map[string]string{"op": "pulls/create", "code": "201"}); n != 1 {
		t.Errorf("%v pull requests counted", n)
	}
}

func TestPaceIsKept(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	admit := Admit(w.store)
	start := time.Now()
	for range 3 {
		w.must(admit(ctx, github.Call{Installation: 5, Op: "issues/create-comment"}))
	}
	if took := time.Since(start); took < 1500*time.Millisecond || took > 10*time.Second {
		t.Errorf("three writes in %s", took)
	}
	w.must(admit(ctx, github.Call{Op: "apps/redeliver-webhook-delivery"}))
	w.must(w.store.Hold(ctx, 5, time.Now().Add(time.Hour)))
	var limited *github.LimitError
	if err := admit(ctx, github.Call{Installation: 5, Op: "issues/create-comment"}); !errors.As(err, &limited) || limited.Status != 0 || time.Until(limited.Until) < 50*time.Minute {
		t.Errorf("%v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	w.must(admit(ctx, github.Call{Installation: 6, Op: "pulls/create"}))
	if err := admit(ended, github.Call{Installation: 6, Op: "pulls/create"}); err == nil {
		t.Error("a process that ends waits")
	}
}
