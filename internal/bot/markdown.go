package bot

import (
	"regexp"
	"slices"
	"strings"
)

// spoken returns the lines of a comment that its writer says in their own words: quotes,
// code and what is hidden are left out. A line that stands right below a quote is part of
// it to Markdown, though it may not have been meant so: doubtful says it of those.
//
// It errs on the side of silence: whatever might be code is code. The time it takes grows
// with the text and no faster, for anybody may write a comment.
func spoken(body string) (lines []spokenLine) {
	s := &scanner{text: strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n"), last: map[string]int{}}
	s.lower = lowered(s.text)
	for at := 0; at <= len(s.text); {
		end := at + len(s.text[at:])
		if i := strings.IndexByte(s.text[at:], '\n'); i >= 0 {
			end = at + i
		}
		s.lines = append(s.lines, extent{at, end})
		at = end + 1
	}
	for i := range s.lines {
		if s.takes(i) {
			lines = append(lines, spokenLine{s.line(i), s.quoted})
		}
		s.after(i)
	}
	return lines
}

type spokenLine struct {
	text     string
	doubtful bool
}

// extent is a part of the text, in bytes.
type extent struct{ start, end int }

// scanner is where in a comment's Markdown a line stands.
type scanner struct {
	text, lower string // lower has ASCII in small letters, and the same offsets
	lines       []extent

	fence  string // the open fence's run of ` or ~, "" outside
	until  string // what ends the open element of HTML, "" outside
	quoted bool   // the paragraph that a line would go on with stands in a quote
	code   int    // the length of the run of backticks that ends the open code span, 0 outside

	last map[string]int // where an end of HTML stands last
	upto int            // runs is of the paragraph that ends before this line
	runs map[int]int    // where a run of backticks of a length begins last
}

var (
	listItem  = regexp.MustCompile(`^ {0,3}([-*+]|\d{1,9}[.)])[ \t]+`)
	fenceLine = regexp.MustCompile("^[ \t]*(`{3,}|~{3,})(.*)$")
	breakLine = regexp.MustCompile(`^ {0,3}(#{1,6}([ \t]|$)|([-*_])[ \t]*(?:[-*_][ \t]*){2,}$)`)
	// hidesText opens an element whose text is not the writer's words.
	hidesText = regexp.MustCompile(`<(pre|code|script|style|textarea|blockquote|samp|kbd)\b|<!--|<\?|<!\[cdata\[`)
)

// hidesAll are the elements that, at the start of a line, last to the end of the text
// where they are not closed.
var hidesAll = [...]string{"pre", "script", "style", "textarea"}

func lowered(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func (s *scanner) line(i int) string { return s.text[s.lines[i].start:s.lines[i].end] }

// first is the first byte of a line that is no blank, and how many stand before it.
func first(line string) (c byte, blanks int) {
	t := strings.TrimLeft(line, " \t")
	if t == "" {
		return 0, len(line)
	}
	return t[0], len(line) - len(t)
}

// quotes says whether a line is in a quote by its own marker.
func quotes(line string) bool {
	c, blanks := first(line)
	return c == '>' && blanks <= 3
}

// unlisted is a line without the marker of a list's item. The expressions below are slow,
// so they see only lines that begin right.
func unlisted(line string) string {
	if c, _ := first(line); c == '-' || c == '*' || c == '+' || c >= '0' && c <= '9' {
		return listItem.ReplaceAllString(line, "")
	}
	return line
}

// breaks says whether a line is a heading or a rule across the page.
func breaks(line string) bool {
	c, _ := first(line)
	return strings.IndexByte("#-*_", c) >= 0 && breakLine.MatchString(line)
}

// takes says whether a line is the writer's own.
func (s *scanner) takes(i int) bool {
	line := s.line(i)
	return s.fence == "" && s.until == "" && s.code == 0 && !strings.HasPrefix(line, "    ") && !strings.HasPrefix(line, "\t") && !quotes(line)
}

// after moves past a line.
func (s *scanner) after(i int) {
	line, at := s.line(i), s.lines[i].start
	switch {
	case s.fence != "":
		if m := fenceLine.FindStringSubmatch(line); m != nil && m[1][0] == s.fence[0] && len(m[1]) >= len(s.fence) && strings.TrimSpace(m[2]) == "" {
			s.fence = ""
		}
		return
	case s.until != "":
		end := strings.Index(s.lower[at:s.lines[i].end], s.until)
		if end < 0 {
			return
		}
		at += end + len(s.until)
		s.until = ""
	case strings.TrimSpace(line) == "":
		s.quoted, s.code = false, 0
		return
	case quotes(line):
		// Inside the quote, only whether a paragraph is left open matters.
		s.quoted, s.code = strings.TrimLeft(line, " >\t") != "", 0
		return
	default:
		content := unlisted(line)
		if run := fenceOf(content); run != "" && s.code == 0 {
			s.fence, s.quoted = run, false
			return
		}
		if content != line || breaks(line) {
			s.quoted, s.code = false, 0
		}
		at = s.lines[i].end - len(content)
	}
	s.inline(i, at)
}

// fenceOf is the run that opens a fence, or "".
func fenceOf(line string) string {
	if c, _ := first(line); c != '`' && c != '~' {
		return ""
	}
	m := fenceLine.FindStringSubmatch(line)
	if m == nil || m[1][0] == '`' && strings.Contains(m[2], "`") {
		return ""
	}
	return m[1]
}

// inline looks for what a line opens from at on, and does not close: code and HTML.
func (s *scanner) inline(i, at int) {
	end := s.lines[i].end
	tick, html := -1, []int(nil)
	for at < end {
		if s.code > 0 {
			next := s.runOf(s.code, at, end)
			if next < 0 {
				return
			}
			at, s.code = next+s.code, 0
			continue
		}
		if tick < at {
			tick = seek(s.text, '`', at, end)
		}
		if html == nil || html[0] < at {
			html = s.look(at, end)
		}
		switch {
		case html[0] < tick:
			if at = s.element(i, html); at < 0 {
				return
			}
		case tick == end:
			return
		default:
			n := runLength(s.text[tick:end])
			if escaped := tick > at && s.text[tick-1] == '\\'; !escaped && s.closes(i, n, tick) {
				s.code = n
			}
			at = tick + n
		}
	}
}

// look finds the next element that hides its text; it begins at end where there is none.
func (s *scanner) look(at, end int) []int {
	m := hidesText.FindStringSubmatchIndex(s.lower[at:end])
	if m == nil {
		return []int{end, end, -1, -1}
	}
	for j := range m {
		if m[j] >= 0 {
			m[j] += at
		}
	}
	return m
}

// element opens what m found, and returns where the line goes on, or -1 where the element
// does not end in it.
func (s *scanner) element(i int, m []int) int {
	end, all := s.ending(i, m)
	if _, known := s.last[end]; !known {
		s.last[end] = strings.LastIndex(s.lower, end)
	}
	if !all && s.last[end] < m[1] {
		return m[1] // it never ends: it is text
	}
	n := strings.Index(s.lower[m[1]:s.lines[i].end], end)
	if n < 0 {
		s.until = end
		return -1
	}
	return m[1] + n + len(end)
}

// ending is what ends an element; all says that it hides the rest of the text without it.
func (s *scanner) ending(i int, m []int) (end string, all bool) {
	if m[2] >= 0 {
		name, before := s.lower[m[2]:m[3]], s.text[s.lines[i].start:m[0]]
		return "</" + name, len(before) <= 3 && strings.TrimSpace(before) == "" && slices.Contains(hidesAll[:], name)
	}
	switch s.lower[m[0]:m[1]] {
	case "<!--":
		return "-->", true
	case "<?":
		return "?>", false
	}
	return "]]>", false
}

// closes says whether a run of n backticks that begins at a place ends in its paragraph.
// One that never ends is no code.
func (s *scanner) closes(i, n, at int) bool {
	if i >= s.upto {
		s.paragraph(i)
	}
	return s.runs[n] > at
}

// paragraph notes the runs of backticks from a line to the end of its paragraph.
func (s *scanner) paragraph(i int) {
	s.runs = map[int]int{}
	for j := i; j < len(s.lines); j++ {
		line := s.line(j)
		if j > i && (strings.TrimSpace(line) == "" || quotes(line) || unlisted(line) != line || breaks(line) || fenceOf(line) != "") {
			s.upto = j
			return
		}
		for at, end := s.lines[j].start, s.lines[j].end; ; {
			at = seek(s.text, '`', at, end)
			if at == end {
				break
			}
			n := runLength(s.text[at:end])
			s.runs[n] = at
			at += n
		}
	}
	s.upto = len(s.lines)
}

// runOf finds a run of exactly n backticks, or returns -1.
func (s *scanner) runOf(n, at, end int) int {
	for {
		at = seek(s.text, '`', at, end)
		if at == end {
			return -1
		}
		got := runLength(s.text[at:end])
		if got == n {
			return at
		}
		at += got
	}
}

// seek is where a byte stands next, or end.
func seek(s string, c byte, at, end int) int {
	if i := strings.IndexByte(s[at:end], c); i >= 0 {
		return at + i
	}
	return end
}

func runLength(s string) int { return len(s) - len(strings.TrimLeft(s, "`")) }
