package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/report"
	"github.com/sealward/sealward/internal/review/rule"
)

// reviewFlags are what the command line of review says.
type reviewFlags struct {
	what    selection
	explain string
	format  string
	output  string
	failOn  string
	config  string
	only    []string
}

var failOnValues = [...]string{"error", "warning", "notice", "never"}

func (a *app) reviewCommand() *cobra.Command {
	var f reviewFlags
	cmd := &cobra.Command{
		Use:   "review [DIR]",
		Short: "Review a change, or a whole tree",
		Long: `Reviews the work tree of the git repository at DIR (the current directory) against the
merge base with its default branch, commits in between included: what one commit adds
and the next removes stays in the history. Outside of a git repository the whole
directory is reviewed.

DIR and --base take a directory or, in a git repository, a revision. With two
revisions every commit of the range is read.

The configuration is Base's .sealward.yaml: a change cannot silence its own review.

Exit status: 0 nothing at or above --fail-on, 1 findings, 2 the work could not be
done (usage, configuration, or a file that could not be read).`,
		Example: `  action review                               the work tree against the default branch
  action review --staged                      what is about to be committed (for a pre-commit hook)
  action review --base v1.2.0 --head v1.3.0   a range, with every commit in it
  action review --base old/ new/              two directories
  action review --all                         the whole tree, and not a change
  action review --explain overlays/prod/a.env which environment and rules a file falls under, and why
  action review --format sarif --output a.sarif --fail-on never`,
		Args: atMostOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.what.dir = "."
			if len(args) > 0 {
				f.what.dir, f.what.named = args[0], true
			}
			return a.review(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.what.base, "base", "", "the `revision|directory` to compare with")
	flags.StringVar(&f.what.head, "head", "", "review this `revision` instead of the work tree")
	flags.BoolVar(&f.what.staged, "staged", false, "review what is staged")
	flags.BoolVar(&f.what.all, "all", false, "review the whole tree and not a change")
	flags.StringVar(&f.explain, "explain", "", "say which environment and rules a `path` falls under, and why")
	flags.StringVar(&f.format, "format", "", "the `name` of the format: text, github, json, sarif or markdown (default text; github in a workflow)")
	flags.StringVar(&f.output, "output", "", "write the report to a `file` instead of the standard output")
	flags.StringVar(&f.failOn, "fail-on", "", "the least `severity` that fails: error, warning, notice or never (default error)")
	flags.StringVar(&f.config, "config", "", "use this configuration `file` instead of Base's "+config.Name)
	flags.StringSliceVar(&f.only, "only", nil, "review by these `rules` alone: ids, or leaks, sealing, drift, kilter, references, flux, eso")
	complete := func(flag string, values []string) {
		// It errors only where the flag does not exist.
		_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return values, cobra.ShellCompDirectiveNoFileComp
		})
	}
	complete("format", report.Formats())
	complete("fail-on", failOnValues[:])
	return cmd
}

func (a *app) review(ctx context.Context, f reviewFlags) error {
	if err := a.checkFlags(&f); err != nil {
		return err
	}
	rules, err := rulesOf(f.only)
	if err != nil {
		return err
	}
	src, err := a.open(ctx, f.what)
	if err != nil {
		return err
	}
	defer src.close()
	cfg, err := a.readConfig(f.config, src)
	if err != nil {
		return err
	}
	if f.explain != "" {
		return a.explainPath(src, cfg, f.explain)
	}
	failOn, err := review.ParseSeverity(cmp.Or(f.failOn, cfg.Review.FailOn, "error"))
	if err != nil {
		return fmt.Errorf("%s: fail-on: %w", config.Name, err)
	}
	p := cli.NewProgress(a.stderr, a.getenv, "reviewing")
	rep, err := review.Run(ctx, src.change, review.Options{
		Mode: src.mode, Rules: rules, Config: cfg, Now: time.Now(), Progress: p.Update, Redact: rule.Redact,
	})
	p.Clear()
	if err != nil {
		return err
	}
	if err := a.write(rep, f); err != nil {
		return err
	}
	a.code = exitCode(rep, failOn)
	return nil
}

func (a *app) checkFlags(f *reviewFlags) error {
	if f.format == "" {
		f.format = "text"
		if a.getenv("GITHUB_ACTIONS") == "true" && f.output == "" {
			f.format = "github"
		}
	}
	if !slices.Contains(report.Formats(), f.format) {
		return badValue("--format", f.format, report.Formats())
	}
	if f.failOn != "" && !slices.Contains(failOnValues[:], f.failOn) {
		return badValue("--fail-on", f.failOn, failOnValues[:])
	}
	if err := f.what.check(); err != nil {
		return err
	}
	if f.explain != "" && f.what.base == "" && f.what.head == "" && !f.what.staged {
		f.what.all = true // what a path is taken for needs no change
	}
	return nil
}

func badValue(flag, value string, valid []string) error {
	return cli.Usagef("%s %q is not known%s: valid are %s", flag, value, cli.DidYouMean(value, valid), strings.Join(valid, ", "))
}

// exitCode is what a report comes to. What was not read fails whatever --fail-on says.
func exitCode(rep *review.Report, failOn review.Severity) int {
	if len(rep.Incomplete) > 0 {
		return exitFailed
	}
	for i := range rep.Findings {
		if failOn != 0 && rep.Findings[i].Severity >= failOn {
			return exitFindings
		}
	}
	return exitClean
}

// write renders the report to where it was asked for.
func (a *app) write(rep *review.Report, f reviewFlags) error {
	opt := report.Options{Version: version()}
	if f.output == "" {
		opt.Color, opt.Width = a.colour(a.stdout), a.width(a.stdout)
		if err := report.Renderers(opt)[f.format](a.stdout, rep); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
		if f.format == "github" {
			a.writeSummary(rep)
		}
		return nil
	}
	var b bytes.Buffer
	if err := report.Renderers(opt)[f.format](&b, rep); err != nil {
		return err
	}
	if err := os.WriteFile(f.output, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	a.say("%s: the report is in %s", plural(len(rep.Findings), "finding"), f.output)
	for _, s := range rep.Incomplete {
		a.say("incomplete: %s", s)
	}
	return nil
}

// writeSummary adds the report to the job's summary, where a workflow has one. It
// is an extra: what goes wrong with it does not change the outcome.
func (a *app) writeSummary(rep *review.Report) {
	name := a.getenv("GITHUB_STEP_SUMMARY")
	if name == "" {
		return
	}
	err := appendTo(name, func(w io.Writer) error {
		return report.Renderers(report.Options{})["markdown"](w, rep)
	})
	if err != nil {
		a.say("note: no job summary: %v", err)
	}
}

func appendTo(name string, write func(io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if err := write(file); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
