package store

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// acceptWithin is how long a delivery may take to be stored: GitHub waits ten seconds, and
// has to be told in time where it could not be.
const acceptWithin = 5 * time.Second

// Accept stores a delivery and the jobs that come of it, in one transaction. fresh is
// false where the delivery was taken before; nothing is stored then.
func (s *Store) Accept(ctx context.Context, guid, event string, jobs ...Job) (fresh bool, err error) {
	if guid == "" {
		return false, errors.New("store a delivery: it has no id")
	}
	ctx, cancel := context.WithTimeout(ctx, acceptWithin)
	defer cancel()
	told := make(chan accepted, 1)
	go func() { told <- s.accept(ctx, guid, event, jobs) }()
	var a accepted
	select {
	case a = <-told:
	case <-ctx.Done():
		// SQLite waits for another process's lock however little time there is. Nothing is
		// committed after ctx; if it was just then, the next delivery is not fresh.
		a.err = ctx.Err()
	}
	if a.err != nil {
		return false, fmt.Errorf("store delivery %q: %w", guid, a.err)
	}
	return a.fresh, nil
}

type accepted struct {
	fresh bool
	err   error
}

func (s *Store) accept(ctx context.Context, guid, event string, jobs []Job) (a accepted) {
	var stored int
	a.err = s.db.write(ctx, func(q queries) error {
		n, err := q.exec(ctx, insertDelivery, clean(guid), clean(event), micros(s.now()))
		if err != nil || n == 0 {
			return err
		}
		a.fresh = true
		stored, err = s.insert(ctx, q, jobs)
		return err
	})
	if a.err == nil && stored > 0 {
		s.eng.committed()
	}
	return a
}

var insertDelivery = statement{both: `
	INSERT INTO sealward_delivery (guid, event, taken) VALUES ($1, $2, $3)
	ON CONFLICT (guid) DO NOTHING`}

// Taken returns of a list of deliveries those that were accepted.
func (s *Store) Taken(ctx context.Context, guids []string) (map[string]bool, error) {
	taken := map[string]bool{}
	err := s.db.read(ctx, func(q queries) error {
		return q.query(ctx, selectTaken, func(columns func(...any) error) error {
			var guid string
			err := columns(&guid)
			taken[guid] = true
			return err
		}, append([]string{}, guids...))
	})
	if err != nil {
		return nil, fmt.Errorf("look up %d deliveries: %w", len(guids), err)
	}
	return taken, nil
}

var selectTaken = statement{
	sqlite:   `SELECT guid FROM sealward_delivery WHERE guid IN (SELECT value FROM json_each($1))`,
	postgres: `SELECT guid FROM sealward_delivery WHERE guid = ANY($1)`,
}
