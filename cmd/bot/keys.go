package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

// keysFlags are the flags that the keys commands share.
type keysFlags struct {
	repo, keyring, format string
}

func (a *app) keysCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keys",
		Short: "Make, check and retire the keys of environments",
		Long: `Makes, checks and retires the keys of environments. Private halves stay in the keyring.
` + keyringHelp,
		Example: `  bot keys init prod
  bot keys verify
  bot keys exec prod -- sops edit secrets/prod.env`,
		Args: a.groupArgs,
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.AddCommand(a.initCommand(), a.verifyCommand(), a.listCommand(), a.retireCommand(), a.execCommand())
	return cmd
}

func (f *keysFlags) register(cmd *cobra.Command, format bool) {
	cmd.Flags().StringVar(&f.repo, "repo", ".", "the repository's `DIR`")
	cmd.Flags().StringVar(&f.keyring, "keyring", "", "the keyring's `ADDRESS`")
	if format {
		cmd.Flags().StringVar(&f.format, "format", "text", "text or json")
	}
}

// keysRun is one run of a keys command: the tree and its keyrings.
type keysRun struct {
	*app
	at    *local
	rings keyrings
}

func (a *app) openKeys(ctx context.Context, f keysFlags) (*keysRun, error) {
	if f.format != "" {
		if err := oneOf("--format", f.format, "text", "json"); err != nil {
			return nil, err
		}
	}
	at, err := openLocal(ctx, f.repo)
	if err != nil {
		return nil, err
	}
	if err := at.read(ctx); err != nil {
		at.close()
		return nil, err
	}
	return &keysRun{app: a, at: at, rings: keyrings{app: a, at: at, flag: f.keyring}}, nil
}

// env returns the environment that a name means, or an error that lists those there are.
func (k *keysRun) env(name string) (string, error) {
	env, ok := k.at.tree.Environment(name)
	if ok {
		return env, nil
	}
	known := k.at.tree.Environments()
	if len(known) == 0 {
		return "", fmt.Errorf("no environment %q: none was found in this tree; name it under environments: in .sealward.yaml", name)
	}
	return "", fmt.Errorf("no environment %q%s: known are %s; name another one under environments: in .sealward.yaml", name, cli.DidYouMean(name, known), wordList(known))
}

func wordList(words []string) string {
	out := ""
	for i, w := range words {
		if i > 0 {
			out += ", "
		}
		out += w
	}
	return out
}

func (a *app) listCommand() *cobra.Command {
	var f keysFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the keys that keyrings hold, and what is sealed for them",
		Long: `Lists the public halves of the keys that the keyrings of all environments hold, the
current one of each first, and how many files are sealed for them.
` + keyringHelp,
		Example: "  bot keys list\n  bot keys list --format json",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			k, err := a.openKeys(cmd.Context(), f)
			if err != nil {
				return err
			}
			defer k.at.close()
			return k.list(cmd.Context(), f.format)
		},
	}
	f.register(cmd, true)
	return cmd
}

// listedKey is a key as keys list prints it.
type listedKey struct {
	Env       string   `json:"environment"`
	Keyring   string   `json:"keyring"`
	Recipient string   `json:"recipient,omitempty"`
	State     string   `json:"state"` // current, older, none, or unreadable
	Files     int      `json:"files"`
	Warnings  []string `json:"warnings,omitempty"`
}

func (k *keysRun) list(ctx context.Context, format string) error {
	keys := []listedKey{}
	for _, env := range k.at.tree.Environments() {
		keys = append(keys, k.listEnv(ctx, env)...)
	}
	if format == "json" {
		enc := json.NewEncoder(k.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Version int         `json:"version"`
			Keys    []listedKey `json:"keys"`
		}{1, keys})
	}
	if len(keys) == 0 {
		k.tell("no environment was found in this tree; name them under environments: in .sealward.yaml")
	}
	for _, key := range keys {
		if key.Recipient == "" {
			k.tell("%-12s %-8s %s", key.Env, key.State, key.Keyring)
		} else {
			k.tell("%-12s %-8s %s  %s  %s", key.Env, key.State, key.Recipient, plural(key.Files, "file"), key.Keyring)
		}
		for _, w := range key.Warnings {
			k.tell("%-12s mind: %s", "", w)
		}
	}
	return nil
}

func (k *keysRun) listEnv(ctx context.Context, env string) []listedKey {
	ring, address, err := k.rings.open(ctx, env)
	var ids []keyring.Identity
	if err == nil {
		ids, err = ring.Identities(ctx, env)
	}
	if err != nil {
		k.code = exitFailed
		return []listedKey{{Env: env, Keyring: address, State: "unreadable", Warnings: []string{err.Error()}}}
	}
	if address == "operator" {
		return []listedKey{{Env: env, Keyring: address, State: "operator"}}
	}
	if len(ids) == 0 {
		return []listedKey{{Env: env, Keyring: address, State: "none"}}
	}
	var out []listedKey
	for i, id := range ids {
		key := listedKey{Env: env, Keyring: address, Recipient: id.Recipient().ID, State: "older", Files: len(k.sealedFor(id.Recipient()))}
		if i == 0 {
			key.State = "current"
			key.Warnings, _ = ring.Warnings(ctx, env)
		}
		out = append(out, key)
	}
	return out
}

// sealedFor lists the files that are sealed for a recipient.
func (k *keysRun) sealedFor(r sops.Recipient) []string {
	var out []string
	for _, s := range k.at.tree.Sealed {
		if s.Lists(r) {
			out = append(out, s.Path)
		}
	}
	return out
}

func (a *app) retireCommand() *cobra.Command {
	var f keysFlags
	cmd := &cobra.Command{
		Use:   "retire ENV",
		Short: "Forget the replaced keys of an environment",
		Long: `Removes every key of ENV but the current one from its keyring: after a rotation was
merged and every cluster has picked it up. While a file of the work tree or of the
default branch is still sealed for an older key, nothing is removed.
` + keyringHelp + `

Exit status: 0 retired or nothing to retire, 1 a file still needs an older key, 2 the
work could not be done.`,
		Example: "  bot keys retire prod",
		Args:    oneEnv,
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := a.openKeys(cmd.Context(), f)
			if err != nil {
				return err
			}
			defer k.at.close()
			return k.retire(cmd.Context(), args[0])
		},
	}
	f.register(cmd, false)
	return cmd
}

func (k *keysRun) retire(ctx context.Context, name string) error {
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
	if address != "operator" && len(ids) == 0 {
		return fmt.Errorf("the keyring of %s (%s) holds no key; make one with keys init %s", env, address, env)
	}
	if len(ids) > 1 {
		ok, err := k.mayRetire(ctx, ids)
		if err != nil || !ok {
			return err
		}
	}
	done, err := ring.Retire(ctx, env, sops.Recipient{})
	if err != nil {
		return err
	}
	for _, w := range done.Warnings {
		k.say("note: %s", w)
	}
	for _, r := range done.Removed {
		k.tell("retired %s", r)
	}
	if len(done.Removed) == 0 {
		k.tell("nothing to retire: the keyring of %s holds no older key", env)
	}
	return nil
}

// mayRetire reports whether no file is left that needs an older key.
func (k *keysRun) mayRetire(ctx context.Context, ids []keyring.Identity) (bool, error) {
	trees := map[string]*rotate.Tree{"the work tree": k.at.tree}
	if k.at.git != nil {
		branch, merged, err := k.merged(ctx)
		if err != nil {
			return false, err
		}
		if merged != nil {
			trees[branch] = merged
		}
	}
	ok := true
	for _, where := range slices.Sorted(keysOf(trees)) {
		t := trees[where]
		if len(t.Incomplete) > 0 {
			return false, fmt.Errorf("%s: %s; nothing was retired, for it may need an older key", where, t.Incomplete[0])
		}
		for _, s := range t.Sealed {
			for _, id := range ids[1:] {
				if s.Lists(id.Recipient()) {
					k.say("still sealed for %s in %s: %s", id.Recipient().Short(), where, s.Path)
					ok = false
				}
			}
		}
	}
	if !ok {
		k.say("nothing was retired: rotate these files, and merge the change, first")
		k.code = exitRefused
	}
	return ok, nil
}

// merged reads the default branch; nil where there is none yet.
func (k *keysRun) merged(ctx context.Context) (string, *rotate.Tree, error) {
	branch, commit, err := k.at.git.DefaultBranch(ctx)
	if err != nil {
		k.say("note: no default branch was found, so only the work tree was looked at")
		return "", nil, ctx.Err()
	}
	snap, err := k.at.git.Snapshot(ctx, commit)
	if err != nil {
		return branch, nil, err
	}
	t, err := rotate.ReadTree(snap, nil)
	if err != nil {
		return branch, nil, errors.Join(fmt.Errorf("read %s", branch), err)
	}
	return branch, t, nil
}
