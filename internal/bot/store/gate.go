package store

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// gatedDriver is River's driver with its two ways to a job put through a gate.
type gatedDriver[T any] struct {
	riverdriver.Driver[T]
	gate     *gate                // nil where no jobs are worked
	listener riverdriver.Listener // nil for the driver's own
}

// GetExecutor returns what River runs its statements with.
func (d *gatedDriver[T]) GetExecutor() riverdriver.Executor {
	if d.gate == nil {
		return d.Driver.GetExecutor()
	}
	return d.gate
}

// GetListener returns what River waits for jobs with.
func (d *gatedDriver[T]) GetListener(p *riverdriver.GetListenenerParams) riverdriver.Listener {
	if d.listener == nil {
		return d.Driver.GetListener(p)
	}
	return d.listener
}

// SupportsListenNotify reports whether River is to notify listeners by the database.
func (d *gatedDriver[T]) SupportsListenNotify() bool { return d.listener == nil }

// gate stands where River takes jobs and where it says what became of them. Lines are
// taken and freed there, within the same transactions; jobs that another process took
// over are left alone.
type gate struct {
	riverdriver.Executor
	queries func(riverdriver.ExecutorTx) queries
	client  string
	kinds   []string
	log     *slog.Logger
	engine  engine
	closed  atomic.Bool
}

// JobGetAvailable takes jobs to work, those of a free line alone.
func (g *gate) JobGetAvailable(ctx context.Context, p *riverdriver.JobGetAvailableParams) (jobs []*rivertype.JobRow, err error) {
	if g.closed.Load() {
		return nil, nil
	}
	err = g.within(ctx, func(tx riverdriver.ExecutorTx, q queries) error {
		jobs = nil
		// What has to wait makes room for others: with the next look a second away, a long
		// line would keep everybody waiting.
		for want := p.MaxToLock; want > 0; want = p.MaxToLock - len(jobs) {
			ask := *p
			ask.MaxToLock = want
			got, err := tx.JobGetAvailable(ctx, &ask)
			if err != nil {
				return err
			}
			ready, err := g.admit(ctx, q, got)
			if err != nil {
				return err
			}
			jobs = append(jobs, ready...)
			if len(ready) == len(got) {
				return nil
			}
		}
		return nil
	})
	return jobs, err
}

// admit returns the jobs that can be worked now, and puts the others back.
func (g *gate) admit(ctx context.Context, q queries, jobs []*rivertype.JobRow) ([]*rivertype.JobRow, error) {
	slices.SortFunc(jobs, func(a, b *rivertype.JobRow) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.ScheduledAt.Compare(b.ScheduledAt), cmp.Compare(a.ID, b.ID))
	})
	var claims []claim
	var strange []int64
	for _, job := range jobs {
		if !slices.Contains(g.kinds, job.Kind) {
			g.log.WarnContext(ctx, "a job of a kind that this version does not know is put off", "job", job.ID, "kind", job.Kind)
			strange = append(strange, job.ID)
		} else if line := lineOf(job.EncodedArgs); line != "" {
			claims = append(claims, claim{job: job.ID, line: line, rank: job.Priority})
		}
	}
	if len(strange) > 0 {
		if _, err := q.exec(ctx, putOff, strange, time.Now().Add(time.Minute)); err != nil {
			return nil, err
		}
	}
	waiting, err := takeLines(ctx, q, claims)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(jobs, func(job *rivertype.JobRow) bool {
		return slices.Contains(waiting, job.ID) || slices.Contains(strange, job.ID)
	}), nil
}

// JobSetStateIfRunningMany says what became of jobs, and frees their lines.
func (g *gate) JobSetStateIfRunningMany(ctx context.Context, p *riverdriver.JobSetStateIfRunningManyParams) (rows []*rivertype.JobRow, err error) {
	var called int64
	var soon []time.Time
	err = g.within(ctx, func(tx riverdriver.ExecutorTx, q queries) error {
		ours, err := stillOurs(ctx, q, g.client, p.ID)
		if err != nil || len(ours) == 0 || g.closed.Load() {
			return err
		}
		p := only(p, ours)
		if rows, err = tx.JobSetStateIfRunningMany(ctx, p); err != nil {
			return err
		}
		for i, at := range p.ScheduledAt {
			if at != nil && p.State[i] == rivertype.JobStateAvailable {
				soon = append(soon, *at)
			}
		}
		if called, err = freeLines(ctx, q, ours); err != nil || called == 0 {
			return err
		}
		_, err = q.exec(ctx, notifyWorkers)
		return err
	})
	if err != nil {
		return nil, err
	}
	if called > 0 {
		g.engine.committed()
	}
	for _, at := range soon {
		time.AfterFunc(time.Until(at)+time.Millisecond, g.engine.wake)
	}
	return rows, nil
}

// complete says that jobs are done.
func (g *gate) complete(ctx context.Context, jobs []int64) error {
	now := time.Now()
	n := len(jobs)
	p := &riverdriver.JobSetStateIfRunningManyParams{
		ID: jobs, Attempt: make([]*int, n), ErrData: make([][]byte, n), FinalizedAt: make([]*time.Time, n),
		MetadataDoMerge: make([]bool, n), MetadataUpdates: make([][]byte, n),
		ScheduledAt: make([]*time.Time, n), State: make([]rivertype.JobState, n),
	}
	for i := range jobs {
		p.FinalizedAt[i], p.State[i] = &now, rivertype.JobStateCompleted
	}
	_, err := g.JobSetStateIfRunningMany(ctx, p)
	return err
}

func (g *gate) within(ctx context.Context, f func(riverdriver.ExecutorTx, queries) error) error {
	tx, err := g.Begin(ctx)
	if err != nil {
		return err
	}
	if err := f(tx, g.queries(tx)); err != nil {
		_ = tx.Rollback(context.WithoutCancel(ctx)) // the first error tells more
		return err
	}
	return tx.Commit(ctx)
}

// only keeps of what became of jobs that of some.
func only(p *riverdriver.JobSetStateIfRunningManyParams, jobs []int64) *riverdriver.JobSetStateIfRunningManyParams {
	kept := &riverdriver.JobSetStateIfRunningManyParams{Now: p.Now, Schema: p.Schema}
	for i, id := range p.ID {
		if !slices.Contains(jobs, id) {
			continue
		}
		kept.ID = append(kept.ID, id)
		kept.Attempt = append(kept.Attempt, p.Attempt[i])
		kept.ErrData = append(kept.ErrData, p.ErrData[i])
		kept.FinalizedAt = append(kept.FinalizedAt, p.FinalizedAt[i])
		kept.MetadataDoMerge = append(kept.MetadataDoMerge, p.MetadataDoMerge[i])
		kept.MetadataUpdates = append(kept.MetadataUpdates, p.MetadataUpdates[i])
		kept.ScheduledAt = append(kept.ScheduledAt, p.ScheduledAt[i])
		kept.State = append(kept.State, p.State[i])
	}
	return kept
}

// bell is a listener that this process rings itself.
type bell chan struct{}

func (b bell) ring() {
	select {
	case b <- struct{}{}:
	default: // it rings already
	}
}

// Close does nothing, as the others that a bell has no use for.
func (b bell) Close(context.Context) error { return nil }

// Connect does nothing.
func (b bell) Connect(context.Context) error { return nil }

// Listen does nothing.
func (b bell) Listen(context.Context, string) error { return nil }

// Ping does nothing.
func (b bell) Ping(context.Context) error { return nil }

// Schema is none.
func (b bell) Schema() string { return "" }

// SetAfterConnectExec does nothing.
func (b bell) SetAfterConnectExec(string) {}

// Unlisten does nothing.
func (b bell) Unlisten(context.Context, string) error { return nil }

// WaitForNotification returns when it rings.
func (b bell) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-b:
		return &riverdriver.Notification{Topic: insertTopic, Payload: insertPayload}, nil
	}
}

// What River says and hears of new jobs.
const (
	insertTopic   = "river_insert"
	insertPayload = `{"queue": "default"}`
)

var (
	notifyWorkers = statement{postgres: `SELECT pg_notify(concat(current_schema(), '.` + insertTopic + `'), '` + insertPayload + `')`}
	putOff        = statement{
		sqlite: `UPDATE river_job SET state = 'scheduled', attempt = max(attempt - 1, 0), scheduled_at = $2
			WHERE id IN (SELECT value FROM json_each($1))`,
		postgres: `UPDATE river_job SET state = 'scheduled', attempt = greatest(attempt - 1, 0), scheduled_at = $2
			WHERE id = ANY($1)`,
	}
)
