package github

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/sealward/sealward/internal/repo"
)

// patch is the diff of one file as GitHub shows it: hunks and no header. It holds
// every old and every new line that differs, so that one version of the file and
// the patch give the other, exactly.
type patch []hunk

type hunk struct {
	old, new int // the first line, from 1; where a side has no lines, the line before it
	lines    []patchLine
}

type patchLine struct {
	op   byte // ' ', '+' or '-'
	text string
}

// parsePatch reads a patch. It reports false for what is none.
func parsePatch(text string) (patch, bool) {
	var p patch
	for text != "" {
		line, rest, more := strings.Cut(text, "\n")
		text = rest
		switch {
		case strings.HasPrefix(line, "@@ "):
			h, ok := parseHunkHead(line)
			if !ok {
				return nil, false
			}
			p = append(p, h)
		case len(p) == 0 || line == "":
			return nil, false
		case line[0] == '\\': // "\ No newline at end of file": the line before it ends without one
			h := &p[len(p)-1]
			if len(h.lines) == 0 {
				return nil, false
			}
			last := &h.lines[len(h.lines)-1]
			last.text = strings.TrimSuffix(last.text, "\n")
		case line[0] == ' ' || line[0] == '+' || line[0] == '-':
			h := &p[len(p)-1]
			h.lines = append(h.lines, patchLine{line[0], line[1:] + "\n"})
		default:
			return nil, false
		}
		if !more {
			break
		}
	}
	return p, len(p) > 0
}

// parseHunkHead reads "@@ -1,2 +3,4 @@ anything".
func parseHunkHead(line string) (hunk, bool) {
	head, _, ok := strings.Cut(strings.TrimPrefix(line, "@@ "), " @@")
	from, to, both := strings.Cut(head, " ")
	if !ok || !both || !strings.HasPrefix(from, "-") || !strings.HasPrefix(to, "+") {
		return hunk{}, false
	}
	from, _, _ = strings.Cut(from[1:], ",")
	to, _, _ = strings.Cut(to[1:], ",")
	old, err1 := strconv.Atoi(from)
	new, err2 := strconv.Atoi(to)
	return hunk{old: old, new: new}, err1 == nil && err2 == nil && old >= 0 && new >= 0
}

// forward makes the new version of the old one.
func (p patch) forward(old []byte) ([]byte, bool) {
	return p.apply(old, '-', '+', func(h hunk) int { return h.old })
}

// reverse makes the old version of the new one.
func (p patch) reverse(new []byte) ([]byte, bool) {
	return p.apply(new, '+', '-', func(h hunk) int { return h.new })
}

// apply replaces the lines that a version has (marked gone) by those of the other
// (marked come). It reports false where the version is not the one of the patch.
func (p patch) apply(data []byte, gone, come byte, start func(hunk) int) ([]byte, bool) {
	var out bytes.Buffer
	at := 1 // the line that data begins with
	for _, h := range p {
		first := start(h)
		if !h.has(gone) {
			first++ // the hunk stands behind that line
		}
		for at < first {
			line := nextLine(data)
			if len(line) == 0 {
				return nil, false
			}
			out.Write(line)
			data, at = data[len(line):], at+1
		}
		if at != first {
			return nil, false
		}
		for _, l := range h.lines {
			if l.op == ' ' || l.op == gone {
				line := nextLine(data)
				if string(line) != l.text {
					return nil, false
				}
				data, at = data[len(line):], at+1
			}
			if l.op == ' ' || l.op == come {
				out.WriteString(l.text)
			}
		}
	}
	out.Write(data)
	return out.Bytes(), true
}

// has says whether a side of the hunk has any lines.
func (h hunk) has(op byte) bool {
	for _, l := range h.lines {
		if l.op == op || l.op == ' ' {
			return true
		}
	}
	return false
}

// nextLine is the first line of data with its end.
func nextLine(data []byte) []byte {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return data[:i+1]
	}
	return data
}

// added are the runs of new lines, by their numbers in the new version.
func (p patch) added() []repo.Lines {
	var runs []repo.Lines
	for _, h := range p {
		at := h.new
		if !h.has('+') {
			continue // it stands behind that line and adds none
		}
		for _, l := range h.lines {
			switch l.op {
			case '+':
				if n := len(runs); n > 0 && runs[n-1].Last == at-1 {
					runs[n-1].Last = at
				} else {
					runs = append(runs, repo.Lines{First: at, Last: at})
				}
				at++
			case ' ':
				at++
			}
		}
	}
	return runs
}

// allLines is the run of all lines of data, or none of an empty one.
func allLines(data []byte) []repo.Lines {
	n := bytes.Count(data, []byte("\n"))
	if len(data) > 0 && data[len(data)-1] != '\n' {
		n++
	}
	if n == 0 {
		return nil
	}
	return []repo.Lines{{First: 1, Last: n}}
}
