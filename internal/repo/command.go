package repo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// ErrShallow is wrapped where a shallow clone lacks the commits that were asked for.
var ErrShallow = errors.New("the clone is shallow and lacks commits: run git fetch --unshallow, or check out with fetch-depth: 0")

// ErrNoGit is a machine without git.
var ErrNoGit = errors.New("git was not found: install git (apt-get install git, brew install git), or review directories with --base DIR DIR")

// guards are the settings that keep a repository's own configuration from running
// anything, and from reaching the network for objects that are not there. What
// cannot be switched off by a setting (filters, textconv, external diffs of an
// attribute) is kept out by asking only commands that never run it: no status, no
// diff of the work tree, no checkout.
func guards() []string {
	return []string{
		"core.fsmonitor=", "core.hooksPath=/dev/null", "core.sshCommand=false", "core.askPass=false", "core.editor=false", "core.pager=cat",
		"core.attributesFile=/dev/null", "core.alternateRefsCommand=false", "core.gitProxy=", "credential.helper=", "protocol.allow=never", "diff.external=",
		"log.showSignature=false", "gpg.program=false", "submodule.recurse=false", "core.untrackedCache=false", "core.quotePath=false",
		"core.precomposeUnicode=false", "gc.auto=0", "maintenance.auto=false", "safe.directory=*",
	}
}

// fixedEnv is the environment of every git. Replaced objects and grafts would show
// another history than the one that is pushed.
func fixedEnv() []string {
	return []string{
		"LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "GIT_NO_LAZY_FETCH=1",
		"GIT_ALLOW_PROTOCOL=", "GIT_OPTIONAL_LOCKS=0", "GIT_NO_REPLACE_OBJECTS=1", "GIT_GRAFT_FILE=/dev/null",
	}
}

// command is a git that runs nothing but itself. It is killed when ctx ends.
func (g *Git) command(ctx context.Context, args ...string) *exec.Cmd {
	full := []string{"--no-optional-locks", "--no-replace-objects", "--no-pager"}
	for _, s := range guards() {
		full = append(full, "-c", s)
	}
	cmd := exec.CommandContext(ctx, "git", append(full, args...)...)
	cmd.Dir = g.dir
	cmd.Env = g.env
	cmd.WaitDelay = 2 * time.Second
	return cmd
}

// run returns what git prints. Its error is git's own first line.
func (g *Git) run(ctx context.Context, stdin []byte, args ...string) ([]byte, error) {
	cmd := g.command(ctx, args...)
	var out bytes.Buffer
	var errs firstBytes
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil {
		return out.Bytes(), gitError(ctx, subcommand(args), err, errs.String())
	}
	return out.Bytes(), nil
}

// subcommand is the git command's name, behind settings.
func subcommand(args []string) string {
	for len(args) > 2 && args[0] == "-c" {
		args = args[2:]
	}
	return args[0]
}

// firstBytes keeps the beginning of what is written to it.
type firstBytes struct{ bytes.Buffer }

func (b *firstBytes) Write(p []byte) (int, error) {
	if room := 4096 - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// commandError is a git command that failed.
type commandError struct {
	command string
	message string // git's own words, one line
	err     error
}

func (e *commandError) Error() string {
	if e.message == "" {
		return fmt.Sprintf("git %s: %v", e.command, e.err)
	}
	return fmt.Sprintf("git %s: %s", e.command, e.message)
}

func (e *commandError) Unwrap() error { return e.err }

// exitedWith reports whether err is a git that ended with the code.
func exitedWith(err error, code int) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == code
}

func gitError(ctx context.Context, command string, err error, stderr string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, exec.ErrNotFound) {
		return ErrNoGit
	}
	said := verdict(stderr)
	if strings.Contains(said, "promisor remote") {
		said += "; the clone is partial: clone without --filter"
	}
	return &commandError{command, said, err}
}

// verdict is the line that says why git failed: the first fatal one, else the first.
func verdict(stderr string) string {
	var first string
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "fatal: "); ok {
			return rest
		}
		if first == "" {
			first = strings.TrimPrefix(line, "error: ")
		}
	}
	return first
}
