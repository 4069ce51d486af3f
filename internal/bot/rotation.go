package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

// The states of a rotation.
const (
	stateBegun   = "begun"   // under way, perhaps with a new key in the keyring
	statePlanned = "planned" // shown, and not wanted yet
	stateOpen    = "open"    // its pull request is
	stateMerged  = "merged"  // and the old key is still kept
	stateRetired = "retired" // all done
	stateClosed  = "closed"  // the pull request, by a person
	stateNothing = "nothing" // there was nothing to do
	stateRefused = "refused" // something has to be mended first
	stateFailed  = "failed"  // given up; bot jobs retry
)

// branchPrefix is what the branches of rotations begin with; see [rotate.Plan.Proposal].
const branchPrefix = "sealward/rotate-"

// rotating is what a rotation may do.
var rotating = github.Permissions{Contents: github.Write, PullRequests: github.Write, Issues: github.Write}

func (t task) save(ctx context.Context, r store.Rotation) error {
	r.Updated = t.now()
	if r.Created.IsZero() {
		r.Created = r.Updated
	}
	return t.opt.Store.SaveRotation(ctx, r)
}

// asked works a request of a comment and returns what to say. Where another rotation of
// the same key is under way there is no second one: that one is brought up to date.
func (t task) asked(ctx context.Context, c *github.Client, cm github.Comment, req rotate.Request) (string, error) {
	if err := req.Check(); err != nil {
		return "", &UserError{err}
	}
	r, known, err := t.opt.Store.Rotation(ctx, req.Key())
	if err != nil {
		return "", err
	}
	if known && slices.Contains([]string{stateMerged, stateRetired, stateClosed}, r.State) {
		return sayKept(r), nil
	}
	if !known || r.State != stateOpen {
		if text, err := t.other(ctx, c, req); err != nil || text != "" {
			return text, err
		}
	}
	if !known {
		r = newRotation(req)
		r.Issue, r.Comment = cm.Issue, cm.ID
	}
	a, r, err := t.carryOut(ctx, c, r, req)
	switch {
	case errors.Is(err, github.ErrClosed):
		return sayKept(r), nil
	case err != nil:
		return "", err
	case r.State == stateMerged:
		return sayKept(r), nil
	case r.State == stateOpen && a.Outcome != nil:
		return saySealed(a), nil
	case r.State == stateRefused:
		return sayRefused(a), nil
	}
	return sayPlan(a.Plan), nil
}

func newRotation(req rotate.Request) store.Rotation {
	args, err := json.Marshal(req)
	if err != nil {
		panic("a request that is no JSON: " + err.Error())
	}
	return store.Rotation{Key: req.Key(), Repo: req.Repo, Env: req.Env, State: stateBegun, By: req.By, Source: req.Source, Args: args}
}

func requestOf(r store.Rotation) (rotate.Request, error) {
	var req rotate.Request
	if err := json.Unmarshal(r.Args, &req); err != nil {
		return req, fmt.Errorf("the kept request of rotation %s: %w", r.Key, err)
	}
	if req.Key() != r.Key {
		return req, fmt.Errorf("the kept request of rotation %s is another one", r.Key)
	}
	return req, nil
}

// other looks for a rotation of the same key that is under way, finishes what it still
// wants, and returns what to say of it; "" where there is none.
func (t task) other(ctx context.Context, c *github.Client, req rotate.Request) (string, error) {
	list, err := t.opt.Store.Rotations(ctx, req.Repo, stateBegun, stateOpen)
	if err != nil {
		return "", err
	}
	list = slices.DeleteFunc(list, func(r store.Rotation) bool { return r.Key == req.Key() })
	if len(list) == 0 {
		return "", nil
	}
	for _, r := range list {
		before, err := requestOf(r)
		if err != nil {
			return "", err
		}
		about, err := t.concerns(ctx, c, r, before, req)
		if err != nil {
			return "", err
		}
		if about {
			about, err = t.mayFinish(ctx, r, before)
		}
		if err != nil {
			return "", err
		}
		if !about {
			continue
		}
		r, outcome, err := t.bringUp(ctx, c, r)
		switch wrong := mistake(err); {
		case err != nil && wrong == "":
			return "", err
		case r.State == stateOpen:
			return sayOther(r, outcome, asksSame(before, req), wrong), nil
		}
	}
	return "", nil
}

// mayFinish says whether what somebody began may be done still: who began it may have lost
// the permission since. A pull request that is open is for people to judge.
func (t task) mayFinish(ctx context.Context, r store.Rotation, req rotate.Request) (bool, error) {
	if r.State == stateOpen || req.By == "" {
		return true, nil
	}
	no, err := t.mayRotate(ctx, req.By)
	return no == "", err
}

// concerns says whether a rotation under way is about the same key. Changes of people over
// the whole tree are only in each other's way where they are about the same people.
func (t task) concerns(ctx context.Context, c *github.Client, r store.Rotation, before, req rotate.Request) (bool, error) {
	switch {
	case req.Env == "" || before.Env == "":
		return req.Env == before.Env && asksSame(before, req), nil
	case r.Env == req.Env || before.Env == req.Env:
		return true, nil
	}
	mine, err := t.envOf(ctx, c, req)
	if err != nil || r.State == stateOpen {
		return mine == r.Env, err
	}
	theirs, err := t.envOf(ctx, c, before)
	return mine == theirs, err
}

// envOf is the environment's name as the tree has it, which a request need not use.
func (t task) envOf(ctx context.Context, c *github.Client, req rotate.Request) (string, error) {
	a, err := t.opt.Rotator.Run(ctx, c, Ask{Request: req, Plan: true})
	switch {
	case mistake(err) != "", err == nil && a.Plan == nil:
		return req.Env, nil
	case err != nil:
		return "", err
	}
	return a.Plan.Env, nil
}

// asksSame says whether two requests want the same.
func asksSame(a, b rotate.Request) bool {
	if a.Env != "" && len(a.To)+len(a.Remove)+len(a.Add)+len(b.To)+len(b.Remove)+len(b.Add) == 0 {
		return true // with or without force: the key is replaced
	}
	same := func(x, y []sops.Recipient) bool {
		return slices.Equal(sops.Difference(x, nil), sops.Difference(y, nil))
	}
	return same(a.To, b.To) && same(a.Remove, b.Remove) && same(a.Add, b.Add)
}

// bringUp sees to a rotation that is under way: what became of its pull request, and
// whether that stands on the default branch as it is now.
func (t task) bringUp(ctx context.Context, c *github.Client, r store.Rotation) (store.Rotation, github.Outcome, error) {
	if r.Pull != 0 {
		var err error
		if r, err = t.follow(ctx, c, r); err != nil || r.State != stateOpen {
			return r, github.Unchanged, err
		}
	}
	req, err := requestOf(r)
	if err != nil {
		return r, github.Unchanged, err
	}
	a, r, err := t.carryOut(ctx, c, r, req)
	if errors.Is(err, github.ErrClosed) {
		return r, github.Unchanged, nil
	}
	if err != nil {
		return r, github.Unchanged, err
	}
	return r, a.Pull.Outcome, nil
}

// carryOut runs a request, and keeps what came of it. It may be repeated at any time: the
// request's key names the branch, and what the keyring held before is kept before a key is
// made. A user's error is kept with the rotation and returned.
func (t task) carryOut(ctx context.Context, c *github.Client, r store.Rotation, req rotate.Request) (*Answer, store.Rotation, error) {
	wasOpen := r.State == stateOpen
	if !wasOpen {
		r.State, r.Problem = stateBegun, ""
		if err := t.save(ctx, r); err != nil {
			return nil, r, err
		}
	}
	before, err := recipientsOf(r.Before)
	if err != nil {
		return nil, r, err
	}
	if r.Before == nil {
		before = nil
	}
	a, err := t.opt.Rotator.Run(ctx, c, Ask{Request: req, Before: before, Begin: func(ctx context.Context, held []sops.Recipient) error {
		r.Before = idsOf(held)
		return t.save(ctx, r)
	}})
	if a != nil && r.Pull == 0 {
		r.Pull = a.Pull.Number
	}
	switch wrong := mistake(err); {
	case errors.Is(err, github.ErrClosed):
		r, ended := t.ended(ctx, c, r, stateClosed)
		return nil, r, errors.Join(err, ended)
	case wrong != "" && wasOpen:
		return nil, r, errors.Join(err, t.stuck(ctx, c, r, []string{wrong}))
	case wrong != "":
		r.State, r.Problem = stateRefused, wrong
		return nil, r, errors.Join(err, t.save(ctx, r))
	case err != nil:
		return nil, r, err
	}
	r, err = t.keep(ctx, c, r, a, wasOpen)
	return a, r, err
}

// keep stores what a run has come to.
func (t task) keep(ctx context.Context, c *github.Client, r store.Rotation, a *Answer, wasOpen bool) (store.Rotation, error) {
	if p := a.Plan; p != nil && (a.Pull.Number != 0 || !wasOpen) {
		r.Old, r.New = idsOf(p.Old), idsOf(p.New)
		if p.Env != "" {
			r.Env = p.Env
		}
		r.Files = len(p.Files)
	}
	switch {
	case a.Pull.Number != 0:
		fresh, was := r.Branch == "", r.Problem
		r.Branch, r.Pull, r.Commit, r.State, r.Problem = a.Pull.Branch, a.Pull.Number, a.Pull.Commit, stateOpen, ""
		if err := t.save(ctx, r); err != nil {
			return r, err
		}
		if fresh {
			t.countFiles(a)
			t.log.InfoContext(ctx, "rotation proposed", "env", r.Env, "pull", r.Pull, "files", r.Files, "rotation", r.Key)
		}
		if was != "" && wasOpen {
			if err := t.amend(ctx, c, r.Pull, "rebuild/"+r.Key, unstuckText); err != nil {
				return r, err
			}
		}
		if a.Pull.State == github.StateMerged {
			return t.ended(ctx, c, r, stateMerged)
		}
		return r, nil
	case wasOpen && len(a.Problems) > 0:
		return r, t.stuck(ctx, c, r, a.Problems)
	case wasOpen:
		return r, t.stuck(ctx, c, r, []string{"the default branch has all of this already: close this pull request"})
	case len(a.Problems) > 0:
		r.State, r.Problem = stateRefused, strings.Join(a.Problems, "; ")
	case a.Plan != nil && a.Plan.Idle:
		r.State = statePlanned
	default:
		r.State = stateNothing
	}
	return r, t.save(ctx, r)
}

func (t task) countFiles(a *Answer) {
	if a.Outcome == nil || a.Plan == nil {
		return
	}
	for result, n := range map[string]int{"sealed": len(a.Outcome.Sealed), "refused": len(a.Outcome.Refused), "skipped": len(a.Plan.Skipped)} {
		t.opt.Metrics.files.WithLabelValues(result).Add(float64(n))
	}
}

// stuck says on an open pull request why it could not be rebuilt.
func (t task) stuck(ctx context.Context, c *github.Client, r store.Rotation, problems []string) error {
	r.Problem = strings.Join(problems, "; ")
	if err := t.save(ctx, r); err != nil {
		return err
	}
	return t.say(ctx, c, r.Pull, "rebuild/"+r.Key, sayStuck(problems))
}
