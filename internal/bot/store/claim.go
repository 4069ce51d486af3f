package store

import (
	"context"
	"fmt"
)

// Claim gives a thing to who asks for it first, and for good: it returns the holder.
func (s *Store) Claim(ctx context.Context, thing, holder string) (string, error) {
	thing, holder = clean(thing), clean(holder)
	err := s.db.write(ctx, func(q queries) error {
		if _, err := q.exec(ctx, makeClaim, thing, holder, micros(s.now())); err != nil {
			return err
		}
		_, err := one(ctx, q, readClaim, []any{thing}, &holder)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("claim %q: %w", thing, err)
	}
	return holder, nil
}

var (
	makeClaim = statement{both: `INSERT INTO sealward_claim (thing, holder, since) VALUES ($1, $2, $3) ON CONFLICT (thing) DO NOTHING`}
	readClaim = statement{both: `SELECT holder FROM sealward_claim WHERE thing = $1`}
)
