package keyring

import (
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"github.com/sealward/sealward/internal/sops"
)

// Encrypter returns what seals to r: age1..., age1pq1..., ssh-ed25519 and ssh-rsa. A
// plugin's recipient is refused, for using it runs a program; so is every other kind.
func Encrypter(r sops.Recipient) (age.Recipient, error) {
	switch {
	case r.Kind != sops.Age:
		return nil, fmt.Errorf("seal to %s: it is a %s key, and only age seals here", r.Short(), r.Kind)
	case r.Plugin():
		return nil, fmt.Errorf("seal to %s: sealing to an age plugin runs a program", r.Short())
	}
	var to age.Recipient
	var err error
	switch {
	case r.SSH():
		to, err = agessh.ParseRecipient(r.ID)
	case r.PostQuantum():
		to, err = age.ParseHybridRecipient(r.ID)
	default:
		to, err = age.ParseX25519Recipient(r.ID)
	}
	if err != nil {
		return nil, fmt.Errorf("seal to %s: not a recipient of age", r.Short())
	}
	return to, nil
}

// SealCopy writes the operator's copy of an identity, sealed to the recipients:
// an armored age file that holds an identity file as age-keygen writes it.
func SealCopy(w io.Writer, id Identity, to []sops.Recipient) error {
	if len(to) == 0 {
		return errors.New("seal a copy of the key: nobody to seal it to; name recipients under rotation.copy-to")
	}
	all := make([]age.Recipient, len(to))
	for i, r := range to {
		e, err := Encrypter(r)
		if err != nil {
			return fmt.Errorf("seal a copy of the key: %w", err)
		}
		// age refuses to mix its post-quantum recipients with others in one file; who
		// names both for a copy has decided that either may open it.
		all[i] = plainRecipient{e}
	}
	a := armor.NewWriter(w)
	body, err := age.Encrypt(a, all...)
	if err != nil {
		return fmt.Errorf("seal a copy of the key: %w", err)
	}
	if _, err := io.WriteString(body, entryText(id, "")); err != nil {
		return fmt.Errorf("seal a copy of the key: %w", err)
	}
	if err := errors.Join(body.Close(), a.Close()); err != nil {
		return fmt.Errorf("seal a copy of the key: %w", err)
	}
	return nil
}

// plainRecipient hides the labels of a recipient.
type plainRecipient struct{ age.Recipient }
