package rotate

import (
	"bytes"
	"errors"
	"strings"

	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// errByHand is an edit that the file's layout leaves no safe place for.
var errByHand = errors.New("it is written in a way that is not edited here; make the change by hand")

// extent is a stretch of a file's bytes.
type extent struct{ start, end int }

func extentOf(s syntax.Span) extent { return extent{s.Start.Offset, s.End.Offset} }

// within finds the text of one recipient in a stretch that names it: a whole value,
// quoted or not, or a part of a list with commas. It may be written in another form
// than the normal one.
func within(data []byte, in extent, r sops.Recipient) (extent, bool) {
	at := in.start
	for _, part := range splitKeep(data[in.start:in.end]) {
		text := strings.Trim(part, " \t\r\n\"'")
		if text != "" {
			got, err := sops.ParseRecipient(text)
			if err == nil && got == r {
				from := at + strings.Index(part, text)
				return extent{from, from + len(text)}, true
			}
		}
		at += len(part) + 1
	}
	return extent{}, false
}

// splitKeep splits at commas and line breaks.
func splitKeep(text []byte) []string {
	var out []string
	for len(text) > 0 {
		i := bytes.IndexAny(text, ",\n")
		if i < 0 {
			return append(out, string(text))
		}
		out = append(out, string(text[:i]))
		text = text[i+1:]
	}
	return out
}

// dropPart takes a recipient out of a list with commas, with the comma that parted it;
// it is false where the recipient is all that the value holds.
func dropPart(data []byte, value, part extent) (syntax.Replace, bool) {
	before := bytes.TrimRight(data[value.start:part.start], " \t\r\n")
	if len(before) > 0 && before[len(before)-1] == ',' {
		return syntax.Replace{Start: value.start + len(before) - 1, End: part.end}, true
	}
	after := data[part.end:value.end]
	rest := bytes.TrimLeft(after, " \t\r\n")
	if len(rest) > 0 && rest[0] == ',' {
		next := bytes.TrimLeft(rest[1:], " \t\r\n")
		return syntax.Replace{Start: part.start, End: value.end - len(next)}, true
	}
	return syntax.Replace{}, false
}

// lineOf is the line that holds an offset, its line break included.
func lineOf(data []byte, offset int) extent {
	start := bytes.LastIndexByte(data[:offset], '\n') + 1
	end := len(data)
	if i := bytes.IndexByte(data[offset:], '\n'); i >= 0 {
		end = offset + i + 1
	}
	return extent{start, end}
}

// itemHead reports whether text is what stands before the element of a block list that
// has a line to itself: blanks, one dash, and perhaps an anchor.
func itemHead(text string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(text, " "), "-")
	if !ok {
		return false
	}
	rest = strings.TrimSpace(rest)
	return rest == "" || strings.HasPrefix(rest, "&") && !strings.ContainsAny(rest, " \t[]{},")
}

// dropItem takes an element of a list out, block or flow. What a comment right above
// or behind it says goes with it, unless the comment heads the whole list.
func dropItem(f *syntax.File, item extent) (syntax.Replace, error) {
	data := f.Data
	line := lineOf(data, item.start)
	if itemHead(string(data[line.start:item.start])) {
		last := lineOf(data, max(item.end-1, item.start))
		if tail := strings.TrimSpace(string(data[item.end:max(last.end, item.end)])); tail == "" || tail[0] == '#' {
			return syntax.Replace{Start: commentAbove(data, line), End: last.end}, nil
		}
		return syntax.Replace{}, errByHand
	}
	before := bytes.TrimRight(data[:anchorStart(data, item.start)], " \t\r\n")
	after := bytes.TrimLeft(data[item.end:], " \t\r\n")
	switch {
	case len(before) > 0 && before[len(before)-1] == ',' && len(after) > 0 && (after[0] == ',' || after[0] == ']'):
		return syntax.Replace{Start: len(before) - 1, End: item.end}, nil
	case len(before) > 0 && before[len(before)-1] == '[' && len(after) > 0 && after[0] == ',':
		rest := bytes.TrimLeft(after[1:], " \t\r\n")
		return syntax.Replace{Start: len(before), End: len(data) - len(rest)}, nil
	}
	return syntax.Replace{}, errByHand
}

// anchorStart is where a value with the anchor before it begins.
func anchorStart(data []byte, at int) int {
	head := bytes.TrimRight(data[:at], " \t")
	i := bytes.LastIndexByte(head, '&')
	if i < 0 || len(head) == i+1 || bytes.ContainsAny(head[i:], " \t\r\n,[]{}") {
		return at
	}
	return i
}

// commentAbove is where the comment that belongs to one line begins: the comment lines
// right above it with the same indentation, where the line before these is an element of
// the same list. Above the first element a comment heads the list, unless the next
// element has one of its own.
func commentAbove(data []byte, line extent) int {
	indent := indentOf(data[line.start:line.end])
	at := aboveComments(data, line.start)
	if at == line.start {
		return at
	}
	if at > 0 {
		above := lineOf(data, at-1)
		text := string(data[above.start:above.end])
		if indentOf([]byte(text)) == indent && strings.HasPrefix(strings.TrimSpace(text), "-") {
			return at
		}
	}
	if line.end < len(data) {
		next := lineOf(data, line.end)
		text := string(data[next.start:next.end])
		if indentOf([]byte(text)) == indent && strings.HasPrefix(strings.TrimSpace(text), "#") {
			return at
		}
	}
	return line.start
}

func indentOf(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }

// newline is the line break that a file uses.
func newline(data []byte) string {
	if i := bytes.IndexByte(data, '\n'); i > 0 && data[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// addItem puts text behind an element of a list, as an element of its own.
func addItem(data []byte, item extent, text string) (syntax.Replace, error) {
	line := lineOf(data, item.start)
	head := string(data[line.start:item.start])
	if itemHead(head) {
		last := lineOf(data, max(item.end-1, item.start))
		dash := head[:strings.IndexByte(head, '-')+1]
		gap := head[len(dash):]
		if i := strings.IndexByte(gap, '&'); i >= 0 {
			gap = gap[:i]
		}
		insert := dash + gap + text + newline(data)
		if last.end == len(data) && !bytes.HasSuffix(data, []byte("\n")) {
			insert = newline(data) + strings.TrimSuffix(insert, newline(data))
		}
		return syntax.Replace{Start: last.end, End: last.end, Text: insert}, nil
	}
	after := bytes.TrimLeft(data[item.end:], " \t\r\n")
	if len(after) > 0 && (after[0] == ',' || after[0] == ']') {
		return syntax.Replace{Start: item.end, End: item.end, Text: ", " + text}, nil
	}
	return syntax.Replace{}, errByHand
}
