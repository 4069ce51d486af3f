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

func TestAJobIsWorkedWithWhatItWasStoredWith(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		got := make(chan Work, 1)
		start(t, s, handle("greet", func(_ context.Context, w Work) error { got <- w; return nil }))
		want := Job{
			Kind: "greet", Key: "k", Line: "l", Installation: 7, Repo: "o/r", Delivery: "d",
			Args: []byte(`{"b": "\u0000 x", "a":1}`), Urgent: true,
		}
		enqueue(t, s, want)
		w := wait(t, got, "work")
		at := w.At
		w.At = time.Time{}
		if fmt.Sprint(w.Job) != fmt.Sprint(want) || w.Attempt != 1 || w.Last || w.ID == 0 || time.Since(at) > time.Minute {
			t.Errorf("worked %+v at %v", w, at)
		}
		until(t, "the job is done", func() bool { return states(t, s)["completed"] == 1 })
	})
}

func TestAJobOfThisProcessStartsAtOnce(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		got := make(chan time.Time, 1)
		start(t, s, handle("work", func(context.Context, Work) error { got <- time.Now(); return nil }))
		enqueue(t, s, Job{Kind: "work"})
		wait(t, got, "the first job")
		var waits []time.Duration
		for range 11 {
			time.Sleep(30 * time.Millisecond)
			began := time.Now()
			enqueue(t, s, Job{Kind: "work"})
			waits = append(waits, wait(t, got, "a job").Sub(began))
		}
		slices.Sort(waits)
		t.Log("median", waits[5], "longest", waits[10])
		if waits[5] > 150*time.Millisecond {
			t.Errorf("half of the jobs started later than %v", waits[5])
		}
	})
}

func TestAnErrorIsTriedAgainSoonAndASnoozeDoesNotCount(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		var attempts []int
		var times []time.Time
		done := make(chan struct{})
		var results []string
		var mu sync.Mutex
		w := handle("work", func(_ context.Context, w Work) error {
			attempts = append(attempts, w.Attempt)
			times = append(times, time.Now())
			switch len(attempts) {
			case 1:
				return &Snooze{Until: time.Now().Add(400 * time.Millisecond), Why: "early"}
			case 2:
				return fmt.Errorf("put off: %w", &Snooze{Until: time.Now().Add(-time.Hour)})
			case 3:
				return errors.New("zero \x00 byte \xff")
			}
			close(done)
			return nil
		})
		w.Observe = func(kind, result string, took time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			results = append(results, kind+" "+result)
		}
		start(t, s, w)
		enqueue(t, s, Job{Kind: "work"})
		wait(t, done, "fourth attempt")
		if !slices.Equal(attempts, []int{1, 1, 1, 2}) {
			t.Errorf("attempts %v", attempts)
		}
		if d := times[1].Sub(times[0]); d < 400*time.Millisecond || d > 1500*time.Millisecond {
			t.Errorf("a snooze of 400 ms took %v", d)
		}
		if d := times[3].Sub(times[2]); d < time.Second || d > 4*time.Second {
			t.Errorf("the second attempt came after %v", d)
		}
		until(t, "it is observed", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return slices.Equal(results, []string{"work snoozed", "work snoozed", "work retry", "work done"})
		})
	})
}

func TestAFatalJobIsToldOfUntilThatIsHeard(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		var worked, told atomic.Int32
		heard := make(chan string, 1)
		w := handle("work", func(context.Context, Work) error {
			worked.Add(1)
			return fmt.Errorf("give up: %w", &Fatal{errors.New("no such thing")})
		})
		w.Discarded = func(_ context.Context, w Work, why string) error {
			if told.Add(1) == 1 {
				return errors.New("GitHub is down")
			}
			heard <- why
			return nil
		}
		start(t, s, w)
		enqueue(t, s, Job{Kind: "work"})
		until(t, "it is told once", func() bool { return told.Load() == 1 })
		until(t, "it waits", func() bool { return states(t, s)["scheduled"] == 1 })
		if n := states(t, s)["discarded"]; n != 0 {
			t.Error("it is discarded before that was told")
		}
		rows, err := s.Jobs(context.Background(), JobFilter{States: []string{"scheduled"}})
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		if got := wait(t, heard, "second telling"); !strings.Contains(got, "no such thing") {
			t.Errorf("told %q", got)
		}
		until(t, "it is discarded", func() bool { return states(t, s)["discarded"] == 1 })
		if worked.Load() != 1 {
			t.Errorf("the handler ran %d times", worked.Load())
		}
		rows, err = s.Jobs(context.Background(), JobFilter{})
		if err != nil || len(rows) != 1 || !strings.Contains(rows[0].Error, "no such thing") || rows[0].Attempt != 1 || rows[0].Ended.IsZero() {
			t.Errorf("%+v, %v", rows, err)
		}
	})
}

func TestShortSnoozesAreShort(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		const snoozes = 6
		var n int
		done := make(chan struct{})
		start(t, s, handle("work", func(context.Context, Work) error {
			if n++; n <= snoozes {
				return &Snooze{Until: time.Now().Add(50 * time.Millisecond)}
			}
			close(done)
			return nil
		}))
		began := time.Now()
		enqueue(t, s, Job{Kind: "work"})
		wait(t, done, "end")
		// Up to a quarter of a second is River's, which gathers what it writes. By looks for
		// jobs alone, each would take a second.
		took := time.Since(began)
		t.Log(snoozes, "snoozes of 50 ms took", took)
		if took > snoozes*700*time.Millisecond {
			t.Errorf("%d snoozes of 50 ms took %v", snoozes, took)
		}
	})
}
