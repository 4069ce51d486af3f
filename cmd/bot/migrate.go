package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/cli"
)

// databaseHelp says which database a command means.
const databaseHelp = `
The database is $DATABASE_URL (or what $DATABASE_URL_FILE holds):
sqlite:///var/lib/sealward/bot.db or postgres://user:password@host/name; without it the
SQLite file in the state directory (~/.local/state/sealward/bot.db), as for serve.`

// openStore opens the bot's memory, which another process may be working on.
func (a *app) openStore(ctx context.Context) (*store.Store, error) {
	l := &lookup{getenv: a.getenv}
	address := l.database()
	if err := errors.Join(l.errs...); err != nil {
		return nil, err
	}
	if err := makeStateDir(address); err != nil {
		return nil, err
	}
	return store.Open(ctx, store.Options{URL: address, Log: slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
}

// withStore runs f on a memory of this program's schema.
func (a *app) withStore(ctx context.Context, f func(*store.Store) error) (err error) {
	s, err := a.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
	if err := s.Ready(ctx); err != nil {
		return fmt.Errorf("%w; bot migrate brings it to this program's schema", err)
	}
	return f(s)
}

func (a *app) migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this program's schema",
		Long: `Brings the database to this program's schema, whatever it was before, and makes it where
there is none. bot serve does the same at its start.
` + databaseHelp + `

Exit status: 0 done, or nothing to do; 2 the work could not be done.`,
		Example: `  bot migrate
  DATABASE_URL=postgres://bot@db/sealward bot migrate`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			ctx := cmd.Context()
			s, err := a.openStore(ctx)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close(context.WithoutCancel(ctx))) }()
			steps, err := s.Migrate(ctx)
			for _, step := range steps {
				a.tell("%s", step)
			}
			if err == nil && len(steps) == 0 {
				a.tell("nothing to do: the schema is this program's")
			}
			return err
		},
	}
}

// readAtMost reads a stream that may not be longer than n bytes.
func readAtMost(r io.Reader, n int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, n+1))
	if err == nil && int64(len(data)) > n {
		err = fmt.Errorf("it has more than %d MB", n>>20)
	}
	return data, err
}
