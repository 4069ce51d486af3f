package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/review/report"
)

// The exit codes.
const (
	exitClean    = 0 // nothing at or above --fail-on
	exitFindings = 1
	exitFailed   = 2 // the work could not be done: usage, configuration, something unread
)

// app is what the commands share: the world around the program.
type app struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
	code           int // what the command that ran wants to exit with
}

// run is the program, but for the process around it.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr}
	if len(args) == 0 && getenv("GITHUB_ACTIONS") == "true" {
		return a.workflow(ctx, github.Options{})
	}
	root := a.rootCommand()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return a.code
	}
	a.say("error: %v", err)
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		a.say("see: %s --help", cmd.CommandPath())
	}
	return exitFailed
}

// usageError is an error of whoever typed the command.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// say writes a message to stderr, where a workflow runner reads commands too:
// no name in the message may become one.
func (a *app) say(format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		fmt.Fprintln(a.stderr, report.Clean(line))
	}
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "action",
		Short: "Review the secrets of a GitOps repository",
		Long: `Reviews a change to a GitOps repository for secrets in clear, for sealed files that
are sealed wrongly, and for keys that an environment lacks. It holds no key and
decrypts nothing.

Exit status: 0 nothing at or above --fail-on, 1 findings, 2 the work could not be
done (usage, configuration, or a file that could not be read).`,
		Example: `  action review                              the work tree against the default branch
  action review --staged                     what is about to be committed
  action review --all                        the whole tree
  action explain plaintext-secret            what a rule finds, why, and what to do`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("no command: valid are %s", strings.Join(commandNames(cmd), ", "))
			}
			return usagef("unknown command %q%s: valid are %s", args[0],
				didYouMean(args[0], commandNames(cmd)), strings.Join(commandNames(cmd), ", "))
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(a.reviewCommand(), a.driftCommand(), a.inventoryCommand(), a.initCommand(), a.rulesCommand(), a.explainCommand(), a.versionCommand())
	return root
}

func commandNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	return names
}

// flagError names the flag that was probably meant.
func flagError(cmd *cobra.Command, err error) error {
	unknown := (*pflag.NotExistError)(nil)
	if !errors.As(err, &unknown) {
		return &usageError{err}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
	name := "--" + unknown.GetSpecifiedName()
	return usagef("unknown flag %s%s: valid are %s", name, didYouMean(name, names), strings.Join(names, ", "))
}

// noArgs, oneArg and atMostOneArg are cobra's, as usage errors.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no argument, and got %q", cmd.CommandPath(), args[0])
	}
	return nil
}

func atMostOneArg(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("%s takes one argument at most, and got %d: %q", cmd.CommandPath(), len(args), args)
	}
	return nil
}

// didYouMean writes " (did you mean X?)" for the nearest of the names, or nothing
// where none is near.
func didYouMean(name string, names []string) string {
	best, least := "", len(name)/3+2
	for _, n := range names {
		if d := distance(name, n); d < least {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return " (did you mean " + best + "?)"
}

// distance is the number of bytes to insert, delete or replace between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
