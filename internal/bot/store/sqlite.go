package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// sqliteDB is one file: one connection that writes, River's and ours, since SQLite has one
// writer and its own waiting is by sleeping; and some that read beside it.
type sqliteDB struct {
	file   string
	opened os.FileInfo
	writer *sql.DB
	reader *sql.DB
	lock   *os.File // nil where the file is not owned
}

// openSQLite opens a file, and makes an empty one that only its owner can read where there
// is none.
func openSQLite(ctx context.Context, file string, own bool, log *slog.Logger) (database, engine, error) {
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, nil, fmt.Errorf("open %q: %w", file, err)
	}
	db := &sqliteDB{file: path}
	if err := db.open(ctx, own); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("open the database of DATABASE_URL: %w", err), db.close())
	}
	return db, newSQLiteEngine(db, log), nil
}

func (db *sqliteDB) open(ctx context.Context, own bool) (err error) {
	if own {
		if db.lock, err = lockFile(db.file + ".lock"); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(db.file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("%w: its directory has to exist and to be writable", err)
	}
	// Closed before SQLite opens it: closing any descriptor of a file drops the locks that
	// the process has on it.
	db.opened, err = f.Stat()
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if db.writer, err = sql.Open("sqlite", db.dsn("immediate")); err != nil {
		return err
	}
	db.writer.SetMaxOpenConns(1)
	if db.reader, err = sql.Open("sqlite", db.dsn("deferred")); err != nil {
		return err
	}
	db.reader.SetMaxOpenConns(4)
	if err := db.writer.PingContext(ctx); err != nil {
		return fmt.Errorf("%q: %w", db.file, err)
	}
	return nil
}

// dsn keeps SQLite's temporary files in memory: a container's root may be read-only, and
// then there is no directory for them.
func (db *sqliteDB) dsn(lock string) string {
	options := url.Values{
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "temp_store(MEMORY)"},
		"_txlock": {lock},
	}
	if lock != "immediate" {
		options.Add("_pragma", "query_only(ON)")
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: db.file, RawQuery: options.Encode()}).String()
}

func (db *sqliteDB) write(ctx context.Context, f func(queries) error) error {
	return inSQLite(ctx, db.writer, f)
}

func (db *sqliteDB) read(ctx context.Context, f func(queries) error) error {
	return inSQLite(ctx, db.reader, f)
}

func inSQLite(ctx context.Context, pool *sql.DB, f func(queries) error) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := f(sqliteQueries{tx}); err != nil {
		return errors.Join(err, ignore(tx.Rollback(), sql.ErrTxDone))
	}
	return tx.Commit()
}

// join watches the file: where it was removed or replaced, what is written is written to
// nowhere.
func (db *sqliteDB) join(context.Context, string) (<-chan error, func(), error) {
	if db.lock == nil {
		return nil, nil, errors.New("jobs are worked by the process that owns the database: open it so")
	}
	lost, leave := watch(db.same)
	return lost, leave, nil
}

func (db *sqliteDB) same(context.Context) error {
	now, err := os.Stat(db.file)
	if err != nil {
		return fmt.Errorf("the database file is gone: %w", err)
	}
	if !os.SameFile(now, db.opened) {
		return fmt.Errorf("the database file %q was replaced by another", db.file)
	}
	return nil
}

func (db *sqliteDB) close() error {
	var errs []error
	for _, pool := range []*sql.DB{db.reader, db.writer} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	if db.lock != nil {
		errs = append(errs, ignore(db.lock.Close(), os.ErrClosed))
	}
	return errors.Join(errs...)
}
