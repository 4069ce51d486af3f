package seal

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// numbered is the key of one field of a recipient where the format has no lists: dotenv
// and INI write its place into every key, as in sops_age__list_0__map_enc.
var numbered = regexp.MustCompile(`^(.*__list_)([0-9]+)(__map_(?:enc|recipient))$`)

// relistLines changes how many recipients a group has in dotenv and INI. The recipients
// take the entries that there are, in order; lines of entries that are left over are cut
// out, and for more than there are the last one's lines are copied with the next number.
func (e *edits) relistLines(d sops.Document, r *rekey, g int, used []bool) {
	var mine []sops.Wrapped
	for i, w := range d.Keys {
		switch {
		case w.Group != g:
		case w.Recipient.Kind == sops.Age:
			mine = append(mine, w)
		case !used[i]:
			e.fits = false // an entry of another kind goes, and perhaps its whole list
			return
		}
	}
	var to []slot
	for _, s := range r.slots {
		if s.group == g && s.to.Kind == sops.Age {
			if s.enc == "" && s.old >= 0 {
				s.enc = e.file.encOf(d, d.Keys[s.old]) // it may move to another entry
			}
			to = append(to, s)
		}
	}
	if len(mine) == 0 && len(to) == 0 {
		return
	}
	if len(mine) == 0 || len(to) == 0 {
		e.fits = false // the list itself comes or goes
		return
	}
	for i, w := range mine {
		switch {
		case !e.isNumbered(d, w, i):
			e.fits = false
			return
		case i < len(to):
			e.entry(d, w, to[i])
		default:
			e.cutLine(w.ID)
			e.cutLine(w.Enc)
		}
	}
	last := mine[len(mine)-1]
	for i := len(mine); i < len(to); i++ {
		e.copyLines(d, last, to[i], i)
	}
}

// isNumbered checks that both fields of an entry stand in lines of their own, with its
// place in their keys.
func (e *edits) isNumbered(d sops.Document, w sops.Wrapped, place int) bool {
	for _, at := range []syntax.Span{w.ID, w.Enc} {
		l, ok := e.file.leafAt(d, at)
		if !ok {
			return false
		}
		line := e.line(at)
		m := numbered.FindSubmatch(l.Key.Cut(e.file.Data))
		if m == nil || string(m[2]) != strconv.Itoa(place) || l.Key.Start.Offset != line.start || at.End.Offset > line.end {
			return false
		}
	}
	return true
}

// line is the line that a value begins in, with its line break.
func (e *edits) line(at syntax.Span) item {
	data := e.file.Data
	start, end := bytes.LastIndexByte(data[:at.Start.Offset], '\n')+1, len(data)
	if i := bytes.IndexByte(data[at.Start.Offset:], '\n'); i >= 0 {
		end = at.Start.Offset + i + 1
	}
	return item{start, end}
}

func (e *edits) cutLine(at syntax.Span) {
	line := e.line(at)
	e.list = append(e.list, edit{line.start, line.end, ""})
}

// copyLines writes a further entry behind the last one, in the same order of its fields.
func (e *edits) copyLines(d sops.Document, last sops.Wrapped, s slot, place int) {
	first, second := last.ID, last.Enc
	if first.Start.Offset > second.Start.Offset {
		first, second = second, first
	}
	var b strings.Builder
	for _, at := range []syntax.Span{first, second} {
		line := e.line(at)
		l, _ := e.file.leafAt(d, at)
		value, ok := s.to.ID, true
		if at == last.Enc {
			value, ok = reword(string(at.Cut(e.file.Data)), l.Value, s.enc)
		} else if raw := string(at.Cut(e.file.Data)); strings.Count(raw, l.Value) == 1 {
			value = strings.Replace(raw, l.Value, s.to.ID, 1)
		}
		if !ok || s.enc == "" {
			e.fits = false
			return
		}
		key := numbered.ReplaceAllString(string(l.Key.Cut(e.file.Data)), "${1}"+strconv.Itoa(place)+"${3}")
		b.WriteString(key + string(e.file.Data[l.Key.End.Offset:at.Start.Offset]) + value + string(e.file.Data[at.End.Offset:line.end]))
	}
	end := e.line(second).end
	if !bytes.HasSuffix(e.file.Data[:end], []byte("\n")) {
		e.fits = false // the file's last line, and without a line break
		return
	}
	e.list = append(e.list, edit{end, end, b.String()})
}
