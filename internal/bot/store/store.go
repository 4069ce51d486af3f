// Package store is the bot's memory: the deliveries that were taken, the jobs that came
// of them, the schedules, the pace of each installation, and what became of every
// rotation. It is one SQLite file that one process owns, or one PostgreSQL database that
// any number of processes share; the same tests hold for both.
//
// Nothing secret is ever kept here: arguments of jobs are names and public keys.
package store

import (
	"context"
	"log/slog"
	"time"
)

// Options say where the memory is.
type Options struct {
	// URL is sqlite:///var/lib/sealward/bot.db or postgres://user@host/name. Required.
	URL string
	// Own says that this process works jobs: on SQLite it takes the file for itself, and
	// a second one is refused; what a dead process was working on is taken back. Without
	// it the store can be looked at and added to while another process works.
	Own bool
	Log *slog.Logger     // nil discards
	Now func() time.Time // time.Now where nil
}

// Store is safe for concurrent use.
type Store struct{}

// Open opens the database. It changes nothing in it; see [Store.Migrate].
func Open(ctx context.Context, opt Options) (*Store, error) { panic("to be written") }

// Close hands back what is not done, and gives up the database.
func (s *Store) Close(ctx context.Context) error { panic("to be written") }

// Migrate brings the schema to this program's, whatever it was before, and returns the
// names of the steps that were taken.
func (s *Store) Migrate(ctx context.Context) ([]string, error) { panic("to be written") }

// Ready errors where the database does not answer, or has another schema.
func (s *Store) Ready(ctx context.Context) error { panic("to be written") }

// Job is work to be done. It may be done more than once.
type Job struct {
	Kind string // names the handler
	// Key is the work's own: there is at most one job of a kind and key for ever (a month
	// at least), whatever became of it. "" is never the same as another.
	Key string
	// Line orders jobs: those of one line are worked one at a time. "" is no line.
	Line         string
	Installation int64
	Repo         string // owner/name
	Delivery     string // GitHub's id of the event that it came of, for the log
	Args         []byte // JSON; nothing secret
	At           time.Time
	Urgent       bool // before those that are not
}

// Enqueue stores jobs, all or none; those that are there already stay as they are.
func (s *Store) Enqueue(ctx context.Context, jobs ...Job) (fresh int, err error) {
	panic("to be written")
}

// Accept stores a delivery and the jobs that come of it, in one transaction. fresh is
// false where the delivery was taken before; nothing is stored then.
func (s *Store) Accept(ctx context.Context, guid, event string, jobs ...Job) (fresh bool, err error) {
	panic("to be written")
}

// Taken returns of a list of deliveries those that were accepted.
func (s *Store) Taken(ctx context.Context, guids []string) (map[string]bool, error) {
	panic("to be written")
}

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

// Start works jobs until [Store.Stop] or until the database is lost, which the channel
// tells.
func (s *Store) Start(ctx context.Context, w Workers) (lost <-chan error, err error) {
	panic("to be written")
}

// Stop takes no more jobs, waits for those that are worked until ctx is done, and hands
// the others back, to be taken up at once by whoever comes next.
func (s *Store) Stop(ctx context.Context) error { panic("to be written") }

// JobRow is a job as people look at it.
type JobRow struct {
	ID       int64     `json:"id"`
	Kind     string    `json:"kind"`
	State    string    `json:"state"` // available, scheduled, running, retryable, completed, discarded, cancelled
	Repo     string    `json:"repo,omitempty"`
	Key      string    `json:"key,omitempty"`
	Delivery string    `json:"delivery,omitempty"`
	Attempt  int       `json:"attempt"`
	Created  time.Time `json:"created"`
	At       time.Time `json:"at"`
	Ended    time.Time `json:"ended,omitzero"`
	Error    string    `json:"error,omitempty"` // of the last attempt
}

// JobFilter narrows a list of jobs; the zero JobFilter is all.
type JobFilter struct {
	States []string
	Repo   string
	Limit  int // 0 is 100
}

// Jobs lists jobs, the newest first.
func (s *Store) Jobs(ctx context.Context, f JobFilter) ([]JobRow, error) { panic("to be written") }

// Retry makes a job that has ended, or waits, available now, with all its attempts. A
// done one errors.
func (s *Store) Retry(ctx context.Context, id int64) error { panic("to be written") }

// Queue is how much there is to do.
type Queue struct {
	Count  map[string]map[string]int // by kind and state
	Oldest time.Time                 // since when the job that waits longest could have run
}

// Queue counts jobs.
func (s *Store) Queue(ctx context.Context) (Queue, error) { panic("to be written") }

// Pace is asked before a write on GitHub, by every process. Where it is too early it
// returns when to come again and takes nothing: one write a second, and of writes that
// create something 60 a minute and 450 an hour, for each installation.
func (s *Store) Pace(ctx context.Context, installation int64, creates bool) (until time.Time, err error) {
	panic("to be written")
}

// Hold keeps an installation's writes back until then: GitHub said so.
func (s *Store) Hold(ctx context.Context, installation int64, until time.Time) error {
	panic("to be written")
}

// Repository is one that the App is installed on.
type Repository struct {
	Name         string // owner/name
	ID           int64
	Installation int64
	Branch       string    // the default one
	Swept        time.Time // comments before then were all seen
	Seen         time.Time
}

// SaveRepository keeps a repository; a zero Swept leaves what is kept.
func (s *Store) SaveRepository(ctx context.Context, r Repository) error { panic("to be written") }

// DropRepository forgets a repository with its schedules. Rotations stay.
func (s *Store) DropRepository(ctx context.Context, name string) error { panic("to be written") }

// Repositories lists all, by name.
func (s *Store) Repositories(ctx context.Context) ([]Repository, error) { panic("to be written") }

// Schedule is work that comes again and again.
type Schedule struct {
	Repo, Name   string
	Installation int64
	Cron         string // five fields, UTC
	Next         time.Time
}

// SetSchedule keeps a schedule; where its cron is the one that is kept, Next stays. ""
// drops it. A bad expression errors.
func (s *Store) SetSchedule(ctx context.Context, sch Schedule) error { panic("to be written") }

// Tick enqueues the jobs of the slots that are due and moves these on, in one
// transaction: each slot once, however many processes tick; of several that were missed
// the last alone.
func (s *Store) Tick(ctx context.Context, job func(sch Schedule, slot time.Time) Job) (int, error) {
	panic("to be written")
}

// Rotation is what is known of a rotation.
type Rotation struct {
	Key      string // of the request; see rotate.Request.Key
	Repo     string
	Env      string
	State    string // begun, planned, open, merged, retired, closed, nothing, refused, failed
	By       string
	Source   string // the comment's URL
	Issue    int    // where it was asked for, and is answered
	Comment  int64
	Branch   string
	Pull     int
	Commit   string
	Old, New []string // recipients
	Files    int
	// Before are the recipients that the keyring held when the rotation began, nil until
	// it has: a key beyond these was made for it.
	Before  []string
	Problem string
	Args    []byte // JSON of the request; nothing secret
	Created time.Time
	Updated time.Time
}

// SaveRotation keeps a rotation as it is now.
func (s *Store) SaveRotation(ctx context.Context, r Rotation) error { panic("to be written") }

// Rotation returns a rotation by its key; ok is false where there is none.
func (s *Store) Rotation(ctx context.Context, key string) (r Rotation, ok bool, err error) {
	panic("to be written")
}

// Rotations lists rotations, the newest first: of a repository, or of all where it is
// "", in one of the states, or in any where there is none.
func (s *Store) Rotations(ctx context.Context, repository string, states ...string) ([]Rotation, error) {
	panic("to be written")
}
