package store

import (
	"context"
	"sync"
	"time"
)

// Every second this process looks whether its database is still there, and gives it that
// long to answer.
const (
	watchEvery  = time.Second
	watchWithin = 3 * time.Second
)

// watch looks until stop, and tells the first error. stop returns when the last look has.
func watch(look func(context.Context) error) (lost <-chan error, stop func()) {
	told := make(chan error, 1)
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		ticker := time.NewTicker(watchEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			within, end := context.WithTimeout(ctx, watchWithin)
			err := look(within)
			end()
			if err != nil && ctx.Err() == nil {
				told <- err
				return
			}
		}
	})
	return told, func() {
		cancel()
		done.Wait()
	}
}
