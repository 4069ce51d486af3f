package store

import (
	"context"
	"fmt"
	"time"
)

// Repository is one that the App is installed on.
type Repository struct {
	Name         string // owner/name
	ID           int64
	Installation int64
	Branch       string    // the default one
	Swept        time.Time // comments before then were all seen
	Seen         time.Time
}

// SaveRepository keeps a repository; a zero Swept leaves what is kept.
func (s *Store) SaveRepository(ctx context.Context, r Repository) error {
	err := s.db.write(ctx, func(q queries) error {
		_, err := q.exec(ctx, saveRepository, clean(r.Name), r.ID, r.Installation, clean(r.Branch), micros(r.Swept), micros(r.Seen))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep repository %q: %w", r.Name, err)
	}
	return nil
}

// DropRepository forgets a repository with its schedules. Rotations stay.
func (s *Store) DropRepository(ctx context.Context, name string) error {
	err := s.db.write(ctx, func(q queries) error {
		if _, err := q.exec(ctx, dropSchedules, clean(name)); err != nil {
			return err
		}
		_, err := q.exec(ctx, dropRepository, clean(name))
		return err
	})
	if err != nil {
		return fmt.Errorf("forget repository %q: %w", name, err)
	}
	return nil
}

// Repositories lists all, by name.
func (s *Store) Repositories(ctx context.Context) ([]Repository, error) {
	var all []Repository
	err := s.db.read(ctx, func(q queries) error {
		return q.query(ctx, listRepositories, func(columns func(...any) error) error {
			var r Repository
			var swept, seen int64
			err := columns(&r.Name, &r.ID, &r.Installation, &r.Branch, &swept, &seen)
			r.Swept, r.Seen = fromMicros(swept), fromMicros(seen)
			all = append(all, r)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("list repositories: %w", err)
	}
	return all, nil
}

var (
	saveRepository = statement{both: `
		INSERT INTO sealward_repository (name, id, installation, branch, swept, seen) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (name) DO UPDATE SET id = excluded.id, installation = excluded.installation, branch = excluded.branch,
			seen = excluded.seen, swept = CASE WHEN excluded.swept = 0 THEN sealward_repository.swept ELSE excluded.swept END`}
	dropRepository   = statement{both: `DELETE FROM sealward_repository WHERE name = $1`}
	listRepositories = statement{
		sqlite:   `SELECT name, id, installation, branch, swept, seen FROM sealward_repository ORDER BY name`,
		postgres: `SELECT name, id, installation, branch, swept, seen FROM sealward_repository ORDER BY name COLLATE "C"`,
	}
)
