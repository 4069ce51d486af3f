package leak

import (
	"slices"
	"strings"
)

// isFillIn knows what stands for a password even where nothing but one can stand,
// and where a plain word is one: templates, references, and what asks to be replaced.
func isFillIn(v string) bool {
	v = unquote(strings.TrimSpace(v))
	lower := strings.ToLower(v)
	return v == "" || isTemplate(v) || isReference(v) || isSealed(v) || isPublic(v) || isLegend(v) || noPasswords[lower] || monotonous(lower) && len(v) > 2 && len(v) < 24 ||
		len(v) <= 100 && slices.ContainsFunc(fillIns, func(part string) bool { return strings.Contains(lower, part) })
}

// isLegend knows a name in capitals that says what goes in its place: PASSWORD.
func isLegend(v string) bool {
	return v == strings.ToUpper(v) && isExampleWord(strings.ToLower(v)) && featuresOf(v).digits == 0
}

// noPasswords are answers to whether there is a password, or where it comes from.
var noPasswords = wordSet(`true false yes no on off none null nil undefined prompt ask never always auto`)

// fillIns are the parts of exampleParts that ask for something else in their place.
var fillIns = []string{
	"changeme", "change_me", "change-me", "change me", "changeit", "change-this", "change_this", "changethis", "replaceme", "replace_", "replace-", "replace with",
	"your_", "your-", "your ", "yourpass", "yoursecret", "yourtoken", "insert_", "insert-", "fill_in", "fill-in", "fillme", "enter_your", "enter-your",
	"example", "placeholder", "redacted", "dummy", "todo", "fixme", "xxxx", "****", "...", "…", "sample", "-here", "_here", "set_me", "set-me", "setme", "foobar",
}

// defaultOf returns what a template takes where nobody has set the variable, which
// is in the file for everybody to read: ${NAME:default}, ${NAME:-default}.
func defaultOf(v string) (string, bool) {
	inner, ok := cut(v, "${", "}")
	name, fallback, colon := strings.Cut(inner, ":")
	if !ok || !colon || name == "" || strings.ContainsAny(name, "{$( ") || strings.ContainsAny(fallback, "{$") {
		return "", false
	}
	fallback = unquote(strings.TrimLeft(fallback, "-="))
	return fallback, len(fallback) >= 6 && fallback[0] != '?' && fallback[0] != '+'
}
