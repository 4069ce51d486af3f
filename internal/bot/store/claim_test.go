package store

import (
	"context"
	"fmt"
	"sync"
	"testing"
)

func TestTheFirstClaimHolds(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		s := h.open(t)
		holders := make([]string, 8)
		var wg sync.WaitGroup
		for i := range holders {
			wg.Go(func() {
				var err error
				if holders[i], err = s.Claim(context.Background(), "file:///keys/a", fmt.Sprintf("owner-%d", i)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, holder := range holders {
			if holder == "" || holder != holders[0] {
				t.Fatalf("holders: %q", holders)
			}
		}
		if other, err := s.Claim(context.Background(), "file:///keys/b", "another"); err != nil || other != "another" {
			t.Error(other, err)
		}
	})
}
