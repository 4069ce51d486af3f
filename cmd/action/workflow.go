package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sethvargo/go-githubactions"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/drift"
	"github.com/sealward/sealward/internal/review/report"
	"github.com/sealward/sealward/internal/review/rule"
)

// workflow is one step of a workflow: the event and the inputs in, channels out.
// What goes wrong with a channel leaves the others and the exit code as they are.
type workflow struct {
	*app
	act     *githubactions.Action
	in      inputs
	job     job
	client  *github.Client
	outputs map[string]string
}

// outcome is what was found out.
type outcome struct {
	change *repo.Change
	cfg    *config.Config
	rep    *review.Report
	tree   *review.Tree
	drift  *drift.Report // nil where nobody asked for it
}

// workflow does what the event asks for. Its errors are told in full, as they are
// the only word that a reader of the log gets.
func (a *app) workflow(ctx context.Context, opt github.Options) int {
	w := &workflow{app: a, outputs: map[string]string{"result": "error"}}
	w.act = githubactions.New(githubactions.WithGetenv(a.getenv), githubactions.WithWriter(a.stdout))
	code, err := w.run(ctx, opt)
	if err != nil {
		code = exitFailed
		for line := range strings.SplitSeq(err.Error(), "\n") {
			w.act.WithFieldsMap(map[string]string{"title": "sealward"}).Errorf("%s", report.Clean(line))
		}
	}
	w.attempt("outputs", w.writeOutputs)
	return code
}

func (w *workflow) run(ctx context.Context, opt github.Options) (int, error) {
	var err error
	if w.in, err = readInputs(w.getenv); err != nil {
		return 0, err
	}
	event, err := readEvent(w.getenv)
	if err != nil {
		return 0, err
	}
	w.job, err = jobOf(event, w.in, w.getenv)
	if errors.Is(err, errNothing) {
		w.outputs["result"] = "clean"
		w.notice("%v", err)
		return exitClean, nil
	}
	if err != nil {
		return 0, err
	}
	opt.BaseURL = w.apiURL()
	if w.client, err = github.New(w.in.token, opt); err != nil {
		return 0, err
	}
	out, err := w.work(ctx)
	if err != nil {
		return 0, err
	}
	failOn, err := review.ParseSeverity(cmp.Or(w.in.failOn, out.cfg.Review.FailOn, "error"))
	if err != nil {
		return 0, fmt.Errorf("%s: fail-on: %w", config.Name, err)
	}
	code := w.verdict(out, failOn)
	w.tell(ctx, out, code)
	return code, nil
}

// work reads the change and reviews it.
func (w *workflow) work(ctx context.Context) (*outcome, error) {
	rng := w.job.rng
	rng.Workspace = w.workspace()
	change, err := w.client.Change(ctx, rng)
	if err != nil {
		return nil, w.unread(err)
	}
	out := &outcome{change: &change}
	mode := map[mode]review.Mode{modeReview: review.ReviewChange, modeFull: review.ReviewTree, modeDrift: review.ReportDrift}[w.job.mode]
	if out.cfg, err = w.configOf(&change, mode); err != nil {
		return nil, err
	}
	out.cfg.Review.PathsIgnore = append(slices.Clone(out.cfg.Review.PathsIgnore), w.in.pathsIgnore...)
	now := time.Now()
	if out.rep, err = review.Run(ctx, &change, review.Options{Mode: mode, Rules: rule.All(), Config: out.cfg, Now: now, Redact: rule.Redact}); err != nil {
		return nil, err
	}
	keepPaths(out.rep, w.in.paths)
	if out.tree, err = review.OpenTree(change.Head, out.cfg); err != nil {
		return nil, err
	}
	if w.job.mode == modeDrift || w.in.htmlFile != "" {
		out.drift = drift.Build(out.tree, out.cfg, nil)
		keepUnits(out.drift, w.in.paths)
		out.drift.Now, out.drift.Title, out.drift.Link = now, rng.Repo, w.link(change.Head.Commit)
		out.rep.Incomplete = slices.Compact(append(out.rep.Incomplete, missingFrom(out.rep.Incomplete, out.drift.Incomplete)...))
	}
	return out, nil
}

// unread is why a change could not be read, with the way out that GitHub's answer
// does not name.
func (w *workflow) unread(err error) error {
	var answer *github.APIError
	var limit *github.LimitError
	switch {
	case errors.Is(err, github.ErrNotFound):
		return fmt.Errorf("read the change: %w: %s or what was asked of it is not there for this token: it needs contents: read there, and the API's URL of an Enterprise Server ends in /api/v3", err, w.job.rng.Repo)
	case !errors.As(err, &answer) && !errors.As(err, &limit) && !errors.Is(err, context.Canceled):
		return fmt.Errorf("read the change from %s: %w", report.Clean(w.apiURL()), err)
	}
	return fmt.Errorf("read the change: %w", err)
}

func (w *workflow) apiURL() string {
	return cmp.Or(w.in.apiURL, w.getenv("GITHUB_API_URL"), "https://api.github.com")
}

// missingFrom returns the sentences of more that list does not have.
func missingFrom(list, more []string) []string {
	return slices.DeleteFunc(slices.Clone(more), func(s string) bool { return slices.Contains(list, s) })
}

// workspace is the checkout, where an earlier step made one. What is taken from it
// is held to the ids of the commit's tree, so that nothing in it need be trusted.
func (w *workflow) workspace() fs.FS {
	dir := w.getenv("GITHUB_WORKSPACE")
	if dir == "" {
		return nil
	}
	if _, err := os.Lstat(dir + "/.git"); err != nil {
		return nil
	}
	snap, err := repo.OpenDir(dir)
	if err != nil {
		return nil // the API has everything that it has
	}
	return snap.FS
}

// configOf reads the configuration: of the base of a change, which its author
// cannot have edited, and otherwise of the tree.
func (w *workflow) configOf(change *repo.Change, mode review.Mode) (*config.Config, error) {
	src := &source{change: change, mode: mode}
	if w.in.config == "" {
		return w.readConfig("", src)
	}
	from := change.Base
	if mode != review.ReviewChange {
		from = change.Head
	}
	if from.FS == nil {
		return nil, fmt.Errorf("input config: there is no base to read %q from", w.in.config)
	}
	data, err := readBounded(from.FS, w.in.config)
	if err != nil {
		return nil, fmt.Errorf("input config: read %q, which is a path in the base of the change: %w", w.in.config, err)
	}
	return config.Parse(w.in.config, data)
}

// verdict is the exit code. A report of drift fails where it is told to, and not by
// the severity of what it found.
func (w *workflow) verdict(out *outcome, failOn review.Severity) int {
	if w.job.mode == modeDrift {
		failOn = 0
	}
	code := exitCode(out.rep, failOn)
	if code == exitClean && w.in.failOnDrift && w.driftCount(out) > 0 {
		code = exitFindings
	}
	return code
}

// driftCount is how many keys drift, or of a change how many findings say so.
func (w *workflow) driftCount(out *outcome) int {
	if w.job.mode == modeDrift {
		return out.drift.Count()
	}
	n := 0
	for i := range out.rep.Findings {
		if familyOf(out.rep, out.rep.Findings[i].Rule) == review.Drift {
			n++
		}
	}
	return n
}

func familyOf(rep *review.Report, id string) review.Family {
	if i := slices.IndexFunc(rep.Rules, func(r *review.Rule) bool { return r.ID == id }); i >= 0 {
		return rep.Rules[i].Family
	}
	return ""
}

// link is where the files of the commit are shown.
func (w *workflow) link(commit string) string {
	if commit == "" {
		return ""
	}
	return cmp.Or(w.getenv("GITHUB_SERVER_URL"), "https://github.com") + "/" + w.job.rng.Repo + "/blob/" + commit
}

// notice says in the log and on the run's page what a reader should know of the
// run itself.
func (w *workflow) notice(format string, args ...any) {
	w.act.WithFieldsMap(map[string]string{"title": "sealward"}).Noticef("%s", report.Clean(fmt.Sprintf(format, args...)))
}

// attempt runs one channel, and tells what went wrong with it.
func (w *workflow) attempt(channel string, write func() error) {
	if err := write(); err != nil {
		w.notice("no %s: %v", channel, err)
	}
}
