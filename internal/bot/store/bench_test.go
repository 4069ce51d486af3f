package store

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// benchBoth runs a benchmark over each of the databases.
func benchBoth(b *testing.B, bench func(b *testing.B, h home)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, home{url: "sqlite://" + filepath.Join(b.TempDir(), "bot.db")}) })
	b.Run("postgres", func(b *testing.B) { bench(b, newPostgres(b)) })
}

// BenchmarkDrain works jobs that do nothing, of a hundred lines or of none.
func BenchmarkDrain(b *testing.B) {
	for _, lines := range []int{0, 100} {
		b.Run(fmt.Sprintf("lines=%d", lines), func(b *testing.B) {
			benchBoth(b, func(b *testing.B, h home) {
				s := h.open(b)
				jobs := make([]Job, b.N)
				for i := range jobs {
					jobs[i] = Job{Kind: "work", Repo: "o/r"}
					if lines > 0 {
						jobs[i].Line = fmt.Sprint(i % lines)
					}
				}
				for part := range slices.Chunk(jobs, 1000) {
					enqueue(b, s, part...)
				}
				var done atomic.Int64
				all := make(chan struct{})
				b.ResetTimer()
				start(b, s, handle("work", func(context.Context, Work) error {
					if done.Add(1) == int64(b.N) {
						close(all)
					}
					return nil
				}))
				<-all
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
			})
		})
	}
}

// BenchmarkAccept takes 50 deliveries a second while workers are busy.
func BenchmarkAccept(b *testing.B) {
	benchBoth(b, func(b *testing.B, h home) {
		s := h.open(b)
		start(b, s, handle("work", func(ctx context.Context, w Work) error {
			time.Sleep(20 * time.Millisecond)
			_, err := s.Pace(ctx, w.Installation, true)
			return err
		}))
		took := make([]time.Duration, b.N)
		next := time.NewTicker(time.Second / 50)
		defer next.Stop()
		b.ResetTimer()
		for i := range took {
			<-next.C
			began := time.Now()
			_, err := s.Accept(context.Background(), fmt.Sprint(i), "push",
				Job{Kind: "work", Key: fmt.Sprint(i), Line: fmt.Sprint(i % 7), Installation: int64(i % 3)})
			if err != nil {
				b.Fatal(err)
			}
			took[i] = time.Since(began)
		}
		b.StopTimer()
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	})
}
