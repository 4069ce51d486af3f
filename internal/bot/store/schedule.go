package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is work that comes again and again.
type Schedule struct {
	Repo, Name   string
	Installation int64
	Cron         string // five fields, UTC
	Next         time.Time
}

// SetSchedule keeps a schedule; where its cron is the one that is kept, Next stays. ""
// drops it. A bad expression errors.
func (s *Store) SetSchedule(ctx context.Context, sch Schedule) error {
	set, args := dropSchedule, []any{clean(sch.Repo), clean(sch.Name)}
	if sch.Cron != "" {
		spec, err := parseCron(sch.Cron)
		if err != nil {
			return err
		}
		next := sch.Next
		if next.IsZero() {
			next = spec.Next(s.now().UTC())
		}
		set, args = saveSchedule, append(args, sch.Installation, sch.Cron, micros(next))
	}
	err := s.db.write(ctx, func(q queries) error {
		_, err := q.exec(ctx, set, args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep schedule %q of %q: %w", sch.Name, sch.Repo, err)
	}
	return nil
}

// Tick enqueues the jobs of the slots that are due and moves these on, in one
// transaction: each slot once, however many processes tick; of several that were missed
// the last alone.
func (s *Store) Tick(ctx context.Context, job func(sch Schedule, slot time.Time) Job) (int, error) {
	var ticked int
	err := s.db.write(ctx, func(q queries) error {
		now := s.now().UTC()
		due, err := dueNow(ctx, q, now)
		if err != nil {
			return err
		}
		var jobs []Job
		for _, sch := range due {
			spec, err := parseCron(sch.Cron)
			if err != nil {
				return fmt.Errorf("schedule %q of %q: %w", sch.Name, sch.Repo, err)
			}
			slot := lastSlot(spec, sch.Next, now)
			sch.Next = spec.Next(now)
			if _, err := q.exec(ctx, moveSchedule, clean(sch.Repo), clean(sch.Name), micros(sch.Next)); err != nil {
				return err
			}
			jobs = append(jobs, job(sch, slot))
		}
		ticked, err = s.insert(ctx, q, jobs)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("tick: %w", err)
	}
	if ticked > 0 {
		s.eng.committed()
	}
	return ticked, nil
}

// dueNow returns the schedules whose time has come, and keeps other processes from them.
func dueNow(ctx context.Context, q queries, now time.Time) (due []Schedule, err error) {
	err = q.query(ctx, dueSchedules, func(columns func(...any) error) error {
		var sch Schedule
		var next int64
		err := columns(&sch.Repo, &sch.Name, &sch.Installation, &sch.Cron, &next)
		sch.Next = fromMicros(next)
		due = append(due, sch)
		return err
	}, micros(now))
	return due, err
}

// lastSlot is the last slot up to now, and next where there is none after it. It steps
// through a window that is no longer than it has to be: a year of minutes is half a
// million slots.
func lastSlot(spec cron.Schedule, next, now time.Time) time.Time {
	for _, window := range []time.Duration{2 * time.Minute, time.Hour, 24 * time.Hour, 32 * 24 * time.Hour, 367 * 24 * time.Hour} {
		from := now.Add(-window)
		if from.Before(next) {
			break
		}
		if slot := latest(spec, from, now); !slot.IsZero() {
			return slot
		}
	}
	if slot := latest(spec, next, now); !slot.IsZero() {
		return slot
	}
	return next
}

// latest is the last slot after from and up to now, or zero.
func latest(spec cron.Schedule, from, now time.Time) (last time.Time) {
	for slot := spec.Next(from); !slot.IsZero() && !slot.After(now); slot = spec.Next(slot) {
		last = slot
	}
	return last
}

// maxCron bounds what is parsed.
const maxCron = 200

// parseCron reads five fields, in UTC.
func parseCron(expr string) (cron.Schedule, error) {
	bad := func(err error) error {
		return fmt.Errorf("read the schedule %q: %w (want five fields in UTC: minute hour day month weekday, as in \"0 6 * * 1\")", expr, err)
	}
	switch {
	case len(expr) > maxCron:
		return nil, fmt.Errorf("read a schedule: it is longer than %d bytes", maxCron)
	case strings.Contains(expr, "TZ="):
		return nil, bad(errors.New("a time zone is not taken"))
	case strings.HasPrefix(strings.TrimSpace(expr), "@"):
		return nil, bad(errors.New("a shorthand is not taken"))
	}
	spec, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(expr)
	if err != nil {
		return nil, bad(err)
	}
	if spec.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, bad(errors.New("it never comes"))
	}
	return spec, nil
}

var (
	saveSchedule = statement{both: `
		INSERT INTO sealward_schedule (repo, name, installation, cron, next) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (repo, name) DO UPDATE SET installation = excluded.installation, cron = excluded.cron,
			next = CASE WHEN sealward_schedule.cron = excluded.cron THEN sealward_schedule.next ELSE excluded.next END`}
	dropSchedule  = statement{both: `DELETE FROM sealward_schedule WHERE repo = $1 AND name = $2`}
	dropSchedules = statement{both: `DELETE FROM sealward_schedule WHERE repo = $1`}
	dueSchedules  = statement{
		sqlite: `SELECT repo, name, installation, cron, next FROM sealward_schedule WHERE next <= $1 ORDER BY next, repo, name`,
		postgres: `SELECT repo, name, installation, cron, next FROM sealward_schedule WHERE next <= $1
			ORDER BY next, repo, name FOR UPDATE SKIP LOCKED`,
	}
	moveSchedule = statement{both: `UPDATE sealward_schedule SET next = $3 WHERE repo = $1 AND name = $2`}
)
