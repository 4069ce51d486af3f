package bot

import (
	"regexp"
	"strings"
)

// spoken returns the lines of a comment that its writer says in their own words: quotes,
// code and what is hidden are left out. A line that stands right below a quote is part of
// it to Markdown, though it may not have been meant so: doubtful says it of those.
//
// It errs on the side of silence: whatever might be code is code.
func spoken(body string) (lines []spokenLine) {
	s := &scanner{}
	all := strings.Split(strings.ReplaceAll(strings.ReplaceAll(body, "\r\n", "\n"), "\r", "\n"), "\n")
	for i, line := range all {
		if s.takes(line) {
			lines = append(lines, spokenLine{line, s.quote != none})
		}
		s.after(line, all[i+1:])
	}
	return lines
}

type spokenLine struct {
	text     string
	doubtful bool
}

// lazy is whether the paragraph that a line would continue stands in a quote.
type lazy bool

const none lazy = false

// scanner is where in a comment's Markdown a line stands.
type scanner struct {
	fence string // the open fence's run of ` or ~, "" outside
	until string // what ends the open block of HTML, "" outside
	quote lazy
	code  string // the run of backticks that an open code span in this paragraph ends with
}

var (
	quoteLine = regexp.MustCompile(`^ {0,3}>`)
	listItem  = regexp.MustCompile(`^ {0,3}([-*+]|\d{1,9}[.)])[ \t]+`)
	fenceLine = regexp.MustCompile("^[ \t]*(`{3,}|~{3,})(.*)$")
	// hidesText opens an element whose text is not the writer's words.
	hidesText = regexp.MustCompile(`(?i)<(pre|code|script|style|textarea|blockquote|samp|kbd)\b|<!--|<\?|<!\[CDATA\[`)
	// hidesAll opens what lasts to the end of the text where it is not closed.
	hidesAll = regexp.MustCompile(`(?i)^ {0,3}<(pre|script|style|textarea)\b|<!--$`)
	breaks   = regexp.MustCompile(`^ {0,3}(#{1,6}([ \t]|$)|([-*_])[ \t]*(?:[-*_][ \t]*){2,}$)`)
)

// takes says whether a line is the writer's own.
func (s *scanner) takes(line string) bool {
	return s.fence == "" && s.until == "" && s.code == "" && !quoteLine.MatchString(line) && !strings.HasPrefix(line, "    ") && !strings.HasPrefix(line, "\t")
}

// after moves past a line; rest are those behind it.
func (s *scanner) after(line string, rest []string) {
	switch {
	case s.fence != "":
		if m := fenceLine.FindStringSubmatch(line); m != nil && m[1][0] == s.fence[0] && len(m[1]) >= len(s.fence) && strings.TrimSpace(m[2]) == "" {
			s.fence = ""
		}
		return
	case s.until != "":
		s.closeHTML(line)
		return
	case strings.TrimSpace(line) == "":
		s.quote, s.code = none, ""
		return
	case quoteLine.MatchString(line):
		// Inside the quote, only whether a paragraph is left open matters.
		s.quote, s.code = strings.TrimLeft(line, " >\t") != "", ""
		return
	}
	content := listItem.ReplaceAllString(line, "")
	if m := fenceLine.FindStringSubmatch(content); s.code == "" && m != nil && (m[1][0] == '~' || !strings.Contains(m[2], "`")) {
		s.fence, s.quote = m[1], none
		return
	}
	if content != line || breaks.MatchString(line) {
		s.quote, s.code = none, ""
	}
	s.inline(content, rest)
}

// inline looks for what a line opens and does not close: code spans and HTML.
func (s *scanner) inline(line string, rest []string) {
	for line != "" {
		if s.code != "" {
			_, after, ok := cutRun(line, s.code)
			if !ok {
				return
			}
			s.code, line = "", after
			continue
		}
		tick := strings.IndexByte(line, '`')
		html := hidesText.FindStringSubmatchIndex(line)
		if html != nil && (tick < 0 || html[0] < tick) {
			s.until = htmlEnd(line, html)
			opens := hidesAll.MatchString(line[:html[1]])
			line = line[html[1]:]
			if !opens && !s.endsIn(line, rest) {
				s.until = "" // it is text
			} else if line = s.closeHTML(line); s.until != "" {
				return
			}
			continue
		}
		if tick < 0 {
			return
		}
		if tick > 0 && line[tick-1] == '\\' {
			line = line[tick+1:]
			continue
		}
		run := line[tick : tick+runLength(line[tick:])]
		line = line[tick+len(run):]
		if _, _, ok := cutRun(line, run); ok || closedLater(rest, run) {
			s.code = run
		}
	}
}

// closedLater says whether a run of backticks ends in the lines that follow, before the
// paragraph does. One that never ends is no code.
func closedLater(rest []string, run string) bool {
	for _, line := range rest {
		if strings.TrimSpace(line) == "" || quoteLine.MatchString(line) || listItem.MatchString(line) || breaks.MatchString(line) {
			return false
		}
		if m := fenceLine.FindStringSubmatch(line); m != nil && (m[1][0] == '~' || !strings.Contains(m[2], "`")) {
			return false
		}
		if _, _, ok := cutRun(line, run); ok {
			return true
		}
	}
	return false
}

func runLength(s string) int { return len(s) - len(strings.TrimLeft(s, "`")) }

// cutRun cuts around the first run of backticks that is exactly as long.
func cutRun(s, run string) (before, after string, ok bool) {
	for at := 0; ; {
		i := strings.IndexByte(s[at:], '`')
		if i < 0 {
			return s, "", false
		}
		n := runLength(s[at+i:])
		if n == len(run) {
			return s[:at+i], s[at+i+n:], true
		}
		at += i + n
	}
}

// htmlEnd is what ends the HTML that m found.
func htmlEnd(line string, m []int) string {
	switch tag := line[m[0]:m[1]]; {
	case m[2] >= 0:
		return "</" + strings.ToLower(line[m[2]:m[3]])
	case tag == "<!--":
		return "-->"
	case tag == "<?":
		return "?>"
	}
	return "]]>"
}

// endsIn says whether the open HTML ends in the line or in those that follow.
func (s *scanner) endsIn(line string, rest []string) bool {
	if strings.Contains(strings.ToLower(line), s.until) {
		return true
	}
	for _, l := range rest {
		if strings.Contains(strings.ToLower(l), s.until) {
			return true
		}
	}
	return false
}

// closeHTML ends the open HTML where a line does, and returns what follows.
func (s *scanner) closeHTML(line string) string {
	i := strings.Index(strings.ToLower(line), s.until)
	if i < 0 {
		return ""
	}
	line, s.until = line[i+len(s.until):], ""
	return line
}
