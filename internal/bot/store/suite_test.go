package store

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// home is an empty database of a test.
type home struct {
	url      string
	postgres bool
}

// postgresEnv names a server that the tests may fill: each makes a schema of its own and
// drops it.
const postgresEnv = "SEALWARD_TEST_POSTGRES"

// both runs a test over each of the databases.
func both(t *testing.T, test func(t *testing.T, h home)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, home{url: "sqlite://" + filepath.Join(t.TempDir(), "bot.db")})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newPostgres(t))
	})
}

func newPostgres(tb testing.TB) home {
	tb.Helper()
	dsn := os.Getenv(postgresEnv)
	if dsn == "" {
		tb.Skipf("%s is not set: PostgreSQL is not tested (see tools/postgres/cluster)", postgresEnv)
	}
	ctx := context.Background()
	schema := pgx.Identifier{fmt.Sprintf("t%d_%s", time.Now().UnixNano(), newClient()[len(clientPrefix):])}
	run := func(sql string) {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			tb.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, sql); err != nil {
			tb.Fatal(err)
		}
	}
	run("CREATE SCHEMA " + schema.Sanitize())
	tb.Cleanup(func() { run("DROP SCHEMA " + schema.Sanitize() + " CASCADE") })
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal("the test's DSN is no URL")
	}
	query := u.Query()
	query.Set("search_path", strings.Trim(schema.Sanitize(), `"`))
	u.RawQuery = query.Encode()
	return home{url: u.String(), postgres: true}
}

// open opens a database that is owned where it is SQLite, and migrates it.
func (h home) open(tb testing.TB, options ...func(*Options)) *Store {
	tb.Helper()
	opt := Options{URL: h.url, Own: true}
	for _, o := range options {
		o(&opt)
	}
	ctx := context.Background()
	s, err := Open(ctx, opt)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	if _, err := s.Migrate(ctx); err != nil {
		tb.Fatal(err)
	}
	return s
}

// at has a store live at a time that the test moves.
func at(now *time.Time) func(*Options) {
	return func(o *Options) { o.Now = func() time.Time { return *now } }
}

func shared(o *Options) { o.Own = false }

// start works jobs, and fails the test where the database is lost.
func start(tb testing.TB, s *Store, w Workers) {
	tb.Helper()
	lost, err := s.Start(context.Background(), w)
	if err != nil {
		tb.Fatal(err)
	}
	ended := make(chan struct{})
	tb.Cleanup(func() { close(ended) })
	go func() {
		select {
		case err := <-lost:
			tb.Errorf("lost: %v", err)
		case <-ended:
		}
	}()
}

// handle is Workers with one handler.
func handle(kind string, h Handler) Workers {
	return Workers{Handlers: map[string]Handler{kind: h}}
}

func enqueue(tb testing.TB, s *Store, jobs ...Job) {
	tb.Helper()
	n, err := s.Enqueue(context.Background(), jobs...)
	if err != nil {
		tb.Fatal(err)
	}
	if n != len(jobs) {
		tb.Fatalf("%d of %d jobs are fresh", n, len(jobs))
	}
}

// wait waits for a value, and fails the test after too long.
func wait[T any](tb testing.TB, from <-chan T, what string) T {
	tb.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		tb.Fatalf("no %s after 20 s", what)
		panic("unreachable")
	}
}

// until waits for a condition, and fails the test after too long.
func until(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("not after 20 s: %s", what)
		}
	}
}

// states counts the jobs by state.
func states(tb testing.TB, s *Store) map[string]int {
	tb.Helper()
	q, err := s.Queue(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	all := map[string]int{}
	for _, byState := range q.Count {
		for state, n := range byState {
			all[state] += n
		}
	}
	return all
}
