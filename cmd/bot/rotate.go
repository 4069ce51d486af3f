package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/keyring"
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
where it stopped, or takes it back with --undo. A rotation that came to its end is not
undone here: it is a change of the work tree, which git restore and git revert take back.

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
	flags.BoolVar(&f.undo, "undo", false, "take an interrupted rotation back, whichever it was")
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
				return req, cli.Usagef("%s: %w", list.flag, err) // which never repeats the text: it may be a private key
			}
			*list.out = append(*list.out, r)
		}
	}
	if f.undo && f.dryRun {
		return req, cli.Usagef("--undo takes an interrupted rotation back, and --dry-run changes nothing: leave one of them out")
	}
	if err := req.Check(); err != nil && !f.undo {
		return req, &cli.UsageError{Err: err}
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
	past    past
	written bool
}

func (r *rotation) code() int {
	if len(r.left) > 0 {
		return exitRefused
	}
	return exitDone
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
	// It is planned again once the new key is made, and the history is still the same.
	if r.past.keys == nil || !slices.Equal(r.past.keys, r.plan.Old) {
		if r.past, err = r.at.past(ctx, r.plan.Old); err != nil {
			return err
		}
	}
	r.at.tree.AddPast(r.plan, r.past.found, r.past.note)
	return nil
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
	p := cli.NewProgress(r.stderr, r.getenv, "sealing")
	defer p.Clear()
	r.out, err = plan.Seal(ctx, r.at.tree.Snapshot.FS, sealer, keep, p.Update)
	return err
}
