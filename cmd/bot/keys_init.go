package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

func keysOf[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

func (a *app) initCommand() *cobra.Command {
	var f keysFlags
	var force bool
	var to string
	cmd := &cobra.Command{
		Use:   "init ENV",
		Short: "Make a key for an environment that has none",
		Long: `Makes an age key for ENV: the private half goes into the keyring, the public half is
printed, named in .sops.yaml (in the rules that are the environment's own; without one
a rule is made) and in kilter.yaml as sopsRecipient.

Where there is a key, nothing is changed; one that only the keyring knows is named in
the rules. With --force it is replaced: the old key stays
in the keyring beside the new one until "bot keys retire ENV", and "bot rotate ENV"
moves the files.

With --to no key is made: the rules name the recipient of one that a person has made and
keeps (keyring: operator).
` + keyringHelp,
		Example: `  bot keys init prod
  bot keys init prod --keyring file:///keys/prod.agekey
  bot keys init prod --force
  bot keys init prod --to age1...`,
		Args: oneEnv,
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := a.openKeys(cmd.Context(), f)
			if err != nil {
				return err
			}
			defer k.at.close()
			if to == "" {
				return k.init(cmd.Context(), args[0], force)
			}
			key, err := recipientFlag("--to", to)
			if err != nil {
				return err
			}
			return k.initFor(cmd.Context(), args[0], key, force)
		},
	}
	f.register(cmd, false)
	cmd.Flags().BoolVar(&force, "force", false, "replace the key that there is")
	cmd.Flags().StringVar(&to, "to", "", "`RECIPIENT` of a key that a person keeps: name it, and make none")
	return cmd
}

func (k *keysRun) init(ctx context.Context, name string, force bool) error {
	name, err := k.newEnv(name)
	if err != nil {
		return err
	}
	ring, address, err := k.rings.open(ctx, name)
	if err != nil {
		return err
	}
	ids, err := ring.Identities(ctx, name)
	if err != nil {
		return err
	}
	old := k.present(name, ids)
	switch {
	case force:
	case len(ids) > 0 && len(old) == 0 && !k.at.tree.Named(ids[0].Recipient()):
		return k.adopt(name, address, ids[0].Recipient())
	case len(ids) > 0 || len(old) > 0:
		return k.keep(name, address, ids, old)
	}
	if len(k.at.tree.Incomplete) > 0 {
		return fmt.Errorf("%s; no key was made, for it could not be named in the rules", k.at.tree.Incomplete[0])
	}
	// An edit that cannot be made is found before a key is.
	trial, err := keyring.Generate(false)
	if err != nil {
		return err
	}
	if _, err := k.at.tree.Admit(name, trial.Recipient(), old); err != nil {
		return err
	}
	key, err := k.newKey(ctx, k.at, ring, name)
	if err != nil {
		return err
	}
	made, err := k.at.tree.Admit(name, key, old)
	if err != nil {
		return fmt.Errorf("the key %s is in the keyring, and was not named in the rules: %w", key, err)
	}
	if err := k.write("Name the key of "+name, made); err != nil {
		return fmt.Errorf("the key %s is in the keyring, and was not named in the rules: %w", key, err)
	}
	k.tellInit(name, address, key, old, ids, made)
	return nil
}

// recipientFlag reads a recipient that is sealed to here: one of age's, or an ssh key.
func recipientFlag(flag, text string) (sops.Recipient, error) {
	r, err := sops.ParseRecipient(text)
	if err != nil {
		return r, cli.Usagef("%s: %w", flag, err) // which never repeats the text: it may be a private key
	}
	if err := (rotate.Request{Env: "-", To: []sops.Recipient{r}}).Check(); err != nil {
		return r, &cli.UsageError{Err: err}
	}
	return r, nil
}

// initFor names the key of a person, whose private half is never seen here.
func (k *keysRun) initFor(ctx context.Context, name string, key sops.Recipient, force bool) error {
	name, err := k.newEnv(name)
	if err != nil {
		return err
	}
	ring, address, err := k.rings.open(ctx, name)
	if err != nil {
		return err
	}
	ids, err := ring.Identities(ctx, name)
	if err != nil {
		return err
	}
	old := k.present(name, ids)
	switch {
	case k.at.tree.Named(key):
		k.tell("%s", key)
		k.say("%s is named already: nothing was changed", key.Short())
		return nil
	case !force && (len(ids) > 0 || len(old) > 0):
		return k.keep(name, address, ids, old)
	case len(k.at.tree.Incomplete) > 0:
		return fmt.Errorf("%s; the key of %s cannot be named in the rules", k.at.tree.Incomplete[0], name)
	}
	made, err := k.at.tree.Admit(name, key, old)
	if err == nil {
		err = k.write("Name the key of "+name, made)
	}
	if err != nil {
		return err
	}
	k.tell("%s", key)
	k.tellAdmission(made)
	if len(old) > 0 {
		k.say("files are still sealed for %s: bot rotate %s --to %s, with a keyring that holds the old key", shorts(old), name, key)
	}
	return nil
}

// newEnv returns the environment that a key is made for: one of the tree, or, where the
// tree does not speak of it yet, one by a usual name.
func (k *keysRun) newEnv(name string) (string, error) {
	if !envName(name) {
		return "", cli.Usagef("%q is no environment's name: want letters, digits, and . _ - inside", name)
	}
	known, err := k.env(name)
	if err == nil {
		return known, nil
	}
	if env.Known(name) {
		return env.Canonical(name), nil
	}
	if len(k.at.tree.Environments()) == 0 || k.at.tree.Speaks(name) {
		return name, nil
	}
	return "", err
}

// present finds what takes the place of a key in the tree already.
func (k *keysRun) present(name string, ids []keyring.Identity) []sops.Recipient {
	by := rotate.Held{}
	var there []sops.Recipient
	for _, id := range ids {
		by[name] = append(by[name], id.Recipient())
		if len(k.sealedFor(id.Recipient())) > 0 || k.at.tree.Named(id.Recipient()) {
			there = append(there, id.Recipient())
		}
	}
	if len(there) > 0 {
		return there
	}
	key, err := k.at.tree.Key(name, by)
	several := (*rotate.AmbiguousError)(nil)
	if errors.As(err, &several) {
		k.say("note: %s is sealed for %s already; which of them is a key of its own was not told", name, shorts(several.Candidates))
		return nil
	}
	if len(key.Recipients) == 1 && !k.at.tree.Alone(name, key.Recipients[0]) {
		return nil // shared with other environments: it has none of its own
	}
	return key.Recipients
}

// keep says that there is a key, and changes nothing.
func (k *keysRun) keep(name, address string, ids []keyring.Identity, old []sops.Recipient) error {
	if address == "operator" {
		k.tell("%s", old[0])
		k.say("%s has a key already, whose private half is kept by the operator: nothing was changed", name)
		k.say("to replace it, make one there (age-keygen) and give its recipient: bot rotate %s --to age1...", name)
		return nil
	}
	if len(ids) == 0 {
		k.tell("%s", old[0])
		k.say("%s has a key already, and the keyring (%s) does not hold its private half: nothing was changed", name, address)
		k.say("put the private half there, or replace the key with --force")
		return nil
	}
	key := ids[0].Recipient()
	k.tell("%s", key)
	k.say("%s has a key already: nothing was changed; --force replaces it", name)
	if !k.at.tree.Named(key) {
		k.say("note: no rule of .sops.yaml names it; bot rotate %s moves the files to it", name)
	}
	return nil
}

// adopt names a key that is in the keyring and nowhere in the tree: an earlier init was
// interrupted, or a person has put it there.
func (k *keysRun) adopt(name, address string, key sops.Recipient) error {
	if len(k.at.tree.Incomplete) > 0 {
		return fmt.Errorf("%s; the key of %s cannot be named in the rules", k.at.tree.Incomplete[0], name)
	}
	made, err := k.at.tree.Admit(name, key, nil)
	if err == nil {
		err = k.write("Name the key of "+name, made)
	}
	if err != nil {
		return fmt.Errorf("the key %s is in the keyring, and was not named in the rules: %w", key, err)
	}
	k.tell("%s", key)
	k.say("%s has a key already, in %s, which nothing named: it stays", name, address)
	k.tellAdmission(made)
	return nil
}

// write writes the edits of an admission through the journal.
func (k *keysRun) write(title string, a *rotate.Admission) error {
	if len(a.Edits) == 0 {
		return nil
	}
	j, err := rotate.OpenJournal(k.at.root, k.at.journal)
	if err != nil {
		return err
	}
	defer j.Close()
	if _, err := j.Finish(false); err != nil {
		return err
	}
	if err := j.Begin(title, ""); err != nil {
		return err
	}
	for _, e := range a.Edits {
		old, err := readIf(k.at, e.Path)
		if err == nil {
			err = j.Stage(e.Path, old, e.Data)
		}
		if err != nil {
			return errors.Join(err, j.Abandon())
		}
	}
	changed, err := j.Check()
	if err == nil && len(changed) > 0 {
		err = fmt.Errorf("%s was changed by somebody else in between; run the command again", changed[0].Path)
	}
	if err != nil {
		return errors.Join(err, j.Abandon())
	}
	if err := j.Commit(); err != nil {
		return err
	}
	_, err = j.Finish(false)
	return err
}

// sealedIn counts the sealed files of an environment.
func (k *keysRun) sealedIn(env string) int {
	n := 0
	for _, s := range k.at.tree.Sealed {
		if s.Env == env {
			n++
		}
	}
	return n
}

func (k *keysRun) tellAdmission(made *rotate.Admission) {
	for _, c := range made.Changes {
		k.say("%s:%d: %s", c.Path, c.Line, c.What)
	}
	for _, n := range made.Notes {
		k.say("note: %s", n)
	}
}

func (k *keysRun) tellInit(name, address string, key sops.Recipient, old []sops.Recipient, ids []keyring.Identity, made *rotate.Admission) {
	k.tell("%s", key)
	k.say("the private half of the new key of %s is in %s", name, address)
	k.tellAdmission(made)
	if strings.HasPrefix(address, "file:") && k.rings.flag == "" && k.at.tree.Config.Environments[name].Keyring == "" {
		k.say("note: to keep it elsewhere, or to find it from another clone, set keyring: of %s in .sealward.yaml", name)
	}
	if len(old) == 0 {
		if n := k.sealedIn(name); n > 0 {
			k.say("note: still to be sealed for it: %s of %s; bot rotate %s, with a keyring that holds a key which opens them", plural(n, "file"), name, name)
		}
		return
	}
	if slices.ContainsFunc(ids, func(id keyring.Identity) bool { return slices.Contains(old, id.Recipient()) }) {
		k.say("the old key stays in the keyring until the files have moved: bot rotate %s, then, after the merge, bot keys retire %s", name, name)
		return
	}
	k.say("note: the keyring does not hold the private half of %s, which the files are sealed for: put it there before bot rotate %s", shorts(old), name)
}
