package store

import (
	"context"
	"fmt"
	"slices"
)

// A line has one holder at a time: the job that is worked. When River takes jobs, those
// whose line is held are parked within the same transaction (pending, in River's words),
// and the one that has waited longest is made available again within the transaction that
// ends the holder's attempt. So a line costs no worker, no polling and no clock, and a
// crash leaves nothing that the taking back of its jobs does not free.

// claim is a job that wants its line.
type claim struct {
	job  int64
	line string
	rank int // as River's priority: the lower the sooner
}

// takeLines returns the jobs that have to wait, and writes them down. Lines are taken in
// one order by everybody, so that two transactions do not wait for each other.
func takeLines(ctx context.Context, q queries, claims []claim) (waiting []int64, err error) {
	slices.SortStableFunc(claims, func(a, b claim) int {
		switch {
		case a.line < b.line:
			return -1
		case a.line > b.line:
			return 1
		}
		return 0
	})
	for _, c := range claims {
		var holder int64
		if _, err := one(ctx, q, takeLine, []any{c.line, c.job}, &holder); err != nil {
			return nil, fmt.Errorf("take a line: %w", err)
		}
		if holder == c.job {
			continue
		}
		if _, err := q.exec(ctx, waitInLine, c.line, c.rank, c.job); err != nil {
			return nil, fmt.Errorf("wait in a line: %w", err)
		}
		waiting = append(waiting, c.job)
	}
	if len(waiting) == 0 {
		return nil, nil
	}
	if _, err := q.exec(ctx, parkJobs, waiting); err != nil {
		return nil, fmt.Errorf("park jobs: %w", err)
	}
	return waiting, nil
}

// freeLines ends the hold of jobs, and makes those that come next available.
func freeLines(ctx context.Context, q queries, jobs []int64) (next int64, err error) {
	if len(jobs) == 0 {
		return 0, nil
	}
	var lines []string
	err = q.query(ctx, linesOf, func(columns func(...any) error) error {
		var line string
		err := columns(&line)
		lines = append(lines, line)
		return err
	}, jobs)
	if err != nil || len(lines) == 0 {
		return 0, err
	}
	if _, err := q.exec(ctx, freeLine, jobs); err != nil {
		return 0, err
	}
	return callNext(ctx, q, lines)
}

// callNext makes the first of each of the lines available that nobody holds.
func callNext(ctx context.Context, q queries, lines []string) (int64, error) {
	var jobs []int64
	err := q.query(ctx, firstWaiting, func(columns func(...any) error) error {
		var job int64
		err := columns(&job)
		jobs = append(jobs, job)
		return err
	}, lines)
	if err != nil || len(jobs) == 0 {
		return 0, err
	}
	if _, err := q.exec(ctx, leaveLine, jobs); err != nil {
		return 0, err
	}
	return q.exec(ctx, callJobs, jobs)
}

var (
	// takeLine returns who holds the line now. The update, which changes nothing, waits for
	// a transaction that frees the line at this moment.
	takeLine = statement{both: `
		INSERT INTO sealward_line (line, job) VALUES ($1, $2)
		ON CONFLICT (line) DO UPDATE SET line = excluded.line RETURNING job`}
	waitInLine = statement{both: `
		INSERT INTO sealward_wait (line, rank, job) VALUES ($1, $2, $3) ON CONFLICT (job) DO NOTHING`}
	parkJobs = statement{
		sqlite: `UPDATE river_job SET state = 'pending', attempt = max(attempt - 1, 0)
			WHERE id IN (SELECT value FROM json_each($1))`,
		postgres: `UPDATE river_job SET state = 'pending', attempt = greatest(attempt - 1, 0) WHERE id = ANY($1)`,
	}
	// linesOf locks the lines, in one order.
	linesOf = statement{
		sqlite:   `SELECT line FROM sealward_line WHERE job IN (SELECT value FROM json_each($1)) ORDER BY line`,
		postgres: `SELECT line FROM sealward_line WHERE job = ANY($1) ORDER BY line FOR UPDATE`,
	}
	freeLine = statement{
		sqlite:   `DELETE FROM sealward_line WHERE job IN (SELECT value FROM json_each($1))`,
		postgres: `DELETE FROM sealward_line WHERE job = ANY($1)`,
	}
	firstWaiting = statement{
		sqlite: `SELECT (SELECT job FROM sealward_wait w WHERE w.line = l.value ORDER BY rank, job LIMIT 1) AS job
			FROM json_each($1) l
			WHERE l.value NOT IN (SELECT line FROM sealward_line) AND job IS NOT NULL`,
		postgres: `SELECT w.job FROM unnest($1::text[]) AS l (line)
			CROSS JOIN LATERAL (SELECT job FROM sealward_wait WHERE line = l.line ORDER BY rank, job LIMIT 1) w
			WHERE NOT EXISTS (SELECT 1 FROM sealward_line h WHERE h.line = l.line)`,
	}
	leaveLine = statement{
		sqlite:   `DELETE FROM sealward_wait WHERE job IN (SELECT value FROM json_each($1))`,
		postgres: `DELETE FROM sealward_wait WHERE job = ANY($1)`,
	}
	callJobs = statement{
		sqlite:   `UPDATE river_job SET state = 'available' WHERE state = 'pending' AND id IN (SELECT value FROM json_each($1))`,
		postgres: `UPDATE river_job SET state = 'available' WHERE state = 'pending' AND id = ANY($1)`,
	}
	// idleLines are those that wait for nobody: none, unless something was deleted by hand.
	idleLines = statement{both: `
		SELECT DISTINCT w.line FROM sealward_wait w
		WHERE NOT EXISTS (SELECT 1 FROM sealward_line h WHERE h.line = w.line)`}
)
