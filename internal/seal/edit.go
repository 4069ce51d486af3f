package seal

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// rfc3339 is how SOPS writes the time of sealing, which the MAC is bound to.
const rfc3339 = time.RFC3339

// edit replaces the bytes [start, end) of a file.
type edit struct {
	start, end int
	text       string
}

// edits gathers the changes of a file; fits turns false at the first one that does not
// fit the file's own bytes, and the file then goes the library's way.
type edits struct {
	file *sealedFile
	list []edit
	fits bool
}

// swap replaces what stands as text inside of a span, where it stands there once and
// as it is: not folded, not escaped.
func (e *edits) swap(at syntax.Span, old, text string) {
	raw := at.Cut(e.file.Data)
	i := -1
	switch {
	case string(raw) == old: // compared without a copy, as nearly every value is
		i = 0
	case len(raw) == len(old)+2 && string(raw[1:len(raw)-1]) == old:
		i = 1
	case bytes.Count(raw, []byte(old)) == 1:
		i = bytes.Index(raw, []byte(old))
	}
	if old == "" || i < 0 {
		e.fits = false
		return
	}
	from := at.Start.Offset + i
	e.list = append(e.list, edit{from, from + len(old), text})
}

// apply makes the edits; they must not overlap.
func (e *edits) apply() ([]byte, bool) {
	slices.SortStableFunc(e.list, func(a, b edit) int { return a.start - b.start })
	size := len(e.file.Data)
	for i, c := range e.list {
		if c.end < c.start || i > 0 && c.start < e.list[i-1].end {
			return nil, false
		}
		size += len(c.text) - (c.end - c.start)
	}
	out := make([]byte, 0, size)
	at := 0
	for _, c := range e.list {
		out = append(out, e.file.Data[at:c.start]...)
		out = append(out, c.text...)
		at = c.end
	}
	return append(out, e.file.Data[at:]...), true
}

// tree adds the edits of one tree: all its tokens sealed with the new data key, and
// its metadata. mac is the plaintext of its MAC, which does not change with the key.
func (e *edits) tree(t *tree, r *rekey, b *box, mac []byte, now time.Time) {
	e.list = slices.Grow(e.list, len(t.values)+8)
	if len(r.notRotated) == 0 {
		for _, list := range [][]place{t.values, t.comments} {
			for i := range list {
				if p := &list[i]; p.sealed {
					e.swap(p.span, p.text, b.seal(p.opened, p.token.kind, p.aad))
				}
			}
		}
		at := now.UTC().Format(rfc3339)
		sum := b.seal(mac, "str", at)
		for _, d := range t.docs {
			e.swap(d.MAC.Span, d.MAC.Value, sum)
			e.swap(d.LastModified.Span, d.LastModified.Value, at)
		}
	}
	for _, d := range t.docs {
		e.recipients(d, r)
	}
}

// recipients adds the edits of a document's list of recipients.
func (e *edits) recipients(d sops.Document, r *rekey) {
	e.list = slices.Grow(e.list, 2*len(d.Keys))
	used := make([]bool, len(d.Keys))
	for _, s := range r.slots {
		if s.old >= 0 {
			used[s.old] = true
		}
	}
	grows := slices.ContainsFunc(r.slots, func(s slot) bool { return s.old < 0 })
	crosses := slices.ContainsFunc(r.slots, func(s slot) bool { return s.old >= 0 && d.Keys[s.old].Recipient.Kind != s.to.Kind })
	if crosses {
		e.fits = false
		return
	}
	if grows || slices.Contains(used, false) {
		e.relist(d, r, used)
		return
	}
	for _, s := range r.slots {
		e.entry(d, d.Keys[s.old], s)
	}
}

// entry changes one recipient in its place.
func (e *edits) entry(d sops.Document, w sops.Wrapped, s slot) {
	if s.to != w.Recipient {
		id, ok := e.file.leafAt(d, w.ID)
		if !ok {
			e.fits = false
			return
		}
		e.swap(w.ID, id.Value, s.to.ID)
	}
	if s.enc == "" {
		return
	}
	enc, ok := e.file.leafAt(d, w.Enc)
	if !ok {
		e.fits = false
		return
	}
	text, ok := reword(string(w.Enc.Cut(e.file.Data)), enc.Value, s.enc)
	if !ok {
		e.fits = false
		return
	}
	e.list = append(e.list, edit{w.Enc.Start.Offset, w.Enc.End.Offset, text})
}

// reword writes an armored block as another one is written: in one line with \n, or
// as a literal block of YAML. It is false for any other style.
func reword(raw, old, armor string) (string, bool) {
	flat := strings.ReplaceAll(old, "\n", `\n`)
	if !strings.HasSuffix(flat, `\n`) {
		armor = strings.TrimSuffix(armor, "\n")
	}
	if i := strings.Index(raw, flat); flat != "" && i >= 0 {
		return raw[:i] + strings.ReplaceAll(armor, "\n", `\n`) + raw[i+len(flat):], true
	}
	if !strings.HasPrefix(raw, "|") {
		return "", false
	}
	head, body, ok := strings.Cut(raw, "\n")
	if !ok {
		return "", false
	}
	indent := body[:len(body)-len(strings.TrimLeft(body, " "))]
	if block(head, indent, old, raw) != raw {
		return "", false
	}
	return block(head, indent, armor, raw), true
}

// block writes the lines of text under head as a literal block is; like says whether
// the last line has a line break.
func block(head, indent, text, like string) string {
	end := "\n"
	if strings.HasSuffix(head, "\r") {
		end = "\r\n"
	}
	var b strings.Builder
	b.WriteString(head + "\n")
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		b.WriteString(indent + line + end)
	}
	if !strings.HasSuffix(like, "\n") {
		return strings.TrimSuffix(b.String(), end)
	}
	return b.String()
}
