package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/report"
)

// exposesNothing are the rules of the leaks' family that are about no value.
var exposesNothing = [...]string{"silenced-review", "orphan-ciphertext"}

// The bounds of the plan: lines of one step, and of all.
const (
	planRows = 25
	planSize = 16 << 10 // bytes of the whole plan, but for some sentences
)

// rotationPlan says, where a finding is a leak, what is to be revoked, sealed and
// rotated, by which commands: what was pushed is known, whatever becomes of the
// change. It is empty where nothing leaked.
func rotationPlan(rep *review.Report, places *env.Map) string {
	var revoke, seal []string
	envs, keys := map[string]bool{}, map[string]bool{}
	for i := range rep.Findings {
		f := &rep.Findings[i]
		if familyOf(rep, f.Rule) != review.Leaks || slices.Contains(exposesNothing[:], f.Rule) {
			continue
		}
		revoke = append(revoke, revokeRow(f))
		if f.Rule == "private-key" {
			collectEnvs(keys, f, places)
			continue
		}
		seal = append(seal, "`sops encrypt --in-place` "+report.Code(f.Home()))
		if place, ok := places.Of(f.Home()); ok {
			envs[place.Env] = true
		}
	}
	if len(revoke) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n#### Rotation plan\n\nWhat was pushed must be taken as known: neither a revert nor a force push takes it back.\n\n")
	step(&b, "1. **Revoke and replace** at the provider:", revoke)
	step(&b, "2. **Seal** the new values, and never the old ones:", seal)
	step(&b, "3. **Rotate the key**:", rotateRows(keys, envs))
	b.WriteString("4. Read the provider's log of accesses from the time of the commit on, and close this once all is done.\n")
	return b.String()
}

func revokeRow(f *review.Finding) string {
	what := report.Prose(f.Message)
	if f.Key != "" {
		what = report.Code(f.Key) + ": " + what
	}
	row := fmt.Sprintf("%s, at %s", what, report.Code(fmt.Sprintf("%s:%d", f.Home(), max(f.Span.Start.Line, 1))))
	if f.Commit != "" {
		row += ", in commit " + report.Code(f.Commit[:min(len(f.Commit), 10)])
	}
	if f.Hint != "" {
		first, _, _ := strings.Cut(f.Hint, "\n")
		row += ". " + report.Prose(first)
	}
	return row
}

// collectEnvs notes the environments of what a leaked key opens; "ENV" where they
// are not known.
func collectEnvs(to map[string]bool, f *review.Finding, places *env.Map) {
	known := len(to)
	for _, r := range f.Related {
		if place, ok := places.Of(r.Span.File); ok {
			to[place.Env] = true
		}
	}
	if place, ok := places.Of(f.Home()); ok && len(to) == known {
		to[place.Env] = true
	}
	if len(to) == 0 {
		to["ENV"] = true
	}
}

func rotateRows(keys, envs map[string]bool) []string {
	var rows []string
	for _, e := range slices.Sorted(maps.Keys(keys)) {
		rows = append(rows, "a key that opens this environment's files is known: "+command(e))
	}
	for _, e := range slices.Sorted(maps.Keys(envs)) {
		if !keys[e] {
			rows = append(rows, "where the leaked value gave access to the key of "+report.Code(e)+": "+command(e))
		}
	}
	return rows
}

// command is how the bot is asked for a rotation.
func command(e string) string {
	return "comment " + report.Code("/rotate-key "+e+" --force") + ", or run " + report.Code("bot rotate "+e+" --force")
}

// step writes one step of the plan, as tasks; a row that is there twice once.
func step(b *strings.Builder, title string, rows []string) {
	if len(rows) == 0 {
		return
	}
	b.WriteString(title + "\n")
	shown := 0
	seen := map[string]bool{}
	for i, row := range rows {
		if seen[row] {
			continue
		}
		if shown == planRows || b.Len()+len(row) > planSize {
			fmt.Fprintf(b, "   - [ ] and %d more, which the log lists\n", len(rows)-i)
			break
		}
		seen[row] = true
		shown++
		b.WriteString("   - [ ] " + row + "\n")
	}
}
