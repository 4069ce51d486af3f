package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/cli"
)

// identityVariable is where sops looks for identities.
const identityVariable = "SOPS_AGE_KEY"

func (a *app) execCommand() *cobra.Command {
	var f keysFlags
	cmd := &cobra.Command{
		Use:   "exec ENV -- COMMAND [ARGUMENT]...",
		Short: "Run a command with an environment's private key in its environment",
		Long: `Runs a command with the identities of ENV in its $SOPS_AGE_KEY, and nowhere else: no
file, no argument. The command's exit status is passed on.
` + keyringHelp,
		Example: `  bot keys exec prod -- sops edit secrets/prod.env
  bot keys exec prod -- sops decrypt secrets/prod.env`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.ArgsLenAtDash() != 1 || len(args) < 2 {
				return cli.Usagef("want an environment, -- and a command, as in: bot keys exec prod -- sops edit secrets/prod.env")
			}
			k, err := a.openKeys(cmd.Context(), f)
			if err != nil {
				return err
			}
			defer k.at.close()
			return k.exec(cmd.Context(), args[0], args[1:])
		},
	}
	f.register(cmd, false)
	return cmd
}

func (k *keysRun) exec(ctx context.Context, name string, command []string) error {
	env, err := k.env(name)
	if err != nil {
		return err
	}
	ring, address, err := k.rings.open(ctx, env)
	if err != nil {
		return err
	}
	ids, err := ring.Identities(ctx, env)
	if err != nil {
		return err
	}
	var lines []string
	for _, id := range ids {
		if id.Recipient().SSH() {
			return fmt.Errorf("the keyring of %s (%s) holds an ssh key, which sops does not take from its environment", env, address)
		}
		lines = append(lines, strings.TrimSpace(id.Expose()))
	}
	if len(lines) == 0 {
		return fmt.Errorf("the keyring of %s (%s) holds no key; make one with keys init %s", env, address, env)
	}
	child := exec.Command(command[0], command[1:]...)
	child.Stdin, child.Stdout, child.Stderr = k.stdin, k.stdout, k.stderr
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, identityVariable+"=") {
			child.Env = append(child.Env, kv)
		}
	}
	child.Env = append(child.Env, identityVariable+"="+strings.Join(lines, "\n"))
	k.code, err = runChild(child)
	return err
}

// runChild runs a command to its end. A terminal sends its signals to the child too, which
// decides what they mean; this process only waits.
func runChild(child *exec.Cmd) (int, error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	if err := child.Start(); err != nil {
		return exitFailed, fmt.Errorf("run %s: %w", child.Path, errors.Unwrap(err))
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case s := <-signals:
				if s == syscall.SIGTERM {
					_ = child.Process.Signal(s) // it may have ended by itself
				}
			case <-done:
				return
			}
		}
	}()
	err := child.Wait()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case errors.As(err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode(), nil
	case errors.As(err, &exit):
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return 128 + int(status.Signal()), nil
		}
		return exitFailed, nil
	}
	return exitFailed, fmt.Errorf("run %s: %w", child.Path, err)
}
