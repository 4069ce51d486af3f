package bot

import (
	"context"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
)

// The waits for the pace of one write. A pull request is several writes a second apart,
// and a job that was put off between two of them would begin with the first again: so
// short waits are made on the spot. Any longer one puts the job off.
const (
	shortWait = 3 * time.Second
	allWaits  = 30 * time.Second
)

// Admit keeps the pace that all processes share: it is for [github.Options].Admit.
func Admit(s *store.Store) func(context.Context, github.Call) error {
	return func(ctx context.Context, c github.Call) error {
		if c.Installation == 0 {
			return nil
		}
		end := time.Now().Add(allWaits)
		for {
			until, err := s.Pace(ctx, c.Installation, creates(c.Op))
			if err != nil {
				return err
			}
			if until.IsZero() {
				return nil
			}
			wait := time.Until(until)
			if wait > shortWait || until.After(end) {
				return &github.LimitError{Op: c.Op, Kind: github.Secondary, Until: until}
			}
			timer := time.NewTimer(wait)
			select {
			case <-ctx.Done():
				timer.Stop()
				return context.Cause(ctx)
			case <-timer.C:
			}
		}
	}
}

// creates says whether an operation makes something that GitHub counts as content.
func creates(op string) bool {
	group, name, _ := strings.Cut(op, "/")
	return strings.HasPrefix(name, "create") && group != "reactions"
}
