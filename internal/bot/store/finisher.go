package store

import (
	"context"
	"errors"
	"sync"
	"time"
)

// finisher writes down at once what is done. River's own way gathers for a quarter of a
// second, which a line would feel at every job, and in which a crash has work done twice.
// Those that are done while a transaction runs are written by the next, together.
type finisher struct {
	write   func(context.Context, []int64) error
	in      chan finished
	stopped chan struct{}
	once    sync.Once
}

type finished struct {
	job  int64
	told chan error
}

var errStopped = errors.New("the store was stopped")

// maxFinished bounds one transaction, and writeWithin how long it may take: River's own
// way comes after it.
const (
	maxFinished = 200
	writeWithin = 20 * time.Second
)

func newFinisher(write func(context.Context, []int64) error) *finisher {
	f := &finisher{write: write, in: make(chan finished, maxFinished), stopped: make(chan struct{})}
	go f.loop()
	return f
}

// done returns when it is written that a job is done.
func (f *finisher) done(ctx context.Context, job int64) error {
	told := make(chan error, 1)
	select {
	case f.in <- finished{job, told}:
	case <-f.stopped:
		return errStopped
	}
	select {
	case err := <-told:
		return err
	case <-f.stopped:
		return errStopped
	}
}

func (f *finisher) loop() {
	for {
		select {
		case <-f.stopped:
			return
		case first := <-f.in:
			batch := append([]finished{first}, f.more()...)
			jobs := make([]int64, len(batch))
			for i, b := range batch {
				jobs[i] = b.job
			}
			ctx, cancel := context.WithTimeout(context.Background(), writeWithin)
			err := f.write(ctx, jobs)
			cancel()
			for _, b := range batch {
				b.told <- err
			}
		}
	}
}

// more returns what came in by now.
func (f *finisher) more() []finished {
	var more []finished
	for len(more) < maxFinished-1 {
		select {
		case next := <-f.in:
			more = append(more, next)
		default:
			return more
		}
	}
	return more
}

func (f *finisher) stop() { f.once.Do(func() { close(f.stopped) }) }
