package seal

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
)

// maxPart is more than a data key or a Shamir share of one ever has, in bytes.
const maxPart = 64

var errWrapped = errors.New("a wrapped data key that does not open")

// unwrap opens a data key, or a share of one, that is wrapped for an identity.
func unwrap(enc string, id keyring.Identity) ([]byte, error) {
	r, err := age.Decrypt(armor.NewReader(strings.NewReader(enc)), id)
	if err != nil {
		return nil, errWrapped
	}
	part, err := io.ReadAll(io.LimitReader(r, maxPart+1))
	if err != nil || len(part) > maxPart {
		return nil, errWrapped
	}
	return part, nil
}

// wrap seals a data key, or a share of one, to one recipient: an armored age file of
// its own, as SOPS writes it, so that no ephemeral key is ever shared.
func wrap(part []byte, to sops.Recipient) (string, error) {
	e, err := keyring.Encrypter(to)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	a := armor.NewWriter(&out)
	w, err := age.Encrypt(a, e)
	if err != nil {
		return "", errors.New("seal to " + to.Short() + ": age refuses")
	}
	_, err = w.Write(part)
	if err = errors.Join(err, w.Close(), a.Close()); err != nil {
		return "", errors.New("seal to " + to.Short() + ": age refuses")
	}
	return out.String(), nil
}
