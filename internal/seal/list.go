package seal

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// item is the stretch of the source that one recipient of a list takes up.
type item struct {
	start, end int
}

// relist changes how many recipients a document has: entries that go are cut out, and
// one that comes is a copy of an entry of its group, in the same style.
func (e *edits) relist(d sops.Document, r *rekey, used []bool) {
	items := make([]item, len(d.Keys))
	for i, w := range d.Keys {
		if w.Recipient.Kind != sops.Age {
			continue
		}
		var ok bool
		if items[i], ok = e.item(w); !ok {
			e.fits = false
			return
		}
	}
	for g := range d.Groups {
		if e.file.Format == syntax.Dotenv || e.file.Format == syntax.INI {
			e.relistLines(d, r, g, used)
		} else {
			e.relistGroup(d, r, g, items, used)
		}
	}
}

func (e *edits) relistGroup(d sops.Document, r *rekey, g int, items []item, used []bool) {
	var texts []string
	var mine []int // the group's age entries
	for i, w := range d.Keys {
		if w.Group == g && w.Recipient.Kind == sops.Age {
			mine = append(mine, i)
		} else if w.Group == g && !used[i] {
			e.fits = false // an entry of another kind goes, and perhaps its whole list
			return
		}
	}
	for _, s := range r.slots {
		if s.group != g || s.to.Kind != sops.Age {
			continue
		}
		if len(mine) == 0 {
			e.fits = false // there is no list yet
			return
		}
		model := mine[0]
		if s.old >= 0 {
			model = s.old
		}
		text, ok := e.rendered(d, d.Keys[model], items[model], s)
		if !ok {
			e.fits = false
			return
		}
		texts = append(texts, text)
	}
	if len(mine) == 0 {
		return
	}
	if len(texts) == 0 {
		e.fits = false // the list itself goes
		return
	}
	e.rewrite(mine, items, texts)
}

// rewrite puts the new items over the old ones.
func (e *edits) rewrite(mine []int, items []item, texts []string) {
	data := e.file.Data
	for n, i := range mine[1:] {
		if strings.Trim(string(data[items[mine[n]].end:items[i].start]), ", \t\r\n") != "" {
			e.fits = false // a comment stands between
			return
		}
	}
	between := ""
	if e.file.Format == syntax.JSON {
		between = e.separator(mine, items)
	}
	e.list = append(e.list, edit{items[mine[0]].start, items[mine[len(mine)-1]].end, strings.Join(texts, between)})
}

// separator is what stands between two items in JSON: a comma, and the white space that
// is there already, or else that stands before the only one.
func (e *edits) separator(mine []int, items []item) string {
	data, at := e.file.Data, items[mine[0]].start
	if len(mine) > 1 {
		return string(data[items[mine[0]].end:items[mine[1]].start])
	}
	return "," + string(data[len(bytes.TrimRight(data[:at], " \t\r\n")):at])
}

// rendered is an item's text with the fields of a slot.
func (e *edits) rendered(d sops.Document, w sops.Wrapped, it item, s slot) (string, bool) {
	sub := edits{file: e.file, fits: true}
	if s.enc == "" && s.old < 0 {
		return "", false
	}
	sub.entry(d, w, s)
	if !sub.fits {
		return "", false
	}
	out, ok := sub.apply()
	if !ok {
		return "", false
	}
	grown := len(out) - len(e.file.Data)
	return string(out[it.start : it.end+grown]), true
}

// item finds the stretch of one recipient: whole lines in YAML's block style, the
// braces in JSON.
func (e *edits) item(w sops.Wrapped) (item, bool) {
	from, to := w.ID.Start.Offset, w.Enc.End.Offset
	if w.Enc.Start.Offset < from {
		from, to = w.Enc.Start.Offset, w.ID.End.Offset
	}
	data := e.file.Data
	switch e.file.Format {
	case syntax.JSON:
		open, end := bytes.LastIndexByte(data[:from], '{'), bytes.IndexByte(data[to:], '}')
		if open < 0 || end < 0 || strings.TrimSpace(string(data[to:to+end])) != "" ||
			!onlyKey(string(data[open+1:from])) {
			return item{}, false
		}
		return item{start: open, end: to + end + 1}, true
	case syntax.YAML:
		first := bytes.LastIndexByte(data[:from], '\n') + 1
		line := strings.TrimLeft(string(data[first:from]), " ")
		rest, dash := strings.CutPrefix(line, "-")
		if !dash || !onlyKey(rest) || strings.ContainsAny(rest, "{[") {
			return item{}, false
		}
		end := to
		if to == 0 || data[to-1] != '\n' {
			n := bytes.IndexByte(data[to:], '\n')
			if n < 0 || strings.TrimSpace(string(data[to:to+n])) != "" {
				return item{}, false
			}
			end = to + n + 1
		}
		return item{start: first, end: end}, true
	}
	return item{}, true
}

// onlyKey holds for what stands before the first field of an item: its key.
func onlyKey(s string) bool {
	s = strings.Trim(s, " \t\r\n")
	s = strings.TrimSpace(strings.TrimSuffix(s, ":"))
	if bare, err := strconv.Unquote(s); err == nil {
		s = bare
	}
	return s == "recipient" || s == "enc"
}
