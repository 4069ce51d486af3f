package review

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/syntax"
)

// Fix is an edit that would resolve a finding. With never holds a value: what a rule
// writes are names, and the words of a format.
type Fix struct {
	File string // required; of the head
	// Lines are replaced whole. Last < First inserts above First; the zero Lines add to
	// a file of one key a line, wherever that can be.
	Lines     repo.Lines
	With      []string // the new lines; none deletes
	Note      string   // what is left to a person; may be empty
	Otherwise bool     // only where none of the finding's fixes before it can be made
}

// Edit is what a person is offered: whole lines of a file, replaced. Of the lines that
// were there it repeats none that holds a value or words.
type Edit struct {
	File     string
	Lines    repo.Lines // First <= Last, all of them shown by the diff
	With     []string   // none deletes
	New      []string   // of With, those that are not there already
	Notes    []string
	Findings []*Finding // those that it would resolve

	below  bool // of an insertion: the line that it keeps comes first
	insert bool // it keeps a line, and others may join it
}

// The bounds of one review: what is beyond them is told in every other channel.
const (
	maxFixes = 2000
	maxEdits = 100
	maxLines = 100 // that one edit brings: who takes it is offered the others after
)

// Edits places the fixes of findings on lines that shown names. Fixes for one place are
// one edit, and no two edits touch. What cannot be placed is left out: a file that is
// sealed, since its authentication would break; one that an edit leaves unreadable or
// short of a value; lines that would have to be repeated and hold a value.
func Edits(findings []Finding, t *Tree, shown func(path string, line int) bool) []Edit {
	e := &editor{tree: t, shown: shown, sheets: map[string]*sheet{}}
	fixes := 0
	for i := range findings {
		f := &findings[i]
		made := false
		for _, fix := range f.Fixes {
			if f.Commit != "" || fix.Otherwise && made || fixes == maxFixes {
				continue
			}
			fixes++
			made = e.place(f, fix) || made
		}
	}
	var out []Edit
	for _, ed := range e.order {
		if e.sheets[ed.File].sound(ed) {
			out = append(out, *ed)
		}
	}
	return out
}

// editor gathers edits.
type editor struct {
	tree   *Tree
	shown  func(path string, line int) bool
	sheets map[string]*sheet // by path; nil is a file that is left alone
	order  []*Edit
}

// sheet is a file that may be edited.
type sheet struct {
	file  *File
	lines []string
	names bool // one name a line, and nothing else: an inventory
	list  bool // one key a line, whose order says nothing
	keep  []int
	edits map[int]*Edit // by each line that they replace
}

// sheet reads a file for editing; nil where that may not be.
func (e *editor) sheet(path string) *sheet {
	if s, ok := e.sheets[path]; ok {
		return s
	}
	e.sheets[path] = nil
	f := e.tree.File(path)
	if f == nil || !editable(f) {
		return nil
	}
	s := &sheet{file: f, lines: strings.Split(strings.TrimSuffix(string(f.Data()), "\n"), "\n"), edits: map[int]*Edit{}}
	s.names = inventory(f)
	s.list = s.names || f.Syntax().Format == syntax.Dotenv
	valued := s.valued()
	for i, text := range s.lines {
		if e.shown(path, i+1) && !valued[i+1] && s.bare(text) {
			s.keep = append(s.keep, i+1)
		}
	}
	e.sheets[path] = s
	return s
}

// editable reports a file that a person may edit by hand and whose form is known.
// GitHub ends every line of a suggestion alike, so a file with CR is left alone.
func editable(f *File) bool {
	if f.Sops() != nil || bytes.IndexByte(f.Data(), '\r') >= 0 {
		return false
	}
	s := f.Syntax()
	return inventory(f) || s.Broken == nil && (s.Format == syntax.Dotenv || s.Format == syntax.YAML)
}

// inventory reports a list of names, as Kilter's env files have beside them.
func inventory(f *File) bool { return strings.HasSuffix(f.Path, ".keys") }

// The lines that hold nothing but a name, by the kind of their file.
var (
	bareName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)
	bareEnv  = regexp.MustCompile(`^(export )?[A-Za-z_][A-Za-z0-9_.-]{0,127}=$`)
	bareYAML = regexp.MustCompile(`^ *(- )?[A-Za-z_][A-Za-z0-9_.-]{0,127}:$`)
	ruler    = regexp.MustCompile(`^#[#=*~ -]*$`)
)

// bare reports a line that may be repeated: blank, a ruler, or a name without a value.
func (s *sheet) bare(text string) bool {
	name := bareYAML
	switch {
	case s.names:
		name = bareName
	case s.list:
		name = bareEnv
	}
	return strings.TrimSpace(text) == "" || ruler.MatchString(text) || name.MatchString(text)
}

// valued are the lines that a value lies on: one may go over several.
func (s *sheet) valued() map[int]bool {
	on := map[int]bool{}
	if s.names {
		return on
	}
	for _, l := range s.file.Syntax().Leaves {
		end := l.Span.End.Line
		if l.Span.End.Col == 1 {
			end--
		}
		for n := l.Span.Start.Line; l.Value != "" && n <= max(end, l.Span.Start.Line); n++ {
			on[n] = true
		}
	}
	return on
}

// place turns a fix into an edit, or joins it to one; it reports whether it could.
func (e *editor) place(f *Finding, fix Fix) bool {
	s := e.sheet(fix.File)
	if s == nil {
		return false
	}
	line, below, ok := 0, false, false
	switch {
	case fix.Lines == repo.Lines{}:
		line, below, ok = s.listPlace(fix.With)
	case fix.Lines.Last < fix.Lines.First:
		line, below, ok = s.gap(fix.Lines.First)
	default:
		for n := fix.Lines.First; n <= fix.Lines.Last; n++ {
			if !e.shown(fix.File, n) || n > len(s.lines) {
				return false
			}
		}
		return e.add(s, f, fix, &Edit{File: fix.File, Lines: fix.Lines, With: fix.With, New: fix.With})
	}
	if !ok {
		return false
	}
	if old := s.edits[line]; old != nil && old.insert {
		return s.join(old, f, fix)
	}
	return e.add(s, f, fix, s.around(line, below, fix.With))
}

// add keeps an edit that touches no other.
func (e *editor) add(s *sheet, f *Finding, fix Fix, ed *Edit) bool {
	for n := ed.Lines.First; n <= ed.Lines.Last; n++ {
		if s.edits[n] != nil || len(e.order) == maxEdits {
			return false
		}
	}
	for n := ed.Lines.First; n <= ed.Lines.Last; n++ {
		s.edits[n] = ed
	}
	ed.note(f, fix)
	e.order = append(e.order, ed)
	return true
}

// join adds a line to those that an insertion brings. The order of two insertions is
// known in a list alone.
func (s *sheet) join(old *Edit, f *Finding, fix Fix) bool {
	if !s.list || len(fix.With) != 1 {
		return false
	}
	if !slices.Contains(old.New, fix.With[0]) {
		if len(old.New) == maxLines {
			return false
		}
		all := append(slices.Clone(old.New), fix.With[0])
		if s.names {
			slices.Sort(all)
		}
		ed := s.around(old.Lines.First, old.below, all)
		old.With, old.New = ed.With, ed.New
	}
	old.note(f, fix)
	return true
}

// note says what an edit is for.
func (ed *Edit) note(f *Finding, fix Fix) {
	if !slices.Contains(ed.Findings, f) {
		ed.Findings = append(ed.Findings, f)
	}
	if fix.Note != "" && !slices.Contains(ed.Notes, fix.Note) {
		ed.Notes = append(ed.Notes, fix.Note)
	}
}

// around replaces a line by itself and new lines below or above it.
func (s *sheet) around(line int, below bool, with []string) *Edit {
	keep := s.lines[line-1]
	ed := &Edit{File: s.file.Path, Lines: repo.Lines{First: line, Last: line}, New: with, below: below, insert: true}
	if below {
		ed.With = append([]string{keep}, with...)
	} else {
		ed.With = append(slices.Clone(with), keep)
	}
	return ed
}

// gap finds the line that an insertion above a line can keep: the one before, or the
// line itself.
func (s *sheet) gap(first int) (line int, below, ok bool) {
	if slices.Contains(s.keep, first-1) {
		return first - 1, true, true
	}
	return first, false, slices.Contains(s.keep, first)
}

// listPlace finds where a name can be added to a file of one key a line: behind the
// last name that sorts before it in an inventory, else at a blank line or behind a key
// that has no value.
func (s *sheet) listPlace(with []string) (line int, below, ok bool) {
	if !s.list || len(with) == 0 {
		return 0, false, false
	}
	for _, n := range s.keep {
		text := s.lines[n-1]
		blank := strings.TrimSpace(text) == ""
		if s.names && !blank && text > with[0] {
			if !ok {
				return n, false, true
			}
			return line, below, ok
		}
		line, below, ok = n, !blank, true
	}
	return line, below, ok
}

// sound reports that an edit leaves the file as readable as it was, and every value
// where it was.
func (s *sheet) sound(ed *Edit) bool {
	if s.names {
		return true
	}
	text := slices.Concat(s.lines[:ed.Lines.First-1], ed.With, s.lines[ed.Lines.Last:])
	after := syntax.ParseAs(s.file.Path, []byte(strings.Join(text, "\n")+"\n"), s.file.Syntax().Format)
	if after.Broken != nil {
		return false
	}
	type value struct {
		doc         int
		path, value string
	}
	there := map[value]bool{}
	for _, l := range after.Leaves {
		there[value{l.Doc, l.Path.String(), l.Value}] = true
	}
	return !slices.ContainsFunc(s.file.Syntax().Leaves, func(l syntax.Leaf) bool {
		return l.Kind != syntax.Null && !shifts(l) && !there[value{l.Doc, l.Path.String(), l.Value}]
	})
}

// shifts reports an element of a list, whose place an insertion moves.
func shifts(l syntax.Leaf) bool {
	return slices.ContainsFunc(l.Path, func(s syntax.Step) bool { return s.Index >= 0 })
}
