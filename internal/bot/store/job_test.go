package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestAKeyIsOneJobWhateverBecameOfIt(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		now := time.Now()
		s := h.open(t, at(&now))
		j := Job{Kind: "work", Key: "k"}
		other := Job{Kind: "other", Key: "k"}
		if n, err := s.Enqueue(ctx, j, j, other, Job{Kind: "work"}, Job{Kind: "work"}); err != nil || n != 4 {
			t.Fatal(n, err)
		}
		done := make(chan struct{}, 4)
		take := func(context.Context, Work) error { done <- struct{}{}; return nil }
		start(t, s, Workers{Handlers: map[string]Handler{"work": take, "other": take}})
		for range 4 {
			wait(t, done, "job")
		}
		until(t, "all are done", func() bool { return states(t, s)["completed"] == 4 })
		// River forgets what is done after a day; the key stays.
		err := s.db.write(ctx, func(q queries) error {
			_, err := q.exec(ctx, statement{both: "DELETE FROM river_job"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, days := range []int{1, 15, 15} {
			now = now.Add(time.Duration(days) * 24 * time.Hour)
			if err := s.prune(ctx); err != nil {
				t.Fatal(err)
			}
			if n, err := s.Enqueue(ctx, j); err != nil || n != 0 {
				t.Errorf("stored again: %d, %v", n, err)
			}
		}
		now = now.Add(5 * 24 * time.Hour)
		if err := s.prune(ctx); err != nil {
			t.Fatal(err)
		}
		tableIsEmpty(t, s, "sealward_key")
	})
}

func TestOneKeyOfManyProcessesAtOnce(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		stores := []*Store{h.open(t), h.open(t, shared), h.open(t, shared)}
		var fresh atomic.Int64
		var wg sync.WaitGroup
		for i, s := range append(stores, stores...) {
			wg.Go(func() {
				jobs := []Job{{Kind: "work", Key: "a"}, {Kind: "work", Key: "b"}, {Kind: "other", Key: "a"}}
				if i%2 == 1 {
					slices.Reverse(jobs)
				}
				for round := range 10 {
					for k := range jobs {
						jobs[k].Key = fmt.Sprint(jobs[k].Key[:1], round)
					}
					n, err := s.Enqueue(context.Background(), jobs...)
					if err != nil {
						t.Error(err)
					}
					fresh.Add(int64(n))
				}
			})
		}
		wg.Wait()
		if n := fresh.Load(); n != 30 {
			t.Errorf("%d jobs are fresh, want 30", n)
		}
		if n := states(t, stores[0])["available"]; n != 30 {
			t.Errorf("%d jobs are stored, want 30", n)
		}
	})
}

func TestJobsAreStoredAllOrNone(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		for _, bad := range []Job{
			{Kind: "work", Args: []byte("{")}, {Kind: ""}, {Kind: "work", Args: []byte(`"` + strings.Repeat("x", maxArgs) + `"`)},
		} {
			if _, err := s.Enqueue(context.Background(), Job{Kind: "work", Key: "good"}, bad); err == nil {
				t.Errorf("kind %q with %d bytes is stored", bad.Kind, len(bad.Args))
			}
			if _, err := s.Accept(context.Background(), "guid", "push", Job{Kind: "work", Key: "good"}, bad); err == nil {
				t.Errorf("kind %q with %d bytes is accepted", bad.Kind, len(bad.Args))
			}
		}
		for _, table := range []string{"river_job", "sealward_key", "sealward_delivery"} {
			tableIsEmpty(t, s, table)
		}
		if n, err := s.Enqueue(context.Background()); n != 0 || err != nil {
			t.Error(n, err)
		}
	})
}

func TestTheLastAttemptIsKnownAndRetriedWithAll(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		s := h.open(t)
		got := make(chan Work, 4)
		var told atomic.Int32
		w := handle("work", func(_ context.Context, w Work) error {
			got <- w
			if w.Last || w.Key == "panics" {
				panic(errors.New("a value that must not be seen"))
			}
			return nil
		})
		w.Discarded = func(_ context.Context, w Work, why string) error {
			told.Add(1)
			if !w.Last || strings.Contains(why, "must not be seen") || !strings.HasPrefix(why, "panic: ") {
				t.Errorf("told of %+v: %s", w, why)
			}
			return nil
		}
		enqueue(t, s, Job{Kind: "work", Repo: "o/r", Key: "k"})
		err := s.db.write(ctx, func(q queries) error {
			_, err := q.exec(ctx, statement{both: "UPDATE river_job SET attempt = 24"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		start(t, s, w)
		work := wait(t, got, "last attempt")
		if !work.Last || work.Attempt != 25 {
			t.Errorf("%+v", work)
		}
		until(t, "it is discarded", func() bool { return states(t, s)["discarded"] == 1 })
		if told.Load() != 1 {
			t.Errorf("told %d times", told.Load())
		}
		if err := s.Retry(ctx, work.ID); err != nil {
			t.Fatal(err)
		}
		if again := wait(t, got, "retry"); again.Last || again.Attempt != 1 || again.Key != "k" {
			t.Errorf("%+v", again)
		}
		until(t, "it is done", func() bool { return states(t, s)["completed"] == 1 })
		if err := s.Retry(ctx, work.ID); err == nil {
			t.Error("a done job is retried")
		}
		if err := s.Retry(ctx, 1<<40); err == nil {
			t.Error("a job that there is not is retried")
		}
		if rows, err := s.Jobs(ctx, JobFilter{Repo: "o/r", States: []string{"completed"}}); err != nil || len(rows) != 1 || rows[0].Key != "k" {
			t.Errorf("%+v, %v", rows, err)
		}
		if rows, err := s.Jobs(ctx, JobFilter{Repo: "o/other"}); err != nil || len(rows) != 0 {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}

func TestAJobOfAnUnknownKindWaitsForAVersionThatKnowsIt(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		done := make(chan Work, 2)
		start(t, s, handle("work", func(_ context.Context, w Work) error { done <- w; return nil }))
		enqueue(t, s, Job{Kind: "newer"}, Job{Kind: "work"})
		wait(t, done, "known job")
		until(t, "the unknown one is put off", func() bool { return states(t, s)["scheduled"] == 1 })
		rows, err := s.Jobs(context.Background(), JobFilter{States: []string{"scheduled"}})
		if err != nil || len(rows) != 1 || rows[0].Attempt != 0 || rows[0].Error != "" {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}

func TestAJobWaitsForItsTimeAndTheUrgentAreFirst(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		s := h.open(t)
		type begun struct {
			name string
			at   time.Time
		}
		got := make(chan begun, 4)
		w := handle("work", func(_ context.Context, w Work) error { got <- begun{w.Delivery, time.Now()}; return nil })
		w.At = 1
		due := time.Now().Add(1500 * time.Millisecond)
		enqueue(t, s, Job{Kind: "work", Delivery: "later", At: due}, Job{Kind: "work", Delivery: "plain"}, Job{Kind: "work", Delivery: "urgent", Urgent: true})
		q, err := s.Queue(ctx)
		if err != nil || q.Count["work"]["available"] != 2 || q.Count["work"]["scheduled"] != 1 || time.Since(q.Oldest) > time.Minute || q.Oldest.IsZero() {
			t.Errorf("%+v, %v", q, err)
		}
		start(t, s, w)
		for _, want := range []string{"urgent", "plain", "later"} {
			b := wait(t, got, want)
			if b.name != want {
				t.Errorf("%s before %s", b.name, want)
			}
			if want == "later" && (b.at.Before(due) || b.at.Sub(due) > 3*time.Second) {
				t.Errorf("begun %v after its time", b.at.Sub(due))
			}
		}
		until(t, "all are done", func() bool { return states(t, s)["completed"] == 3 })
		if q, err := s.Queue(ctx); err != nil || !q.Oldest.IsZero() {
			t.Errorf("%+v, %v", q, err)
		}
	})
}

func TestAProcessThatWasTakenForDeadHasNoSay(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		s := h.open(t)
		began, end := make(chan struct{}, 2), make(chan struct{})
		var runs atomic.Int32
		start(t, s, handle("work", func(context.Context, Work) error {
			n := runs.Add(1)
			began <- struct{}{}
			<-end
			if n == 1 {
				return errors.New("late")
			}
			return nil
		}))
		enqueue(t, s, Job{Kind: "work", Line: "a"})
		wait(t, began, "job")
		// Another has it now.
		err := s.db.write(ctx, func(q queries) error {
			_, err := q.exec(ctx, statement{
				sqlite:   `UPDATE river_job SET attempted_by = jsonb('["` + newClient() + `"]')`,
				postgres: `UPDATE river_job SET attempted_by = ARRAY['sealward-other']`,
			})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		close(end)
		time.Sleep(600 * time.Millisecond) // River gathers what it writes for a quarter of a second
		rows, err := s.Jobs(ctx, JobFilter{})
		if err != nil || len(rows) != 1 || rows[0].Error != "" || rows[0].Attempt > 1 || rows[0].State == "retryable" || rows[0].State == "completed" && runs.Load() == 1 {
			t.Errorf("%+v, %v after %d runs", rows, err, runs.Load())
		}
	})
}

func TestJobsThatEndedAreForgotten(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		now := time.Now()
		s := h.open(t, at(&now))
		start(t, s, Workers{Handlers: map[string]Handler{
			"good": func(context.Context, Work) error { return nil },
			"bad":  func(context.Context, Work) error { return &Fatal{errors.New("no")} },
			"late": func(context.Context, Work) error { return &Snooze{Until: now.Add(60 * 24 * time.Hour)} },
		}})
		enqueue(t, s, Job{Kind: "good"}, Job{Kind: "bad"}, Job{Kind: "late"})
		ended := func() string {
			got := states(t, s)
			return fmt.Sprint(got["completed"], got["discarded"], got["scheduled"])
		}
		until(t, "all have ended", func() bool { return ended() == "1 1 1" })
		for _, c := range []struct {
			after time.Duration
			want  string
		}{{23 * time.Hour, "1 1 1"}, {2 * time.Hour, "0 1 1"}, {28 * 24 * time.Hour, "0 1 1"}, {24 * time.Hour, "0 0 1"}} {
			now = now.Add(c.after)
			if err := s.prune(ctx); err != nil {
				t.Fatal(err)
			}
			if got := ended(); got != c.want {
				t.Errorf("after %v more: %s, want %s", c.after, got, c.want)
			}
		}
	})
}

func TestAJobThatWasGivenToNobodyIsTakenBack(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		s := h.open(t)
		got := make(chan Work, 2)
		end := make(chan struct{})
		start(t, s, handle("work", func(_ context.Context, w Work) error { got <- w; <-end; return nil }))
		enqueue(t, s, Job{Kind: "work", Delivery: "worked"})
		wait(t, got, "job")
		// The answer that gave us this one was lost.
		enqueue(t, s, Job{Kind: "work", Delivery: "stray", At: time.Now().Add(time.Hour)})
		err := s.db.write(ctx, func(q queries) error {
			_, err := q.exec(ctx, statement{
				sqlite:   `UPDATE river_job SET state = 'running', attempt = 1, scheduled_at = created_at, attempted_by = jsonb_array($1) WHERE state = 'scheduled'`,
				postgres: `UPDATE river_job SET state = 'running', attempt = 1, scheduled_at = created_at, attempted_by = ARRAY[$1] WHERE state = 'scheduled'`,
			}, s.work.client)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int64]int{}
		for range strayAfter - 1 {
			if err := s.takeBackStrays(ctx, s.work, seen); err != nil {
				t.Fatal(err)
			}
		}
		if n := states(t, s)["running"]; n != 2 {
			t.Errorf("%d run, too early", n)
		}
		if err := s.takeBackStrays(ctx, s.work, seen); err != nil {
			t.Fatal(err)
		}
		if w := wait(t, got, "stray job"); w.Delivery != "stray" || w.Attempt != 1 {
			t.Errorf("%+v", w)
		}
		close(end)
		until(t, "both are done", func() bool { return states(t, s)["completed"] == 2 })
	})
}

func TestADueJobIsMadeAvailableWhoeverLeads(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t) // nobody works jobs, and nobody leads
		enqueue(t, s, Job{Kind: "work", At: time.Now().Add(20 * time.Millisecond)}, Job{Kind: "work", At: time.Now().Add(time.Hour)})
		until(t, "one of the two is available", func() bool {
			if err := s.makeDue(context.Background()); err != nil {
				t.Fatal(err)
			}
			return states(t, s)["available"] > 0
		})
		if got := states(t, s); got["available"] != 1 || got["scheduled"] != 1 {
			t.Errorf("%v", got)
		}
	})
}
