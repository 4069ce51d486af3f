package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"
	"time"
)

// What the bot is held to.
const (
	ackMost     = 50 * time.Millisecond
	rotateMost  = 5 * time.Second
	resumeMost  = time.Second     // of the start, where one process owns the memory
	takeoverMax = 3 * time.Second // of the crash, by another process

	neighbourMost = 30 * time.Second
)

// measure is one row of what load prints.
type measure struct {
	name string
	got  time.Duration
	most time.Duration // 0 is no bound
}

// load measures one thing after the other.
func (w *world) load(ctx context.Context, out io.Writer) ([]string, error) {
	w.ingress.careful.Store(true)
	big, err := w.big(ctx, 100)
	if err != nil {
		return nil, err
	}
	if err := w.startAll(ctx); err != nil {
		return nil, err
	}
	var late []string
	for _, step := range []func(context.Context, *rotation) ([]measure, error){w.rotate100, w.resume, w.acknowledge, w.neighbour} {
		rows, err := step(ctx, big)
		if err != nil {
			return late, err
		}
		for _, r := range rows {
			most := ""
			if r.most > 0 {
				most = "at most " + r.most.String()
			}
			fmt.Fprintf(out, "%-70s %-10s %s\n", r.name, r.got.Round(100*time.Microsecond), most)
			if r.most > 0 && r.got > r.most {
				late = append(late, fmt.Sprintf("%s takes %s, over %s", r.name, r.got.Round(time.Millisecond), r.most))
			}
		}
	}
	return late, nil
}

// big makes a repository whose prod has many files.
func (w *world) big(ctx context.Context, files int) (*rotation, error) {
	normal, keys := maps.Clone(w.sealed), maps.Clone(w.old)
	if err := w.seal(ctx, "prod", files); err != nil {
		return nil, err
	}
	list, err := w.repository("big/platform")
	w.sealed, w.old = normal, keys
	if err != nil {
		return nil, err
	}
	for _, r := range list {
		if r.env == "prod" {
			return r, nil
		}
	}
	return nil, errors.New("no prod")
}

// acknowledge sends deliveries at an even pace. Each is stored with its jobs; the
// comments they speak of are gone when the jobs look for them.
func (w *world) acknowledge(ctx context.Context, r *rotation) ([]measure, error) {
	const each, seconds = time.Second / 50, 30
	w.fake.SetLatency(20 * time.Millisecond)
	w.ingress.forget()
	var sending sync.WaitGroup
	failed := make(chan int, seconds*50)
	tick := time.NewTicker(each)
	defer tick.Stop()
	for i := range seconds * 50 {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
		sending.Go(func() {
			if status := w.fake.Deliver("issue_comment", w.gone(r, i)); status >= 300 || status == 0 {
				failed <- status
			}
		})
	}
	sending.Wait()
	if n := len(failed); n > 0 {
		return nil, fmt.Errorf("%d of %d deliveries were not taken, the first with status %d", n, seconds*50, <-failed)
	}
	return []measure{{"acknowledgement at 50 deliveries a second, p50", w.ingress.percentile(.5), 0}, {"acknowledgement at 50 deliveries a second, p99", w.ingress.percentile(.99), ackMost}}, nil
}

// neighbour takes the time to the answer of another installation's rotation, behind all the
// comments of the first.
func (w *world) neighbour(ctx context.Context, _ *rotation) ([]measure, error) {
	r := w.asked[len(w.asked)-1]
	from := time.Now()
	r.comment = r.repo.Comment("olga", r.issue, "/rotate-key "+r.env+" --force")
	answered, err := w.until(ctx, func() bool { return len(w.answers(r)) > 0 })
	return []measure{{"comment to answer behind 1,500 comments of another installation", answered.Sub(from), neighbourMost}}, err
}

// gone is the event of a comment that nobody will find.
func (w *world) gone(r *rotation, i int) map[string]any {
	user := map[string]any{"login": "olga", "type": "User", "id": 1}
	return map[string]any{
		"action": "created", "sender": user, "installation": map[string]any{"id": w.installed[r.repo.Name()]},
		"repository": map[string]any{"full_name": r.repo.Name(), "name": "platform", "owner": map[string]any{"login": "big"}, "default_branch": "main"},
		"issue":      map[string]any{"number": r.issue},
		"comment":    map[string]any{"id": 1_000_000_000 + i, "body": "/rotate-key status\n", "user": user, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"},
	}
}

// rotate100 takes the time from a comment to its pull request and to its answer.
func (w *world) rotate100(ctx context.Context, r *rotation) ([]measure, error) {
	w.fake.SetLatency(20 * time.Millisecond)
	w.fake.Forget()
	from := time.Now()
	r.comment = r.repo.Comment("olga", r.issue, "/rotate-key "+r.env+" --force")
	pulled, err := w.until(ctx, func() bool { return len(r.repo.Pulls()) > 0 })
	if err != nil {
		return nil, err
	}
	answered, err := w.until(ctx, func() bool { return len(w.answers(r)) > 0 })
	if err != nil {
		return nil, err
	}
	writes := w.fake.Writes()
	if len(writes) > 8 {
		return nil, fmt.Errorf("a rotation of 100 files takes %d writes: %s", len(writes), strings.Join(writes, ", "))
	}
	return []measure{
		{"comment to pull request, 100 files, 20 ms a call", pulled.Sub(from), rotateMost},
		{"comment to answer, " + fmt.Sprint(len(writes)) + " writes", answered.Sub(from), 0},
	}, nil
}

// resume kills the process that rotates, and takes the time until its work goes on.
func (w *world) resume(ctx context.Context, _ *rotation) ([]measure, error) {
	name, most := "work goes on after a crash, since the start", resumeMost
	if len(w.bots) > 1 {
		name, most = "work goes on after a crash, by another process", takeoverMax
	}
	for _, p := range w.bots[1:] {
		p.kill()
	}
	var worst time.Duration
	for _, r := range w.asked[:min(5, len(w.asked)-1)] {
		took, err := w.resumeOne(ctx, r)
		if err != nil {
			return nil, err
		}
		worst = max(worst, took)
	}
	return []measure{{name + ", worst of 5", worst, most}}, nil
}

// resumeOne has one process rotate, and kills it. On SQLite it is started again; on
// PostgreSQL another process, which stood by, takes over.
func (w *world) resumeOne(ctx context.Context, r *rotation) (time.Duration, error) {
	w.fake.SetLatency(200 * time.Millisecond)
	w.fake.Forget()
	about := func() (n int) {
		for _, q := range w.fake.Requests() {
			if strings.Contains(strings.ToLower(q.Path), "/"+r.repo.Name()+"/") {
				n++
			}
		}
		return n
	}
	first, heir := w.bots[0], w.bots[0]
	r.comment = r.repo.Comment("olga", r.issue, "/rotate-key "+r.env+" --force")
	if _, err := w.until(ctx, func() bool { return about() >= 5 }); err != nil {
		return 0, err
	}
	if len(w.bots) > 1 {
		heir = w.bots[1]
		if err := heir.restart(ctx); err != nil {
			return 0, err
		}
	}
	first.kill()
	killed := time.Now()
	time.Sleep(250 * time.Millisecond) // what was under way has arrived
	if len(w.answers(r)) > 0 {
		return 0, errors.New("the rotation was over before the crash")
	}
	before := about()
	if heir == first {
		killed = time.Now()
		if err := first.start(); err != nil {
			return 0, err
		}
	}
	at, err := w.until(ctx, func() bool { return about() > before })
	if err != nil {
		return 0, err
	}
	if err := heir.up(ctx); err != nil {
		return 0, err
	}
	if _, err = w.until(ctx, func() bool { return len(w.answers(r)) > 0 }); err != nil {
		return 0, err
	}
	if heir != first {
		heir.kill()
		err = first.restart(ctx)
	}
	return at.Sub(killed), err
}

// until waits for something and returns when it was.
func (w *world) until(ctx context.Context, done func() bool) (time.Time, error) {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		if done() {
			return time.Now(), nil
		}
		select {
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
	var logs strings.Builder
	for _, p := range w.bots {
		logs.WriteString("\n" + p.name + ": " + tail(p.log))
	}
	return time.Time{}, errors.New("nothing came of it in two minutes" + logs.String())
}
