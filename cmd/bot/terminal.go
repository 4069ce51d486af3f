package main

import (
	"fmt"

	"github.com/sealward/sealward/internal/cli"
)

// bold makes a heading stand out on a terminal.
func (a *app) bold(s string) string {
	if !cli.Colour(a.stdout, a.getenv) {
		return s
	}
	return "\x1b[1m" + s + "\x1b[0m"
}

// plural writes "1 file" or "2 files".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
