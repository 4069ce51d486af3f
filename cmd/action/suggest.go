package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/leak"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/report"
)

// diffContext is how many lines GitHub's diff shows around those that changed.
const diffContext = 3

// suggestionsOf are the fixes that a person can take at a click, of lines that the
// diff shows.
func suggestionsOf(out *outcome) []github.Suggestion {
	added := map[string][]repo.Lines{}
	for _, f := range out.change.Files {
		added[f.Path] = f.Added
	}
	shown := func(path string, line int) bool {
		return slices.ContainsFunc(added[path], func(a repo.Lines) bool {
			return a.First-diffContext <= line && line <= a.Last+diffContext
		})
	}
	var list []github.Suggestion
	for _, ed := range review.Edits(out.rep.Findings, out.tree, shown) {
		if leaks(out.rep, ed) {
			continue // a line that stays, or a name, is a secret itself
		}
		list = append(list, github.Suggestion{Path: ed.File, Lines: ed.Lines, With: ed.With, New: ed.New, Why: whyOf(ed)})
	}
	return list
}

// leaks reports an edit that would repeat a secret, as the review or a scan of the text
// by itself has it.
func leaks(rep *review.Report, ed review.Edit) bool {
	if len(leak.Text(ed.File, []byte(strings.Join(ed.With, "\n")))) > 0 {
		return true
	}
	return slices.ContainsFunc(rep.Findings, func(f review.Finding) bool {
		last := max(f.Span.Start.Line, f.Span.End.Line)
		return familyOf(rep, f.Rule) == review.Leaks && f.Home() == ed.File && f.Span.Start.Line <= ed.Lines.Last && ed.Lines.First <= last
	})
}

// whyShown is how many findings and notes stand above a suggestion: GitHub takes 65,536
// characters for all of it.
const whyShown = 20

// whyOf is what stands above a suggestion, in Markdown.
func whyOf(ed review.Edit) string {
	var lines []string
	for _, f := range ed.Findings[:min(len(ed.Findings), whyShown)] {
		lines = append(lines, report.Prose(f.Message)+" (`"+f.Rule+"`)")
	}
	if n := len(ed.Findings) - whyShown; n > 0 {
		lines = append(lines, fmt.Sprintf("and %d more like it", n))
	}
	for _, note := range ed.Notes[:min(len(ed.Notes), whyShown)] {
		lines = append(lines, report.Prose(note))
	}
	if len(lines) == 1 {
		return lines[0]
	}
	return "- " + strings.Join(lines, "\n- ")
}
