package store

import (
	"context"
	"maps"
	"time"
)

const (
	tendEvery = time.Second
	lineEvery = 10 * time.Second
	// pruneEvery is how often what is too old is forgotten.
	pruneEvery = time.Hour
	// keepDeliveries is longer than GitHub redelivers (three days); keepKeys is what Job
	// promises, and some.
	keepDeliveries = 30 * 24 * time.Hour
	keepKeys       = 35 * 24 * time.Hour
	keepDone       = 24 * time.Hour
	keepDiscarded  = 30 * 24 * time.Hour
)

// tend cares for the tables while jobs are worked. Every process does, and none has to.
func (s *Store) tend(ctx context.Context, r *running) {
	ticker := time.NewTicker(tendEvery)
	defer ticker.Stop()
	var lines, pruned time.Time
	strays := map[int64]int{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		s.report(ctx, "take back the jobs of dead processes", s.takeBackDead(ctx, r.client))
		s.report(ctx, "make due jobs available", s.makeDue(ctx))
		if now := time.Now(); now.Sub(lines) >= lineEvery {
			s.report(ctx, "call idle lines", s.callIdle(ctx))
			s.report(ctx, "take back stray jobs", s.takeBackStrays(ctx, r, strays))
			lines = now
		}
		if now := time.Now(); now.Sub(pruned) >= pruneEvery {
			s.report(ctx, "forget what is old", s.prune(ctx))
			pruned = now
		}
	}
}

func (s *Store) report(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "the store could not "+what, "error", err)
	}
}

// takeBackDead frees the jobs of clients that do not live any more.
func (s *Store) takeBackDead(ctx context.Context, self string) error {
	var clients []string
	err := s.db.read(ctx, func(q queries) (err error) {
		clients, err = busyClients(ctx, q)
		return err
	})
	if err != nil {
		return err
	}
	for _, client := range clients {
		key, ok := lockOf(client)
		if !ok || client == self {
			continue
		}
		err := s.db.write(ctx, func(q queries) error {
			var dead bool
			if _, err := one(ctx, q, isDead, keyOf(q, key), &dead); err != nil || !dead {
				return err
			}
			n, err := takeBack(ctx, q, client)
			if n > 0 {
				s.log.InfoContext(ctx, "jobs of a process that died are taken back", "client", client, "jobs", n)
			}
			return err
		})
		if err != nil {
			return err
		}
		s.eng.committed()
	}
	return nil
}

// keyOf is the parameter of isDead, which SQLite's does not have: whoever owns the file
// knows that everybody else is dead.
func keyOf(q queries, key int64) []any {
	if _, ok := q.(sqliteQueries); ok {
		return nil
	}
	return []any{key}
}

// strayAfter is how many looks a job is not worked before it is taken back: River may be
// trying again to write what became of it.
const strayAfter = 6

// takeBackStrays frees jobs that are said to run here and do not: they were given to us
// in an answer that was lost on its way. seen counts the looks.
func (s *Store) takeBackStrays(ctx context.Context, r *running, seen map[int64]int) error {
	here := map[int64]bool{}
	err := s.db.read(ctx, func(q queries) error {
		return q.query(ctx, runningHere, func(columns func(...any) error) error {
			var id int64
			err := columns(&id)
			here[id] = true
			return err
		}, r.client)
	})
	if err != nil {
		return err
	}
	var strays []int64
	for id := range here {
		if _, ok := r.active.Load(id); ok {
			delete(seen, id)
		} else if seen[id]++; seen[id] >= strayAfter {
			strays = append(strays, id)
		}
	}
	maps.DeleteFunc(seen, func(id int64, looks int) bool { return !here[id] || looks >= strayAfter })
	if len(strays) == 0 {
		return nil
	}
	s.log.WarnContext(ctx, "jobs that were given to nobody are taken back", "jobs", strays)
	err = s.db.write(ctx, func(q queries) error { return giveUp(ctx, q, strays) })
	s.eng.committed()
	return err
}

// makeDue makes jobs available whose time has come. River's leader does so every five
// seconds; nobody leads for a while after a crash.
func (s *Store) makeDue(ctx context.Context) error {
	var due []int64
	err := s.db.read(ctx, func(q queries) error {
		return q.query(ctx, dueJobs, func(columns func(...any) error) error {
			var id int64
			err := columns(&id)
			due = append(due, id)
			return err
		}, time.Now())
	})
	if err != nil || len(due) == 0 {
		return err
	}
	err = s.db.write(ctx, func(q queries) error {
		if _, err := q.exec(ctx, makeAvailable, due, time.Now()); err != nil {
			return err
		}
		_, err := q.exec(ctx, notifyWorkers)
		return err
	})
	s.eng.committed()
	return err
}

// callIdle makes the first of lines available that nobody holds.
func (s *Store) callIdle(ctx context.Context) error {
	var lines []string
	err := s.db.read(ctx, func(q queries) error {
		return q.query(ctx, idleLines, func(columns func(...any) error) error {
			var line string
			err := columns(&line)
			lines = append(lines, line)
			return err
		})
	})
	if err != nil || len(lines) == 0 {
		return err
	}
	err = s.db.write(ctx, func(q queries) error {
		if _, err := callNext(ctx, q, lines); err != nil {
			return err
		}
		_, err := q.exec(ctx, notifyWorkers)
		return err
	})
	s.eng.committed()
	return err
}

// prune forgets deliveries and keys that are too old to come again, and jobs that ended.
func (s *Store) prune(ctx context.Context) error {
	return s.db.write(ctx, func(q queries) error {
		if _, err := q.exec(ctx, pruneDeliveries, micros(s.now().Add(-keepDeliveries))); err != nil {
			return err
		}
		if _, err := q.exec(ctx, pruneKeys, micros(s.now().Add(-keepKeys))); err != nil {
			return err
		}
		if _, err := q.exec(ctx, pruneCreations, micros(s.now().Add(-time.Hour))); err != nil {
			return err
		}
		_, err := q.exec(ctx, pruneJobs, s.now().Add(-keepDone), s.now().Add(-keepDiscarded))
		return err
	})
}

var (
	dueJobs = statement{both: `SELECT id FROM river_job
		WHERE state IN ('retryable', 'scheduled') AND scheduled_at <= $1 ORDER BY scheduled_at, id LIMIT 1000`}
	makeAvailable = statement{
		sqlite: `UPDATE river_job SET state = 'available' WHERE state IN ('retryable', 'scheduled')
			AND scheduled_at <= $2 AND id IN (SELECT value FROM json_each($1))`,
		postgres: `UPDATE river_job SET state = 'available' WHERE id IN (SELECT id FROM river_job
			WHERE state IN ('retryable', 'scheduled') AND scheduled_at <= $2 AND id = ANY($1) ORDER BY id FOR UPDATE SKIP LOCKED)`,
	}
	pruneDeliveries = statement{both: `DELETE FROM sealward_delivery WHERE taken < $1`}
	pruneKeys       = statement{both: `DELETE FROM sealward_key WHERE added < $1`}
	pruneJobs       = statement{both: `DELETE FROM river_job
		WHERE state IN ('completed', 'cancelled') AND finalized_at < $1 OR state = 'discarded' AND finalized_at < $2`}
	pruneCreations = statement{both: `DELETE FROM sealward_creation WHERE at < $1`}
)
