package rotate

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/sops"
)

// maxBody keeps a body below the 65,536 characters that GitHub takes.
const maxBody = 60_000

// NotRotated names the recipients of a file that kept its data key.
type NotRotated struct {
	Path       string
	Recipients []sops.Recipient
}

// Title is the proposal's title.
func (p *Plan) Title() string {
	switch {
	case p.Env != "" && len(p.Old) > 0:
		return "Rotate the key of " + p.Env
	case len(p.Old) > 0 && len(p.New) > 0:
		return fmt.Sprintf("Replace %s by %s", shorts(p.Old), shorts(p.New))
	case len(p.Old) > 0:
		return "Remove " + shorts(p.Old)
	}
	return "Add " + shorts(p.New)
}

// Body is the proposal's text: Markdown below 60,000 characters, always the same for
// the same plan.
func (p *Plan) Body(not []NotRotated) string {
	head := p.bodyHead()
	tail := p.bodyTail()
	tables := []table{p.fileTable(), p.changeTable(), p.skipTable(), notRotatedTable(not), p.exposedTable()}
	room := maxBody - len([]rune(head)) - len([]rune(tail))
	var b strings.Builder
	b.WriteString(head)
	for i, t := range tables {
		// Each table may use an even part of what the ones before it left.
		text := t.render(room / (len(tables) - i))
		room -= len([]rune(text))
		b.WriteString(text)
	}
	b.WriteString(tail)
	return b.String()
}

func (p *Plan) bodyHead() string {
	var b strings.Builder
	switch {
	case p.Env != "" && len(p.Old) > 0:
		fmt.Fprintf(&b, "The key of %s is replaced. ", code(p.Env))
	default:
		fmt.Fprintf(&b, "%s. ", p.Title())
	}
	b.WriteString("Every file below is sealed anew with a fresh data key; each was opened and compared before and after, value by value.\n\n")
	b.WriteString("| | recipient |\n|---|---|\n")
	for _, r := range p.Old {
		fmt.Fprintf(&b, "| goes | %s |\n", code(r.ID))
	}
	for _, r := range p.New {
		fmt.Fprintf(&b, "| comes | %s |\n", code(r.ID))
	}
	if p.Mint {
		b.WriteString("| comes | a new key, made when the rotation runs |\n")
	}
	b.WriteString("\n")
	if p.By != "" {
		fmt.Fprintf(&b, "Asked for by %s", code(p.By))
		if strings.HasPrefix(p.Source, "https://") && !strings.ContainsAny(p.Source, " <>()[]`\n\r") {
			fmt.Fprintf(&b, " in %s", p.Source)
		}
		b.WriteString(".\n\n")
	}
	return clip(b.String(), maxBody/4)
}

func (p *Plan) bodyTail() string {
	var b strings.Builder
	bullets(&b, "Mind", p.Warnings)
	bullets(&b, "Not read", p.Incomplete)
	if len(p.Steps) > 0 {
		b.WriteString("### What happens next\n\n")
		for i, s := range p.Steps {
			fmt.Fprintf(&b, "%d. %s\n", i+1, s)
		}
	}
	return clip(b.String(), maxBody/3)
}

func bullets(b *strings.Builder, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "### %s\n\n", title)
	for i, l := range lines {
		if i == 40 {
			fmt.Fprintf(b, "- and %d more\n", len(lines)-i)
			break
		}
		fmt.Fprintf(b, "- %s\n", text(l))
	}
	b.WriteString("\n")
}

// clip cuts a text at the end of a line.
func clip(s string, most int) string {
	if r := []rune(s); len(r) > most {
		s = string(r[:most])
		return s[:strings.LastIndexByte(s, '\n')+1]
	}
	return s
}

// table is a heading, a sentence and rows, of which as many are shown as there is room.
type table struct {
	title, intro, head string
	rows               []string
}

func (t table) render(room int) string {
	if len(t.rows) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "### %s (%d)\n\n", t.title, len(t.rows))
	if t.intro != "" {
		b.WriteString(t.intro + "\n\n")
	}
	b.WriteString(t.head + "\n")
	const foot = 80 // characters for the line that says what is left out
	used := len([]rune(b.String()))
	for i, row := range t.rows {
		n := len([]rune(row)) + 1
		if used+n > room-foot {
			fmt.Fprintf(&b, "\nand %d more\n", len(t.rows)-i)
			break
		}
		used += n
		b.WriteString(row + "\n")
	}
	b.WriteString("\n")
	return b.String()
}

func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |" }

func (p *Plan) fileTable() table {
	t := table{title: "Files", head: "| file | documents | values | why |\n|---|---|---|---|"}
	for _, f := range p.Files {
		t.rows = append(t.rows, row(code(f.Path), fmt.Sprint(f.Docs), fmt.Sprint(f.Values), text(f.Why)))
	}
	return t
}

func (p *Plan) changeTable() table {
	t := table{title: "Rules and configuration", head: "| place | change |\n|---|---|"}
	for _, c := range p.Changes {
		t.rows = append(t.rows, row(code(fmt.Sprintf("%s:%d", c.Path, c.Line)), text(c.What)))
	}
	return t
}

func (p *Plan) skipTable() table {
	t := table{title: "Left as they are", head: "| file | why |\n|---|---|",
		intro: "These are still sealed for the old key. Do not retire it before they are mended."}
	for _, s := range p.Skipped {
		t.rows = append(t.rows, row(code(s.Path), text(s.Why)))
	}
	return t
}

func notRotatedTable(not []NotRotated) table {
	t := table{title: "Data key not rotated", head: "| file | kept for |\n|---|---|",
		intro: "Credentials for these keys are not here, so the data key stayed: whoever opened these files with the old key can open them still. Rotate them with `sops rotate` where the credentials are."}
	for _, n := range not {
		names := make([]string, len(n.Recipients))
		for i, r := range n.Recipients {
			names[i] = code(r.Short())
		}
		t.rows = append(t.rows, row(code(n.Path), strings.Join(names, ", ")))
	}
	return t
}

func (p *Plan) exposedTable() table {
	t := table{title: "Values to consider exposed", head: "| file | object | key | |\n|---|---|---|---|",
		intro: "The old key could read these. Where it may have been seen by others, replace each value at its source. Names only; nothing was decrypted to find them."}
	for _, e := range p.Exposed {
		when := ""
		if e.History {
			when = "in the history"
		}
		object := ""
		if e.Object != "" {
			object = code(e.Object)
		}
		t.rows = append(t.rows, row(code(e.Path), object, code(e.Key), when))
	}
	return t
}

// code writes untrusted text as a code span that stays in its table's cell.
func code(s string) string {
	s = strings.ReplaceAll(visible(s), "|", `\|`)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if s == "" {
		return ""
	}
	if len(fence) > 1 {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}

// text writes a sentence that may hold untrusted names, as plain text in a cell.
func text(s string) string {
	var b strings.Builder
	for _, r := range visible(s) {
		if strings.ContainsRune("\\`*_[]<>|#~&!", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
		if r == '@' {
			b.WriteString("&#8203;") // or it would call a person of that name
		}
	}
	return b.String()
}

// visible replaces what ends a line or is not seen.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// Key names a request by a hash of what it asks for: the same request always has the
// same one.
func (r Request) Key() string {
	h := sha256.New()
	field := func(s string) { fmt.Fprintf(h, "%d:%s,", len(s), s) }
	for _, s := range []string{r.Repo, r.Branch, r.Env, fmt.Sprint(r.Force), r.By, r.Source} {
		field(s)
	}
	for _, rs := range [][]sops.Recipient{r.To, r.Remove, r.Add} {
		field(fmt.Sprint(len(rs)))
		for _, x := range sops.Difference(rs, nil) {
			field(string(x.Kind) + " " + x.ID)
		}
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// Proposal is the rotation as a pull request: sealed are the files as they will be.
func (p *Plan) Proposal(base string, sealed []repo.Edit, not []NotRotated) repo.Proposal {
	name := p.Env
	if name == "" {
		name = "recipients"
	}
	edits := slices.Concat(sealed, p.Rules)
	slices.SortFunc(edits, func(a, b repo.Edit) int { return strings.Compare(a.Path, b.Path) })
	return repo.Proposal{
		Repo: p.Repo, Onto: p.Request.Branch, Base: base, Edits: edits,
		Branch:  "sealward/rotate-" + branchWord(name) + "-" + p.Key(),
		Title:   visible(p.Title()),
		Message: visible(p.Title()) + "\n\n" + fmt.Sprintf("%s sealed anew with fresh data keys; %s of rules and configuration.\n", count(len(sealed), "file"), count(len(p.Changes), "edit")),
		Body:    p.Body(not),
	}
}

// branchWord keeps what may stand in a branch's name.
func branchWord(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, s), "-")
}
