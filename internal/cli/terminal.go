package cli

import (
	"fmt"
	"io"
	"os"
	"time"
)

// IsTerminal reports whether w is one, as opposed to a file or a pipe.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && info.Mode()&os.ModeDevice != 0
}

// Colour reports whether text to w may be coloured; see https://no-color.org.
func Colour(w io.Writer, getenv func(string) string) bool {
	return IsTerminal(w) && getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}

// Progress shows how far the work is, on a terminal and only where it takes long.
type Progress struct {
	w           io.Writer // nil shows nothing
	doing       string
	start, last time.Time
	shown       bool
}

const (
	progressAfter = 500 * time.Millisecond
	progressEvery = 100 * time.Millisecond
)

// NewProgress shows on w, where that is a terminal, what is being done to files:
// "reviewing".
func NewProgress(w io.Writer, getenv func(string) string, doing string) *Progress {
	p := &Progress{doing: doing, start: time.Now()}
	if IsTerminal(w) && getenv("TERM") != "dumb" {
		p.w = w
	}
	return p
}

// Update says how many files are done.
func (p *Progress) Update(done, total int) {
	now := time.Now()
	if p.w == nil || now.Sub(p.start) < progressAfter || now.Sub(p.last) < progressEvery {
		return
	}
	p.last, p.shown = now, true
	fmt.Fprintf(p.w, "\r%s %d of %d files\x1b[K", p.doing, done, total)
}

// Clear takes the line away again.
func (p *Progress) Clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
	p.shown = false
}
