package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/riverqueue/river/rivertype"
)

// maxAttempts is how often a job is tried: for about an hour and a half.
const maxAttempts = 25

// engine is River, over either database.
type engine interface {
	insert(ctx context.Context, q queries, jobs []Job) error
	// committed tells of jobs that another transaction made available, where the database
	// does not tell by itself.
	committed()
	// wake has every process look for jobs now.
	wake()
	// migrate brings River's own tables up, within q where the database can.
	migrate(ctx context.Context, q queries) ([]string, error)
	// version is that of River's tables that this program needs.
	version() (int, error)
	start(client string, w worker) error
	// stop takes no more jobs and waits for those that are worked; where ctx is done it
	// cancels these, and returns after a moment, whatever they do. Nothing that they come
	// to after that is written.
	stop(ctx context.Context) error
}

// worker is what the engine works jobs with.
type worker struct {
	kinds   []string
	at      int
	timeout time.Duration
	run     func(ctx context.Context, a attempt) outcome
}

// attempt is an attempt at a job as the engine knows it.
type attempt struct {
	work   Work
	ending string // why the job is over, where only that was not told yet
}

// outcome is what becomes of a job after an attempt; the zero outcome is done.
type outcome struct {
	err     error         // try again later, or not where discard is set
	discard bool          // no attempt is to follow
	snooze  time.Duration // with snoozed: try again after that, without counting
	snoozed bool
	ending  string // of a snoozed one, for the next attempt
}

// riverEngine is River over one kind of transaction.
type riverEngine[T any] struct {
	driver  *gatedDriver[T]
	log     *slog.Logger
	raw     func(queries) T
	wrap    func(T) queries
	outside bool // River migrates in transactions of its own
	bell    func()
	wakeAll func()

	inserter func() (*river.Client[T], error)
	client   *river.Client[T]
	gate     *gate
	finisher *finisher
	halting  atomic.Bool
}

// newSQLiteEngine has River hear of this process's own jobs at once: no other process
// works them, and the rows that it would look for otherwise cost a write each.
func newSQLiteEngine(db *sqliteDB, log *slog.Logger) engine {
	bell := make(bell, 1)
	e := &riverEngine[*sql.Tx]{
		driver:  &gatedDriver[*sql.Tx]{Driver: riversqlite.New(db.writer), listener: bell},
		log:     quiet(log),
		raw:     func(q queries) *sql.Tx { return q.(sqliteQueries).tx },
		wrap:    func(tx *sql.Tx) queries { return sqliteQueries{tx} },
		bell:    bell.ring,
		wakeAll: bell.ring,
	}
	e.inserter = sync.OnceValues(e.newInserter)
	return e
}

func newPostgresEngine(db *postgresDB, log *slog.Logger) engine {
	e := &riverEngine[pgx.Tx]{
		driver:  &gatedDriver[pgx.Tx]{Driver: riverpgxv5.New(db.river)},
		log:     quiet(log),
		raw:     func(q queries) pgx.Tx { return q.(postgresQueries).tx },
		wrap:    func(tx pgx.Tx) queries { return postgresQueries{tx} },
		outside: true,
		bell:    func() {}, // the transactions notify
		wakeAll: db.notify,
	}
	e.inserter = sync.OnceValues(e.newInserter)
	return e
}

func (e *riverEngine[T]) newInserter() (*river.Client[T], error) {
	return river.NewClient(e.driver, &river.Config{Logger: e.log, MaxAttempts: maxAttempts})
}

func (e *riverEngine[T]) insert(ctx context.Context, q queries, jobs []Job) error {
	client, err := e.inserter()
	if err != nil {
		return err
	}
	params := make([]river.InsertManyParams, len(jobs))
	for i, j := range jobs {
		opts := &river.InsertOpts{Priority: 2, ScheduledAt: j.At}
		if j.Urgent {
			opts.Priority = 1
		}
		params[i] = river.InsertManyParams{Args: j.envelope(), InsertOpts: opts}
	}
	if _, err := client.InsertManyTx(ctx, e.raw(q), params); err != nil {
		return err
	}
	_, err = q.exec(ctx, notifyWorkers)
	return err
}

// lineOf is the line of a job as River keeps it.
func lineOf(args []byte) string {
	var e envelope
	if json.Unmarshal(args, &e) != nil {
		return "" // River will say so
	}
	return e.Line
}

func (e *riverEngine[T]) committed() { e.bell() }
func (e *riverEngine[T]) wake()      { e.wakeAll() }

func (e *riverEngine[T]) migrate(ctx context.Context, q queries) ([]string, error) {
	m, err := rivermigrate.New(e.driver, &rivermigrate.Config{Logger: e.log})
	if err != nil {
		return nil, err
	}
	var done *rivermigrate.MigrateResult
	if e.outside {
		done, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	} else {
		//lint:ignore SA1019 SQLite has one connection for writing, and the transaction around all steps holds it
		done, err = m.MigrateTx(ctx, e.raw(q), rivermigrate.DirectionUp, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("migrate river's tables: %w", err)
	}
	var names []string
	for _, v := range done.Versions {
		names = append(names, fmt.Sprintf("river %d: %s", v.Version, v.Name))
	}
	return names, nil
}

func (e *riverEngine[T]) version() (int, error) {
	m, err := rivermigrate.New(e.driver, &rivermigrate.Config{Logger: e.log})
	if err != nil {
		return 0, err
	}
	all := m.AllVersions()
	return all[len(all)-1].Version, nil
}

func (e *riverEngine[T]) start(client string, w worker) error {
	e.halting.Store(false)
	e.gate = &gate{
		Executor: e.driver.Driver.GetExecutor(), client: client, kinds: w.kinds, log: e.log, engine: e,
		queries: func(tx riverdriver.ExecutorTx) queries { return e.wrap(e.driver.UnwrapTx(tx)) },
	}
	e.finisher = newFinisher(e.gate.complete)
	workers := river.NewWorkers()
	for _, kind := range w.kinds {
		river.AddWorkerArgs(workers, envelope{kind: kind}, &riverWorker{run: w.run, finisher: e.finisher, halting: &e.halting})
	}
	driver := &gatedDriver[T]{Driver: e.driver.Driver, listener: e.driver.listener, gate: e.gate}
	c, err := river.NewClient(driver, &river.Config{
		ID:      client,
		Logger:  e.log,
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: w.at}},
		Workers: workers,
		// Looks for jobs come from pokes; the interval is for those of other processes on
		// SQLite, and for a notification that was lost.
		FetchCooldown:        10 * time.Millisecond,
		FetchPollInterval:    time.Second,
		JobTimeout:           w.timeout,
		RescueStuckJobsAfter: w.timeout + 24*time.Hour, // dead processes are found otherwise
		MaxAttempts:          maxAttempts,
		RetryPolicy:          backoff{},
		// Jobs are forgotten with all else that is; see prune.
		CompletedJobRetentionPeriod: -1,
		CancelledJobRetentionPeriod: -1,
		DiscardedJobRetentionPeriod: -1,
	})
	if err != nil {
		return err
	}
	e.client = c
	return c.Start(context.Background())
}

// haltWithin is how long cancelled work may take to return.
const haltWithin = 2 * time.Second

func (e *riverEngine[T]) stop(ctx context.Context) error {
	err := e.client.Stop(ctx)
	if err != nil {
		e.halting.Store(true)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), haltWithin)
		defer cancel()
		err = e.client.StopAndCancel(grace)
	}
	e.gate.closed.Store(true)
	e.finisher.stop()
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // what does not return is handed back all the same
	}
	return err
}

// riverWorker works the jobs of one kind.
type riverWorker struct {
	river.WorkerDefaults[envelope]
	run      func(context.Context, attempt) outcome
	finisher *finisher
	halting  *atomic.Bool
}

// endingKey is where a job's metadata keeps why it is over.
const endingKey = "sealward_ending"

// Work works one attempt.
func (w *riverWorker) Work(ctx context.Context, job *river.Job[envelope]) error {
	out := w.run(ctx, attemptOf(job))
	switch {
	case out.snoozed:
		if out.ending != "" {
			if err := river.MetadataSet(ctx, endingKey, out.ending); err != nil {
				return err
			}
		}
		return river.JobSnooze(max(out.snooze, 0))
	case out.err == nil:
		// Where that does not succeed, River's own way, which repeats it, does.
		_ = w.finisher.done(ctx, job.ID)
		return nil
	case w.halting.Load() && ctx.Err() != nil:
		return context.Canceled // River gives the attempt back
	case out.discard:
		job.MaxAttempts = job.Attempt // which the row in the database does not hear of
	}
	return out.err
}

func attemptOf(job *river.Job[envelope]) attempt {
	var meta map[string]json.RawMessage
	var ending string
	if json.Unmarshal(job.Metadata, &meta) == nil && len(meta[endingKey]) > 0 {
		_ = json.Unmarshal(meta[endingKey], &ending)
	}
	return attempt{
		ending: ending,
		work: Work{
			Job: job.Args.job(job.Kind, job.ScheduledAt), ID: job.ID,
			Attempt: job.Attempt, Last: job.Attempt >= job.MaxAttempts,
		},
	}
}

// backoff is 1.5 s after the first attempt, twice that after the next, and five minutes at
// most; a tenth more or less, so that jobs that failed together do not come together.
type backoff struct{}

// NextRetry returns when a job is tried again.
func (backoff) NextRetry(job *rivertype.JobRow) time.Time {
	wait := min(1500*time.Millisecond<<min(max(job.Attempt-1, 0), 10), 5*time.Minute)
	return time.Now().Add(wait - wait/10 + rand.N(wait/5))
}

// quiet keeps River's warnings alone: it logs every job's error, which the handlers do.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(atLeast{log.Handler(), slog.LevelWarn})
}

type atLeast struct {
	slog.Handler
	level slog.Level
}

func (h atLeast) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.level && h.Handler.Enabled(ctx, l)
}

func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.Handler.WithAttrs(attrs), h.level}
}

func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.Handler.WithGroup(name), h.level}
}
