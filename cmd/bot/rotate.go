package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/review/rule"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/seal"
	"github.com/sealward/sealward/internal/sops"
)

// rotateFlags are what the command line of rotate says.
type rotateFlags struct {
	env             string
	force           bool
	to, remove, add []string
	dryRun, undo    bool
	partial         bool
	noHistory       bool
	repo, keyring   string
	format          string
}

func (a *app) rotateCommand() *cobra.Command {
	var f rotateFlags
	cmd := &cobra.Command{
		Use:   "rotate [ENV]",
		Short: "Seal every file anew that is sealed for a replaced key",
		Long: `Seals every file anew that is sealed for a replaced key, wherever it stands and whatever
its format, and edits .sops.yaml and kilter.yaml in place. The work tree is written,
nothing is committed.

Without --force the files move to the key that the keyring of ENV holds now. If that is
the one that they are sealed for already, nothing is changed, and the plan shows what
--force would do: make a new key beside the old one, and move the files to it. The old
key stays in the keyring until "bot keys retire ENV".

Everything is sealed and verified in memory first: the same values before and after, a
MAC that holds, a data key that the old recipient cannot open. Then it is written
through a journal. If that is interrupted, every file is whole, and the next run goes on
where it stopped; --undo brings the old files back.

A file that holds a recipient which its rule in .sops.yaml does not name is refused, as
is one whose MAC does not hold. Nothing is written then, unless --partial leaves just
these out.
` + keyringHelp + `

Exit status: 0 done or nothing to do, 1 a file was refused, 2 the work could not be done.`,
		Example: `  bot rotate prod                        move files to the key that the keyring holds now
  bot rotate prod --force                replace the key
  bot rotate prod --force --dry-run      show what that would do
  bot rotate prod --to age1...           move to a key that the operator keeps
  bot rotate --remove age1...            somebody leaves: over the whole tree
  bot rotate --add age1...               somebody joins
  bot rotate prod --remove age1...       say which key of prod is meant
  bot rotate --undo                      take an interrupted rotation back`,
		Args: atMostOneEnv,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) == 1 {
				f.env = args[0]
			}
			a.code, err = a.rotate(cmd.Context(), f)
			return err
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.force, "force", false, "replace the key even where the files use the newest")
	flags.StringArrayVar(&f.to, "to", nil, "`RECIPIENT` that takes the old key's place (may be repeated)")
	flags.StringArrayVar(&f.remove, "remove", nil, "`RECIPIENT` that goes: over the whole tree, or the one of ENV that is meant (may be repeated)")
	flags.StringArrayVar(&f.add, "add", nil, "`RECIPIENT` that comes: over the whole tree, or to the files of ENV's key (may be repeated)")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show the plan, try it in memory, and write nothing")
	flags.BoolVar(&f.undo, "undo", false, "take an interrupted rotation back")
	flags.BoolVar(&f.partial, "partial", false, "leave out files that are refused, and rotate the others")
	flags.BoolVar(&f.noHistory, "no-history", false, "do not search git's history for exposed values")
	flags.StringVar(&f.repo, "repo", ".", "the repository's `DIR`")
	flags.StringVar(&f.keyring, "keyring", "", "the keyring's `ADDRESS`")
	flags.StringVar(&f.format, "format", "text", "how the plan is shown: text, json or markdown")
	return cmd
}

// rotate is the command, from flags to exit code.
func (a *app) rotate(ctx context.Context, f rotateFlags) (int, error) {
	if err := oneOf("--format", f.format, "text", "json", "markdown"); err != nil {
		return exitFailed, err
	}
	req, err := f.request()
	if err != nil {
		return exitFailed, err
	}
	at, err := openLocal(ctx, f.repo)
	if err != nil {
		return exitFailed, err
	}
	defer at.close()
	r := &rotation{app: a, at: at, flags: f, req: req}
	if f.undo {
		return r.undo()
	}
	done, err := r.resume()
	if err != nil || done {
		return r.code(), err
	}
	if r.journal != nil {
		defer r.journal.Close()
	}
	return r.run(ctx)
}

// request reads the flags that name recipients.
func (f rotateFlags) request() (rotate.Request, error) {
	req := rotate.Request{Env: f.env, Force: f.force, Source: "command line"}
	for _, list := range []struct {
		flag string
		in   []string
		out  *[]sops.Recipient
	}{{"--to", f.to, &req.To}, {"--remove", f.remove, &req.Remove}, {"--add", f.add, &req.Add}} {
		for _, text := range list.in {
			r, err := sops.ParseRecipient(text)
			if err != nil {
				return req, usagef("%s: %w", list.flag, err) // which never repeats the text: it may be a private key
			}
			*list.out = append(*list.out, r)
		}
	}
	if f.undo && (f.env != "" || f.force || f.dryRun || len(f.to)+len(f.remove)+len(f.add) > 0) {
		return req, usagef("--undo takes an interrupted rotation back, whatever it was: leave the rest out")
	}
	if err := req.Check(); err != nil && !f.undo {
		return req, &usageError{err}
	}
	return req, nil
}

// rotation is one run of the command.
type rotation struct {
	*app
	at      *local
	flags   rotateFlags
	req     rotate.Request
	journal *rotate.Journal
	rings   keyrings
	held    held
	plan    *rotate.Plan
	out     *rotate.Outcome // nil where nothing was sealed, not even in memory
	left    []rotate.Skip   // by a resumed rotation
	written bool
}

func (r *rotation) code() int {
	if len(r.left) > 0 {
		return exitRefused
	}
	return exitDone
}

func (r *rotation) undo() (int, error) {
	pending, err := rotate.PendingIn(r.at.journal)
	if err != nil {
		return exitFailed, err
	}
	if pending == nil {
		r.tell("nothing to undo: no rotation of this tree was interrupted")
		return exitDone, nil
	}
	j, err := rotate.OpenJournal(r.at.root, r.at.journal)
	if err != nil {
		return exitFailed, err
	}
	defer j.Close()
	w, err := j.Finish(true)
	if err != nil {
		return exitFailed, err
	}
	r.left = w.Left
	r.tell("undone: %s; %s brought back", pending.Title, plural(w.Files, "file"))
	r.tellLeft()
	return r.code(), nil
}

// resume takes the journal's lock, and finishes a rotation that was interrupted. It is
// true where that was what the request asks for.
func (r *rotation) resume() (done bool, err error) {
	if r.flags.dryRun {
		pending, err := rotate.PendingIn(r.at.journal)
		if pending != nil {
			r.say("note: an earlier rotation was interrupted (%s): the next run finishes it, --undo takes it back", pending.Title)
		}
		return false, err
	}
	if r.journal, err = rotate.OpenJournal(r.at.root, r.at.journal); err != nil {
		return false, err
	}
	defer func() {
		if done || err != nil {
			r.journal.Close()
		}
	}()
	pending, err := rotate.PendingIn(r.at.journal)
	if pending == nil || err != nil {
		return false, err
	}
	w, err := r.journal.Finish(false)
	if err != nil {
		return false, err
	}
	r.left = w.Left
	what := "finished"
	if pending.Undo {
		what = "undone, as it was begun"
	}
	r.say("note: an interrupted rotation was %s: %s; %s written", what, pending.Title, plural(w.Files, "file"))
	r.tellLeft()
	if done = pending.Key == r.req.Key() && !pending.Undo; done {
		r.tell("done: %s", pending.Title)
	}
	return done, nil
}

func (r *rotation) tellLeft() {
	for _, s := range r.left {
		r.say("left as it is: %s: %s", s.Path, s.Why)
	}
}

func (r *rotation) run(ctx context.Context) (int, error) {
	if err := r.at.read(ctx); err != nil {
		return exitFailed, err
	}
	if err := r.open(ctx); err != nil {
		return exitFailed, err
	}
	if err := r.make(ctx, false); err != nil {
		return exitFailed, err
	}
	switch {
	case r.plan.Nothing() && !r.plan.Idle:
		return r.nothing()
	case r.plan.Idle && !r.flags.dryRun:
		if err := r.show(); err != nil {
			return exitFailed, err
		}
		r.say("nothing was changed: no key of %s was replaced; --force replaces it", r.plan.Env)
		return r.verdict(), nil
	case r.flags.dryRun:
		return r.try(ctx)
	}
	return r.write(ctx)
}

// open reads the keyrings.
func (r *rotation) open(ctx context.Context) (err error) {
	r.rings = keyrings{app: r.app, at: r.at, flag: r.flags.keyring}
	env := ""
	if r.req.Env != "" {
		env, _ = r.at.tree.Environment(r.req.Env) // an unknown one is the plan's to refuse
	}
	all := r.at.tree.Environments()
	known := false
	for _, e := range all {
		known = known || e == env
	}
	if env != "" && !known {
		all = append(all, env)
	}
	r.held, err = r.rings.read(ctx, env, all)
	return err
}

// make makes the plan.
func (r *rotation) make(ctx context.Context, minted bool) (err error) {
	in := rotate.Input{Request: r.req, Held: r.held.by, Minted: minted}
	if env, ok := r.at.tree.Environment(r.req.Env); ok && r.req.Env != "" {
		in.Keyring, _ = r.rings.address(env)
	}
	if r.plan, err = r.at.tree.Make(in); err != nil || r.flags.noHistory {
		return err
	}
	return r.at.past(ctx, r.plan)
}

func (r *rotation) nothing() (int, error) {
	// What a key could read once is told even where nothing is sealed for it any more.
	if r.flags.format != "text" || len(r.plan.Exposed) > 0 {
		if err := r.show(); err != nil {
			return exitFailed, err
		}
	}
	what := "nothing to do: no file and no rule names a key that goes"
	if len(r.plan.New) > 0 {
		what = "nothing to do: the files are sealed for " + r.plan.New[0].Short() + " already"
	}
	if r.flags.format == "text" {
		r.tell("%s", what)
	}
	return r.verdict(), nil
}

// verdict is the exit code by what was refused or not read.
func (r *rotation) verdict() int {
	switch {
	case len(r.plan.Incomplete) > 0:
		r.say("error: not everything could be read, so files may still be sealed for the old key:")
		for _, s := range r.plan.Incomplete {
			r.say("  %s", s)
		}
		return exitFailed
	case r.out != nil && len(r.out.Refused) > 0, len(r.plan.Skipped) > 0:
		return exitRefused
	}
	return r.code()
}

// try seals everything in memory and throws it away: what would be refused is known
// before a key is made.
func (r *rotation) try(ctx context.Context) (int, error) {
	plan := *r.plan
	if plan.Mint {
		trial, err := keyring.Generate(false)
		if err != nil {
			return exitFailed, err
		}
		plan.Files = append([]rotate.Reseal(nil), plan.Files...)
		for i := range plan.Files {
			plan.Files[i].To = append([]sops.Recipient{trial.Recipient()}, plan.Files[i].To...)
		}
	}
	if len(plan.Files) > 0 && len(r.held.ids) > 0 {
		if err := r.seal(ctx, &plan, func(rotate.Result) error { return nil }); err != nil {
			return exitFailed, err
		}
		r.plan.Skipped = append(r.plan.Skipped, r.out.Refused...)
		r.plan.Files = without(r.plan.Files, r.out.Refused)
	}
	if err := r.show(); err != nil {
		return exitFailed, err
	}
	if r.out == nil && len(plan.Files) > 0 {
		r.say("note: the keyring holds no identity, so nothing was tried; a rotation needs the old key to open the files")
	}
	r.say("nothing was changed: this was a dry run")
	return r.verdict(), nil
}

func without(files []rotate.Reseal, refused []rotate.Skip) []rotate.Reseal {
	gone := map[string]bool{}
	for _, s := range refused {
		gone[s.Path] = true
	}
	var out []rotate.Reseal
	for _, f := range files {
		if !gone[f.Path] {
			out = append(out, f)
		}
	}
	return out
}

func (r *rotation) seal(ctx context.Context, plan *rotate.Plan, keep func(rotate.Result) error) error {
	sealer, err := seal.New(r.held.ids)
	if err != nil {
		return err
	}
	p := r.newProgress()
	defer p.clear()
	r.out, err = plan.Seal(ctx, r.at.tree.Snapshot.FS, sealer, keep, p.update)
	return err
}

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
	r.say("done: %s sealed anew, %s edited; review the change and commit it", plural(len(r.plan.Files), "file"), plural(len(r.plan.Rules), "file"))
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
