package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/bot"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

// Retire removes the replaced keys of an environment from its keyring, once nothing that
// the bot can see needs them.
func (r *rotator) Retire(ctx context.Context, on *github.Client, repository, env string, keep sops.Recipient) (removed []sops.Recipient, done bool, why string, err error) {
	leave, err := r.room(ctx)
	if err != nil {
		return nil, false, "", err
	}
	defer leave()
	t, err := r.read(ctx, on, repository, "", env)
	if err != nil {
		return nil, false, "", err
	}
	ring, address, shared, err := t.rings.open(env)
	if err != nil {
		return nil, false, "", err
	}
	ids, err := ring.Identities(ctx, env)
	if err != nil {
		return nil, false, "", err
	}
	going := sops.Difference(recipientsOf(ids), []sops.Recipient{keep})
	switch {
	case address == "operator", len(going) == 0:
		return nil, true, "", nil
	case len(going) == len(ids):
		if _, _, used := t.tree.SealedFor([]sops.Recipient{keep}); used {
			return nil, false, "", &bot.UserError{Err: fmt.Errorf("the new key of %s is kept elsewhere and not in the keyring (%s), so its old ones are not taken out of it: remove them there by hand", env, public(address))}
		}
		return nil, true, "", nil // a later rotation has replaced the one to keep, and has done so
	case ids[0].Recipient() != keep:
		return nil, false, fmt.Sprintf("the keyring of %s holds a newer key than this one: the older ones go when that one is merged", env), nil
	}
	if why = needs(t.tree, going); why == "" && shared {
		why, err = r.neededElsewhere(ctx, repository, going)
	}
	if err != nil || why != "" {
		return nil, false, why, err
	}
	gone, err := ring.Retire(ctx, env, keep)
	if err != nil {
		return nil, false, "", err
	}
	return gone.Removed, true, "", nil
}

// needs says why a tree still needs keys, or "".
func needs(tree *rotate.Tree, keys []sops.Recipient) string {
	if len(tree.Incomplete) > 0 {
		return tree.Incomplete[0] + ": it may be sealed for the old key"
	}
	if path, r, ok := tree.SealedFor(keys); ok {
		return fmt.Sprintf("%s of the default branch is still sealed for %s", path, r.Short())
	}
	return ""
}

// neededElsewhere looks through the other repositories: the keyring is not this one's alone.
func (r *rotator) neededElsewhere(ctx context.Context, repository string, keys []sops.Recipient) (string, error) {
	list, err := r.others(ctx)
	if err != nil {
		return "", err
	}
	for _, other := range list {
		if strings.EqualFold(other.Name, repository) {
			continue
		}
		c, err := r.client(ctx, other)
		if err != nil {
			return "", err
		}
		snap, err := c.Snapshot(ctx, other.Name, "")
		if err != nil {
			return "", fmt.Errorf("look whether another repository needs the old key: %w", err)
		}
		tree, err := rotate.ReadTree(snap, nil)
		// Names of other repositories may be no business of whoever reads this one's.
		if err != nil || needs(tree, keys) != "" {
			r.log.InfoContext(ctx, "another repository needs the old key", "repo", repository, "other", other.Name)
			return "another repository that uses the same keyring still has files for the old key", nil //nolint:nilerr // what cannot be read may need it
		}
	}
	return "", nil
}

// Environments describes the keys of a repository.
func (r *rotator) Environments(ctx context.Context, on *github.Client, repository string) ([]bot.Environment, error) {
	leave, err := r.room(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	t, err := r.read(ctx, on, repository, "", "")
	if err != nil {
		return nil, err
	}
	var out []bot.Environment
	for _, env := range t.tree.Environments() {
		out = append(out, t.environment(ctx, env))
	}
	return out, nil
}

func (t *onTree) environment(ctx context.Context, env string) bot.Environment {
	e := bot.Environment{Name: env, Held: t.held.by[env]}
	for _, s := range t.tree.Sealed {
		if s.Env == env {
			e.Files++
		}
	}
	e.InUse, e.Problem = t.inUse(env)
	ring, address, _, err := t.rings.open(env)
	e.Keyring = public(address)
	if err == nil {
		if _, err = ring.Identities(ctx, env); err == nil {
			e.Warnings, err = ring.Warnings(ctx, env)
		}
	}
	if user := (*bot.UserError)(nil); errors.As(err, &user) {
		e.Problem = user.Error()
	} else if err != nil {
		e.Problem = "the keyring could not be read"
		t.log.WarnContext(ctx, "a keyring could not be read", "repo", t.rings.name.String(), "env", env, "error", err)
	}
	return e
}

// inUse are the keys that an environment's files are sealed for: those that the keyring
// holds, or else what the tree tells.
func (t *onTree) inUse(env string) (used []sops.Recipient, problem string) {
	for _, r := range t.held.by[env] {
		if _, _, ok := t.tree.SealedFor([]sops.Recipient{r}); ok {
			used = append(used, r)
		}
	}
	if len(used) > 0 {
		return used, ""
	}
	key, err := t.tree.Key(env, t.held.by)
	if several := (*rotate.AmbiguousError)(nil); errors.As(err, &several) {
		return several.Candidates, "which of these is its key was not told: name their roles under recipients: in .sealward.yaml"
	}
	if err != nil {
		return nil, "no key of it was found"
	}
	return key.Recipients, ""
}

var (
	_ bot.Rotator = (*rotator)(nil)
	_ bot.Reader  = (*reader)(nil)
)
