package main

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/sealward/sealward/internal/github"
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
		on("suggestion", func(ctx context.Context, _ *outcome) error {
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
	rep := github.IssueReport{Repo: w.job.rng.Repo, Mark: "drift", Title: "Environments have drifted apart", Labels: []string{"sealward-drift"}, Open: n > 0}
	// What the issue said last is all that is known of ages: there is no history here.
	before, _, err := w.client.FindIssue(ctx, rep.Repo, rep.Mark, rep.Labels[0])
	if err != nil {
		return err
	}
	out.drift.Recall(before.Body)
	var b bytes.Buffer
	if err := drift.Markdown(&b, out.drift); err != nil {
		return err
	}
	rep.Body = b.String()
	if m := driftHash.FindStringSubmatch(rep.Body); m != nil {
		rep.Hash = m[1]
	}
	issue, _, err := w.client.KeepIssue(ctx, rep)
	if issue.Number != 0 {
		w.outputs["issue-number"] = strconv.Itoa(issue.Number)
	}
	return err
}
