package bot

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// postgresVar names a PostgreSQL server on which these tests may make databases;
// onPostgres has them use it.
const (
	postgresVar = "SEALWARD_TEST_POSTGRES"
	onPostgres  = "SEALWARD_TEST_ON_POSTGRES"
)

// TestTheSameOnPostgreSQL runs the tests of this package that have a store once more.
func TestTheSameOnPostgreSQL(t *testing.T) {
	switch {
	case os.Getenv(onPostgres) != "":
		t.Skip("this is that run")
	case os.Getenv(postgresVar) == "":
		t.Skip(postgresVar + " names no server: these tests ran on SQLite alone")
	case testing.Short():
		t.Skip("short")
	}
	args := []string{"-test.timeout=9m"}
	if testing.Verbose() {
		args = append(args, "-test.v")
	}
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), onPostgres+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// storeURL names a new database: a file, or one on the server where the tests run on that.
func storeURL(t *testing.T) string {
	t.Helper()
	if os.Getenv(onPostgres) == "" {
		return "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "bot.db"))
	}
	u, err := url.Parse(os.Getenv(postgresVar))
	if err != nil {
		t.Fatalf("%s is no URL", postgresVar)
	}
	ctx := context.Background()
	admin, err := pgx.Connect(ctx, u.String())
	if err != nil {
		t.Fatal(err)
	}
	name := "sealward_bot_" + strings.ToLower(rand.Text())
	if _, err := admin.Exec(ctx, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
		_ = admin.Close(ctx)
	})
	u.Path = "/" + name
	return u.String()
}
