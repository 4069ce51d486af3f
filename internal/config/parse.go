package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// Error is one thing wrong with the file.
type Error struct {
	Span    syntax.Span
	Message string // what is wrong, and the way out
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.Span.File, e.Span.Start.Line, e.Span.Start.Col, e.Message)
}

// Parse reads the file. Every error names line, column and the way out ([Error]);
// several are joined, in the order of the file. An empty file is the zero Config.
func Parse(name string, data []byte) (*Config, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("read %q: it has %d bytes, and %d are allowed", name, len(data), MaxSize)
	}
	f := syntax.ParseAs(name, data, syntax.YAML)
	if f.Broken != nil {
		return nil, fmt.Errorf("read %q: %w; it must be YAML", name, f.Broken)
	}
	c := &Config{rules: map[string]syntax.Span{}}
	d := decoder{config: c}
	for i, doc := range f.Docs {
		switch {
		case doc.Broken != nil:
			d.fail(doc.Span, "%v; it must be YAML", doc.Broken)
		case len(doc.Leaves) == 0:
		case i > 0:
			d.fail(doc.Span, "a second document; the file has one only")
		default:
			c.source = doc.Span
			d.document(treeOf(f, doc))
		}
	}
	d.whole()
	if len(d.errs) > 0 {
		return nil, d.joined()
	}
	return c, nil
}

func (d *decoder) joined() error {
	slices.SortStableFunc(d.errs, func(a, b *Error) int { return cmp.Compare(a.Span.Start.Offset, b.Span.Start.Offset) })
	errs := make([]error, len(d.errs))
	for i, e := range d.errs {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// whole checks what no single value can tell.
func (d *decoder) whole() {
	for _, ig := range d.config.Ignore {
		if ig.Rule == "" && ig.Path == "" && ig.Key == "" {
			d.fail(ig.Span, "an ignore of everything; name a rule, a path or a key")
		}
	}
}

// Check reports the rule ids of the file that are none of ids, each with the
// nearest that is one.
func (c *Config) Check(ids []string) error {
	d := decoder{config: c}
	unknown := func(at syntax.Span, id string) {
		if id != "" && !slices.Contains(ids, id) {
			d.fail(at, "no rule is called %q%s", id, orNearest(id, ids))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.Review.Rules)) {
		unknown(c.rules[id], id)
	}
	for i, ig := range c.Ignore {
		at := ig.Span
		if i < len(c.ignore) && !c.ignore[i].IsZero() {
			at = c.ignore[i]
		}
		unknown(at, ig.Rule)
	}
	if len(d.errs) == 0 {
		return nil
	}
	return d.joined()
}

// orNearest ends a message about an unknown name with what may have been meant.
func orNearest(name string, known []string) string {
	best, least := "", 3
	for _, k := range known {
		if n := distance(strings.ToLower(name), k); n < least || n == least && best != "" && k < best {
			best, least = k, n
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("; did you mean %q?", best)
	case len(known) > 12:
		return ""
	}
	return "; known are " + strings.Join(known, ", ")
}

// distance is Levenshtein's, of short words, a swap of neighbours counted as one.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
