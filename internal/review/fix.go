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

	below bool // of an insertion: the line that it keeps comes first
}

// Edits places the fixes of findings on lines that shown names. Fixes for one place are
// one edit, and no two edits touch. What cannot be placed is left out: a file that is
// sealed, since its authentication would break; one that an edit leaves unreadable or
// short of a value; lines that would have to be repeated and hold a value.
func Edits(findings []Finding, t *Tree, shown func(path string, line int) bool) []Edit {
	e := &editor{tree: t, shown: shown, by: map[string][]*Edit{}}
	for i := range findings {
		f := &findings[i]
		made := false
		for _, fix := range f.Fixes {
			if f.Commit == "" && !(fix.Otherwise && made) && e.place(f, fix) {
				made = true
			}
		}
	}
	out := make([]Edit, len(e.order))
	for i, ed := range e.order {
		out[i] = *ed
	}
	return out
}

// editor gathers edits.
type editor struct {
	tree  *Tree
	shown func(path string, line int) bool
	by    map[string][]*Edit // file -> its edits
	order []*Edit
}

// place turns a fix into an edit, or joins it to one; it reports whether it could.
func (e *editor) place(f *Finding, fix Fix) bool {
	file := e.tree.File(fix.File)
	if file == nil || !editable(file) {
		return false
	}
	line, below, ok := 0, false, false
	switch {
	case fix.Lines == repo.Lines{}:
		line, below, ok = e.listPlace(file, fix.With)
	case fix.Lines.Last < fix.Lines.First:
		line, below, ok = e.gap(file, fix.Lines.First)
	default:
		return e.keep(file, f, fix, Edit{File: fix.File, Lines: fix.Lines, With: fix.With, New: fix.With})
	}
	return ok && e.keep(file, f, fix, around(file, line, below, fix.With))
}

// keep adds an edit that holds, joined to one of the same place.
func (e *editor) keep(file *File, f *Finding, fix Fix, ed Edit) bool {
	for n := ed.Lines.First; n <= ed.Lines.Last; n++ {
		if !e.shown(ed.File, n) {
			return false
		}
	}
	for _, old := range e.by[ed.File] {
		if ed.Lines.Last < old.Lines.First || old.Lines.Last < ed.Lines.First {
			continue
		}
		if old.Lines != ed.Lines || len(old.With) == len(old.New) || len(ed.With) == len(ed.New) {
			return false // they overlap, and only insertions can be joined
		}
		joined, ok := join(file, old, fix.With)
		if !ok || !sound(file, joined) {
			return false
		}
		joined.note(f, fix)
		*old = joined
		return true
	}
	if !sound(file, ed) {
		return false
	}
	ed.note(f, fix)
	e.order = append(e.order, &ed)
	e.by[ed.File] = append(e.by[ed.File], &ed)
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

// join adds lines to those that an insertion brings, each once.
func join(file *File, old *Edit, with []string) (Edit, bool) {
	if len(with) == 1 && slices.Contains(old.New, with[0]) {
		return *old, true
	}
	if !lineList(file) {
		return Edit{}, false // the order of two insertions into a structure is not known
	}
	all := append(slices.Clone(old.New), with...)
	if strings.HasSuffix(file.Path, ".keys") {
		slices.Sort(all)
	}
	ed := around(file, old.Lines.First, old.below, all)
	ed.Notes, ed.Findings = old.Notes, old.Findings
	return ed, true
}

// around replaces a line by itself and new lines below or above it.
func around(file *File, line int, below bool, with []string) Edit {
	keep := lines(file)[line-1]
	ed := Edit{File: file.Path, Lines: repo.Lines{First: line, Last: line}, New: with, below: below}
	if below {
		ed.With = append([]string{keep}, with...)
	} else {
		ed.With = append(slices.Clone(with), keep)
	}
	return ed
}

// gap finds the line that an insertion above a line can keep: the one before, or the
// line itself.
func (e *editor) gap(file *File, first int) (line int, below, ok bool) {
	if e.shown(file.Path, first-1) && bare(file, first-1) {
		return first - 1, true, true
	}
	return first, false, e.shown(file.Path, first) && bare(file, first)
}

// listPlace finds where a name can be added to a file of one key a line: behind the
// last name that sorts before it in an inventory, else at a blank line or behind a key
// that has no value.
func (e *editor) listPlace(file *File, with []string) (line int, below, ok bool) {
	if !lineList(file) || len(with) == 0 {
		return 0, false, false
	}
	for i, text := range lines(file) {
		n := i + 1
		if !e.shown(file.Path, n) || !bare(file, n) {
			continue
		}
		blank := strings.TrimSpace(text) == ""
		switch {
		case strings.HasSuffix(file.Path, ".keys") && !blank && text > with[0]:
			if !ok {
				return n, false, true
			}
			return line, below, ok
		default:
			line, below, ok = n, !blank, true
		}
	}
	return line, below, ok
}

// lineList reports a file of one key a line, whose order says nothing.
func lineList(f *File) bool {
	return strings.HasSuffix(f.Path, ".keys") || f.Syntax().Format == syntax.Dotenv
}

// editable reports a file that a person may edit by hand and whose form is known.
// GitHub ends every line of a suggestion alike, so a file with CR is left alone.
func editable(f *File) bool {
	if f.Sops() != nil || bytes.IndexByte(f.Data(), '\r') >= 0 {
		return false
	}
	s := f.Syntax()
	return strings.HasSuffix(f.Path, ".keys") || s.Broken == nil && (s.Format == syntax.Dotenv || s.Format == syntax.YAML)
}

func lines(f *File) []string {
	return strings.Split(strings.TrimSuffix(string(f.Data()), "\n"), "\n")
}

// The lines that hold nothing but a name, by the kind of their file.
var (
	bareName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)
	bareEnv  = regexp.MustCompile(`^(export )?[A-Za-z_][A-Za-z0-9_.-]{0,127}=$`)
	bareYAML = regexp.MustCompile(`^ *(- )?[A-Za-z_][A-Za-z0-9_.-]{0,127}:$`)
	ruler    = regexp.MustCompile(`^#[#=*~ -]*$`)
)

// bare reports a line that may be repeated: blank, a ruler, or a name without a value,
// and not a part of a value that goes over several lines.
func bare(f *File, line int) bool {
	all := lines(f)
	if line < 1 || line > len(all) {
		return false
	}
	text := all[line-1]
	if strings.HasSuffix(f.Path, ".keys") {
		return strings.TrimSpace(text) == "" || ruler.MatchString(text) || bareName.MatchString(text)
	}
	s := f.Syntax()
	name := bareYAML
	if s.Format == syntax.Dotenv {
		name = bareEnv
	}
	if strings.TrimSpace(text) != "" && !ruler.MatchString(text) && !name.MatchString(text) {
		return false
	}
	return !slices.ContainsFunc(s.Leaves, func(l syntax.Leaf) bool {
		end := l.Span.End.Line
		if l.Span.End.Col == 1 && end > l.Span.Start.Line {
			end--
		}
		return l.Value != "" && l.Span.Start.Line <= line && line <= end
	})
}

// sound reports that an edit leaves the file as readable as it was, and every value
// where it was.
func sound(f *File, ed Edit) bool {
	all := lines(f)
	if ed.Lines.First < 1 || ed.Lines.Last > len(all) {
		return false
	}
	text := slices.Concat(all[:ed.Lines.First-1], ed.With, all[ed.Lines.Last:])
	if strings.HasSuffix(f.Path, ".keys") {
		return true
	}
	after := syntax.ParseAs(f.Path, []byte(strings.Join(text, "\n")+"\n"), f.Syntax().Format)
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
		there[value{l.Doc, l.Path.String(), ""}] = true
	}
	return !slices.ContainsFunc(f.Syntax().Leaves, func(l syntax.Leaf) bool {
		return l.Kind != syntax.Null && !shifts(l) && !there[value{l.Doc, l.Path.String(), l.Value}]
	})
}

// shifts reports an element of a list, whose place an insertion moves.
func shifts(l syntax.Leaf) bool {
	return slices.ContainsFunc(l.Path, func(s syntax.Step) bool { return s.Index >= 0 })
}
