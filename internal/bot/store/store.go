// Package store is the bot's memory: the deliveries that were taken, the jobs that came
// of them, the schedules, the pace of each installation, and what became of every
// rotation. It is one SQLite file that one process owns, or one PostgreSQL database that
// any number of processes share; the same tests hold for both.
//
// Jobs are worked by River, which stays behind engine.go, and gate.go between it and the
// database. What River does not give stands beside it, in tables of our own that are
// written in the same transactions: keys that outlive their jobs, lines, and the taking
// back of what a dead process was working on.
//
// Nothing secret is ever kept here: arguments of jobs are names and public keys.
package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
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
type Store struct {
	log *slog.Logger
	now func() time.Time
	own bool
	db  database
	eng engine

	mu   sync.Mutex
	work *running // nil until Start, and after Stop
}

// Open opens the database. It changes nothing in it; see [Store.Migrate].
func Open(ctx context.Context, opt Options) (*Store, error) {
	where, err := parseURL(opt.URL)
	if err != nil {
		return nil, err
	}
	s := &Store{log: opt.Log, now: opt.Now, own: opt.Own}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if where.file != "" {
		s.db, s.eng, err = openSQLite(ctx, where.file, opt.Own, s.log)
	} else {
		s.db, s.eng, err = openPostgres(ctx, where.dsn, s.log)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Close hands back what is not done, and gives up the database.
func (s *Store) Close(ctx context.Context) error {
	return errors.Join(s.Stop(ctx), s.db.close())
}

// micros is how our own tables keep a time; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
