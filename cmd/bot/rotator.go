package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/bot"
	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review/rule"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/seal"
	"github.com/sealward/sealward/internal/sops"
)

// treesAtOnce bounds the memory of rotations: so many trees are read and sealed at once,
// and the others wait. While a rotation is proposed it holds no tree.
const treesAtOnce = 2

// noHistory is what every plan of the server says.
const noHistory = "git's history was not searched here: values that older versions of these files held are not listed; `bot rotate --dry-run` in a clone lists them"

// rotator is [bot.Rotator] over GitHub, with the keyrings of the server.
type rotator struct {
	rings serverRings
	log   *slog.Logger
	trees chan struct{} // has room for treesAtOnce
	// others lists every repository that the bot knows, and client reads one of them.
	others func(context.Context) ([]store.Repository, error)
	client func(context.Context, store.Repository) (*github.Client, error)
}

// onTree is a repository's tree with the keyrings that go with it.
type onTree struct {
	*rotator
	tree  *rotate.Tree
	rings repoRings
	held  held
	notes []string
	env   string // the environment's name as the tree has it, "" for the whole tree
}

// room waits for room to hold one more tree.
func (r *rotator) room(ctx context.Context) (leave func(), err error) {
	select {
	case r.trees <- struct{}{}:
		return func() { <-r.trees }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// read reads a branch, "" for the default one.
func (r *rotator) read(ctx context.Context, on *github.Client, repository, branch, env string) (*onTree, error) {
	snap, err := on.Snapshot(ctx, repository, branch)
	if err != nil {
		return nil, err
	}
	tree, err := rotate.ReadTree(snap, nil)
	if err != nil {
		return nil, &bot.UserError{Err: err}
	}
	t := &onTree{rotator: r, tree: tree}
	if t.rings, err = r.rings.of(ctx, repository, tree.Config); err != nil {
		return nil, err
	}
	if env != "" {
		t.env, _ = tree.Environment(env) // an unknown one is the plan's to refuse
	}
	return t, t.readRings(ctx)
}

// readRings reads the keyrings of all environments.
func (t *onTree) readRings(ctx context.Context) (err error) {
	all := t.tree.Environments()
	if t.env != "" && !slices.Contains(all, t.env) && envName(t.env) {
		all = append(all, t.env)
	}
	t.held, t.notes, err = t.rings.read(ctx, t.env, all)
	return err
}

// Run plans a rotation, makes the key where one is forced, and proposes.
func (r *rotator) Run(ctx context.Context, on *github.Client, ask bot.Ask) (*bot.Answer, error) {
	answer, proposal, err := r.prepare(ctx, on, ask)
	if err != nil || proposal == nil {
		return answer, err
	}
	answer.Pull, err = on.Publish(ctx, *proposal, github.ProposeOptions{Labels: []string{"sealward"}, NeedVerified: true, ReopenIfClosed: ask.Reopen})
	return answer, err
}

// prepare does all but proposing. The proposal is nil where there is none to make.
func (r *rotator) prepare(ctx context.Context, on *github.Client, ask bot.Ask) (*bot.Answer, *repo.Proposal, error) {
	leave, err := r.room(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	t, err := r.read(ctx, on, ask.Repo, ask.Branch, ask.Env)
	if err != nil {
		return nil, nil, err
	}
	minted := ask.Before != nil && ask.Force && t.beyond(ask.Before)
	plan, err := t.make(ask.Request, minted)
	if err != nil {
		return nil, nil, err
	}
	answer := &bot.Answer{Plan: plan}
	if ask.Plan || plan.Nothing() {
		return answer, nil, nil
	}
	if plan.Mint {
		if answer.Problems, err = t.mint(ctx, ask, plan); err != nil || len(answer.Problems) > 0 {
			return answer, nil, err
		}
		minted = true
		if plan, err = t.make(ask.Request, minted); err != nil {
			return nil, nil, err
		}
		answer.Plan = plan
	}
	proposal, err := t.propose(ctx, answer, minted)
	return answer, proposal, err
}

// beyond says whether the keyring holds a key that it did not hold before.
func (t *onTree) beyond(before []sops.Recipient) bool {
	return len(sops.Difference(t.held.by[t.env], before)) > 0
}

// make makes the plan. Its errors are for who asked.
func (t *onTree) make(req rotate.Request, minted bool) (*rotate.Plan, error) {
	in := rotate.Input{Request: req, Held: t.held.by, Minted: minted}
	if t.env != "" && envName(t.env) {
		address, _, err := t.rings.address(t.env)
		if err != nil {
			return nil, err
		}
		in.Keyring = public(address)
	}
	plan, err := t.tree.Make(in)
	if err != nil {
		return nil, &bot.UserError{Err: err}
	}
	if len(plan.Old) > 0 {
		t.tree.AddPast(plan, nil, noHistory)
	}
	plan.Warnings = append(plan.Warnings, t.notes...)
	for i, step := range plan.Steps {
		plan.Steps[i] = serverStep(step)
	}
	return plan, nil
}

// serverStep is a step of a plan where it is not a person at a work tree who takes it.
func serverStep(step string) string {
	if strings.Contains(step, "`bot keys retire ") {
		return "The bot takes the old key out of the keyring by itself: some time after the merge, once no file of the default branch is sealed for it. It says so here."
	}
	return strings.Replace(step, "Review the change, commit it and merge it.", "Review the pull request and merge it.", 1)
}

// mint makes the new key, once it is known that everything else can be done. Problems are
// why none was made.
func (t *onTree) mint(ctx context.Context, ask bot.Ask, plan *rotate.Plan) (problems []string, err error) {
	ring, address, _, err := t.rings.open(plan.Env)
	if err != nil {
		return nil, err
	}
	if address == "operator" {
		return nil, &bot.UserError{Err: fmt.Errorf("the key of %s is kept by the operator, so none is made here: make one with age-keygen, and write /rotate-key %s --to with its recipient", plan.Env, plan.Env)}
	}
	if closed := t.tree.Closed(plan, recipientsOf(t.held.ids)); len(closed) > 0 {
		return nil, &bot.UserError{Err: fmt.Errorf("no keyring of the bot holds a key that opens %s (%s in all), so no new one was made: put the private half there first", closed[0], plural(len(closed), "file"))}
	}
	if _, err := copiesOf(t.tree, plan.Env); err != nil {
		return nil, &bot.UserError{Err: err}
	}
	if len(plan.Files) > 0 {
		if problems, err = t.try(ctx, plan); err != nil || len(problems) > 0 {
			return problems, err
		}
	}
	if err := t.rings.makeDir(address); err != nil {
		return nil, fmt.Errorf("make the directory of the keyring: %w", err)
	}
	if ask.Before == nil {
		if err := ask.Begin(ctx, t.held.by[plan.Env]); err != nil {
			return nil, err
		}
	}
	key, err := minter{ring}.Mint(ctx, plan.Env)
	if err != nil {
		return nil, fmt.Errorf("make a key for %s: %w", plan.Env, err)
	}
	t.log.InfoContext(ctx, "key made", "repo", ask.Repo, "env", plan.Env, "recipient", key.ID)
	return nil, t.readRings(ctx)
}

func (t *onTree) try(ctx context.Context, plan *rotate.Plan) ([]string, error) {
	standIn, err := keyring.Generate(false)
	if err != nil {
		return nil, err
	}
	sealer, err := seal.New(t.held.ids)
	if err != nil {
		return nil, err
	}
	return t.tree.Try(ctx, plan, sealer, standIn.Recipient())
}

// propose seals and judges a plan, and returns it as a proposal; nil where there is
// nothing to propose, and the answer says why.
func (t *onTree) propose(ctx context.Context, answer *bot.Answer, minted bool) (*repo.Proposal, error) {
	plan := answer.Plan
	if len(t.held.ids) == 0 && len(plan.Files) > 0 {
		return nil, &bot.UserError{Err: errors.New("no keyring of the bot holds a key of this repository, so no file can be opened: put the private half there first")}
	}
	sealed := &rotate.Prepared{Outcome: &rotate.Outcome{}}
	if problems := plan.Obstacles(); len(problems) > 0 {
		answer.Problems = problems
		return nil, nil
	}
	if len(plan.Files) > 0 {
		sealer, err := seal.New(t.held.ids)
		if err == nil {
			sealed, err = t.tree.Prepare(ctx, plan, sealer, rule.All(), time.Now())
		}
		if err != nil {
			return nil, err
		}
	}
	answer.Outcome, answer.Problems = sealed.Outcome, sealed.Problems
	if len(answer.Problems) > 0 {
		return nil, nil
	}
	edits := sealed.Edits
	if minted {
		sealedCopy, err := t.copy(plan)
		if err != nil {
			return nil, err
		}
		edits = append(edits, sealedCopy...)
	}
	if len(edits)+len(plan.Rules) == 0 {
		return nil, nil
	}
	p := plan.Proposal(t.tree.Snapshot.Commit, edits, sealed.Outcome.NotRotated)
	return &p, nil
}

// copies are who gets a copy of a new key, and where.
func copiesOf(tree *rotate.Tree, env string) (copies, error) {
	if len(tree.Config.Rotation.CopyTo) == 0 {
		return copies{}, nil
	}
	name := strings.ReplaceAll(tree.Config.Rotation.Copy, "{env}", env)
	if strings.HasSuffix(name, "/") {
		name += env + ".agekey.age"
	}
	name = path.Clean(name)
	if tree.Config.Rotation.Copy != "" && (!fs.ValidPath(name) || name == ".") {
		return copies{}, errors.New(".sealward.yaml: rotation.copy is no path in the repository, and the bot writes nowhere else: set one such as keys/{env}.agekey.age")
	}
	c, err := newCopies(&local{root: "/", tree: tree}, env)
	c.path = name
	return c, err
}

// copy is the operator's copy of the new key as a part of the proposal. An earlier copy
// stays: the name then has the end of the recipient in it, the same at each repeat.
func (t *onTree) copy(plan *rotate.Plan) ([]repo.Edit, error) {
	c, err := copiesOf(t.tree, plan.Env)
	if err != nil {
		return nil, &bot.UserError{Err: err}
	}
	i := slices.IndexFunc(t.held.ids, func(id keyring.Identity) bool { return slices.Contains(plan.New, id.Recipient()) })
	if len(c.to) == 0 || i < 0 {
		return nil, nil
	}
	var sealed bytes.Buffer
	if err := keyring.SealCopy(&sealed, t.held.ids[i], c.to); err != nil {
		return nil, err
	}
	name := c.path
	if _, err := fs.Stat(t.tree.Snapshot.FS, name); err == nil {
		id := t.held.ids[i].Recipient().ID
		base, ok := strings.CutSuffix(name, ".agekey.age")
		ext := ".agekey.age"
		if !ok {
			ext = path.Ext(name)
			base = strings.TrimSuffix(name, ext)
		}
		name = base + "-" + id[len(id)-8:] + ext
	}
	plan.Changes = append(plan.Changes, rotate.Change{Path: name, Line: 1, What: "a copy of the new key, sealed for " + plural(len(c.to), "recipient") + " of rotation.copy-to"})
	return []repo.Edit{{Path: name, Data: sealed.Bytes()}}, nil
}

func recipientsOf(ids []keyring.Identity) []sops.Recipient {
	out := make([]sops.Recipient, len(ids))
	for i, id := range ids {
		out[i] = id.Recipient()
	}
	return out
}

// Behind returns what the default branch's rules ask for.
func (r *rotator) Behind(ctx context.Context, on *github.Client, repository string) ([]rotate.Request, error) {
	leave, err := r.room(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	about, err := on.Repository(ctx, repository)
	if err != nil {
		return nil, err
	}
	t, err := r.read(ctx, on, repository, about.DefaultBranch, "")
	if err != nil {
		return nil, err
	}
	list := t.tree.Behind(t.held.by)
	for i := range list {
		list[i].Repo, list[i].Branch = about.Name, about.DefaultBranch
	}
	return list, nil
}
