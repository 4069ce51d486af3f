package store

import (
	"context"
	"fmt"
	"hash/fnv"
)

// step is one change of our own tables. What was released is never edited: add another.
// Times are microseconds since 1970, 0 for none.
type step struct {
	name string
	sql  []statement
}

// steps lead from nothing to the schema of this program, whose version is their number.
func steps() []step {
	return []step{
		{"deliveries and keys", []statement{
			{both: `CREATE TABLE sealward_delivery (guid TEXT PRIMARY KEY, event TEXT NOT NULL, taken BIGINT NOT NULL)`},
			{both: `CREATE INDEX sealward_delivery_taken ON sealward_delivery (taken)`},
			{both: `CREATE TABLE sealward_key (kind TEXT NOT NULL, key TEXT NOT NULL, added BIGINT NOT NULL, PRIMARY KEY (kind, key))`},
			{both: `CREATE INDEX sealward_key_added ON sealward_key (added)`},
		}},
		{"lines", []statement{
			{both: `CREATE TABLE sealward_line (line TEXT PRIMARY KEY, job BIGINT NOT NULL UNIQUE)`},
			{both: `CREATE TABLE sealward_wait (job BIGINT PRIMARY KEY, line TEXT NOT NULL, rank INTEGER NOT NULL)`},
			{both: `CREATE INDEX sealward_wait_line ON sealward_wait (line, rank, job)`},
		}},
		{"paces", []statement{
			{both: `CREATE TABLE sealward_pace (installation BIGINT PRIMARY KEY, next BIGINT NOT NULL, held BIGINT NOT NULL)`},
			{both: `CREATE TABLE sealward_creation (installation BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (installation, at))`},
		}},
		{"repositories and schedules", []statement{
			{both: `CREATE TABLE sealward_repository (name TEXT PRIMARY KEY, id BIGINT NOT NULL, installation BIGINT NOT NULL,
				branch TEXT NOT NULL, swept BIGINT NOT NULL, seen BIGINT NOT NULL)`},
			{both: `CREATE TABLE sealward_schedule (repo TEXT NOT NULL, name TEXT NOT NULL, installation BIGINT NOT NULL,
				cron TEXT NOT NULL, next BIGINT NOT NULL, PRIMARY KEY (repo, name))`},
			{both: `CREATE INDEX sealward_schedule_next ON sealward_schedule (next)`},
		}},
		{"rotations", []statement{
			{both: `CREATE TABLE sealward_rotation (key TEXT PRIMARY KEY, repo TEXT NOT NULL, state TEXT NOT NULL,
				created BIGINT NOT NULL, updated BIGINT NOT NULL, doc TEXT NOT NULL)`},
			{both: `CREATE INDEX sealward_rotation_repo ON sealward_rotation (repo, created)`},
			{both: `CREATE INDEX sealward_rotation_created ON sealward_rotation (created)`},
		}},
		{"claims", []statement{
			{both: `CREATE TABLE sealward_claim (thing TEXT PRIMARY KEY, holder TEXT NOT NULL, since BIGINT NOT NULL)`},
		}},
	}
}

// Migrate brings the schema to this program's, whatever it was before, and returns the
// names of the steps that were taken. Any number of processes may do so at once.
func (s *Store) Migrate(ctx context.Context) ([]string, error) {
	names, err := s.migrateTo(ctx, len(steps()))
	if err != nil {
		return names, fmt.Errorf("migrate: %w", err)
	}
	return names, nil
}

// migrateTo takes the steps up to a version. One transaction, or one lock, is around all
// of it, so that of several processes the first does it and the others find it done.
func (s *Store) migrateTo(ctx context.Context, version int) (names []string, err error) {
	err = s.db.write(ctx, func(q queries) error {
		names = nil
		if _, err := q.exec(ctx, lockSchema, migrationLock()); err != nil {
			return err
		}
		have, err := ownVersion(ctx, q)
		if err != nil {
			return err
		}
		if newest := len(steps()); have > newest {
			return errNewer(have, newest)
		}
		if names, err = s.eng.migrate(ctx, q); err != nil {
			return err
		}
		for i, step := range steps()[:version] {
			if i < have {
				continue
			}
			for _, st := range step.sql {
				if _, err := q.exec(ctx, st); err != nil {
					return fmt.Errorf("%s: %w", step.name, err)
				}
			}
			names = append(names, fmt.Sprintf("sealward %d: %s", i+1, step.name))
		}
		if have >= version {
			return nil
		}
		return setVersion(ctx, q, version)
	})
	return names, err
}

// Ready errors where the database does not answer, or has another schema.
func (s *Store) Ready(ctx context.Context) error {
	return s.db.read(ctx, func(q queries) error {
		have, err := ownVersion(ctx, q)
		if err != nil {
			return fmt.Errorf("the database does not answer: %w", err)
		}
		if err := compare("sealward", have, len(steps())); err != nil {
			return err
		}
		return s.riverReady(ctx, q)
	})
}

func (s *Store) riverReady(ctx context.Context, q queries) error {
	want, err := s.eng.version()
	if err != nil {
		return err
	}
	var have int64
	if _, err := one(ctx, q, riverVersion, nil, &have); err != nil {
		return fmt.Errorf("the database does not answer: %w", err)
	}
	return compare("river", int(have), want)
}

func compare(whose string, have, want int) error {
	switch {
	case have < want:
		return fmt.Errorf("the database has version %d of %s's schema and this program needs %d: run bot migrate", have, whose, want)
	case have > want:
		return errNewer(have, want)
	}
	return nil
}

func errNewer(have, want int) error {
	return fmt.Errorf("the database has version %d of the schema and this program knows %d: run the newer program, or restore a backup of before", have, want)
}

// ownVersion is the number of steps that were taken; 0 where there is nothing.
func ownVersion(ctx context.Context, q queries) (int, error) {
	var exists bool
	if _, err := one(ctx, q, schemaExists, nil, &exists); err != nil || !exists {
		return 0, err
	}
	var version int64
	_, err := one(ctx, q, schemaVersion, nil, &version)
	return int(version), err
}

func setVersion(ctx context.Context, q queries, version int) error {
	for _, st := range []statement{makeSchema, clearSchema} {
		if _, err := q.exec(ctx, st); err != nil {
			return err
		}
	}
	_, err := q.exec(ctx, writeSchema, version)
	return err
}

// migrationLock is the number of the lock that is held while a schema is changed.
func migrationLock() int64 {
	h := fnv.New64a()
	h.Write([]byte("sealward: migrate"))
	return int64(h.Sum64())
}

var (
	lockSchema   = statement{postgres: `SELECT pg_advisory_xact_lock($1)`}
	schemaExists = statement{
		sqlite:   `SELECT count(*) > 0 FROM sqlite_master WHERE type = 'table' AND name = 'sealward_schema'`,
		postgres: `SELECT to_regclass('sealward_schema') IS NOT NULL`,
	}
	schemaVersion = statement{both: `SELECT coalesce(max(version), 0) FROM sealward_schema`}
	makeSchema    = statement{both: `CREATE TABLE IF NOT EXISTS sealward_schema (version BIGINT NOT NULL)`}
	clearSchema   = statement{both: `DELETE FROM sealward_schema`}
	writeSchema   = statement{both: `INSERT INTO sealward_schema (version) VALUES ($1)`}
	riverVersion  = statement{both: `SELECT coalesce(max(version), 0) FROM river_migration WHERE line = 'main'`}
)
