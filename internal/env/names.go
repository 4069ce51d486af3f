package env

import "strings"

// Canonical is the name that an environment goes by: production is prod. A name that
// the dictionary does not have stays as it is.
func Canonical(name string) string {
	if w, ok := lookup(name); ok {
		return w.env
	}
	return name
}

// Known reports whether the dictionary has the name.
func Known(name string) bool {
	_, ok := lookup(name)
	return ok
}

// Neutral replaces the tokens of a name that tell an environment by "*", so that
// app-prod and app-dev are one name.
func Neutral(name string) string {
	var b strings.Builder
	at := 0
	for t := range tokens(name, 0) {
		if w, ok := lookup(base(name[t.start:t.end])); ok && w.weight > weak {
			b.WriteString(name[at:t.start])
			b.WriteByte('*')
			at = t.end
		}
	}
	b.WriteString(name[at:])
	return b.String()
}
