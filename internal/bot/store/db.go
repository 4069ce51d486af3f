package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// statement is one SQL statement; both is set where the databases do not differ. Its
// parameters are $1, $2, ... in either. A [time.Time] is a time of River's tables; our own
// keep microseconds. A slice is one parameter: = ANY($1), or (SELECT value FROM
// json_each($1)). One that a database has no use for is empty there, and does nothing.
type statement struct {
	both     string
	sqlite   string
	postgres string
}

// queries are what runs statements: a transaction, or a connection that only reads.
type queries interface {
	exec(ctx context.Context, s statement, args ...any) (int64, error)
	// query calls scan for each row, with the function that reads its columns.
	query(ctx context.Context, s statement, scan func(columns func(...any) error) error, args ...any) error
}

// database is where transactions come from.
type database interface {
	// write runs f in a transaction, which is undone where f errors.
	write(ctx context.Context, f func(queries) error) error
	// read runs f with one view of the database.
	read(ctx context.Context, f func(queries) error) error
	// join makes this process known as one that works jobs, until leave; lost is told where
	// others may take it for dead.
	join(ctx context.Context, client string) (lost <-chan error, leave func(), err error)
	close() error
}

// one reads the first row; ok is false where there is none.
func one(ctx context.Context, q queries, s statement, args []any, into ...any) (ok bool, err error) {
	err = q.query(ctx, s, func(columns func(...any) error) error {
		if ok {
			return nil
		}
		ok = true
		return columns(into...)
	}, args...)
	return ok, err
}

// sqliteQueries run statements on SQLite.
type sqliteQueries struct{ tx *sql.Tx }

func (q sqliteQueries) exec(ctx context.Context, s statement, args ...any) (int64, error) {
	text, values, err := s.forSQLite(args)
	if err != nil || text == "" {
		return 0, err
	}
	res, err := q.tx.ExecContext(ctx, text, values...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (q sqliteQueries) query(ctx context.Context, s statement, scan func(func(...any) error) error, args ...any) error {
	text, values, err := s.forSQLite(args)
	if err != nil {
		return err
	}
	rows, err := q.tx.QueryContext(ctx, text, values...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// forSQLite turns $1 into ?1, times into the text that River's tables hold, and slices
// into JSON.
func (s statement) forSQLite(args []any) (string, []any, error) {
	text := []byte(s.both + s.sqlite)
	for i := range len(text) - 1 {
		if text[i] == '$' && text[i+1] >= '0' && text[i+1] <= '9' {
			text[i] = '?'
		}
	}
	values := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case time.Time:
			values[i] = arg.UTC().Round(time.Millisecond).Format("2006-01-02 15:04:05.000")
		case []string, []int64:
			list, err := json.Marshal(arg)
			if err != nil {
				return "", nil, fmt.Errorf("write a list for sqlite: %w", err)
			}
			values[i] = string(list)
		default:
			values[i] = arg
		}
	}
	return string(text), values, nil
}

// postgresQueries run statements on PostgreSQL.
type postgresQueries struct{ tx pgx.Tx }

func (q postgresQueries) exec(ctx context.Context, s statement, args ...any) (int64, error) {
	tag, err := q.tx.Exec(ctx, s.both+s.postgres, args...)
	return tag.RowsAffected(), err
}

func (q postgresQueries) query(ctx context.Context, s statement, scan func(func(...any) error) error, args ...any) error {
	rows, err := q.tx.Query(ctx, s.both+s.postgres, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ignore leaves out the errors that the end of a transaction gives after another's.
func ignore(err error, ok ...error) error {
	for _, e := range ok {
		if errors.Is(err, e) {
			return nil
		}
	}
	return err
}
