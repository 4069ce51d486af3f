package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/drift"
)

// driftFormats are the renderings of the drift report, the default first.
var driftFormats = [...]string{"text", "markdown", "html", "json"}

// driftFlags are what the command line of drift says.
type driftFlags struct {
	what   selection
	format string
	output string
	config string
	failOn bool
	link   string
}

func (a *app) driftCommand() *cobra.Command {
	var f driftFlags
	cmd := &cobra.Command{
		Use:   "drift [DIR]",
		Short: "Report where environments have drifted apart",
		Long: `Compares the keys of every unit over its environments: env files, files sealed by SOPS,
Secrets, ExternalSecrets, SealedSecrets, generators and Kilter's inventories. It needs
no key, and no value is read or shown.

A key that is meant for some environments alone: the comment "sealward: only dev" above
it, or drift.only in .sealward.yaml.

Exit status: 0, or with --fail 1 where a key drifts; 2 the work could not be done.`,
		Example: `  action drift                                   tables for a terminal
  action drift --format html --output drift.html one page, for a browser
  action drift --format markdown                 the body of an issue
  action drift --head v1.2.0 --fail`,
		Args: atMostOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			f.what.dir, f.what.all = ".", true
			if len(args) > 0 {
				f.what.dir, f.what.named = args[0], true
			}
			return a.drift(cmd.Context(), f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.format, "format", "text", "text, markdown, html or json")
	flags.StringVar(&f.output, "output", "", "write the report to a `file` instead of the standard output")
	flags.StringVar(&f.what.head, "head", "", "report on this `revision` instead of the work tree")
	flags.StringVar(&f.config, "config", "", "use this configuration `file` instead of the tree's")
	flags.BoolVar(&f.failOn, "fail", false, "exit with 1 where a key drifts")
	flags.StringVar(&f.link, "link", "", "the `URL` that files have below it, for the links: https://github.com/OWNER/NAME/blob/main")
	// It errors only where the flag does not exist.
	_ = cmd.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return driftFormats[:], cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func (a *app) drift(ctx context.Context, f driftFlags) error {
	if !slices.Contains(driftFormats[:], f.format) {
		return badValue("--format", f.format, driftFormats[:])
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
	tree, err := review.OpenTree(src.change.Head, cfg)
	if err != nil {
		return err
	}
	r := drift.Build(tree, cfg, agesOf(ctx, src))
	r.Now, r.Link, r.Title = time.Now(), f.link, titleOf(src)
	if err := a.writeDrift(r, f); err != nil {
		return err
	}
	switch {
	case len(r.Incomplete) > 0:
		a.code = exitFailed
	case f.failOn && r.Count() > 0:
		a.code = exitFindings
	}
	return nil
}

// agesOf asks git for the age of lines; nil where there is no git.
func agesOf(ctx context.Context, src *source) drift.Ages {
	if src.git == nil {
		return nil
	}
	commit := src.change.Head.Commit
	if commit == "" {
		var err error
		if commit, err = src.git.Resolve(ctx, "HEAD"); err != nil {
			return nil // no commit yet: nothing has an age
		}
	}
	return func(path string, _ []int) map[int]time.Time {
		times, err := src.git.LineTimes(ctx, commit, path)
		if err != nil {
			return nil // a new file, or a shallow clone: its age is not known
		}
		return times
	}
}

func titleOf(src *source) string {
	if src.root == "" {
		return src.change.Head.Name
	}
	abs, err := filepath.Abs(src.root)
	if err != nil {
		return src.root
	}
	return filepath.Base(abs)
}

func (a *app) writeDrift(r *drift.Report, f driftFlags) error {
	render := map[string]func(io.Writer, *drift.Report) error{"text": drift.Text, "markdown": drift.Markdown, "html": drift.HTML, "json": drift.JSON}[f.format]
	if f.output == "" {
		return render(a.stdout, r)
	}
	var b bytes.Buffer
	if err := render(&b, r); err != nil {
		return err
	}
	if err := os.WriteFile(f.output, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	a.say("%s of drift: the report is in %s", plural(r.Count(), "key"), f.output)
	return nil
}
