package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// isTerminal reports whether w is one, as opposed to a file or a pipe.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && info.Mode()&os.ModeDevice != 0
}

// bold makes a heading stand out on a terminal; see https://no-color.org.
func (a *app) bold(s string) string {
	if !isTerminal(a.stdout) || a.getenv("NO_COLOR") != "" || a.getenv("TERM") == "dumb" {
		return s
	}
	return "\x1b[1m" + s + "\x1b[0m"
}

// progress shows how far the work is, on a terminal and only where it takes long.
type progress struct {
	w           io.Writer
	start, last time.Time
	shown       bool
}

const (
	progressAfter = 300 * time.Millisecond
	progressEvery = 100 * time.Millisecond
)

func (a *app) newProgress() *progress {
	if !isTerminal(a.stderr) || a.getenv("TERM") == "dumb" {
		return &progress{w: io.Discard}
	}
	return &progress{w: a.stderr, start: time.Now()}
}

func (p *progress) update(done, total int) {
	now := time.Now()
	if p.w == io.Discard || now.Sub(p.start) < progressAfter || now.Sub(p.last) < progressEvery {
		return
	}
	p.last, p.shown = now, true
	fmt.Fprintf(p.w, "\rsealing %d of %d files\x1b[K", done, total)
}

// clear takes the line away again.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.shown = false
}

// plural writes "1 file" or "2 files".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
