package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/review/report"
)

// The exit codes.
const (
	exitDone    = 0
	exitRefused = 1 // a file was refused, or a verification failed
	exitFailed  = 2 // the work could not be done: usage, configuration, something unread
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

// say writes a message to stderr, where a workflow runner reads commands too: no name
// in the message may become one.
func (a *app) say(format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		fmt.Fprintln(a.stderr, report.Clean(line))
	}
}

// tell writes a line to stdout, as safe as say.
func (a *app) tell(format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		fmt.Fprintln(a.stdout, report.Clean(line))
	}
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "bot",
		Short: "Replace the keys of a GitOps repository",
		Long: `Replaces a key, seals every file anew that was sealed for it, and proves each one.
Private keys stay in the keyring: they are never printed, and never handed to a child
process but by keys exec.

Exit status: 0 done, or nothing to do; 1 a file was refused, or a verification failed;
2 the work could not be done (usage, configuration, something that could not be read).`,
		Example: `  bot keys init prod              make a key for prod
  bot rotate prod --dry-run       what a rotation would do
  bot rotate prod --force         replace the key of prod
  bot keys retire prod            after the merge: forget the old key`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          a.groupArgs,
		RunE:          func(*cobra.Command, []string) error { return nil },
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(cli.FlagError)
	root.AddCommand(a.rotateCommand(), a.keysCommand(), a.serveCommand(), a.jobsCommand(), a.migrateCommand(), a.replayCommand(), cli.VersionCommand("bot", version(), a.stdout))
	return root
}

// groupArgs are the arguments of a command that is only a group of others.
func (a *app) groupArgs(cmd *cobra.Command, args []string) error {
	names := cli.CommandNames(cmd)
	if len(args) == 0 {
		return cli.Usagef("no command: valid are %s", strings.Join(names, ", "))
	}
	return cli.Usagef("unknown command %q%s: valid are %s", args[0], cli.DidYouMean(args[0], names), strings.Join(names, ", "))
}

func atMostOneEnv(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return cli.Usagef("%s takes one environment at most, and got %d: %q", cmd.CommandPath(), len(args), args)
	}
	return nil
}

func oneEnv(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return cli.Usagef("%s takes one environment, as in: %s prod", cmd.CommandPath(), cmd.CommandPath())
	}
	return nil
}

// oneOf refuses a flag's value that is none of the valid ones.
func oneOf(flag, value string, valid ...string) error {
	if slices.Contains(valid, value) {
		return nil
	}
	return cli.Usagef("%s %q%s: valid are %s", flag, value, cli.DidYouMean(value, valid), strings.Join(valid, ", "))
}
