package seal

import (
	"context"
	"errors"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
)

// Opening is what identities can do with one sealed document.
type Opening struct {
	Doc  int              // the document's index in the file
	Line int              // where its metadata begins
	For  []sops.Recipient // everybody that it is sealed for
	// By are the identities' recipients whose wrapped data key opened. Err is nil where
	// they open the document: every value, and a MAC that holds.
	By  []sops.Recipient
	Err error
}

// Opens tells, for each sealed document of a file, which identities open it. It proves
// it by opening everything, and returns no plaintext. The error is for a file that
// cannot be read as a whole.
func Opens(ctx context.Context, path string, data []byte, ids []keyring.Identity) ([]Opening, error) {
	hush()
	f, err := read(path, data)
	var refused *Refused
	if errors.As(err, &refused) {
		refused.Path = path
	}
	if err != nil {
		return nil, err
	}
	var out []Opening
	for _, t := range f.trees {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w := &work{tree: t}
		err := w.open(ids)
		if errors.As(err, &refused) {
			refused.Path = path
		}
		if w.opened != nil {
			w.opened.wipe()
		}
		for _, d := range t.docs {
			out = append(out, Opening{d.Index, d.Meta.Start.Line, d.Recipients(), t.openers(d, ids), err})
		}
	}
	return out, nil
}

// openers are the identities whose own wrapped key opens.
func (t *tree) openers(d sops.Document, ids []keyring.Identity) []sops.Recipient {
	var out []sops.Recipient
	for _, w := range d.Keys {
		for _, id := range ids {
			if w.Recipient != id.Recipient() {
				continue
			}
			if part, err := unwrap(t.file.encOf(d, w), id); err == nil {
				clear(part)
				out = append(out, w.Recipient)
			}
		}
	}
	return sops.Difference(out, nil)
}
