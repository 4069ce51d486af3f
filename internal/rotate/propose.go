package rotate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
)

// Prepared is a rotation that was sealed and judged in memory. It may be proposed where it
// has no Problems; where it has, Edits is empty.
type Prepared struct {
	Outcome  *Outcome    // nil where nothing was sealed
	Edits    []repo.Edit // the sealed files as they will be, sorted by path
	Problems []string    // sentences for people: refused files, findings of the review
}

// Prepare seals all of a plan's files and has the outcome reviewed. It is all or nothing:
// a rotation that leaves a file behind would have the old key retired under it.
func (t *Tree) Prepare(ctx context.Context, p *Plan, s Sealer, rules []*review.Rule, now time.Time) (*Prepared, error) {
	out := &Prepared{Problems: p.Obstacles()}
	if len(out.Problems) > 0 {
		return out, nil
	}
	fresh := map[string][]byte{}
	var err error
	out.Outcome, err = p.Seal(ctx, t.Snapshot.FS, s, func(r Result) error {
		fresh[r.Path] = r.New
		return nil
	}, nil)
	if err != nil {
		return nil, err
	}
	if out.Problems = refusals(out.Outcome.Refused); len(out.Problems) > 0 {
		return out, nil
	}
	for _, e := range p.Rules {
		fresh[e.Path] = e.Data
	}
	found, err := t.Judge(ctx, p, out.Outcome, func(path string) ([]byte, error) { return fresh[path], nil }, rules, now)
	if err != nil {
		return nil, fmt.Errorf("review the rotation: %w", err)
	}
	for _, f := range found {
		out.Problems = append(out.Problems, "the review finds an error that the rotation would bring: "+f)
	}
	if len(out.Problems) > 0 {
		return out, nil
	}
	for _, path := range out.Outcome.Sealed {
		out.Edits = append(out.Edits, repo.Edit{Path: path, Data: fresh[path]})
	}
	return out, nil
}

// Obstacles are why a plan cannot be carried out whole: what it leaves as it is, and what
// was not read.
func (p *Plan) Obstacles() []string {
	out := refusals(p.Skipped)
	for _, s := range p.Incomplete {
		out = append(out, s+"; it may be sealed for the old key")
	}
	return out
}

func refusals(list []Skip) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.Path+": "+s.Why)
	}
	return out
}

// Try seals a plan's files for a stand-in of the key that is still to be made, and throws
// the outcome away: what would be refused is known before there is a key.
func (t *Tree) Try(ctx context.Context, p *Plan, s Sealer, standIn sops.Recipient) (problems []string, err error) {
	if problems = p.Obstacles(); len(problems) > 0 {
		return problems, nil
	}
	trial := *p
	trial.Files = slices.Clone(p.Files)
	for i := range trial.Files {
		trial.Files[i].To = append([]sops.Recipient{standIn}, trial.Files[i].To...)
	}
	out, err := trial.Seal(ctx, t.Snapshot.FS, s, func(Result) error { return nil }, nil)
	if err != nil {
		return nil, err
	}
	return refusals(out.Refused), nil
}

// Closed lists the files of a plan that none of the recipients' identities opens, by what
// the files say.
func (t *Tree) Closed(p *Plan, held []sops.Recipient) []string {
	var out []string
	for _, f := range p.Files {
		if f.sealed == nil || !slices.ContainsFunc(held, f.sealed.Lists) {
			out = append(out, f.Path)
		}
	}
	return out
}

// SealedFor returns the first file that is sealed for any of the recipients, and for which.
func (t *Tree) SealedFor(list []sops.Recipient) (path string, r sops.Recipient, ok bool) {
	for _, s := range t.Sealed {
		for _, r := range list {
			if s.Lists(r) {
				return s.Path, r, true
			}
		}
	}
	return "", sops.Recipient{}, false
}

// Behind returns a request for each environment whose rules name another key than its
// files are sealed for: somebody replaced it in .sops.yaml and did not re-encrypt. Only
// where the keyrings hold what opens all of these files.
func (t *Tree) Behind(held Held) []Request {
	var all []sops.Recipient
	for _, list := range held {
		all = append(all, list...)
	}
	var out []Request
	for _, env := range t.Environments() {
		comes, goes, ok := t.replaced(env, held, all)
		switch {
		case !ok || len(comes) == 0 || len(goes) == 0:
		case len(held[env]) > 0 && len(comes) == 1 && comes[0] == held[env][0]:
			out = append(out, Request{Env: env})
		default:
			out = append(out, Request{Env: env, Remove: goes, To: comes})
		}
	}
	return out
}

// replaced tells whom the rules of an environment's files name that the files lack, and
// the other way round. ok is false where a file could not be opened.
func (t *Tree) replaced(env string, held Held, all []sops.Recipient) (comes, goes []sops.Recipient, ok bool) {
	f := t.facts(held)
	for _, s := range t.Sealed {
		_, rule := t.Rule(s.Path)
		if s.Env != env || rule == nil {
			continue
		}
		want := sops.Union(rule.Groups)
		lacks, more := sops.Difference(want, s.Recipients()), sops.Difference(s.Recipients(), want)
		more = slices.DeleteFunc(more, func(r sops.Recipient) bool { return !f.mayBeKey(r, env) })
		lacks = slices.DeleteFunc(lacks, func(r sops.Recipient) bool { return r.Kind != sops.Age || r.Plugin() })
		if len(lacks) == 0 || len(more) == 0 {
			continue
		}
		if !slices.ContainsFunc(all, s.Lists) {
			return nil, nil, false
		}
		comes, goes = append(comes, lacks...), append(goes, more...)
	}
	comes, goes = sops.Difference(comes, nil), sops.Difference(goes, nil)
	return comes, sops.Difference(goes, comes), true
}
