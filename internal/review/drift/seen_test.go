package drift

import (
	"strings"
	"testing"
	"time"
)

// A key keeps the day on which it was first seen, in whatever order and company it
// comes again; one that is new has the day of the report.
func TestRecall(t *testing.T) {
	first := grown(30, 3)
	first.Recall("")
	body := text(t, Markdown, first)
	later := grown(40, 3)
	later.Now = now.AddDate(0, 0, 9)
	later.Recall(strings.ReplaceAll(body, "\n", "\r\n"))
	for i, row := range later.Units[0].Rows {
		want := now
		if i >= 30 {
			want = later.Now
		}
		if got := row.Since.Format(time.DateOnly); row.Drift && got != want.UTC().Format(time.DateOnly) {
			t.Errorf("%s: %s, want %s", row.Key, got, want)
		}
	}
	third := grown(40, 3)
	third.Now = now.AddDate(0, 0, 20)
	third.Recall(text(t, Markdown, later))
	if got, want := third.Units[0].Rows[0].Since, later.Units[0].Rows[0].Since; !got.Equal(want) {
		t.Errorf("the third report says %s, want %s", got, want)
	}
}

// What is remembered leaves the body within its bound, and nothing that somebody
// writes into it does harm.
func TestRecallIsBounded(t *testing.T) {
	r := grown(3000, 6)
	r.Recall("")
	body := text(t, Markdown, r)
	if len(body) > markdownBudget || !strings.Contains(body, "sealward:seen "+now.UTC().Format(time.DateOnly)+"=") {
		t.Errorf("%d bytes", len(body))
	}
	for _, earlier := range []string{
		"<!-- sealward:seen 9999-01-01=AAAA -->", "<!-- sealward:seen 2020-99-99=AAAA -->", "<!-- sealward:seen 2020-01-01=A -->", "<!-- sealward:seen 2020-01-01= -->",
		"<!-- sealward:seen " + strings.Repeat("2020-01-01=AAAA ", 100_000) + "-->", "<!-- sealward:seen -->",
	} {
		r := grown(3, 3)
		r.Recall(earlier)
		if got := r.Units[0].Rows[0].Since; got.IsZero() || got.After(r.Now) {
			t.Errorf("%.60q dates %s", earlier, got)
		}
	}
}
