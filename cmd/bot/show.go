package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/sealward/sealward/internal/review/report"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

// maxShown is how many lines of one kind the text of a plan has; JSON has them all.
const maxShown = 500

// show prints the plan.
func (r *rotation) show() error {
	switch r.flags.format {
	case "json":
		return r.showJSON()
	case "markdown":
		var not []rotate.NotRotated
		if r.out != nil {
			not = r.out.NotRotated
		}
		_, err := fmt.Fprint(r.stdout, r.plan.Body(not))
		return err
	}
	r.showText()
	return nil
}

func (r *rotation) showText() {
	p := r.plan
	if p.Idle {
		r.tell("No key of %s was replaced. With --force this would be done:\n", p.Env)
	}
	r.heading("%s", p.Title())
	for _, x := range p.Old {
		r.tell("  goes   %s  (%s)", x, p.How)
	}
	for _, x := range p.New {
		r.tell("  comes  %s", x)
	}
	if p.Mint {
		r.tell("  comes  a new key, made when the rotation runs")
	}
	lines := make([]string, len(p.Files))
	for i, f := range p.Files {
		lines[i] = fmt.Sprintf("%s: %s, %s; %s", f.Path, plural(f.Docs, "document"), plural(f.Values, "value"), f.Why)
	}
	r.section("files", lines)
	lines = nil
	for _, c := range p.Changes {
		lines = append(lines, fmt.Sprintf("%s:%d: %s", c.Path, c.Line, c.What))
	}
	r.section("rules and configuration", lines)
	lines = nil
	for _, s := range p.Skipped {
		lines = append(lines, fmt.Sprintf("%s: %s", s.Path, s.Why))
	}
	r.section("left as they are", lines)
	lines = nil
	if r.out != nil {
		for _, n := range r.out.NotRotated {
			lines = append(lines, fmt.Sprintf("%s: kept for %s", n.Path, shorts(n.Recipients)))
		}
	}
	r.section("data key not rotated", lines)
	r.section("values to consider exposed", exposedLines(p.Exposed))
	r.section("mind", p.Warnings)
	if len(p.Steps) > 0 {
		r.tell("")
		r.heading("what happens next")
		for i, s := range p.Steps {
			r.tell("  %d. %s", i+1, s)
		}
	}
}

func exposedLines(list []rotate.Exposed) []string {
	lines := make([]string, len(list))
	for i, e := range list {
		parts := []string{e.Path + ":"}
		if e.Object != "" {
			parts = append(parts, e.Object)
		}
		parts = append(parts, e.Key)
		if e.History {
			parts = append(parts, "(in the history)")
		}
		lines[i] = strings.Join(parts, " ")
	}
	return lines
}

func shorts(list []sops.Recipient) string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = x.Short()
	}
	return strings.Join(out, ", ")
}

func (r *rotation) heading(format string, args ...any) {
	fmt.Fprintln(r.stdout, r.bold(report.Clean(fmt.Sprintf(format, args...))))
}

func (r *rotation) section(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	r.tell("")
	r.heading("%s (%d)", title, len(lines))
	for i, l := range lines {
		if i == maxShown {
			r.tell("  and %d more: --format json has them all", len(lines)-i)
			break
		}
		r.tell("  %s", l)
	}
}

// planJSON is the plan as --format json prints it, version 1.
type planJSON struct {
	Version    int           `json:"version"`
	Title      string        `json:"title"`
	Env        string        `json:"environment,omitempty"`
	Old        []string      `json:"old"`
	New        []string      `json:"new"`
	Mint       bool          `json:"makes_key"`
	Idle       bool          `json:"idle"` // nothing was replaced: the plan is what --force would do
	Written    bool          `json:"written"`
	Files      []fileJSON    `json:"files"`
	Changes    []changeJSON  `json:"changes"`
	Skipped    []skipJSON    `json:"skipped"`
	NotRotated []keptJSON    `json:"not_rotated"`
	Exposed    []exposedJSON `json:"exposed"`
	Warnings   []string      `json:"warnings"`
	Incomplete []string      `json:"incomplete"`
	Next       []string      `json:"next"`
}

type fileJSON struct {
	Path      string   `json:"path"`
	Env       string   `json:"environment,omitempty"`
	From      []string `json:"from"`
	To        []string `json:"to"`
	Documents int      `json:"documents"`
	Values    int      `json:"values"`
	Why       string   `json:"why"`
}

type changeJSON struct {
	Path string `json:"path"`
	Line int    `json:"line"`
	What string `json:"what"`
}

type skipJSON struct {
	Path string `json:"path"`
	Why  string `json:"why"`
}

type keptJSON struct {
	Path       string   `json:"path"`
	Recipients []string `json:"recipients"`
}

type exposedJSON struct {
	Path    string `json:"path"`
	Object  string `json:"object,omitempty"`
	Key     string `json:"key"`
	History bool   `json:"history,omitempty"`
}

func (r *rotation) showJSON() error {
	p := r.plan
	out := planJSON{Version: 1, Title: p.Title(), Env: p.Env, Old: idsOf(p.Old), New: idsOf(p.New), Mint: p.Mint, Idle: p.Idle, Written: r.written,
		Files: []fileJSON{}, Changes: []changeJSON{}, Skipped: []skipJSON{}, NotRotated: []keptJSON{}, Exposed: []exposedJSON{},
		Warnings: some(p.Warnings), Incomplete: some(p.Incomplete), Next: some(p.Steps)}
	for _, f := range p.Files {
		out.Files = append(out.Files, fileJSON{f.Path, f.Env, idsOf(f.From), idsOf(f.To), f.Docs, f.Values, f.Why})
	}
	for _, c := range p.Changes {
		out.Changes = append(out.Changes, changeJSON(c))
	}
	for _, s := range p.Skipped {
		out.Skipped = append(out.Skipped, skipJSON(s))
	}
	if r.out != nil {
		for _, n := range r.out.NotRotated {
			out.NotRotated = append(out.NotRotated, keptJSON{n.Path, idsOf(n.Recipients)})
		}
	}
	for _, e := range p.Exposed {
		out.Exposed = append(out.Exposed, exposedJSON{e.Path, e.Object, e.Key, e.History})
	}
	enc := json.NewEncoder(r.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func idsOf(list []sops.Recipient) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = x.ID
	}
	return out
}

// some makes an empty list of none, which JSON then shows as one.
func some(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// readIf reads a file of the tree, nil where there is none.
func readIf(at *local, path string) ([]byte, error) {
	data, err := fs.ReadFile(at.tree.Snapshot.FS, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if data == nil && err == nil {
		data = []byte{}
	}
	return data, err
}
