package syntax

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Replace is one edit: the bytes [Start, End) of a file become Text.
type Replace struct {
	Start, End int
	Text       string
}

// Over is the edit that puts text in the place of a span.
func Over(s Span, text string) Replace {
	return Replace{Start: s.Start.Offset, End: s.End.Offset, Text: text}
}

// Apply returns data with all edits made; data itself stays. Edits may come in any
// order; of two insertions at one place the first given stands first. It errors
// where an edit is out of bounds or two of them overlap.
func Apply(data []byte, edits []Replace) ([]byte, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Replace) int { return a.Start - b.Start })
	size, last := len(data), 0
	for _, e := range edits {
		if e.Start < 0 || e.End < e.Start || e.End > len(data) {
			return nil, fmt.Errorf("edit [%d, %d) is outside of the file's %d bytes", e.Start, e.End, len(data))
		}
		if e.Start < last {
			return nil, fmt.Errorf("edit [%d, %d) overlaps the one before it, which ends at %d", e.Start, e.End, last)
		}
		last = e.End
		size += len(e.Text) - (e.End - e.Start)
	}
	out := make([]byte, 0, size)
	last = 0
	for _, e := range edits {
		out = append(append(out, data[last:e.Start]...), e.Text...)
		last = e.End
	}
	return append(out, data[last:]...), nil
}

var (
	errAliased   = errors.New("the value comes through an alias: edit what the alias names")
	errUnwritten = errors.New("the format cannot hold this value here")
)

// Encode writes value as a token that may stand in the place of the leaf's, in the
// leaf's own style where that style can hold it. It errors where the format cannot
// hold the value, and for a value that comes through an alias.
func (f *File) Encode(value string, like Leaf) (string, error) {
	if !like.Anchor.IsZero() {
		return "", errAliased
	}
	for _, text := range f.candidates(value, like) {
		if f.Format == YAML && text != "" && like.Span.Start == like.Span.End {
			text = " " + text // behind the colon of a value that is not written
		}
		if f.holds(text, value, like) {
			return text, nil
		}
	}
	return "", errUnwritten
}

// candidates are the ways to write a value, the best first.
func (f *File) candidates(value string, like Leaf) []string {
	double := quoteJSON(value)
	if f.Format == JSON {
		if like.Kind != String {
			return []string{value, double}
		}
		return []string{double}
	}
	single := "'" + strings.ReplaceAll(value, "'", "''") + "'"
	if f.Format != YAML {
		single = "'" + value + "'"
	}
	switch like.Style {
	case SingleQuoted:
		return []string{single, double}
	case DoubleQuoted:
		return []string{double, `"` + value + `"`, single}
	case Literal, Folded:
		return []string{literal(value, f.contentIndent(like)), double + "\n", double}
	}
	return []string{value, escapeNewlines(value), double, single}
}

func escapeNewlines(value string) string { return strings.ReplaceAll(value, "\n", `\n`) }

// quoteJSON writes a string in double quotes as both JSON and YAML read it.
func quoteJSON(value string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(value) != nil {
		return `""`
	}
	return strings.ReplaceAll(strings.TrimSuffix(b.String(), "\n"), "\x7f", `\u007f`)
}

// contentIndent is the indentation of a block scalar's first line.
func (f *File) contentIndent(l Leaf) string {
	_, rest, _ := strings.Cut(string(l.Span.Cut(f.Data)), "\n")
	for line := range strings.SplitSeq(rest, "\n") {
		if text := strings.TrimLeft(line, " "); strings.TrimSpace(text) != "" {
			return line[:len(line)-len(text)]
		}
	}
	return ""
}

// literal writes a value as a literal block.
func literal(value, indent string) string {
	text, chomp := value, "-"
	if strings.HasSuffix(text, "\n") {
		text, chomp = strings.TrimSuffix(text, "\n"), ""
	}
	if indent == "" || text == "" || strings.HasPrefix(text, " ") || strings.HasSuffix(text, "\n") {
		return ""
	}
	var b strings.Builder
	b.WriteString("|" + chomp + "\n")
	for line := range strings.SplitSeq(text, "\n") {
		if line != "" {
			b.WriteString(indent + line)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// holds reads the file with text in the leaf's place, and reports whether nothing
// but that leaf's value has changed.
func (f *File) holds(text, value string, like Leaf) bool {
	data, err := Apply(f.Data, []Replace{Over(like.Span, text)})
	if err != nil || text == "" && (f.Format == YAML || value != "") {
		return false
	}
	again := ParseAs(f.Name, data, f.Format)
	if again.Broken != nil || len(again.Leaves) != len(f.Leaves) {
		return false
	}
	for i, l := range again.Leaves {
		was := f.Leaves[i]
		switch {
		case l.Path.String() != was.Path.String():
			return false
		case was.Span == like.Span && was.Anchor.IsZero():
			if l.Value != value || l.Kind != String && l.Kind != like.Kind {
				return false
			}
		case l.Value != was.Value && was.Anchor != like.Span, len(l.Path) == 0:
			return false
		}
	}
	return true
}
