package seal

import (
	"bytes"
	"slices"

	"github.com/sealward/sealward/internal/sops"
)

// verify holds the outcome to everything that a re-sealed file must be, from its bytes
// alone: it is read again as if it came from anywhere.
func (j *job) verify(data []byte) error {
	now, err := read(j.old.path, data)
	if err != nil {
		return refuse(Unproven, "what it became cannot be read again")
	}
	if now.Format != j.old.Format || len(now.trees) != len(j.old.trees) || len(now.Docs) != len(j.old.Docs) {
		return refuse(Unproven, "it changed its structure")
	}
	for i, t := range now.trees {
		w := j.works[j.old.trees[i]]
		if w == nil {
			if !sameDocs(j.old.trees[i], t) {
				return refuse(Unproven, "a document that the change leaves alone was changed")
			}
			continue
		}
		if err := j.verifyTree(w, t); err != nil {
			return err
		}
	}
	if j.way == bySpan && !bytes.Equal(j.skeleton(j.old), j.skeleton(now)) {
		return refuse(Unproven, "bytes outside of its sealed values changed")
	}
	return nil
}

func sameDocs(a, b *tree) bool {
	return slices.EqualFunc(a.docs, b.docs, func(x, y sops.Document) bool {
		return bytes.Equal(a.file.Docs[x.Index].Span.Cut(a.file.Data), b.file.Docs[y.Index].Span.Cut(b.file.Data))
	})
}

func (j *job) verifyTree(w *work, t *tree) error {
	if err := w.sameRecipients(t, j.want); err != nil {
		return err
	}
	if err := j.verifyKey(w, t); err != nil {
		return err
	}
	b, err := newBox(w.rekey.key)
	if err != nil {
		return refuse(Unproven, "its data key has the wrong size")
	}
	if t.decrypt(b) != nil {
		return refuse(Unproven, "a value does not open with the new data key")
	}
	if err := w.sameValues(t); err != nil {
		return err
	}
	mac, err := t.macText(b)
	if err != nil || !bytes.Equal(mac, w.mac) {
		return refuse(Unproven, "its MAC changed")
	}
	if err := w.sameSum(t); err != nil {
		return err
	}
	return w.nothingOld(t)
}

// sameRecipients holds the new metadata to the plan.
func (w *work) sameRecipients(t *tree, want sops.Rekey) error {
	old := w.tree.docs[0]
	for _, d := range t.docs {
		if d.Threshold != old.Threshold || d.Selector != old.Selector || d.MACOnlyEnc != old.MACOnlyEnc || len(d.Groups) != len(old.Groups) {
			return refuse(Unproven, "its settings changed")
		}
		for g := range d.Groups {
			var planned, got []sops.Recipient
			for _, s := range w.rekey.slots {
				if s.group == g {
					planned = append(planned, s.to)
				}
			}
			for _, k := range d.Keys {
				if k.Group == g {
					got = append(got, k.Recipient)
				}
			}
			slices.SortFunc(planned, sops.Recipient.Compare)
			slices.SortFunc(got, sops.Recipient.Compare)
			if !slices.Equal(planned, got) {
				return refuse(Unproven, "its recipients are not the planned ones")
			}
		}
		for _, r := range want.Remove {
			if bytes.Contains(d.Meta.Cut(t.file.Data), []byte(r.ID)) {
				return refuse(Unproven, "the removed recipient still stands in its metadata")
			}
		}
	}
	return nil
}

// verifyKey opens the new metadata: whoever the keyring holds and the plan names gets
// the planned data key, and nobody who was removed gets anything.
func (j *job) verifyKey(w *work, t *tree) error {
	o, err := t.dataKey(j.ids)
	if err == nil {
		defer o.wipe()
		if !bytes.Equal(o.key, w.rekey.key) {
			return refuse(Unproven, "it opens to another data key than the planned one")
		}
	} else if len(t.docs[0].Groups) == 1 && slices.ContainsFunc(j.ids, func(id identity) bool {
		return slices.Contains(t.docs[0].Recipients(), id.Recipient())
	}) {
		return refuse(Unproven, "the keyring's own identity does not open it")
	}
	for _, id := range j.ids {
		if !slices.Contains(j.want.Remove, id.Recipient()) {
			continue
		}
		for _, k := range t.docs[0].Keys {
			if k.Recipient.Kind != sops.Age {
				continue
			}
			if part, err := unwrap(t.file.encOf(t.docs[0], k), id); err == nil {
				clear(part)
				return refuse(Unproven, "the removed key still opens it")
			}
		}
	}
	for _, d := range t.docs[1:] { // copies of one metadata
		for i, k := range d.Keys {
			if t.file.encOf(d, k) != t.file.encOf(t.docs[0], t.docs[0].Keys[i]) {
				return refuse(Unproven, "its documents wrap the data key differently")
			}
		}
	}
	return nil
}

// sameValues compares the plaintext path by path, with types and what is in clear.
func (w *work) sameValues(t *tree) error {
	if !w.samePlaces(w.tree.values, t.values) || !w.samePlaces(w.tree.comments, t.comments) {
		return refuse(Unproven, "its plaintext changed")
	}
	if w.way != byLibrary {
		return nil
	}
	before, _, err := w.tree.reference(w.opened.key)
	if err != nil {
		return err
	}
	after, _, err := t.reference(w.rekey.key)
	if err != nil || !sameFlat(before, after) {
		return refuse(Unproven, "its plaintext changed")
	}
	return nil
}

func (w *work) samePlaces(before, after []place) bool {
	if len(before) != len(after) {
		return false
	}
	for i := range before {
		a, b := &before[i], &after[i]
		switch {
		case a.aad != b.aad || a.sealed != b.sealed:
			return false
		case a.sealed:
			if a.token.kind != b.token.kind || !bytes.Equal(a.opened, b.opened) {
				return false
			}
		case w.way != byLibrary && (a.text != b.text || a.leaf.Kind != b.leaf.Kind):
			return false
		}
	}
	return true
}

// sameSum computes the MAC from the new bytes, in the way that held for the old ones.
func (w *work) sameSum(t *tree) error {
	if !w.byReference {
		if sum, ok := t.sum(); ok && sameMAC(sum, w.mac) {
			return nil
		}
		return refuse(Unproven, "its MAC does not hold")
	}
	_, mac, err := t.reference(w.rekey.key)
	if err != nil || mac != string(w.mac) {
		return refuse(Unproven, "its MAC does not hold")
	}
	return nil
}

// nothingOld finds no token of the old file in the new one, where the data key is new.
func (w *work) nothingOld(t *tree) error {
	if len(w.rekey.notRotated) > 0 {
		return nil
	}
	old := make(map[string]bool, len(w.tree.values)+4)
	for _, list := range [][]place{w.tree.values, w.tree.comments} {
		for i := range list {
			if list[i].sealed {
				old[list[i].text] = true
			}
		}
	}
	for _, d := range w.tree.docs {
		old[d.MAC.Value] = true
		for _, k := range d.Keys {
			old[w.tree.file.encOf(d, k)] = true
		}
	}
	gone := true
	for _, list := range [][]place{t.values, t.comments} {
		for i := range list {
			gone = gone && !(list[i].sealed && old[list[i].text])
		}
	}
	for _, d := range t.docs {
		gone = gone && !old[d.MAC.Value]
		for _, k := range d.Keys {
			gone = gone && !old[t.file.encOf(d, k)]
		}
	}
	if !gone {
		return refuse(Unproven, "an old token still stands in it")
	}
	return nil
}

// skeleton is a file without what a rotation may change: the tokens of the trees that
// were worked on, and the list of their recipients. Quotes and block marks stay.
func (j *job) skeleton(f *sealedFile) []byte {
	e := edits{file: f, fits: true}
	for i, t := range f.trees {
		w := j.works[j.old.trees[i]]
		if w == nil {
			continue
		}
		for _, list := range [][]place{t.values, t.comments} {
			for i := range list {
				if p := &list[i]; p.sealed {
					e.swap(p.span, p.text, "")
				}
			}
		}
		for _, d := range t.docs {
			e.swap(d.MAC.Span, d.MAC.Value, "")
			e.swap(d.LastModified.Span, d.LastModified.Value, "")
			e.hollow(d, len(w.tree.docs[0].Keys) != len(w.rekey.slots))
		}
	}
	out, ok := e.apply()
	if !ok || !e.fits {
		return f.Data
	}
	return out
}

// hollow takes the recipients out of a document: each by itself, or from the first to
// the last where their number changed.
func (e *edits) hollow(d sops.Document, resized bool) {
	from, to := len(e.file.Data), 0
	for _, k := range d.Keys {
		if k.Recipient.Kind != sops.Age {
			continue
		}
		from = min(from, k.ID.Start.Offset, k.Enc.Start.Offset)
		to = max(to, k.ID.End.Offset, k.Enc.End.Offset)
		if !resized {
			mark := ""
			if raw := k.Enc.Cut(e.file.Data); len(raw) > 0 {
				mark = string(raw[:1])
			}
			e.list = append(e.list, edit{k.ID.Start.Offset, k.ID.End.Offset, ""}, edit{k.Enc.Start.Offset, k.Enc.End.Offset, mark})
		}
	}
	if resized && from < to {
		e.list = append(e.list, edit{from, to, ""})
	}
}
