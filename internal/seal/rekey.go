package seal

import (
	"crypto/rand"
	"slices"

	"github.com/getsops/sops/v3/shamir"

	"github.com/sealward/sealward/internal/sops"
)

// slot is one recipient of the new metadata.
type slot struct {
	group int
	to    sops.Recipient
	old   int    // the entry whose place it takes, into Document.Keys; -1 for a further one
	enc   string // the data key, or its group's share, as it is wrapped anew; "" leaves the old one
}

// rekey is what becomes of a tree's recipients.
type rekey struct {
	slots      []slot           // ordered by group, then as they stand in the file
	notRotated []sops.Recipient // need credentials that are not here, and keep the old data key
	key        []byte           // the data key from now on
}

// judge refuses a tree with a recipient that nothing explains: it would read along
// from the next rotation on.
func (t *tree) judge(want sops.Rekey) error {
	for _, r := range t.docs[0].Recipients() {
		if slices.Contains(want.Remove, r) {
			continue
		}
		known := slices.Contains(want.Known, r) || slices.Contains(want.Add, r)
		var refused *Refused
		switch {
		case !known && (r.Kind == sops.Vault || r.Kind == sops.AzureKV):
			refused = refuse(Service, "it names the key server of %s, which the rules do not: sops would send its credentials there", r.Short())
		case !known:
			refused = refuse(Injected, "it is sealed for %s, which neither the rules nor the replaced key explain; "+
				"remove it from the file, or name it in .sops.yaml", r.Short())
		case r.Plugin():
			refused = refuse(Plugin, "sealing it for %s runs a program (an age plugin); rotate it by hand with sops", r.Short())
		default:
			continue
		}
		refused.Recipient = r
		return refused
	}
	for i, d := range t.docs[1:] {
		if !slices.EqualFunc(t.docs[0].Keys, d.Keys, func(a, b sops.Wrapped) bool { return a.Recipient == b.Recipient && a.Group == b.Group }) {
			return refuse(Metadata, "document %d lists its recipients in another order than the first", i+2)
		}
	}
	return nil
}

// plan says who has which place. Recipients to add take the place of the first one
// that is removed, in every group that loses one: adding to any other group would
// break the policy that the groups are.
func (t *tree) plan(want sops.Rekey) (*rekey, error) {
	d := t.docs[0]
	r := &rekey{}
	loses := slices.ContainsFunc(d.Keys, func(w sops.Wrapped) bool { return slices.Contains(want.Remove, w.Recipient) })
	for g := range d.Groups {
		slots, gone := t.planGroup(g, want)
		add := missing(want.Add, slots)
		switch {
		case len(add) > 0 && gone < 0 && len(d.Groups) > 1 && !loses:
			return nil, refuse(Group, "it has %d key groups, and nothing says which one %s joins; add it with sops", len(d.Groups), shorts(add))
		case len(add) > 0 && (gone >= 0 || len(d.Groups) == 1):
			slots = insert(slots, gone, g, add)
		}
		if len(slots) == 0 {
			return nil, refuse(Nobody, "nobody would be left to open it; name who takes the place of %s", shorts(want.Remove))
		}
		r.slots = append(r.slots, slots...)
	}
	for _, s := range r.slots {
		if s.to.Kind != sops.Age {
			r.notRotated = append(r.notRotated, s.to)
		}
	}
	return r, nil
}

// planGroup lists who stays in a group, and the first entry that goes, or -1.
func (t *tree) planGroup(g int, want sops.Rekey) (slots []slot, gone int) {
	gone = -1
	for i, w := range t.docs[0].Keys {
		switch {
		case w.Group != g:
		case !slices.Contains(want.Remove, w.Recipient):
			slots = append(slots, slot{group: g, to: w.Recipient, old: i})
		case gone < 0 || t.docs[0].Keys[gone].Recipient.Kind != sops.Age && w.Recipient.Kind == sops.Age:
			gone = i
		}
	}
	return slots, gone
}

// missing returns the recipients that the slots lack.
func missing(add []sops.Recipient, slots []slot) []sops.Recipient {
	var out []sops.Recipient
	for _, r := range add {
		if !slices.ContainsFunc(slots, func(s slot) bool { return s.to == r }) && !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// insert places recipients where the entry gone stood, or at the end.
func insert(slots []slot, gone, group int, add []sops.Recipient) []slot {
	at := len(slots)
	if gone >= 0 {
		at = 0
		for at < len(slots) && slots[at].old < gone {
			at++
		}
	}
	fresh := make([]slot, len(add))
	for i, r := range add {
		fresh[i] = slot{group: group, to: r, old: -1}
	}
	if gone >= 0 {
		fresh[0].old = gone
	}
	return slices.Insert(slots, at, fresh...)
}

// wrapAll makes a new data key and wraps it for everybody. Where a recipient is of a
// kind that needs credentials, the old data key has to stay, and is wrapped only for
// who does not have it yet.
func (t *tree) wrapAll(r *rekey, o *opened) error {
	parts := o.parts
	r.key = o.key
	if len(r.notRotated) == 0 {
		r.key = make([]byte, keySize)
		_, _ = rand.Read(r.key) // never fails: the runtime ends the process first
		var err error
		if parts, err = t.split(r.key); err != nil {
			return err
		}
		defer func() {
			for _, p := range parts {
				clear(p)
			}
		}()
	}
	d := t.docs[0]
	for i := range r.slots {
		s := &r.slots[i]
		stays := s.old >= 0 && d.Keys[s.old].Recipient == s.to
		switch {
		case s.to.Kind != sops.Age, stays && len(r.notRotated) > 0:
			continue
		case parts[s.group] == nil:
			return refuse(Closed, "its key group %d is not open to the keyring, so nobody can be added to it", s.group+1)
		}
		enc, err := wrap(parts[s.group], s.to)
		if err != nil {
			return refuse(Unreadable, "%v", err)
		}
		s.enc = enc
	}
	return nil
}

// split makes the share of each key group.
func (t *tree) split(key []byte) ([][]byte, error) {
	d := t.docs[0]
	if len(d.Groups) == 1 {
		return [][]byte{append([]byte(nil), key...)}, nil
	}
	parts, err := shamir.Split(key, len(d.Groups), d.Threshold)
	if err != nil || len(parts) != len(d.Groups) {
		return nil, refuse(Metadata, "its data key does not split into %d shares with a threshold of %d", len(d.Groups), d.Threshold)
	}
	return parts, nil
}
