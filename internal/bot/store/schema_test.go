package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestMigrateFromNothingAndAgain(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		s, err := Open(ctx, Options{URL: h.url})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(ctx)
		if err := s.Ready(ctx); err == nil || !strings.Contains(err.Error(), "bot migrate") {
			t.Errorf("an empty database: %v", err)
		}
		if _, err := s.Start(ctx, handle("work", func(context.Context, Work) error { return nil })); err == nil {
			t.Error("jobs are worked in an empty database")
		}
		names, err := s.Migrate(ctx)
		if err != nil || len(names) < len(steps())+1 {
			t.Fatal(names, err)
		}
		if err := s.Ready(ctx); err != nil {
			t.Error(err)
		}
		if names, err := s.Migrate(ctx); err != nil || len(names) != 0 {
			t.Error(names, err)
		}
	})
}

func TestMigrateFromEveryOlderVersion(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		s, err := Open(ctx, Options{URL: h.url})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(ctx)
		for version := range len(steps()) {
			if _, err := s.migrateTo(ctx, version); err != nil {
				t.Fatal(err)
			}
			if version == 2 { // what an older version kept stays
				if _, err := s.Accept(ctx, "old", "push", Job{Kind: "work", Key: "k"}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Ready(ctx); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("version %d", version)) {
				t.Errorf("version %d: %v", version, err)
			}
		}
		names, err := s.Migrate(ctx)
		if err != nil || len(names) != 1 {
			t.Fatal(names, err)
		}
		if taken, err := s.Taken(ctx, []string{"old"}); err != nil || !taken["old"] {
			t.Error(taken, err)
		}
		if err := s.Ready(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestMigrateOfManyProcessesAtOnce(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				ctx := context.Background()
				s, err := Open(ctx, Options{URL: h.url})
				if err != nil {
					t.Error(err)
					return
				}
				_, err = s.Migrate(ctx)
				if err = errors.Join(err, s.Ready(ctx), s.Close(ctx)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestANewerSchemaIsLeftAlone(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		s := h.open(t)
		for _, sql := range []string{
			"UPDATE sealward_schema SET version = version + 1",
			"UPDATE sealward_schema SET version = version - 1",
			"INSERT INTO river_migration (line, version) VALUES ('main', 1000)",
		} {
			err := s.db.write(ctx, func(q queries) error {
				_, err := q.exec(ctx, statement{both: sql})
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			err = s.Ready(ctx)
			if strings.Contains(sql, "- 1") {
				continue
			}
			if err == nil || !strings.Contains(err.Error(), "newer program") {
				t.Errorf("%s: %v", sql, err)
			}
			if strings.Contains(sql, "+ 1") {
				if _, err := s.Migrate(ctx); err == nil || !strings.Contains(err.Error(), "newer program") {
					t.Errorf("migrate: %v", err)
				}
			}
		}
	})
}

// Our SQL reads and writes River's tables: this fails where they are no longer what it
// takes them for.
func TestRiversSchemaIsWhatOurSQLTakesItFor(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		s := h.open(t)
		enqueue(t, s, Job{Kind: "work", Repo: "o/r", Line: "l"})
		var types, want string
		columns := statement{
			sqlite: `SELECT group_concat(name || ' ' || lower(type), ', ') FROM (SELECT name, type FROM pragma_table_info('river_job')
				WHERE name IN ('id', 'args', 'attempt', 'attempted_by', 'created_at', 'errors', 'finalized_at', 'kind', 'max_attempts',
					'metadata', 'priority', 'scheduled_at', 'state') ORDER BY name)`,
			postgres: `SELECT string_agg(column_name || ' ' || udt_name, ', ' ORDER BY column_name COLLATE "C") FROM information_schema.columns
				WHERE table_schema = current_schema() AND table_name = 'river_job' AND column_name IN ('id', 'args', 'attempt', 'attempted_by',
					'created_at', 'errors', 'finalized_at', 'kind', 'max_attempts', 'metadata', 'priority', 'scheduled_at', 'state')`,
		}
		want = "args blob, attempt integer, attempted_by blob, created_at timestamp, errors blob, finalized_at timestamp, " +
			"id integer, kind text, max_attempts integer, metadata blob, priority integer, scheduled_at timestamp, state text"
		if h.postgres {
			want = "args jsonb, attempt int2, attempted_by _text, created_at timestamptz, errors _jsonb, finalized_at timestamptz, " +
				"id int8, kind text, max_attempts int2, metadata jsonb, priority int2, scheduled_at timestamptz, state river_job_state"
		}
		err := s.db.read(ctx, func(q queries) error {
			_, err := one(ctx, q, columns, nil, &types)
			return err
		})
		if err != nil || types != want {
			t.Errorf("columns\n%s\nwant\n%s\n%v", types, want, err)
		}
		// Every state that our SQL writes or reads is one, and there is no other.
		for _, state := range []string{"available", "cancelled", "completed", "discarded", "pending", "retryable", "running", "scheduled"} {
			err := s.db.write(ctx, func(q queries) error {
				_, err := q.exec(ctx, statement{
					sqlite: `UPDATE river_job SET state = $1, finalized_at = CASE WHEN $2 THEN CURRENT_TIMESTAMP END`,
					postgres: `UPDATE river_job SET state = $1::text::river_job_state,
						finalized_at = CASE WHEN $2 THEN now() END`,
				}, state, state == "cancelled" || state == "completed" || state == "discarded")
				return err
			})
			if err != nil {
				t.Errorf("state %s: %v", state, err)
			}
		}
		for name, st := range everyStatement() {
			err := s.db.write(ctx, func(q queries) error {
				if err := q.query(ctx, st.statement, func(func(...any) error) error { return nil }, st.args...); err != nil {
					return err
				}
				return errUndo
			})
			if !errors.Is(err, errUndo) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

var errUndo = errors.New("undo")

// call is a statement with arguments of the right kinds.
type call struct {
	statement
	args []any
}

// everyStatement is what reads or writes River's tables.
func everyStatement() map[string]call {
	ids, now := []int64{1}, time.Now()
	return map[string]call{
		"parkJobs": {parkJobs, []any{ids}}, "callJobs": {callJobs, []any{ids}}, "putOff": {putOff, []any{ids, now}},
		"jobsOfClient": {jobsOfClient, []any{"x"}}, "giveBack": {giveBack, []any{ids}}, "clientsAtWork": {clientsAtWork, nil},
		"runningWith": {runningWith, []any{ids, "x"}}, "resignLeader": {resignLeader, []any{"x"}},
		"dueJobs": {dueJobs, []any{now}}, "makeAvailable": {makeAvailable, []any{ids, now}},
		"listJobs": {listJobs, []any{[]string{"running"}, false, "o/r", 1}}, "stateOfJob": {stateOfJob, []any{int64(1)}},
		"retryJob": {retryJob, []any{int64(1), now, maxAttempts}}, "countJobs": {countJobs, nil}, "oldestJob": {oldestJob, nil},
		"riverVersion": {riverVersion, nil}, "runningHere": {runningHere, []any{"x"}}, "pruneJobs": {pruneJobs, []any{now, now}},
	}
}
