package page

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// state is how a rotation's state reads: a shape and a word, so that no meaning hangs on
// a colour.
type state struct {
	name, shape, word, class string
	under                    bool // it goes on
	waits                    string
}

const underWay = "under-way"

// states are all states, in the order of a rotation's life.
var states = [...]state{
	{"begun", "◔", "begun", "go", true, "the bot, which is at work on it"},
	{"planned", "◇", "planned", "go", true, "a person to force it by a comment"},
	{"open", "◑", "open", "go", true, "a person to merge the pull request"},
	{"merged", "◕", "merged", "go", true, "the new files to be applied; then the old key is retired"},
	{"retired", "●", "done", "ok", false, ""},
	{"nothing", "○", "nothing to do", "dim", false, ""},
	{"closed", "✕", "closed", "dim", false, ""},
	{"refused", "⊘", "refused", "bad", false, ""},
	{"failed", "▲", "failed", "bad", false, ""},
}

func known(name string) bool {
	for _, s := range states {
		if s.name == name {
			return true
		}
	}
	return false
}

// stateOf never fails: a state that is not known here is shown by its name.
func stateOf(name string) state {
	for _, s := range states {
		if s.name == name {
			return s
		}
	}
	return state{name: name, shape: "?", word: text(name, 40), class: "dim"}
}

// clean makes untrusted text safe to look at: what a browser would not show, direction
// overrides among it, stands as an escape. The template escapes what is HTML.
func clean(s string) string {
	hidden := func(r rune) bool {
		return r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
	}
	if strings.IndexFunc(s, hidden) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\n' || r == '\t':
			b.WriteByte(' ')
		case hidden(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// clip cuts text after so many characters.
func clip(s string, most int) string {
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// text is untrusted text of any length as it is shown.
func text(s string, most int) string { return clip(clean(s), most) }

// short is a recipient as people tell it from others: its beginning and its end.
func short(recipient string) string {
	r := []rune(clean(recipient))
	if len(r) <= 18 {
		return string(r)
	}
	return string(r[:9]) + "…" + string(r[len(r)-6:])
}

// link lets only links to the web through.
func link(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return u.String()
}

// moment is a time as it is shown: how long ago, with the time itself.
type moment struct{ Ago, Full, ISO string }

func (v View) moment(t time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	m := moment{Full: t.UTC().Format("2006-01-02 15:04 MST"), ISO: t.UTC().Format(time.RFC3339)}
	if t.After(v.Now.Add(time.Minute)) {
		m.Ago = "in " + span(t.Sub(v.Now))
	} else {
		m.Ago = span(v.Now.Sub(t)) + " ago"
	}
	return m
}

// span is a duration in the one unit that matters.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	for _, u := range []struct {
		unit, until time.Duration
		name        string
	}{
		{time.Second, 90 * time.Second, "s"}, {time.Minute, 90 * time.Minute, "min"}, {time.Hour, 48 * time.Hour, "h"},
		{day, 60 * day, "days"}, {30 * day, 720 * day, "months"},
	} {
		if d < u.until {
			return fmt.Sprintf("%d %s", max(0, d)/u.unit, u.name)
		}
	}
	return fmt.Sprintf("%d years", d/(365*day))
}

// count is a number with its noun.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
