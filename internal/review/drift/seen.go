package drift

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxSeen bounds the hidden list of what was seen when, in bytes: a thousand keys.
const maxSeen = 4800

// seenMark is the hidden list: a day, and the ids of the keys that drift since then.
var seenMark = regexp.MustCompile(`(?m)^<!-- sealward:seen ((?:\d{4}-\d\d-\d\d=[A-Za-z0-9+/]+ )*)-->$`)

// Recall dates what drifts by an earlier rendering of this report in Markdown: a key
// that drifted then does so since the day that was noted, and any other since Now. It is
// for where Git's history is not at hand. An earlier text that is not ours, or that
// somebody has edited, dates nothing.
func (r *Report) Recall(earlier string) {
	r.Seen = true
	known := map[string]time.Time{}
	if m := seenMark.FindStringSubmatch(strings.ReplaceAll(earlier, "\r\n", "\n")); m != nil {
		for field := range strings.FieldsSeq(m[1]) {
			day, ids, _ := strings.Cut(field, "=")
			at, err := time.Parse(time.DateOnly, day)
			if err != nil || at.After(r.Now) {
				continue
			}
			for ; len(ids) >= idLen; ids = ids[idLen:] {
				known[ids[:idLen]] = at
			}
		}
	}
	for i := range r.Units {
		u := &r.Units[i]
		for j := range u.Rows {
			row := &u.Rows[j]
			if !row.Drift {
				continue
			}
			at, ok := known[seenID(u, row)]
			if !ok {
				at = r.Now.UTC().Truncate(24 * time.Hour)
			}
			row.Since = at
		}
	}
}

// idLen is the length of an id, in characters: 24 bits, of which two are alike in a
// thousand keys about once in thirty reports, and then one of them has a wrong day.
const idLen = 4

// seenID names a key of a unit. It is of names alone.
func seenID(u *Unit, row *Row) string {
	sum := sha256.Sum256([]byte(u.Name + "\x00" + row.Key))
	return base64.RawStdEncoding.EncodeToString(sum[:3])
}

// seen is the hidden list, the oldest first: of what does not fit the newest is forgotten.
func seen(r *Report) string {
	if !r.Seen {
		return ""
	}
	days := map[string][]string{}
	for i := range r.Units {
		for j := range r.Units[i].Rows {
			if row := &r.Units[i].Rows[j]; row.Drift && !row.Since.IsZero() {
				day := row.Since.Format(time.DateOnly)
				days[day] = append(days[day], seenID(&r.Units[i], row))
			}
		}
	}
	var order []string
	for day := range days {
		order = append(order, day)
	}
	slices.Sort(order)
	var b strings.Builder
	for _, day := range order {
		room := (maxSeen - b.Len() - len(day) - 2) / idLen
		if room <= 0 {
			break
		}
		ids := days[day]
		slices.Sort(ids)
		b.WriteString(day + "=" + strings.Join(ids[:min(len(ids), room)], "") + " ")
	}
	return "\n<!-- sealward:seen " + b.String() + "-->"
}
