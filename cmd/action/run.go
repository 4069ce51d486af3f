package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/cli"
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
	if usage := (*cli.UsageError)(nil); errors.As(err, &usage) {
		a.say("see: %s --help", cmd.CommandPath())
	}
	return exitFailed
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
				return cli.Usagef("no command: valid are %s", strings.Join(cli.CommandNames(cmd), ", "))
			}
			return cli.Usagef("unknown command %q%s: valid are %s", args[0],
				cli.DidYouMean(args[0], cli.CommandNames(cmd)), strings.Join(cli.CommandNames(cmd), ", "))
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(cli.FlagError)
	root.AddCommand(a.reviewCommand(), a.driftCommand(), a.inventoryCommand(), a.initCommand(), a.rulesCommand(), a.explainCommand(), cli.VersionCommand("action", version(), a.stdout))
	return root
}

func atMostOneArg(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return cli.Usagef("%s takes one argument at most, and got %d: %q", cmd.CommandPath(), len(args), args)
	}
	return nil
}
