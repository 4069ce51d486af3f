package repo

import (
	"bytes"
	"context"
	"strconv"
	"strings"
	"time"
)

// LineTimes tells when each line of a file came into a commit's history, lines
// counted from 1. The committer's time is taken.
func (g *Git) LineTimes(ctx context.Context, commit, path string) (map[int]time.Time, error) {
	out, err := g.run(ctx, nil, "blame", "--porcelain", "--no-textconv", commit, "--", path)
	if err != nil {
		return nil, err
	}
	times := map[string]time.Time{}
	lines := map[int]string{}
	at := ""
	for raw := range bytes.Lines(out) {
		if raw[0] == '\t' {
			continue // the line itself
		}
		f := strings.Fields(string(raw))
		switch {
		case len(f) >= 3 && len(f[0]) >= 40:
			at = f[0]
			if n, err := strconv.Atoi(f[2]); err == nil {
				lines[n] = at
			}
		case len(f) == 2 && f[0] == "committer-time":
			if sec, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				times[at] = time.Unix(sec, 0).UTC()
			}
		}
	}
	result := make(map[int]time.Time, len(lines))
	for n, id := range lines {
		result[n] = times[id]
	}
	return result, nil
}
