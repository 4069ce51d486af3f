// Package seal opens and re-seals one file of SOPS in memory: with a new data key, for
// the recipients that a rotation asks for, and never without proof.
//
// There are two ways in. By spans, only tokens change, in the file's own bytes: the
// ENC[...] values, the wrapped data keys, the MAC and the time; comments, quotes and
// blank lines stay. Where that does not fit, the library of SOPS writes the file. Both
// ways end in one verification of the outcome, read again from its bytes; what does
// not pass is thrown away, and the file stays as it is with a [Refused].
//
// Nothing outside of this process is ever asked: no key service, no agent, no plugin.
package seal

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
)

type identity = keyring.Identity

// The ways of writing, as [sops.Resealed] names them.
const (
	bySpan    = "span"
	byLibrary = "library"
)

// Sealer re-seals files with the identities of a keyring. It may be used by several
// goroutines at once; each call holds one file in memory.
type Sealer struct {
	ids     []identity
	library bool
	now     func() time.Time
}

// New makes a Sealer. An empty keyring is refused: it could open nothing.
func New(ids []keyring.Identity) (*Sealer, error) {
	if len(ids) == 0 {
		return nil, errors.New("re-seal: the keyring holds no identity, and files are opened with one; make it with keys init")
	}
	hush()
	return &Sealer{ids: slices.Clone(ids), now: time.Now}, nil
}

// ByLibrary returns a Sealer that always writes through the library of SOPS. It serves
// comparison: files lose their formatting, and it takes several times as long.
func (s *Sealer) ByLibrary() *Sealer {
	out := *s
	out.library = true
	return &out
}

// job is the re-sealing of one file.
type job struct {
	old   *sealedFile
	ids   []identity
	want  sops.Rekey
	works map[*tree]*work
	way   string
}

// work is what becomes of one tree.
type work struct {
	tree   *tree
	opened *opened
	box    *box
	mac    []byte // in hexadecimal: the plaintext of the MAC
	rekey  *rekey
	way    string
	// byReference says that the library had to compute the MAC.
	byReference bool
}

// Reseal re-encrypts a file: a new data key, everything sealed anew, the recipients of
// want. Documents that list nobody of want.Remove are left alone, unless none does:
// then all of them get a new data key. path tells the format. The error is a *[Refused]
// for a file that is not to be rotated.
func (s *Sealer) Reseal(ctx context.Context, path string, data []byte, want sops.Rekey) (sops.Resealed, error) {
	out, err := s.reseal(ctx, path, data, want)
	var refused *Refused
	if errors.As(err, &refused) {
		refused.Path = path
	}
	return out, err
}

func (s *Sealer) reseal(ctx context.Context, path string, data []byte, want sops.Rekey) (sops.Resealed, error) {
	if err := ctx.Err(); err != nil {
		return sops.Resealed{}, err
	}
	old, err := read(path, data)
	if err != nil {
		return sops.Resealed{}, err
	}
	j := &job{old: old, ids: s.ids, want: want, works: map[*tree]*work{}, way: bySpan}
	defer j.wipe()
	var changes edits
	changes.file = old
	var out sops.Resealed
	for _, t := range affected(old.trees, want.Remove) {
		w, err := j.prepare(t)
		if err != nil {
			return sops.Resealed{}, err
		}
		list, err := j.write(w, s.library, s.now())
		if err != nil {
			return sops.Resealed{}, err
		}
		changes.list = append(changes.list, list...)
		out.NotRotated = append(out.NotRotated, w.rekey.notRotated...)
	}
	fresh, ok := changes.apply()
	if !ok {
		return sops.Resealed{}, refuse(Unproven, "its changes overlap")
	}
	if err := j.verify(fresh); err != nil {
		return sops.Resealed{}, err
	}
	out.Data, out.Way, out.NotRotated = fresh, j.way, sops.Difference(out.NotRotated, nil)
	return out, ctx.Err()
}

func (j *job) wipe() {
	for _, w := range j.works {
		if w.opened != nil {
			w.opened.wipe()
		}
		if w.rekey != nil {
			clear(w.rekey.key)
		}
	}
}

// affected are the trees that somebody is removed from; all, where nobody is.
func affected(trees []*tree, remove []sops.Recipient) []*tree {
	var out []*tree
	for _, t := range trees {
		if slices.ContainsFunc(t.docs[0].Recipients(), func(r sops.Recipient) bool { return slices.Contains(remove, r) }) {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		return trees
	}
	return out
}

// prepare opens a tree, holds it to its MAC, and wraps the new data key.
func (j *job) prepare(t *tree) (*work, error) {
	if err := t.judge(j.want); err != nil {
		return nil, err
	}
	plan, err := t.plan(j.want)
	if err != nil {
		return nil, err
	}
	w := &work{tree: t, way: bySpan}
	j.works[t] = w
	if err := w.open(j.ids); err != nil {
		return nil, err
	}
	w.rekey = plan
	return w, t.wrapAll(plan, w.opened)
}

// open opens everything in a tree and checks its MAC: by the model first, and where
// that does not agree, by the library, which then also judges the outcome.
func (w *work) open(ids []identity) error {
	var err error
	if w.opened, err = w.tree.dataKey(ids); err != nil {
		return err
	}
	if w.box, err = newBox(w.opened.key); err != nil {
		return refuse(Metadata, "its data key has the wrong size")
	}
	if w.mac, err = w.tree.macText(w.box); err != nil {
		return err
	}
	if err := w.tree.decrypt(w.box); err != nil {
		return err
	}
	if sum, ok := w.tree.sum(); ok && sameMAC(sum, w.mac) {
		return nil
	}
	w.byReference = true
	values, mac, err := w.tree.reference(w.opened.key)
	if err != nil || mac != string(w.mac) {
		return refuse(BadMAC, "its MAC does not hold: a value was changed, added, removed or moved since it was sealed; "+
			"look at its history, then seal it with sops")
	}
	return w.tree.noStray(values)
}

// noStray refuses a value that is sealed and that sops takes for text: it would stay
// sealed with a data key that nobody has any more.
func (t *tree) noStray(values []flat) error {
	left := 0
	for _, v := range values {
		if sops.Sealed(v.text) {
			left++
		}
	}
	for i := range t.values {
		if p := &t.values[i]; p.sealed && sops.Sealed(string(p.opened)) {
			left--
		}
	}
	if left > 0 {
		return refuse(Stray, "a value is sealed, and the file's own selector leaves it out")
	}
	return nil
}

// write makes the edits of a tree, by its spans where they fit.
func (j *job) write(w *work, library bool, now time.Time) ([]edit, error) {
	to, err := newBox(w.rekey.key)
	if err != nil {
		return nil, refuse(Metadata, "its data key has the wrong size")
	}
	e := edits{file: j.old, fits: !library}
	if e.fits {
		e.tree(w.tree, w.rekey, to, w.mac, now)
	}
	if e.fits {
		return e.list, nil
	}
	w.way, j.way = byLibrary, byLibrary
	one, err := w.tree.byLibrary(w.rekey, w.box, to, w.mac, now)
	return []edit{one}, err
}
