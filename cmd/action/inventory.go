package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/rule"
	"github.com/sealward/sealward/internal/syntax"
)

func (a *app) inventoryCommand() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "inventory [DIR]",
		Short: "Write the names of ignored env files, so that reviews know them",
		Long: `Env files in clear are kept out of Git, so a review in CI cannot see which keys they
have. For each env file that kilter.yaml or .sealward.yaml names this writes FILE.keys
beside it: the names alone, sorted, one a line. Commit those. No value is written,
printed or kept.

Exit status: 0; with --check 1 where an inventory is not up to date; 2 the work could
not be done.`,
		Example: `  action inventory            write secrets/prod.env.keys beside secrets/prod.env, and so on
  action inventory --check    say which are out of date, for a hook`,
		Args: atMostOneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			return a.inventory(cmd.Context(), dir, check)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit with 1 where an inventory is not up to date")
	return cmd
}

func (a *app) inventory(ctx context.Context, dir string, check bool) error {
	if g, err := repo.FindGit(ctx, dir); err == nil {
		if g.Root() != "" {
			dir = g.Root()
		}
		g.Close()
	}
	snap, err := repo.OpenDir(dir)
	if err != nil {
		return err
	}
	cfg, err := a.readConfig("", &source{change: &repo.Change{Head: snap}, mode: review.ReviewTree})
	if err != nil {
		return err
	}
	tree, err := review.OpenTree(snap, cfg)
	if err != nil {
		return err
	}
	files := envFiles(tree, cfg)
	if len(files) == 0 {
		return fmt.Errorf("no env file is named: kilter.yaml maps environments to them, or name them in %s under review.env-files", config.Name)
	}
	return a.writeInventories(dir, tree, files, check)
}

// envFiles are the env files in clear that are there and are named, sorted.
func envFiles(t *review.Tree, cfg *config.Config) []string {
	named := rule.KilterEnvFiles(t)
	for _, p := range t.Paths() {
		for _, glob := range cfg.Review.EnvFiles {
			if config.Match(glob, p) && !strings.HasSuffix(p, ".keys") {
				named = append(named, p)
			}
		}
	}
	slices.Sort(named)
	return slices.DeleteFunc(slices.Compact(named), func(p string) bool {
		f := t.File(p)
		return f == nil || f.Sops() != nil
	})
}

func (a *app) writeInventories(dir string, t *review.Tree, files []string, check bool) error {
	stale := 0
	for _, p := range files {
		want := inventoryOf(t.File(p).Syntax())
		name := filepath.Join(dir, filepath.FromSlash(p)+".keys")
		if have, err := os.ReadFile(name); err == nil && bytes.Equal(have, want) {
			continue
		}
		stale++
		if check {
			a.say("%s.keys is not up to date: run action inventory", p)
			continue
		}
		if err := os.WriteFile(name, want, 0o644); err != nil {
			return fmt.Errorf("write the inventory of %q: %w", p, err)
		}
		fmt.Fprintf(a.stdout, "%s.keys: %s\n", p, plural(bytes.Count(want, []byte("\n")), "name"))
	}
	switch {
	case check && stale > 0:
		a.code = exitFindings
	case stale == 0:
		fmt.Fprintf(a.stdout, "%s up to date\n", plural(len(files), "inventory file"))
	}
	return nil
}

// inventoryOf lists the names of an env file, sorted, one a line.
func inventoryOf(s *syntax.File) []byte {
	var names []string
	for _, l := range s.Leaves {
		if name := l.Path.Last(); name != "" && rule.Redact(name) == name && !strings.ContainsAny(name, "\n\r") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b bytes.Buffer
	for _, name := range slices.Compact(names) {
		b.WriteString(name + "\n")
	}
	return b.Bytes()
}
