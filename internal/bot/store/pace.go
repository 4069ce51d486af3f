package store

import (
	"context"
	"fmt"
	"time"
)

// What GitHub asks of an App, below what it enforces.
const (
	writeEvery  = time.Second
	perMinute   = 60
	perHour     = 450
	minuteRow   = perMinute - 1 // the row before which there is room again
	hourRow     = perHour - 1
	paceMinutes = time.Minute
	paceHours   = time.Hour
)

// Pace is asked before a write on GitHub, by every process. Where it is too early it
// returns when to come again and takes nothing: one write a second, and of writes that
// create something 60 a minute and 450 an hour, for each installation.
func (s *Store) Pace(ctx context.Context, installation int64, creates bool) (until time.Time, err error) {
	err = s.db.write(ctx, func(q queries) error {
		now := s.now()
		until, err = s.room(ctx, q, installation, creates, now)
		if err != nil || until.After(now) {
			return err
		}
		until = time.Time{}
		if _, err := q.exec(ctx, setPace, installation, micros(now.Add(writeEvery))); err != nil || !creates {
			return err
		}
		if _, err := q.exec(ctx, forgetCreations, installation, micros(now.Add(-paceHours))); err != nil {
			return err
		}
		_, err := q.exec(ctx, addCreation, installation, micros(now))
		return err
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("pace of installation %d: %w", installation, err)
	}
	return until, nil
}

// room returns when there is room for a write, and keeps others from looking meanwhile.
func (s *Store) room(ctx context.Context, q queries, installation int64, creates bool, now time.Time) (time.Time, error) {
	var next, held int64
	if _, err := one(ctx, q, lockPace, []any{installation}, &next, &held); err != nil {
		return time.Time{}, err
	}
	// A clock that was set back must not stop everything until it is where it was.
	until := max(min(next, micros(now.Add(writeEvery))), held)
	if creates {
		for _, w := range []struct {
			within time.Duration
			row    int
		}{{paceMinutes, minuteRow}, {paceHours, hourRow}} {
			var at int64
			ok, err := one(ctx, q, nthCreation, []any{installation, micros(now.Add(-w.within)), micros(now), w.row}, &at)
			if err != nil {
				return time.Time{}, err
			}
			if ok {
				until = max(until, at+w.within.Microseconds())
			}
		}
	}
	return fromMicros(until), nil
}

// Hold keeps an installation's writes back until then: GitHub said so.
func (s *Store) Hold(ctx context.Context, installation int64, until time.Time) error {
	err := s.db.write(ctx, func(q queries) error {
		_, err := q.exec(ctx, holdPace, installation, micros(until))
		return err
	})
	if err != nil {
		return fmt.Errorf("hold installation %d: %w", installation, err)
	}
	return nil
}

var (
	// lockPace keeps the row until the transaction ends.
	lockPace = statement{both: `
		INSERT INTO sealward_pace (installation, next, held) VALUES ($1, 0, 0)
		ON CONFLICT (installation) DO UPDATE SET installation = excluded.installation RETURNING next, held`}
	setPace  = statement{both: `UPDATE sealward_pace SET next = $2 WHERE installation = $1`}
	holdPace = statement{
		sqlite: `INSERT INTO sealward_pace (installation, next, held) VALUES ($1, 0, $2)
			ON CONFLICT (installation) DO UPDATE SET held = max(held, excluded.held)`,
		postgres: `INSERT INTO sealward_pace (installation, next, held) VALUES ($1, 0, $2)
			ON CONFLICT (installation) DO UPDATE SET held = greatest(sealward_pace.held, excluded.held)`,
	}
	nthCreation = statement{both: `SELECT at FROM sealward_creation
		WHERE installation = $1 AND at > $2 AND at <= $3 ORDER BY at DESC LIMIT 1 OFFSET $4`}
	addCreation     = statement{both: `INSERT INTO sealward_creation (installation, at) VALUES ($1, $2) ON CONFLICT (installation, at) DO NOTHING`}
	forgetCreations = statement{both: `DELETE FROM sealward_creation WHERE installation = $1 AND at < $2`}
)
