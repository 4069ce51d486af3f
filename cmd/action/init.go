package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/report"
	"github.com/sealward/sealward/internal/review/rule"
)

// The files that init writes, besides the configuration.
const (
	workflowFile  = ".github/workflows/sealward.yaml"
	preCommitFile = ".pre-commit-config.yaml"
)

// initFlags are what the command line of init says.
type initFlags struct {
	dir      string
	dryRun   bool
	comments bool
}

func (a *app) initCommand() *cobra.Command {
	f := initFlags{dir: "."}
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Set a repository up: workflow, configuration, hooks",
		Long: `Writes what a repository needs to be reviewed:

  .github/workflows/sealward.yaml  reviews pull requests, and reports drift once a week
  .sealward.yaml                   the environments and the platform that were found
  .pre-commit-config.yaml          the hooks; they are printed where the file is there

A file that is there is left as it is, and said so.

Exit status: 0, or 2 the work could not be done.`,
		Example: `  action init                 set up the repository that the current directory lies in
  action init --dry-run       print what it would write, and write nothing
  action init --comments      let the workflow keep a comment on each pull request`,
		Args: atMostOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				f.dir = args[0]
			}
			return a.initialize(cmd.Context(), f)
		},
	}
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "print the files and write nothing")
	cmd.Flags().BoolVar(&f.comments, "comments", false, "let the workflow write comments on pull requests, which needs pull-requests: write")
	return cmd
}

func (a *app) initialize(ctx context.Context, f initFlags) error {
	if !isDir(f.dir) {
		return cli.Usagef("%s is not a directory", f.dir)
	}
	src, err := openForInit(ctx, f.dir)
	defer src.close()
	if err != nil {
		return err
	}
	tree, err := review.OpenTree(src.change.Head, &config.Config{})
	if err != nil {
		return err
	}
	settings, err := starterConfig(tree)
	if err != nil {
		return err
	}
	hooks := starterHooks(len(rule.KilterEnvFiles(tree)) > 0)
	files := []starterFile{
		{name: workflowFile, text: starterWorkflow(f.comments)},
		{name: config.Name, text: settings},
		{name: preCommitFile, text: "repos:\n" + hooks, entries: hooks},
	}
	root, err := os.OpenRoot(src.root)
	if err != nil {
		return fmt.Errorf("open %q: %w", src.root, err)
	}
	defer root.Close()
	for _, s := range files {
		if err := a.start(root, s, f.dryRun); err != nil {
			return err
		}
	}
	for _, s := range tree.Incomplete() {
		a.say("incomplete: %s", s)
		a.code = exitFailed
	}
	return nil
}

// openForInit opens the work tree that dir lies in, else the directory itself.
func openForInit(ctx context.Context, dir string) (src *source, err error) {
	src = &source{change: &repo.Change{}, mode: review.ReviewTree, root: dir}
	src.git, err = repo.FindGit(ctx, dir)
	switch {
	case errors.Is(err, repo.ErrNotGit):
		src.change.Head, err = repo.OpenDir(dir)
		return src, err
	case err != nil:
		return src, err
	case src.git.Root() == "":
		return src, fmt.Errorf("%s is a bare repository: run init in a clone of it", dir)
	}
	src.root = src.git.Root()
	src.change.Head, err = src.git.WorkTree(ctx)
	return src, err
}

// starterFile is a file to be written, and what of it is of use to somebody who has
// the file already.
type starterFile struct{ name, text, entries string }

// start writes one file, unless there is one.
func (a *app) start(root *os.Root, s starterFile, dryRun bool) error {
	switch _, err := root.Lstat(s.name); {
	case err == nil:
		fmt.Fprintf(a.stdout, "kept   %s: it is there already\n", s.name)
		if s.entries != "" {
			fmt.Fprintf(a.stdout, "       add to its repos:\n\n%s\n", s.entries)
		}
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("look for %q: %w", s.name, err)
	}
	if dryRun {
		fmt.Fprintf(a.stdout, "would write %s:\n\n%s\n", s.name, indent(s.text))
		return nil
	}
	if err := createFile(root, s.name, s.text); err != nil {
		return fmt.Errorf("write %q: %w", s.name, err)
	}
	fmt.Fprintf(a.stdout, "wrote  %s\n", s.name)
	return nil
}

// createFile writes a new file, and fails where there is one by now, or where a link
// leads out of the root.
func createFile(root *os.Root, name, text string) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.WriteString(text); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if line != "\n" {
			b.WriteString("  ")
		}
		b.WriteString(report.Clean(strings.TrimSuffix(line, "\n")) + "\n")
	}
	return b.String()
}
