package store

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestADeliveryIsAcceptedOnce(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		now := time.Now()
		s := h.open(t, at(&now))
		var fresh atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				ok, err := s.Accept(ctx, "g1", "issue_comment", Job{Kind: "work"}, Job{Kind: "work"})
				if err != nil {
					t.Error(err)
				}
				if ok {
					fresh.Add(1)
				}
			})
		}
		wg.Wait()
		if fresh.Load() != 1 || states(t, s)["available"] != 2 {
			t.Errorf("fresh %d times, %v", fresh.Load(), states(t, s))
		}
		if ok, err := s.Accept(ctx, "g2", "ping"); !ok || err != nil {
			t.Error(ok, err)
		}
		if _, err := s.Accept(ctx, "", "ping"); err == nil {
			t.Error("a delivery without an id is accepted")
		}
		taken, err := s.Taken(ctx, []string{"g1", "g2", "g3"})
		if err != nil || !taken["g1"] || !taken["g2"] || taken["g3"] {
			t.Error(taken, err)
		}
		if taken, err := s.Taken(ctx, nil); err != nil || len(taken) != 0 {
			t.Error(taken, err)
		}
		now = now.Add(29 * 24 * time.Hour)
		if err := s.prune(ctx); err != nil {
			t.Fatal(err)
		}
		if n := countRows(t, s, "sealward_delivery"); n != 2 {
			t.Errorf("%d deliveries are kept", n)
		}
		now = now.Add(2 * 24 * time.Hour)
		if err := s.prune(ctx); err != nil {
			t.Fatal(err)
		}
		tableIsEmpty(t, s, "sealward_delivery")
	})
}

func TestAStoreThatIsDownErrorsAtOnce(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		s, err := Open(ctx, Options{URL: h.url})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(ctx); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := s.Accept(ctx, "g", "push"); err == nil {
			t.Error("accepted by a closed store")
		}
		if err := s.Ready(ctx); err == nil {
			t.Error("a closed store is ready")
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestADatabaseThatDoesNotAnswerErrorsInTime(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		s := h.open(t)
		other := h.open(t, shared)
		holds, release := make(chan struct{}), make(chan struct{})
		var held sync.WaitGroup
		held.Go(func() {
			err := other.db.write(ctx, func(q queries) error {
				_, err := q.exec(ctx, insertDelivery, "same", "push", 1)
				close(holds)
				<-release
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
		wait(t, holds, "held database")
		began := time.Now()
		if _, err := s.Accept(ctx, "same", "push"); err == nil {
			t.Error("accepted while another holds the delivery")
		}
		if took := time.Since(began); took > acceptWithin+2*time.Second {
			t.Errorf("took %v", took)
		}
		close(release)
		held.Wait()
	})
}

func TestURLsThatDoNotOpen(t *testing.T) {
	began := time.Now()
	for _, url := range []string{
		"postgres://app:hunter2@127.0.0.1:1/none", "sqlite://" + filepath.Join(t.TempDir(), "none", "bot.db"),
		"postgres://app:hunter2@127.0.0.1:x/none", "postgres://app:hunter2@127.0.0.1:1/none?pool_max_conns=x",
		"postgres://app:hunter2@127.0.0.1:1/none?sslmode=hunter2",
	} {
		_, err := Open(context.Background(), Options{URL: url, Own: true})
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "DATABASE_URL") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if took := time.Since(began); took > 2*connectTimeout {
		t.Errorf("took %v", took)
	}
}
