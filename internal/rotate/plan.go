package rotate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/sops"
)

// Plan is everything that a rotation is going to do, and why. It is made from names
// and public keys alone.
type Plan struct {
	Request
	Env  string   // as the tree names it; "" for a change over the whole tree
	Envs []string // the environments whose files change, least critical first
	// Old are the recipients that go, New those that take their place. Where Mint is
	// set New is still to be made, and empty.
	Old, New []sops.Recipient
	Mint     bool
	How      string           // how the old key was told
	scope    []sops.Recipient // to let somebody in: whose files
	behind   map[string]bool  // the files that lack New, which their rule names
	// Idle says that nothing was replaced and nothing forces it: the plan shows what
	// a forced rotation would do.
	Idle bool

	Files    []Reseal
	Rules    []repo.Edit // .sops.yaml, kilter.yaml and .sealward.yaml as they will be
	Changes  []Change    // what the edits of Rules do
	Skipped  []Skip      // sealed for an old key, and left as they are
	Exposed  []Exposed
	Steps    []string // what a person does next, Markdown
	Warnings []string
	// Incomplete names what was not read and may be sealed for an old key.
	Incomplete []string
}

// Reseal is a file that is sealed anew.
type Reseal struct {
	Path     string
	From, To []sops.Recipient // who goes, and who comes
	Known    []sops.Recipient // who may stand in it beside them
	Env      string
	Why      string
	Docs     int // of its documents, how many change
	Values   int // sealed in these

	sealed *Sealed
}

// Rekey is the change as the [Sealer] takes it.
func (r Reseal) Rekey() sops.Rekey { return sops.Rekey{Remove: r.From, Add: r.To, Known: r.Known} }

// Skip is a file that is left as it is, and why.
type Skip struct{ Path, Why string }

// Change is one edit of a file in clear.
type Change struct {
	Path string
	Line int
	What string
}

// Exposed is a value that an old key could read.
type Exposed struct {
	Path string
	Value
	// History says that the tree's own file does not show it: some commit does.
	History bool
}

// Nothing reports whether there is nothing to do.
func (p *Plan) Nothing() bool {
	return p.Idle || len(p.Files)+len(p.Rules)+len(p.Skipped) == 0 && !p.Mint
}

// Input is what a plan is made from, beside the tree.
type Input struct {
	Request Request
	Held    Held
	Keyring string // the address of the environment's keyring, "" where there is none
	Minted  bool   // the environment's current key was made for this very request
}

// Make plans a rotation. The error says what is wrong with the request, or what about
// the tree makes it impossible to tell what to do; several recipients that could be
// meant are an [*AmbiguousError].
func (t *Tree) Make(in Input) (*Plan, error) {
	p := &Plan{Request: in.Request, Incomplete: t.Incomplete, Warnings: slices.Clone(t.Notes)}
	if err := t.aim(p, in); err != nil {
		return nil, err
	}
	t.chooseFiles(p)
	if err := t.editAll(p); err != nil {
		return nil, err
	}
	t.interplay(p)
	p.Exposed = t.exposed(p, nil)
	p.Steps = t.steps(p, in.Keyring)
	return p, nil
}

// AddPast adds the values that files held at some time while they were sealed for an old
// key, as [Tree.Past] finds them, and the note on why these may not be all.
func (t *Tree) AddPast(p *Plan, past []Exposed, note string) {
	p.Exposed = t.exposed(p, past)
	if note != "" {
		p.Warnings = append(p.Warnings, note)
	}
}

// aim tells who goes and who comes.
func (t *Tree) aim(p *Plan, in Input) error {
	req := in.Request
	if err := req.Check(); err != nil {
		return err
	}
	if req.Env == "" {
		p.Old, p.New = req.Remove, slices.Concat(req.To, req.Add)
		p.How = "named in the request"
		return t.present(p.Old)
	}
	name, ok := t.Environment(req.Env)
	if !ok && !slices.ContainsFunc(in.Held[name], t.facts(nil).there) {
		return t.unknown(req.Env)
	}
	p.Env = name
	if len(req.Add) > 0 && len(req.Remove)+len(req.To) == 0 && !req.Force {
		p.New, p.How = req.Add, "named in the request"
		return t.aimScope(p, in.Held)
	}
	if err := t.aimOld(p, in); err != nil {
		return err
	}
	p.New = append(p.New, req.Add...)
	p.Old = slices.DeleteFunc(slices.Clone(p.Old), func(r sops.Recipient) bool { return slices.Contains(p.New, r) })
	return nil
}

// aimScope tells whose files somebody is let into: those of the environment's key.
func (t *Tree) aimScope(p *Plan, held Held) error {
	f := t.facts(held)
	for _, r := range held[p.Env] {
		if f.there(r) {
			p.scope = append(p.scope, r)
		}
	}
	if len(p.scope) > 0 {
		return nil
	}
	key, err := f.key(p.Env)
	p.scope = key.Recipients
	return err
}

// Check refuses a request that contradicts itself or that cannot be sealed to.
func (req Request) Check() error {
	if req.Env == "" && req.Force {
		return errors.New("--force replaces the key of an environment: name one, as in: bot rotate prod --force")
	}
	if req.Env == "" && len(req.Remove)+len(req.Add)+len(req.To) == 0 {
		return errors.New("nothing to rotate: name an environment, or a recipient with --remove or --add")
	}
	if req.Env == "" && len(req.To) > 0 && len(req.Remove) == 0 {
		return errors.New("--to says who takes somebody's place: name an environment, or whom with --remove; to let somebody in, use --add")
	}
	for _, r := range slices.Concat(req.To, req.Add) {
		switch {
		case r.Kind != sops.Age:
			return fmt.Errorf("%s is a %s key: files are sealed here to age and ssh keys alone; add it with sops", r.Short(), r.Kind)
		case r.Plugin():
			return fmt.Errorf("%s needs a plugin of age: sealing to it runs a program, which is not done here; add it with sops", r.Short())
		case slices.Contains(req.Remove, r):
			return fmt.Errorf("%s is to come and to go at once: leave it out of --remove, or out of --to and --add", r.Short())
		}
	}
	return nil
}

// present refuses recipients that nothing in the tree is sealed for.
func (t *Tree) present(list []sops.Recipient) error {
	f := t.facts(nil)
	for _, r := range list {
		if f.there(r) {
			continue
		}
		for _, s := range t.Sealed {
			for _, have := range s.Recipients() {
				if sameEnds(have, r) {
					return fmt.Errorf("no file is sealed for %s; %s is: did you mean %s?", r, s.Path, have)
				}
			}
		}
	}
	return nil
}

// sameEnds holds for recipients that begin alike or end alike: one mistyped.
func sameEnds(a, b sops.Recipient) bool {
	n := min(len(a.ID), len(b.ID))
	return n > 24 && (a.ID[:16] == b.ID[:16] || a.ID[len(a.ID)-12:] == b.ID[len(b.ID)-12:])
}

func (t *Tree) unknown(name string) error {
	known := t.Environments()
	if len(known) == 0 {
		return fmt.Errorf("no environment %q: none was found in this tree; name it under environments: in .sealward.yaml", name)
	}
	return fmt.Errorf("no environment %q: known are %s; name another one under environments: in .sealward.yaml", name, strings.Join(known, ", "))
}

// aimOld tells which key of an environment goes, and what takes its place: the
// recipients that the request names, else the keyring's current key, else one that is
// to be made.
func (t *Tree) aimOld(p *Plan, in Input) error {
	f := t.facts(in.Held)
	held := in.Held[p.Env]
	switch {
	case len(in.Request.Remove) > 0:
		return t.aimNamed(p, f, held)
	case len(in.Request.To) > 0:
		p.New = slices.Clone(in.Request.To)
		return f.aimKey(p, held)
	case len(held) == 0:
		p.Mint, p.Idle = true, !in.Request.Force
		return f.aimKey(p, nil)
	}
	p.New = []sops.Recipient{held[0]}
	if err := f.aimBehind(p, held); err != nil {
		return err
	}
	if len(p.Old) == 0 {
		p.behind = f.lacking(p.Env, held[0], in.Request.Force)
	}
	switch {
	case len(p.behind) > 0:
		p.How = "its rule names it"
	case len(p.Old) > 0 && in.Request.Force && !in.Minted:
		p.Warnings = append(p.Warnings, "the keyring holds a newer key than the files are sealed for: they move to it, and none is made; to replace that one too, rotate with --force once more")
	case len(p.Old) == 0 && !in.Minted:
		p.New, p.Mint, p.Idle = nil, true, !in.Request.Force
		return f.aimKey(p, held)
	}
	return nil
}

// aimNamed is the aim where the request names who goes.
func (t *Tree) aimNamed(p *Plan, f *facts, held []sops.Recipient) error {
	p.Old, p.How = slices.Clone(p.Remove), "named in the request"
	current := len(held) > 0 && !slices.Contains(p.Old, held[0])
	switch {
	case len(p.To) > 0:
		p.New = slices.Clone(p.To)
	case p.Force && !(current && f.files[held[0]] == nil):
		p.Mint = true
	case current:
		p.New = []sops.Recipient{held[0]}
	default:
		return fmt.Errorf("the keyring holds no other key of %q to seal for: replace it with --force, or name a recipient with --to", p.Env)
	}
	return t.present(p.Old)
}

// aimBehind finds the keys that the keyring's current one has replaced already.
func (f *facts) aimBehind(p *Plan, held []sops.Recipient) error {
	older := slices.DeleteFunc(slices.Clone(held[1:]), func(r sops.Recipient) bool { return !f.there(r) })
	if len(older) > 0 {
		p.Old, p.How = older, "the keyring holds its private half, and a newer one"
		return nil
	}
	if stale := f.stale(p.Env, p.New); len(stale) > 0 {
		p.Old, p.How = stale, "files are sealed for it, and their rule names the new key in its place"
		return nil
	}
	if f.there(held[0]) {
		return nil
	}
	key, err := f.key(p.Env)
	if none := (*NoKeyError)(nil); errors.As(err, &none) {
		return nil
	}
	p.Old, p.How = key.Recipients, key.How
	return err
}

// aimKey finds the key that is in use: of those that the keyring holds, else by what
// the tree tells.
func (f *facts) aimKey(p *Plan, held []sops.Recipient) error {
	for _, r := range held {
		if f.there(r) && !slices.Contains(p.New, r) {
			p.Old, p.How = append(p.Old, r), "the keyring holds its private half"
		}
	}
	if len(p.Old) > 0 {
		return nil
	}
	key, err := f.key(p.Env)
	p.Old, p.How = key.Recipients, key.How
	// Of several that could be the key, the one to come is not the one to go: it came
	// in an earlier run.
	if several := (*AmbiguousError)(nil); errors.As(err, &several) {
		if left := sops.Difference(several.Candidates, p.New); len(left) < 2 {
			p.Old, p.How, err = left, several.How, nil
		}
	}
	return err
}

// lacking are the environment's files that a key was not let into, though their rule
// names it: it was made for an environment that shared another one's. Where the key is
// to be replaced, they wait for the next one, unless it opens nothing yet.
func (f *facts) lacking(env string, key sops.Recipient, replaced bool) map[string]bool {
	out := map[string]bool{}
	for _, s := range f.tree.Sealed {
		_, rule := f.tree.Rule(s.Path)
		if s.Env == env && rule != nil && len(rule.Groups) == 1 && slices.Contains(rule.Groups[0], key) && !s.Lists(key) {
			out[s.Path] = true
		}
	}
	if replaced && f.files[key] != nil {
		return nil
	}
	return out
}

// stale are the recipients of the environment's files that their rules no longer name,
// where the rules name a key in target that the files lack: somebody replaced the key
// in .sops.yaml and did not re-encrypt.
func (f *facts) stale(env string, target []sops.Recipient) []sops.Recipient {
	var out []sops.Recipient
	for _, s := range f.tree.Sealed {
		_, rule := f.tree.Rule(s.Path)
		if s.Env != env || rule == nil {
			continue
		}
		want := sops.Union(rule.Groups)
		lacks := slices.ContainsFunc(target, func(r sops.Recipient) bool { return slices.Contains(want, r) && !s.Lists(r) })
		if !lacks {
			continue
		}
		for _, r := range sops.Difference(s.Recipients(), want) {
			if f.mayBeKey(r, env) {
				out = append(out, r)
			}
		}
	}
	return sops.Difference(out, nil)
}
