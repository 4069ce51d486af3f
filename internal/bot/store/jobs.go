package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

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
func (s *Store) Jobs(ctx context.Context, f JobFilter) ([]JobRow, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	// Those that wait in a line are available, to people.
	states := append([]string{}, f.States...)
	if slices.Contains(states, "available") {
		states = append(states, "pending")
	}
	var rows []JobRow
	err := s.db.read(ctx, func(q queries) error {
		return q.query(ctx, listJobs, func(columns func(...any) error) error {
			row, err := scanJob(columns)
			rows = append(rows, row)
			return err
		}, states, len(states) == 0, clean(f.Repo), f.Limit)
	})
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return rows, nil
}

func scanJob(columns func(...any) error) (JobRow, error) {
	var row JobRow
	var args []byte
	var ended *time.Time
	var problem *string
	err := columns(&row.ID, &row.Kind, &row.State, &row.Attempt, &row.Created, &row.At, &ended, &args, &problem)
	if err != nil {
		return row, err
	}
	var e envelope
	if err := json.Unmarshal(args, &e); err != nil {
		return row, fmt.Errorf("job %d: %w", row.ID, err)
	}
	row.Repo, row.Key, row.Delivery = e.Repo, e.Key, e.Delivery
	row.Created, row.At = row.Created.UTC(), row.At.UTC()
	if row.State == "pending" {
		row.State = "available"
	}
	if ended != nil {
		row.Ended = ended.UTC()
	}
	if problem != nil {
		row.Error = *problem
	}
	return row, nil
}

// Retry makes a job that has ended, or waits, available now, with all its attempts. A
// done one errors.
func (s *Store) Retry(ctx context.Context, id int64) error {
	err := s.db.write(ctx, func(q queries) error {
		var state string
		ok, err := one(ctx, q, stateOfJob, []any{id}, &state)
		switch {
		case err != nil:
			return err
		case !ok:
			return fmt.Errorf("there is no such job, or it was forgotten: bot jobs list shows those that there are")
		case state == "completed":
			return fmt.Errorf("it is done")
		case state == "running":
			return fmt.Errorf("it is worked now")
		}
		if _, err := q.exec(ctx, leaveLine, []int64{id}); err != nil {
			return err
		}
		if _, err := q.exec(ctx, retryJob, id, time.Now(), maxAttempts); err != nil {
			return err
		}
		_, err = q.exec(ctx, notifyWorkers)
		return err
	})
	if err != nil {
		return fmt.Errorf("retry job %d: %w", id, err)
	}
	s.eng.committed()
	return nil
}

// Queue is how much there is to do.
type Queue struct {
	Count  map[string]map[string]int // by kind and state
	Oldest time.Time                 // since when the job that waits longest could have run
}

// Queue counts jobs.
func (s *Store) Queue(ctx context.Context) (Queue, error) {
	queue := Queue{Count: map[string]map[string]int{}}
	err := s.db.read(ctx, func(q queries) error {
		err := q.query(ctx, countJobs, func(columns func(...any) error) error {
			var kind, state string
			var n int
			err := columns(&kind, &state, &n)
			if state == "pending" {
				state = "available"
			}
			if queue.Count[kind] == nil {
				queue.Count[kind] = map[string]int{}
			}
			queue.Count[kind][state] += n
			return err
		})
		if err != nil {
			return err
		}
		var oldest time.Time
		ok, err := one(ctx, q, oldestJob, nil, &oldest)
		if ok && !oldest.After(time.Now()) {
			queue.Oldest = oldest.UTC()
		}
		return err
	})
	if err != nil {
		return Queue{}, fmt.Errorf("count jobs: %w", err)
	}
	return queue, nil
}

var (
	listJobs = statement{
		sqlite: `SELECT id, kind, state, attempt, created_at, scheduled_at, finalized_at, json(args), json_extract(errors, '$[#-1].error')
			FROM river_job
			WHERE ($2 OR state IN (SELECT value FROM json_each($1))) AND ($3 = '' OR json_extract(args, '$.repo') = $3)
			ORDER BY id DESC LIMIT $4`,
		postgres: `SELECT id, kind, state::text, attempt, created_at, scheduled_at, finalized_at, args, errors[array_upper(errors, 1)] ->> 'error'
			FROM river_job
			WHERE ($2 OR state::text = ANY($1)) AND ($3::text = '' OR args ->> 'repo' = $3)
			ORDER BY id DESC LIMIT $4`,
	}
	stateOfJob = statement{
		sqlite:   `SELECT state FROM river_job WHERE id = $1`,
		postgres: `SELECT state::text FROM river_job WHERE id = $1 FOR UPDATE`,
	}
	retryJob = statement{
		sqlite: `UPDATE river_job SET state = 'available', attempt = 0, max_attempts = $3, finalized_at = NULL,
			scheduled_at = $2, metadata = jsonb('{}') WHERE id = $1`,
		postgres: `UPDATE river_job SET state = 'available', attempt = 0, max_attempts = $3, finalized_at = NULL,
			scheduled_at = $2, metadata = '{}' WHERE id = $1`,
	}
	countJobs = statement{both: `SELECT kind, CAST(state AS TEXT), count(*) FROM river_job GROUP BY kind, state`}
	oldestJob = statement{both: `SELECT scheduled_at FROM river_job
		WHERE state IN ('available', 'pending') ORDER BY scheduled_at LIMIT 1`}
)
