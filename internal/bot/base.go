package bot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/rotate"
)

// base follows a default branch that moved: open rotations are rebuilt on it, one that its
// rules ask for is opened, and the configuration is read again. It works on the branch as
// it is now, whatever moved it.
func (t task) base(ctx context.Context) error {
	if newer, err := t.newerPush(ctx); err != nil || newer {
		return err
	}
	if err := t.refresh(ctx); err != nil {
		return err
	}
	c, err := t.client(ctx, rotating)
	if err != nil {
		return err
	}
	if err := t.rebuild(ctx, c); err != nil {
		return err
	}
	if err := t.behind(ctx, c); err != nil {
		return err
	}
	t.keys.forget(t.Repo)
	return nil
}

// newerPush says whether a later push of the repository waits: then that one is worked.
func (t task) newerPush(ctx context.Context) (bool, error) {
	list, err := t.opt.Store.Jobs(ctx, store.JobFilter{States: []string{"available", "scheduled", "retryable"}, Repo: t.Repo})
	if err != nil {
		return false, err
	}
	newer := slices.ContainsFunc(list, func(j store.JobRow) bool { return j.Kind == kindBase && j.ID > t.ID })
	if newer {
		t.log.InfoContext(ctx, "a newer push waits")
	}
	return newer, nil
}

// rebuild brings the rotations that are under way onto the branch as it is now.
func (t task) rebuild(ctx context.Context, c *github.Client) error {
	list, err := t.opt.Store.Rotations(ctx, t.Repo, stateOpen)
	if err != nil {
		return err
	}
	var all error
	for _, r := range list {
		was := r.Commit
		r, outcome, err := t.bringUp(ctx, c, r)
		switch {
		case err != nil && mistake(err) == "":
			all = errors.Join(all, err)
		case outcome == github.Updated:
			t.log.InfoContext(ctx, "rotation rebuilt", "rotation", r.Key, "pull", r.Pull, "was", was, "is", r.Commit)
		}
	}
	return all
}

// behind opens the rotations that the branch itself asks for: somebody has replaced a
// recipient in its rules, and not in its files.
func (t task) behind(ctx context.Context, c *github.Client) error {
	list, err := t.opt.Rotator.Behind(ctx, c, t.Repo)
	if wrong := mistake(err); wrong != "" {
		t.log.WarnContext(ctx, "whether files are behind their rules could not be told", "why", wrong)
		return nil
	} else if err != nil {
		return err
	}
	for _, req := range list {
		if err := t.follows(ctx, c, req); err != nil {
			return err
		}
	}
	return nil
}

// follows opens one such rotation, once: not beside another of that environment, and not
// again where a person closed it.
func (t task) follows(ctx context.Context, c *github.Client, req rotate.Request) error {
	known, err := t.opt.Store.Rotations(ctx, t.Repo)
	if err != nil || slices.ContainsFunc(known, func(k store.Rotation) bool { return k.Env == req.Env && k.State == stateOpen }) {
		return err
	}
	a, err := t.opt.Rotator.Run(ctx, c, Ask{Request: req, Plan: true})
	switch {
	case mistake(err) != "":
		t.log.WarnContext(ctx, "a rotation that the rules ask for can not be planned", "env", req.Env, "why", mistake(err))
		return nil
	case err != nil:
		return err
	case a.Plan == nil || a.Plan.Nothing():
		return nil
	}
	if req.Source == "" {
		req.Source = "push " + t.head()
	}
	r := newRotation(req)
	r.Env, r.Old, r.New = a.Plan.Env, idsOf(a.Plan.Old), idsOf(a.Plan.New)
	for _, k := range known {
		kept, err := requestOf(k)
		if err != nil {
			return err
		}
		same := k.Env == r.Env && slices.Equal(k.Old, r.Old) && slices.Equal(k.New, r.New)
		switch {
		case k.Env != r.Env:
		case k.State == stateOpen:
			return nil
		case same && (k.State == stateClosed || k.State == stateRefused && k.Key == r.Key):
			t.log.InfoContext(ctx, "a rotation that the rules ask for was "+k.State+" before", "env", k.Env, "rotation", k.Key)
			return nil
		case k.State == stateBegun, k.Key == r.Key:
			// An attempt that a crash ended goes on under the key that it had.
			may, err := t.mayFinish(ctx, k, kept)
			if err != nil {
				return err
			}
			if may {
				r, req = k, kept
			}
		}
	}
	_, _, err = t.carryOut(ctx, c, r, req)
	if mistake(err) != "" || errors.Is(err, github.ErrClosed) {
		t.log.WarnContext(ctx, "a rotation that the rules ask for was not opened", "env", req.Env, "error", err)
		return nil
	}
	return err
}

// head is the commit of the push that the job is about.
func (t task) head() string {
	args, err := argsOf[baseArgs](t.Work)
	if err != nil || args.Head == "" {
		return strings.ToLower(t.Key)
	}
	return args.Head
}

// baseFailed says on the open pull requests that they were not rebuilt.
func (t task) baseFailed(ctx context.Context) error {
	list, err := t.opt.Store.Rotations(ctx, t.Repo, stateOpen)
	if err != nil || len(list) == 0 {
		return err
	}
	c, err := t.client(ctx, talking)
	if err != nil {
		return err
	}
	for _, r := range list {
		r.Problem = strings.TrimSuffix("not rebuilt on the default branch: "+t.reason(t.ID), ": ")
		if err := t.save(ctx, r); err != nil {
			return err
		}
		text := "The default branch has moved, and this pull request was not rebuilt on it.\n\n" + sayFailed(t.reason(t.ID), t.ID, t.Delivery)
		if err := t.say(ctx, c, r.Pull, "rebuild/"+r.Key, text); err != nil {
			return err
		}
	}
	return nil
}
