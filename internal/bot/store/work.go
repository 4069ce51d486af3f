package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Work is one attempt at a job.
type Work struct {
	Job
	ID      int64
	Attempt int // from 1; an attempt that a crash or a snooze ended does not count
	Last    bool
}

// Handler works one job. Its error has the job tried again later, unless it is a
// [*Snooze] or a [*Fatal].
type Handler func(ctx context.Context, w Work) error

// Snooze puts a job off without counting the attempt.
type Snooze struct {
	Until time.Time
	Why   string
}

func (s *Snooze) Error() string { return s.Why }

// Fatal ends a job that no further attempt would help.
type Fatal struct{ Err error }

func (f *Fatal) Error() string { return f.Err.Error() }
func (f *Fatal) Unwrap() error { return f.Err }

// Workers say how jobs are worked.
type Workers struct {
	Handlers map[string]Handler // by kind; required
	// Discarded is told of every job that ended without being done, before that is
	// final: its error is told again.
	Discarded func(ctx context.Context, w Work, why string) error
	// Observe is told of every attempt's end: done, retry, snoozed or discarded.
	Observe func(kind, result string, took time.Duration)
	At      int // once; 0 is 50
	// Timeout of one attempt; 0 is 10 min.
	Timeout time.Duration
}

// running is what Start started.
type running struct {
	client string
	leave  func() // no more known as one that works
	halt   func() // ends the care of the tables
	tended chan struct{}
	active sync.Map // ids of the jobs that are worked
}

// Start works jobs until [Store.Stop] or until the database is lost, which the channel
// tells: other processes may then work the same jobs, so this one has to end.
func (s *Store) Start(ctx context.Context, w Workers) (lost <-chan error, err error) {
	if len(w.Handlers) == 0 {
		return nil, errors.New("work jobs: there is no handler")
	}
	if err := s.Ready(ctx); err != nil {
		return nil, fmt.Errorf("work jobs: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.work != nil {
		return nil, errors.New("work jobs: they are worked already")
	}
	r := &running{client: newClient(), tended: make(chan struct{})}
	lost, leave, err := s.db.join(ctx, r.client)
	if err != nil {
		return nil, fmt.Errorf("work jobs: %w", err)
	}
	r.leave = leave
	if err := s.begin(ctx, r, w); err != nil {
		leave()
		return nil, fmt.Errorf("work jobs: %w", err)
	}
	s.work = r
	return lost, nil
}

// begin takes back what the dead left, and starts to work.
func (s *Store) begin(ctx context.Context, r *running, w Workers) error {
	if err := s.takeBackDead(ctx, r.client); err != nil {
		return err
	}
	if w.At <= 0 {
		w.At = 50
	}
	if w.Timeout <= 0 {
		w.Timeout = 10 * time.Minute
	}
	err := s.eng.start(r.client, worker{
		kinds: slices.Sorted(maps.Keys(w.Handlers)), at: w.At, timeout: w.Timeout,
		run: func(ctx context.Context, a attempt) outcome {
			r.active.Store(a.work.ID, true)
			defer r.active.Delete(a.work.ID)
			return s.attempt(ctx, w, a)
		},
	})
	if err != nil {
		return err
	}
	care, halt := context.WithCancel(context.WithoutCancel(ctx))
	r.halt = halt
	go func() {
		defer close(r.tended)
		s.tend(care, r)
	}()
	return nil
}

// Stop takes no more jobs, waits for those that are worked until ctx is done, and hands
// the others back, to be taken up at once by whoever comes next.
func (s *Store) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.work
	if r == nil {
		return nil
	}
	s.work = nil
	r.halt()
	<-r.tended
	err := s.eng.stop(ctx)
	// The time that the caller gave may be over, and handing back takes a moment.
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), acceptWithin)
	defer cancel()
	back := s.db.write(rest, func(q queries) error {
		_, err := takeBack(rest, q, r.client)
		return err
	})
	if back != nil {
		err = errors.Join(err, fmt.Errorf("hand jobs back: %w", back))
	}
	r.leave()
	return err
}

// repeatEnd is after how long Discarded is told again.
const repeatEnd = 6 * time.Second

// attempt works a job once and says what becomes of it.
func (s *Store) attempt(ctx context.Context, w Workers, a attempt) outcome {
	began := time.Now()
	out, result := s.judge(ctx, w, a)
	if w.Observe != nil && result != "" {
		w.Observe(a.work.Kind, result, time.Since(began))
	}
	return out
}

func (s *Store) judge(ctx context.Context, w Workers, a attempt) (out outcome, result string) {
	if a.ending != "" {
		return s.end(ctx, w, a, a.ending)
	}
	err := s.call(ctx, a.work.Kind, func() error { return w.Handlers[a.work.Kind](ctx, a.work) })
	var snooze *Snooze
	var fatal *Fatal
	switch {
	case err == nil:
		return outcome{}, "done"
	case errors.As(err, &snooze):
		return outcome{snoozed: true, snooze: snooze.Until.Sub(s.now())}, "snoozed"
	case errors.Is(ctx.Err(), context.Canceled):
		return outcome{err: text(err)}, "" // by a stop: it is no attempt
	case errors.As(err, &fatal), a.work.Last:
		return s.end(ctx, w, a, text(err).Error())
	}
	return outcome{err: text(err)}, "retry"
}

// end tells of a job that is over, and has it told again where that fails.
func (s *Store) end(ctx context.Context, w Workers, a attempt, why string) (outcome, string) {
	if w.Discarded != nil {
		telling, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err := s.call(telling, a.work.Kind, func() error { return w.Discarded(telling, a.work, why) })
		if err != nil {
			s.log.WarnContext(ctx, "a discarded job could not be told of, and will be again", "job", a.work.ID, "kind", a.work.Kind, "error", err)
			return outcome{snoozed: true, snooze: repeatEnd, ending: why}, "snoozed"
		}
	}
	return outcome{err: errors.New(why), discard: true}, "discarded"
}

// call turns a panic into an error, without its value, which could be anything.
func (s *Store) call(ctx context.Context, kind string, f func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		s.log.ErrorContext(ctx, "a handler panicked", "kind", kind, "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
		if r, ok := p.(runtime.Error); ok {
			err = fmt.Errorf("panic: %w", r)
		} else {
			err = fmt.Errorf("panic: %T", p)
		}
	}()
	return f()
}

// maxError bounds what is kept of an error.
const maxError = 4 << 10

// text is an error as it can be stored.
func text(err error) error {
	s := clean(err.Error())
	if len(s) > maxError {
		s = clean(s[:maxError]) + "..."
	}
	if s == "" {
		s = "an error without words"
	}
	return errors.New(s)
}
