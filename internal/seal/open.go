package seal

import (
	"sort"
	"strings"

	"github.com/getsops/sops/v3/shamir"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// opened is a tree's data key and, by key group, the share of it that the group's
// recipients have; nil for a group that no identity opens.
type opened struct {
	key   []byte
	parts [][]byte
	by    []sops.Recipient // the identities that opened a share, each once
}

// wipe forgets the keys.
func (o *opened) wipe() {
	clear(o.key)
	for _, p := range o.parts {
		clear(p)
	}
}

// dataKey recovers a tree's data key with the identities of the keyring. It only tries
// what is labelled for one of them, and never asks anything outside of this process.
func (t *tree) dataKey(ids []keyring.Identity) (*opened, error) {
	d := t.docs[0]
	o := &opened{parts: make([][]byte, len(d.Groups))}
	var have [][]byte
	for g := range d.Groups {
		part, by := t.part(d, g, ids)
		if part == nil {
			continue
		}
		o.parts[g] = part
		o.by = append(o.by, by)
		have = append(have, part)
	}
	switch {
	case len(d.Groups) == 1 && len(have) == 1:
		o.key = append([]byte(nil), have[0]...)
	case len(d.Groups) > 1 && len(have) >= d.Threshold:
		key, err := shamir.Combine(have)
		if err != nil {
			return nil, refuse(Metadata, "the shares of its key groups do not make a data key")
		}
		o.key = key
	case len(d.Groups) > 1:
		return nil, refuse(Closed, "the keyring opens %d of its %d key groups, and %d are needed", len(have), len(d.Groups), d.Threshold)
	default:
		return nil, refuse(Closed, "no identity of the keyring opens it; it is sealed for %s", shorts(d.Recipients()))
	}
	if len(o.key) != keySize {
		return nil, refuse(Metadata, "its data key has the wrong size")
	}
	return o, nil
}

func (t *tree) part(d sops.Document, g int, ids []keyring.Identity) ([]byte, sops.Recipient) {
	for _, w := range d.Keys {
		if w.Group != g || w.Recipient.Kind != sops.Age {
			continue
		}
		for _, id := range ids {
			if id.Recipient() != w.Recipient {
				continue
			}
			if part, err := unwrap(t.file.encOf(d, w), id); err == nil {
				return part, w.Recipient
			}
		}
	}
	return nil, sops.Recipient{}
}

// encOf returns the data key as it is wrapped for one recipient: an armored age file.
func (s *sealedFile) encOf(d sops.Document, w sops.Wrapped) string {
	l, ok := s.leafAt(d, w.Enc)
	if !ok {
		return ""
	}
	return strings.ReplaceAll(l.Value, `\n`, "\n")
}

func (s *sealedFile) leafAt(d sops.Document, at syntax.Span) (*syntax.Leaf, bool) {
	leaves := s.Docs[d.Index].Leaves
	i := sort.Search(len(leaves), func(i int) bool { return leaves[i].Span.Start.Offset >= at.Start.Offset })
	if at.IsZero() || i == len(leaves) || leaves[i].Span.Start.Offset != at.Start.Offset {
		return nil, false
	}
	return &leaves[i], true
}

// decrypt opens every sealed value and comment with the data key, each bound to where
// it stands. It does not look at the MAC.
func (t *tree) decrypt(b *box) error {
	for i := range t.values {
		if p := &t.values[i]; p.sealed && !p.open(b) {
			return refuse(Stray, "%s at line %d does not open where it stands: it was moved, or sealed with another key; "+
				"a new data key would lose it", p.leaf.Path, p.span.Start.Line)
		}
	}
	for i := range t.comments {
		p := &t.comments[i]
		if p.open(b) {
			continue
		}
		p.others = t.everywhere()
		if !p.open(b) {
			return refuse(Stray, "the sealed comment at line %d does not open where it stands; put it back or remove it", p.span.Start.Line)
		}
	}
	return nil
}

// open tries every place that a value may be bound to and keeps the right one.
func (p *place) open(b *box) bool {
	plain, ok := b.open(p.token, p.aad)
	for i := 0; !ok && i < len(p.others); i++ {
		if plain, ok = b.open(p.token, p.others[i]); ok {
			p.aad = p.others[i]
		}
	}
	p.opened = plain
	return ok
}

// everywhere lists every collection of the tree, for a comment that stands oddly.
func (t *tree) everywhere() []string {
	seen := map[string]bool{}
	var out []string
	for i := range t.values {
		aad := t.values[i].aad
		for aad != "" && !seen[aad] && len(out) < 1000 {
			seen[aad] = true
			out = append(out, aad)
			aad = aad[:strings.LastIndexByte(aad[:len(aad)-1], ':')+1]
		}
	}
	return out
}

// sum computes the MAC of an opened tree; it is false for a value that is not what its
// type says.
func (t *tree) sum() ([]byte, bool) {
	h := newMAC(t.docs[0].MACOnlyEnc)
	for i := range t.values {
		p := &t.values[i]
		if !p.sealed {
			if !t.docs[0].MACOnlyEnc {
				h.Write(p.clearly)
			}
			continue
		}
		text, ok := sealedBytes(p.token.kind, p.opened)
		if !ok {
			return nil, false
		}
		h.Write(text)
	}
	return h.Sum(nil), true
}

// macText opens the MAC that the tree holds; it is bound to the time of sealing.
func (t *tree) macText(b *box) ([]byte, error) {
	tok, err := parseToken(t.docs[0].MAC.Value)
	if err != nil {
		return nil, refuse(NoMAC, "its MAC is not a sealed value; restore the file, or seal it anew with sops")
	}
	text, ok := b.open(tok, t.modified.Format(rfc3339))
	if !ok || tok.kind != "str" {
		return nil, refuse(BadMAC, "its MAC does not open: the MAC or lastmodified was changed")
	}
	return text, nil
}

func shorts(list []sops.Recipient) string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = r.Short()
	}
	return strings.Join(out, ", ")
}
