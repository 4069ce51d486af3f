package main

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/drift"
	"github.com/sealward/sealward/internal/review/report"
)

// forgeTime bounds what one channel on GitHub may take, limits waited for included.
const forgeTime = 2 * time.Minute

// writeForge keeps what stands on GitHub current.
func (w *workflow) writeForge(ctx context.Context, out *outcome) {
	on := func(channel string, write func(context.Context, *outcome) error) {
		if w.in.dryRun {
			w.notice("dry run: the %s is not written", channel)
			return
		}
		ctx, cancel := context.WithTimeout(ctx, forgeTime)
		defer cancel()
		w.attempt(channel, func() error { return write(ctx, out) })
	}
	pull := w.job.mode != modeDrift && w.job.rng.Pull != 0
	if pull && w.in.comment != commentNever {
		on("comment", w.keepComment)
	}
	if list := suggestionsOf(out); pull && w.in.suggestions && len(list) > 0 {
		on("suggestions", func(ctx context.Context, _ *outcome) error {
			_, err := w.client.Suggest(ctx, w.job.rng.Repo, w.job.rng.Pull, w.job.rng.Head, list)
			return err
		})
	}
	if w.in.driftIssue && w.job.mode == modeDrift {
		on("drift issue", w.keepIssue)
	}
}

// commentRoom is what the hidden mark of the comment needs, in bytes.
const commentRoom = 256

func (w *workflow) keepComment(ctx context.Context, out *outcome) error {
	body, err := w.markdown(out, report.CommentBudget-commentRoom)
	if err != nil {
		return err
	}
	anything := len(out.rep.Findings) > 0 || len(out.rep.Incomplete) > 0
	id, _, err := w.client.KeepComment(ctx, github.Sticky{
		Repo: w.job.rng.Repo, Issue: w.job.rng.Pull, Mark: "review", Body: body, Create: anything || w.in.comment == commentAlways,
	})
	if id != 0 {
		w.outputs["comment-id"] = strconv.FormatInt(id, 10)
	}
	return err
}

// driftHash is the report's own word on what matters in it: ages do not.
var driftHash = regexp.MustCompile(`<!-- sealward:drift ([0-9a-f]+) -->\s*$`)

// keepIssue keeps the issue of drift. A tree that was not read whole closes nothing.
func (w *workflow) keepIssue(ctx context.Context, out *outcome) error {
	if !w.job.standing {
		w.notice("the issue of drift speaks of the default branch alone, and this run is about another")
		return nil
	}
	n := out.drift.Count()
	if n == 0 && len(out.rep.Incomplete) > 0 {
		return fmt.Errorf("the tree was not read whole, so that the absence of drift is not known")
	}
	var b bytes.Buffer
	if err := drift.Markdown(&b, out.drift); err != nil {
		return err
	}
	title := "Environments have drifted apart"
	rep := github.IssueReport{Repo: w.job.rng.Repo, Mark: "drift", Title: title, Body: b.String(), Labels: []string{"sealward-drift"}, Open: n > 0}
	if m := driftHash.FindStringSubmatch(rep.Body); m != nil {
		rep.Hash = m[1]
	}
	issue, _, err := w.client.KeepIssue(ctx, rep)
	if issue.Number != 0 {
		w.outputs["issue-number"] = strconv.Itoa(issue.Number)
	}
	return err
}

// suggestionsOf are the fixes that GitHub can take at a click: whole lines that the
// change added.
func suggestionsOf(out *outcome) []github.Suggestion {
	var list []github.Suggestion
	for i := range out.rep.Findings {
		f := &out.rep.Findings[i]
		if f.Commit != "" || f.Home() != f.Span.File {
			continue
		}
		for _, fix := range f.Fixes {
			if s, ok := suggestion(out, f, fix); ok {
				list = append(list, s)
			}
		}
	}
	return list
}

func suggestion(out *outcome, f *review.Finding, fix review.Fix) (github.Suggestion, bool) {
	s := github.Suggestion{Path: f.Span.File, Lines: fix.Lines, With: fix.With, Why: report.Prose(f.Message)}
	if fix.Lines.Last < fix.Lines.First {
		lines := strings.Split(string(out.tree.Data(s.Path)), "\n")
		if fix.Lines.First < 1 || fix.Lines.First > len(lines) {
			return s, false
		}
		s.Lines.Last = fix.Lines.First
		// The line that stays is shown with the new ones: it must hold no secret.
		if slices.ContainsFunc(out.rep.Findings, func(o review.Finding) bool {
			return familyOf(out.rep, o.Rule) == review.Leaks && o.Home() == s.Path && o.Span.Start.Line <= s.Lines.Last && s.Lines.Last <= max(o.Span.End.Line, o.Span.Start.Line)
		}) {
			return s, false
		}
		s.With = append(slices.Clone(fix.With), strings.TrimSuffix(lines[fix.Lines.First-1], "\r"))
	}
	return s, added(out.change, s.Path, s.Lines)
}

// added reports whether the change added all of the lines: the diff shows them.
func added(change *repo.Change, path string, lines repo.Lines) bool {
	i := slices.IndexFunc(change.Files, func(f repo.FileChange) bool { return f.Path == path })
	return i >= 0 && slices.ContainsFunc(change.Files[i].Added, func(a repo.Lines) bool {
		return a.First <= lines.First && lines.Last <= a.Last
	})
}
