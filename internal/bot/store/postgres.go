package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connectTimeout is how long a server that does not answer is waited for: well below the
// time in which GitHub wants its answer.
const connectTimeout = 3 * time.Second

// postgresDB is a server: our connections, and River's apart from them, so that neither
// waits for the other.
type postgresDB struct {
	pool  *pgxpool.Pool
	river *pgxpool.Pool
}

func openPostgres(ctx context.Context, dsn string, log *slog.Logger) (database, engine, error) {
	db := &postgresDB{}
	if err := db.open(ctx, dsn); err != nil {
		return nil, nil, errors.Join(err, db.close())
	}
	return db, newPostgresEngine(db, log), nil
}

func (db *postgresDB) open(ctx context.Context, dsn string) (err error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		// The driver's own words may repeat the URL, and with it a password.
		return fmt.Errorf("DATABASE_URL has an option or a port that PostgreSQL's driver does not take: %w", errURL)
	}
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.MaxConns = 6
	config.MaxConnIdleTime = 5 * time.Minute
	if db.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return fmt.Errorf("open the database of DATABASE_URL: %w", err)
	}
	if db.river, err = pgxpool.NewWithConfig(ctx, config.Copy()); err != nil {
		return fmt.Errorf("open the database of DATABASE_URL: %w", err)
	}
	if err := db.pool.Ping(ctx); err != nil {
		return fmt.Errorf("open the database of DATABASE_URL: %w", err)
	}
	return nil
}

func (db *postgresDB) write(ctx context.Context, f func(queries) error) error {
	return pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error { return f(postgresQueries{tx}) })
}

func (db *postgresDB) read(ctx context.Context, f func(queries) error) error {
	return pgx.BeginTxFunc(ctx, db.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly},
		func(tx pgx.Tx) error { return f(postgresQueries{tx}) })
}

// join takes the lock that says that a client lives, on a connection of its own. The
// server gives the lock up with the connection, and looks after a few seconds whether the
// other end is still there.
func (db *postgresDB) join(ctx context.Context, client string) (<-chan error, func(), error) {
	key, ok := lockOf(client)
	if !ok {
		return nil, nil, fmt.Errorf("%q is no name of a client", client)
	}
	conn, err := pgx.ConnectConfig(ctx, db.pool.Config().ConnConfig)
	if err != nil {
		return nil, nil, fmt.Errorf("connect: %w", err)
	}
	for _, s := range []string{
		`SET tcp_keepalives_idle = 3`, `SET tcp_keepalives_interval = 1`, `SET tcp_keepalives_count = 3`,
		fmt.Sprintf(`SELECT pg_advisory_lock(%d)`, key),
	} {
		if _, err := conn.Exec(ctx, s); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("take a lock: %w", err), conn.Close(ctx))
		}
	}
	lost, stop := watch(conn.Ping)
	return lost, func() {
		stop()
		closing, cancel := context.WithTimeout(context.Background(), connectTimeout)
		defer cancel()
		_ = conn.Close(closing)
	}, nil
}

// notify has every process look for jobs now; where it fails they do within a second.
func (db *postgresDB) notify() {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
		defer cancel()
		_, _ = db.pool.Exec(ctx, notifyWorkers.postgres)
	}()
}

// close gives a worker that never ends a moment, and does not wait for it for ever.
func (db *postgresDB) close() error {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for _, pool := range []*pgxpool.Pool{db.river, db.pool} {
			if pool != nil {
				pool.Close()
			}
		}
	}()
	select {
	case <-closed:
		return nil
	case <-time.After(connectTimeout):
		return errors.New("close the database: a connection is still in use")
	}
}
