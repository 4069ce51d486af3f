package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// deadEnv has this test binary be a process that works a job until it is killed.
const deadEnv = "SEALWARD_TEST_STORE_DIES"

func TestMain(m *testing.M) {
	if url := os.Getenv(deadEnv); url != "" {
		if err := workForEver(url); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

func workForEver(url string) error {
	ctx := context.Background()
	s, err := Open(ctx, Options{URL: url, Own: true})
	if err != nil {
		return err
	}
	_, err = s.Start(ctx, handle("work", func(context.Context, Work) error {
		fmt.Println("working")
		select {}
	}))
	if err != nil {
		return err
	}
	select {}
}

// killed starts a process that works the database's jobs, and kills it when it has begun
// with as many.
func killed(t *testing.T, h home, jobs int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), deadEnv+"="+h.url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range jobs {
		if !lines.Scan() || lines.Text() != "working" {
			t.Errorf("the process says %q", lines.Text())
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
}

func TestWhatAKilledProcessWorkedOnIsTakenBack(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		prepare, err := Open(context.Background(), Options{URL: h.url})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := prepare.Migrate(context.Background()); err != nil {
			t.Fatal(err)
		}
		enqueue(t, prepare, Job{Kind: "work", Line: "a", Delivery: "1"}, Job{Kind: "work", Line: "b"}, Job{Kind: "work", Line: "a", Delivery: "2"})
		if err := prepare.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		type begun struct {
			work Work
			at   time.Time
		}
		got := make(chan begun, 3)
		take := handle("work", func(_ context.Context, w Work) error { got <- begun{w, time.Now()}; return nil })
		killed(t, h, 2)
		from := time.Now()
		start(t, h.open(t), take)
		var lineA []string
		for range 3 {
			b := wait(t, got, "job")
			if b.work.Attempt != 1 {
				t.Errorf("attempt %d", b.work.Attempt)
			}
			if b.work.Line == "a" {
				lineA = append(lineA, b.work.Delivery)
			}
			t.Log("begun after", b.at.Sub(from))
			if b.at.Sub(from) > time.Second {
				t.Errorf("begun after %v", b.at.Sub(from))
			}
		}
		if strings.Join(lineA, " ") != "1 2" {
			t.Errorf("line a in the order %v", lineA)
		}
	})
}

func TestARunningReplicaTakesOverWithinThreeSeconds(t *testing.T) {
	h := newPostgres(t)
	s := h.open(t)
	got := make(chan Work, 1)
	// This replica is full until the other has taken the job.
	full := make(chan struct{})
	filled := make(chan struct{})
	start(t, s, Workers{At: 1, Handlers: map[string]Handler{
		"fill": func(context.Context, Work) error { close(filled); <-full; return nil },
		"work": func(_ context.Context, w Work) error { got <- w; return nil },
	}})
	enqueue(t, s, Job{Kind: "fill"})
	wait(t, filled, "full replica")
	enqueue(t, s, Job{Kind: "work"})
	killed(t, h, 1)
	from := time.Now()
	close(full)
	if w := wait(t, got, "job"); w.Attempt != 1 {
		t.Errorf("attempt %d", w.Attempt)
	}
	took := time.Since(from)
	t.Log("taken over after", took)
	if took > 3*time.Second {
		t.Errorf("taken over after %v", took)
	}
}

func TestStopWaitsAndHandsBack(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		began := make(chan struct{}, 3)
		w := Workers{Handlers: map[string]Handler{
			"short": func(context.Context, Work) error { began <- struct{}{}; time.Sleep(200 * time.Millisecond); return nil },
			"heeds": func(ctx context.Context, _ Work) error { began <- struct{}{}; <-ctx.Done(); return ctx.Err() },
			"stays": func(context.Context, Work) error { began <- struct{}{}; select {} },
		}}
		w.Discarded = func(_ context.Context, w Work, why string) error {
			t.Errorf("%s was discarded by the stop: %s", w.Kind, why)
			return nil
		}
		enqueue(t, s, Job{Kind: "short"}, Job{Kind: "heeds", Line: "a"}, Job{Kind: "stays", Line: "b"})
		err := s.db.write(context.Background(), func(q queries) error { // so that this attempt is the last
			_, err := q.exec(context.Background(), statement{both: "UPDATE river_job SET attempt = 24"})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		start(t, s, w)
		for range 3 {
			wait(t, began, "job")
		}
		ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if got := states(t, s); got["completed"] != 1 || got["available"] != 2 || got["running"] != 0 {
			t.Errorf("after the stop %v", got)
		}
		if h.postgres {
			s = h.open(t)
		}
		again := make(chan Work, 2)
		take := func(_ context.Context, w Work) error { again <- w; return nil }
		start(t, s, Workers{Handlers: map[string]Handler{"heeds": take, "stays": take}})
		from := time.Now()
		for range 2 {
			if w := wait(t, again, "job"); w.Attempt != 25 {
				t.Errorf("attempt %d of %s", w.Attempt, w.Kind)
			}
		}
		if took := time.Since(from); took > time.Second {
			t.Errorf("taken up after %v", took)
		}
	})
}

func TestAStopThatIsNotHurriedLeavesNothingRunning(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		began := make(chan struct{}, 20)
		start(t, s, handle("work", func(context.Context, Work) error {
			began <- struct{}{}
			time.Sleep(100 * time.Millisecond)
			return nil
		}))
		for range 20 {
			enqueue(t, s, Job{Kind: "work"})
		}
		wait(t, began, "job")
		if err := s.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := states(t, s); got["completed"]+got["available"] != 20 {
			t.Errorf("after the stop %v", got)
		}
	})
}

func TestASecondOwnerIsRefusedAndOthersAreNot(t *testing.T) {
	ctx := context.Background()
	h := home{url: "sqlite://" + filepath.Join(t.TempDir(), "bot.db")}
	owner := h.open(t)
	_, err := Open(ctx, Options{URL: h.url, Own: true})
	if err == nil || !strings.Contains(err.Error(), "bot.db") || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second owner: %v", err)
	}
	guest := h.open(t, shared)
	if _, err := guest.Start(ctx, handle("work", func(context.Context, Work) error { return nil })); err == nil {
		t.Error("one that does not own the file works its jobs")
	}
	got := make(chan Work, 1)
	start(t, owner, handle("work", func(_ context.Context, w Work) error { got <- w; return &Fatal{errors.New("no")} }))
	enqueue(t, guest, Job{Kind: "work"})
	w := wait(t, got, "a guest's job")
	until(t, "it is discarded", func() bool { return states(t, guest)["discarded"] == 1 })
	if err := guest.Retry(ctx, w.ID); err != nil {
		t.Fatal(err)
	}
	wait(t, got, "a retried job")
	info, err := os.Stat(strings.TrimPrefix(h.url, "sqlite://"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
}

func TestTheEndOfTheDatabaseIsTold(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		lost, err := s.Start(context.Background(), handle("work", func(context.Context, Work) error { return nil }))
		if err != nil {
			t.Fatal(err)
		}
		if h.postgres {
			key, _ := lockOf(s.work.client)
			err = s.db.write(context.Background(), func(q queries) error {
				_, err := q.exec(context.Background(), statement{postgres: `SELECT pg_terminate_backend(pid) FROM pg_locks
					WHERE locktype = 'advisory' AND ((classid::bigint << 32) | objid::bigint) = $1`}, key)
				return err
			})
		} else {
			err = os.Remove(strings.TrimPrefix(h.url, "sqlite://"))
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := wait(t, lost, "word of the loss"); err == nil {
			t.Error("lost without a reason")
		}
	})
}
