package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Rotation is what is known of a rotation.
type Rotation struct {
	Key      string // of the request; see rotate.Request.Key
	Repo     string
	Env      string
	State    string // begun, planned, open, merged, retired, closed, nothing, refused, failed
	By       string
	Source   string // the comment's URL
	Issue    int    // where it was asked for, and is answered
	Comment  int64
	Branch   string
	Pull     int
	Commit   string
	Old, New []string // recipients
	Files    int
	// Before are the recipients that the keyring held when the rotation began, nil until
	// it has: a key beyond these was made for it.
	Before  []string
	Problem string
	Args    []byte // JSON of the request; nothing secret
	Created time.Time
	Updated time.Time
}

// SaveRotation keeps a rotation as it is now. A zero Created leaves what is kept, or is
// now; Updated is now.
func (s *Store) SaveRotation(ctx context.Context, r Rotation) error {
	now := s.now()
	if r.Created.IsZero() {
		r.Created = now
	}
	r.Updated = now
	doc, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("keep rotation %q: %w", r.Key, err)
	}
	err = s.db.write(ctx, func(q queries) error {
		_, err := q.exec(ctx, saveRotation, clean(r.Key), clean(r.Repo), clean(r.State), micros(r.Created), micros(r.Updated), string(doc))
		return err
	})
	if err != nil {
		return fmt.Errorf("keep rotation %q: %w", r.Key, err)
	}
	return nil
}

// Rotation returns a rotation by its key; ok is false where there is none.
func (s *Store) Rotation(ctx context.Context, key string) (r Rotation, ok bool, err error) {
	err = s.db.read(ctx, func(q queries) error {
		return q.query(ctx, oneRotation, func(columns func(...any) error) error {
			ok = true
			r, err = scanRotation(columns)
			return err
		}, clean(key))
	})
	if err != nil {
		return Rotation{}, false, fmt.Errorf("look up rotation %q: %w", key, err)
	}
	return r, ok, nil
}

// Rotations lists rotations, the newest first: of a repository, or of all where it is
// "", in one of the states, or in any where there is none.
func (s *Store) Rotations(ctx context.Context, repository string, states ...string) ([]Rotation, error) {
	var all []Rotation
	err := s.db.read(ctx, func(q queries) error {
		return q.query(ctx, listRotations, func(columns func(...any) error) error {
			r, err := scanRotation(columns)
			all = append(all, r)
			return err
		}, clean(repository), append([]string{}, states...), len(states) == 0)
	})
	if err != nil {
		return nil, fmt.Errorf("list rotations: %w", err)
	}
	return all, nil
}

func scanRotation(columns func(...any) error) (Rotation, error) {
	var r Rotation
	var created, updated int64
	var doc string
	if err := columns(&created, &updated, &doc); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(doc), &r); err != nil {
		return r, err
	}
	r.Created, r.Updated = fromMicros(created), fromMicros(updated)
	return r, nil
}

var (
	saveRotation = statement{both: `
		INSERT INTO sealward_rotation (key, repo, state, created, updated, doc) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (key) DO UPDATE SET repo = excluded.repo, state = excluded.state, updated = excluded.updated, doc = excluded.doc`}
	oneRotation   = statement{both: `SELECT created, updated, doc FROM sealward_rotation WHERE key = $1`}
	listRotations = statement{
		sqlite: `SELECT created, updated, doc FROM sealward_rotation
			WHERE ($1 = '' OR repo = $1) AND ($3 OR state IN (SELECT value FROM json_each($2))) ORDER BY created DESC, key`,
		postgres: `SELECT created, updated, doc FROM sealward_rotation
			WHERE ($1::text = '' OR repo = $1) AND ($3 OR state = ANY($2)) ORDER BY created DESC, key`,
	}
)
