package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
)

// talking is what it takes to look at pull requests and to comment.
var talking = github.Permissions{Contents: github.Read, PullRequests: github.Read, Issues: github.Write}

// pull follows a rotation's pull request that was closed or reopened.
func (t task) pull(ctx context.Context) error {
	args, err := argsOf[pullArgs](t.Work)
	if err != nil {
		return err
	}
	r, ok, err := t.rotationOf(ctx, args)
	if err != nil || !ok {
		return err
	}
	c, err := t.client(ctx, talking)
	if err != nil {
		return err
	}
	_, err = t.follow(ctx, c, r)
	return err
}

// rotationOf finds a pull request's rotation: by its number, or where a crash came before
// that was kept, by the key that its branch is named by.
func (t task) rotationOf(ctx context.Context, args pullArgs) (store.Rotation, bool, error) {
	list, err := t.opt.Store.Rotations(ctx, t.Repo)
	if err != nil {
		return store.Rotation{}, false, err
	}
	key := args.Branch[strings.LastIndexByte(args.Branch, '-')+1:]
	for _, r := range list {
		if r.Pull == args.Number {
			return r, true, nil
		}
	}
	for _, r := range list {
		if r.Key == key && r.Pull == 0 {
			// The next attempt at its job, or the sweep, ends what it began.
			t.log.InfoContext(ctx, "the pull request's rotation is under way", "rotation", r.Key)
		}
	}
	return store.Rotation{}, false, nil
}

// follow looks where a rotation's pull request stands, and does what comes of it.
func (t task) follow(ctx context.Context, c *github.Client, r store.Rotation) (store.Rotation, error) {
	p, err := c.Pull(ctx, t.Repo, r.Pull)
	if errors.Is(err, github.ErrNotFound) {
		t.log.WarnContext(ctx, "the pull request is gone", "pull", r.Pull)
		r.State, r.Problem = stateClosed, "the pull request is gone"
		return r, t.save(ctx, r)
	} else if err != nil {
		return r, err
	}
	switch {
	case p.State == github.StateMerged && r.State != stateRetired:
		return t.ended(ctx, c, r, stateMerged)
	case p.State == github.StateClosed && r.State != stateRetired:
		return t.ended(ctx, c, r, stateClosed)
	case p.State == github.StateOpen && r.State == stateClosed:
		r.State = stateOpen
		return r, t.save(ctx, r)
	}
	return r, nil
}

// ended notes that a rotation's pull request is merged or closed. What has to follow is
// done first, so that a crash in between has it done again.
func (t task) ended(ctx context.Context, c *github.Client, r store.Rotation, state string) (store.Rotation, error) {
	switch {
	case r.State == state, state == stateClosed && r.Pull == 0:
	case state == stateClosed:
		req, err := requestOf(r)
		if err != nil {
			return r, err
		}
		again := Command{Verb: VerbRotate, Env: r.Env, To: req.To, Remove: req.Remove, Add: req.Add}
		if err := t.say(ctx, c, r.Pull, "closed/"+r.Key, sayClosed(r, again)); err != nil {
			return r, err
		}
	case r.Env != "" && len(r.Old) > 0 && len(r.New) > 0:
		j := newJob(kindRetire, r.Key, t.Installation, t.Repo, retireArgs{Rotation: r.Key, Since: t.now()})
		j.Line, j.At, j.Delivery = lineOf(t.Installation, t.Repo), t.now().Add(t.opt.RetireAfter), t.Delivery
		if _, err := t.opt.Store.Enqueue(ctx, j); err != nil {
			return r, err
		}
	}
	if r.State == state {
		return r, nil
	}
	t.log.InfoContext(ctx, "rotation "+state, "env", r.Env, "pull", r.Pull, "rotation", r.Key)
	r.State, r.Problem = state, ""
	return r, t.save(ctx, r)
}

// The times of a retirement that has to wait.
const (
	retireEvery = 15 * time.Minute
	retireLater = 6 * time.Hour       // after a day
	retireEnd   = 30 * 24 * time.Hour // then a person has to look
)

// retire takes the old key out of the keyring, when nothing is sealed for it any more.
func (t task) retire(ctx context.Context) error {
	args, err := argsOf[retireArgs](t.Work)
	if err != nil {
		return err
	}
	r, ok, err := t.opt.Store.Rotation(ctx, args.Rotation)
	if err != nil || !ok {
		return err
	}
	fresh, err := recipientsOf(r.New)
	if err != nil || len(fresh) == 0 {
		return err
	}
	c, err := t.client(ctx, talking)
	if err != nil {
		return err
	}
	removed, done, why, err := t.opt.Rotator.Retire(ctx, c, t.Repo, r.Env, fresh[0])
	switch wrong := mistake(err); {
	case wrong != "":
		return &store.Fatal{Err: err}
	case err != nil:
		return err
	case !done:
		return t.retireWaits(ctx, c, r, args, why)
	}
	if err := t.say(ctx, c, r.Pull, "retire/"+r.Key, sayRetired(r)); err != nil {
		return err
	}
	t.log.InfoContext(ctx, "old key retired", "env", r.Env, "rotation", r.Key, "removed", idsOf(removed))
	r.State, r.Problem = stateRetired, ""
	return t.save(ctx, r)
}

// retireWaits says what a retirement waits for, and puts it off.
func (t task) retireWaits(ctx context.Context, c *github.Client, r store.Rotation, args retireArgs, why string) error {
	waited := t.now().Sub(args.Since)
	if waited > retireEnd {
		return &store.Fatal{Err: &UserError{fmt.Errorf("the old key of %s is still needed after a month: %s", r.Env, why)}}
	}
	if r.Problem != why {
		r.Problem = why
		if err := t.save(ctx, r); err != nil {
			return err
		}
	}
	if err := t.say(ctx, c, r.Pull, "retire/"+r.Key, sayWaits(why)); err != nil {
		return err
	}
	next := retireEvery
	if waited > 24*time.Hour {
		next = retireLater
	}
	return &store.Snooze{Until: t.now().Add(next), Why: why}
}

// retireFailed says on the pull request that its old key was not retired.
func (t task) retireFailed(ctx context.Context) error {
	args, err := argsOf[retireArgs](t.Work)
	if err != nil {
		return nil //nolint:nilerr // there is nowhere to say it
	}
	r, ok, err := t.opt.Store.Rotation(ctx, args.Rotation)
	if err != nil || !ok {
		return err
	}
	r.Problem = strings.TrimSuffix("the old key was not retired: "+t.reason(t.ID), ": ")
	if err := t.save(ctx, r); err != nil {
		return err
	}
	c, err := t.client(ctx, talking)
	if err != nil {
		return err
	}
	return t.say(ctx, c, r.Pull, "retire/"+r.Key, "The old key is **still in the keyring**.\n\n"+sayFailed(t.reason(t.ID), t.ID, t.Delivery))
}
