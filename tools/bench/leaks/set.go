package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// seed makes the set the same on every machine.
const seed = 20260101

// rounds is how often each layout is filled with new values.
const rounds = 4

// layout is a file of a real format with slots for values. {+x} is a secret made
// by the maker x, {-x} a value that only looks like one; a line that begins with
// "!" is a look-alike as it stands (the mark is cut off). {#} is the round.
type layout struct {
	kind, file, text string
}

// labelled is the set as it was written, with its labels.
type labelled struct {
	dir        string
	kinds      []string
	secrets    map[place]string // the line of each secret, and its kind
	within     map[place]bool   // further lines of a secret of several
	kindOf     map[string]string
	lookalikes int
}

// writeSet fills all layouts below dir.
func writeSet(dir string) (labelled, error) {
	set := labelled{dir: dir, secrets: map[place]string{}, within: map[place]bool{}, kindOf: map[string]string{}}
	for _, l := range layouts() {
		if !slices.Contains(set.kinds, l.kind) {
			set.kinds = append(set.kinds, l.kind)
		}
		m := newMaker(l)
		for round := range rounds {
			name := fmt.Sprintf("%s/%d/%s", strings.ReplaceAll(l.kind, " ", "-"), round, l.file)
			text := set.fill(m, l, name, round)
			path := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return set, err
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				return set, err
			}
		}
	}
	return set, nil
}

// newMaker gives each layout its own source, so that a new one changes no other.
func newMaker(l layout) maker {
	return maker{rand.New(rand.NewPCG(seed, sum(l.kind+l.file)))}
}

func sum(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// fill writes one file and notes its labels.
func (set *labelled) fill(m maker, l layout, name string, round int) string {
	set.kindOf[name] = l.kind
	var out strings.Builder
	line := 1
	for text := range strings.Lines(strings.ReplaceAll(l.text, "{#}", fmt.Sprint(round))) {
		if rest, ok := strings.CutPrefix(text, "!"); ok {
			text = rest
			set.lookalikes++
		}
		for {
			head, slot, tail, ok := cutSlot(text)
			out.WriteString(head)
			if !ok {
				break
			}
			at := place{name, line + strings.Count(head, "\n")}
			value := m.make(slot[1:])
			if slot[0] == '+' {
				set.secrets[at] = l.kind
				for extra := range strings.Count(value, "\n") {
					set.within[place{name, at.line + extra + 1}] = true
				}
			} else {
				set.lookalikes++
			}
			out.WriteString(value)
			line += strings.Count(value, "\n")
			text = tail
		}
		line++
	}
	return out.String()
}

// cutSlot finds the first {+x} or {-x}.
func cutSlot(text string) (head, slot, tail string, ok bool) {
	for i := 0; i+2 < len(text); i++ {
		if text[i] == '{' && (text[i+1] == '+' || text[i+1] == '-') && text[i+2] >= 'a' && text[i+2] <= 'z' {
			if end := strings.IndexByte(text[i:], '}'); end > 0 {
				return text[:i], text[i+1 : i+end], text[i+end+1:], true
			}
		}
	}
	return text, "", "", false
}
