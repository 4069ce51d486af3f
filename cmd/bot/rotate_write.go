package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/review/rule"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

// write does it: the key is made, everything is sealed into the journal and judged, and
// only then the tree is written.
func (r *rotation) write(ctx context.Context) (int, error) {
	if stop, err := r.refuses(); stop || err != nil {
		return r.verdict(), err
	}
	if r.plan.Mint {
		if err := r.mint(ctx); err != nil {
			return exitFailed, err
		}
	}
	if err := r.journal.Begin(r.plan.Title(), r.req.Key()); err != nil {
		return exitFailed, err
	}
	if err := r.stage(ctx); err != nil {
		return exitFailed, errors.Join(err, r.journal.Abandon())
	}
	r.plan.Skipped = append(r.plan.Skipped, r.out.Refused...)
	r.plan.Files = without(r.plan.Files, r.out.Refused)
	if stop, err := r.refuses(); stop || err != nil {
		return r.verdict(), errors.Join(err, r.journal.Abandon())
	}
	if err := r.judge(ctx); err != nil {
		return exitFailed, errors.Join(err, r.journal.Abandon())
	}
	if err := r.commit(); err != nil {
		return exitFailed, err
	}
	if err := r.show(); err != nil {
		return exitFailed, err
	}
	stays := ""
	if n := len(r.out.NotRotated); n > 0 {
		stays = fmt.Sprintf(" (%s with the data key that it has, see above)", plural(n, "file"))
	}
	r.say("done: %s sealed anew%s, %s edited; review the change and commit it", plural(len(r.plan.Files), "file"), stays, plural(len(r.plan.Rules), "file"))
	return r.verdict(), nil
}

// refuses reports whether something keeps the rotation from being written: a file that
// is refused or was not read, unless they are to be left out.
func (r *rotation) refuses() (bool, error) {
	if len(r.plan.Skipped)+len(r.plan.Incomplete) == 0 {
		return false, nil
	}
	if r.flags.partial {
		return len(r.plan.Files)+len(r.plan.Rules) == 0 && !r.plan.Mint, nil
	}
	if err := r.show(); err != nil {
		return true, err
	}
	for _, s := range r.plan.Skipped {
		r.say("refused: %s: %s", s.Path, s.Why)
	}
	r.say("nothing was written; mend what is refused, or leave it out with --partial")
	return true, nil
}

// mint makes the new key, and plans with it.
func (r *rotation) mint(ctx context.Context) error {
	if closed := r.closed(); len(closed) > 0 {
		address, _ := r.rings.address(r.plan.Env)
		return fmt.Errorf("the keyring of %s (%s) holds no identity that opens %s (%s in all), so no key was made: put the private half of %s there first",
			r.plan.Env, address, closed[0], plural(len(closed), "file"), shorts(r.plan.Old))
	}
	ring, _, err := r.rings.open(ctx, r.plan.Env)
	if err != nil {
		return err
	}
	if _, err := r.newKey(ctx, r.at, ring, r.plan.Env); err != nil {
		return err
	}
	if err := r.open(ctx); err != nil {
		return err
	}
	return r.make(ctx, true)
}

// closed lists the files that no identity opens, by their recipients.
func (r *rotation) closed() []string {
	planned := map[string]bool{}
	for _, f := range r.plan.Files {
		planned[f.Path] = true
	}
	var out []string
	for _, s := range r.at.tree.Sealed {
		if planned[s.Path] && !slices.ContainsFunc(r.held.ids, func(id keyring.Identity) bool { return s.Lists(id.Recipient()) }) {
			out = append(out, s.Path)
		}
	}
	return out
}

// newKey makes a key in a keyring, and the copy that the configuration asks for.
func (a *app) newKey(ctx context.Context, at *local, ring keyring.Keyring, env string) (sops.Recipient, error) {
	c, err := newCopies(at, env)
	if err != nil {
		return sops.Recipient{}, err
	}
	key, err := minter{ring}.Mint(ctx, env)
	if err != nil {
		return key, err
	}
	name, err := c.write(ctx, ring, env, time.Now())
	if err != nil {
		return key, fmt.Errorf("the key %s is in the keyring, and the sealed copy of it was not written: %w", key.Short(), err)
	}
	if name != "" {
		a.say("note: a sealed copy of the new key is in %s", name)
	}
	return key, nil
}

// stage seals everything into the journal.
func (r *rotation) stage(ctx context.Context) error {
	r.out = &rotate.Outcome{}
	if len(r.plan.Files) > 0 {
		err := r.seal(ctx, r.plan, func(f rotate.Result) error { return r.journal.Stage(f.Path, f.Old, f.New) })
		if err != nil {
			return err
		}
	}
	for _, e := range r.plan.Rules {
		old, err := readIf(r.at, e.Path)
		if err != nil {
			return err
		}
		if err := r.journal.Stage(e.Path, old, e.Data); err != nil {
			return err
		}
	}
	return nil
}

// judge has the review look at the rotation before it is written.
func (r *rotation) judge(ctx context.Context) error {
	found, err := r.at.tree.Judge(ctx, r.plan, r.out, r.journal.Staged, rule.All(), time.Now())
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return nil
	}
	for _, f := range found {
		r.say("review: %s", f)
	}
	return fmt.Errorf("the review of the rotation found %s that it would bring, so nothing was written; mend .sops.yaml first", plural(len(found), "error"))
}

// commit writes the tree. From here on an interruption is finished by the next run.
func (r *rotation) commit() error {
	changed, err := r.journal.Check()
	if err != nil {
		return errors.Join(err, r.journal.Abandon())
	}
	if len(changed) > 0 {
		err := fmt.Errorf("%s was changed by somebody else while it was sealed, so nothing was written; run the command again", changed[0].Path)
		return errors.Join(err, r.journal.Abandon())
	}
	if err := r.journal.Commit(); err != nil {
		return err
	}
	w, err := r.journal.Finish(false)
	r.left, r.written = w.Left, err == nil
	r.tellLeft()
	return err
}
