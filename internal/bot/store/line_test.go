package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

func TestALineIsWorkedOneAtATimeInOrderWhileOthersPass(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		const n = 60
		var mu sync.Mutex
		atWork := map[string]int{}
		order := map[string][]string{}
		var most int
		done := make(chan string, 4*n)
		w := handle("work", func(_ context.Context, w Work) error {
			mu.Lock()
			atWork[w.Line]++
			if w.Line != "" && atWork[w.Line] > 1 {
				t.Errorf("two of line %q at once", w.Line)
			}
			most = max(most, atWork["a"]+atWork["b"])
			order[w.Line] = append(order[w.Line], w.Delivery)
			mu.Unlock()
			time.Sleep(2 * time.Millisecond)
			mu.Lock()
			atWork[w.Line]--
			mu.Unlock()
			done <- w.Line
			return nil
		})
		w.At = 5
		// All of a line stands before the one that has none: it has to pass them.
		var jobs []Job
		for i := range n {
			jobs = append(jobs, Job{Kind: "work", Line: "a", Delivery: fmt.Sprint(i)})
		}
		for i := range n {
			jobs = append(jobs, Job{Kind: "work", Line: "b", Delivery: fmt.Sprint(i)})
		}
		enqueue(t, s, append(jobs, Job{Kind: "work"})...)
		began := time.Now()
		start(t, s, w)
		var before int
		for i := range 2*n + 1 {
			if wait(t, done, "job") == "" {
				before = i
			}
		}
		// River's own way to write what is done would have each wait for a quarter of a second.
		if took := time.Since(began); took > n*100*time.Millisecond {
			t.Errorf("lines of %d took %v", n, took)
		}
		if before > 20 {
			t.Errorf("the job without a line came after %d others", before)
		}
		if most != 2 {
			t.Errorf("%d lines at once, want 2", most)
		}
		for _, line := range []string{"a", "b"} {
			if !slices.IsSortedFunc(order[line], func(a, b string) int {
				return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) // they are numbers
			}) {
				t.Errorf("line %s in the order %v", line, order[line])
			}
		}
		until(t, "all are done", func() bool { return states(t, s)["completed"] == 2*n+1 })
		tableIsEmpty(t, s, "sealward_line")
		tableIsEmpty(t, s, "sealward_wait")
	})
}

func tableIsEmpty(t *testing.T, s *Store, table string) {
	t.Helper()
	if n := countRows(t, s, table); n != 0 {
		t.Errorf("%s has %d rows", table, n)
	}
}

func countRows(t *testing.T, s *Store, table string) (n int64) {
	t.Helper()
	ctx := context.Background()
	err := s.db.read(ctx, func(q queries) error {
		_, err := one(ctx, q, statement{both: "SELECT count(*) FROM " + table}, nil, &n)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestASnoozeAndAnErrorFreeTheLine(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		var mu sync.Mutex
		var order []string
		done := make(chan struct{}, 10)
		start(t, s, handle("work", func(_ context.Context, w Work) error {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, w.Delivery)
			switch {
			case w.Delivery == "first" && len(order) == 1:
				return &Snooze{Until: time.Now().Add(3 * time.Second)}
			case w.Delivery == "second" && w.Attempt == 1:
				return fmt.Errorf("again")
			}
			done <- struct{}{}
			return nil
		}))
		enqueue(t, s,
			Job{Kind: "work", Line: "a", Delivery: "first"}, Job{Kind: "work", Line: "a", Delivery: "second"},
			Job{Kind: "work", Line: "a", Delivery: "third"})
		for range 3 {
			wait(t, done, "end")
		}
		want := []string{"first", "second", "third", "second", "first"}
		if !slices.Equal(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
	})
}

func TestALineHoldsOverReplicas(t *testing.T) {
	h := newPostgres(t)
	const n, replicas = 90, 3
	var mu sync.Mutex
	atWork := map[string]bool{}
	by := map[int]int{}
	done := make(chan struct{}, n)
	var first *Store
	for r := range replicas {
		s := h.open(t)
		if r == 0 {
			first = s
		}
		start(t, s, handle("work", func(_ context.Context, w Work) error {
			mu.Lock()
			if atWork[w.Line] {
				t.Errorf("two of line %q at once", w.Line)
			}
			atWork[w.Line] = true
			by[r]++
			mu.Unlock()
			time.Sleep(5 * time.Millisecond)
			mu.Lock()
			atWork[w.Line] = false
			mu.Unlock()
			done <- struct{}{}
			return nil
		}))
	}
	for i := range n {
		enqueue(t, first, Job{Kind: "work", Line: fmt.Sprint(i % 3)})
	}
	for range n {
		wait(t, done, "job")
	}
	t.Log("jobs by replica", by)
	until(t, "all are done", func() bool { return states(t, first)["completed"] == n })
}
