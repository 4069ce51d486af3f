package main

import (
	"strings"
	"testing"
	"time"
)

// The soak itself, small: what it checks in 200 rotations must hold in six.
func TestRotationsOutliveKills(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the bot and kills it")
	}
	sops, err := findSOPS("")
	if err != nil {
		t.Skip(err)
	}
	var out strings.Builder
	code, err := run(t.Context(), settings{
		store: "sqlite", dir: t.TempDir(), sops: sops, rotations: 6, kills: 5, every: 1500 * time.Millisecond, latency: 2 * time.Millisecond,
		limits: 0.03, lost: 0.05, doubled: 0.1, stubborn: true, patience: time.Minute, keep: true, seed: 7,
	}, &out)
	if code != 0 || err != nil {
		t.Fatalf("exit %d: %v\n%s", code, err, out.String())
	}
	t.Log("\n" + out.String())
}
