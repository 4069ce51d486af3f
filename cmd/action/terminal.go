package main

import (
	"io"
	"strconv"
	"strings"

	"github.com/sealward/sealward/internal/cli"
)

// colour reports whether text to w may be coloured.
func (a *app) colour(w io.Writer) bool { return cli.Colour(w, a.getenv) }

// width is what text to w is wrapped at: COLUMNS where it is set, else what most
// terminals show, and not at all where w is none. 0 is not at all.
func (a *app) width(w io.Writer) int {
	if n, err := strconv.Atoi(a.getenv("COLUMNS")); err == nil && n >= 40 {
		return n
	}
	if cli.IsTerminal(w) {
		return 100
	}
	return 0
}

// plural writes "1 file" or "2 files".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + strings.TrimSuffix(thing, "s") + "s"
}
