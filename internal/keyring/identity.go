package keyring

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"

	"github.com/sealward/sealward/internal/sops"
)

// redacted is what an identity prints as.
const redacted = "[redacted]"

// Identity is the private half of a key: age's X25519 (AGE-SECRET-KEY-1...), its
// hybrid (AGE-SECRET-KEY-PQ-1...), or an ssh-ed25519 key without a passphrase. It is
// an [age.Identity] itself, so that opening a file needs no text of it.
type Identity struct {
	text      string
	recipient sops.Recipient
	unwrapper age.Identity
}

var _ age.Identity = Identity{}

// Recipient is the public half.
func (i Identity) Recipient() sops.Recipient { return i.recipient }

// Unwrap opens a file key; see [age.Identity].
func (i Identity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if i.unwrapper == nil {
		return nil, age.ErrIncorrectIdentity
	}
	return i.unwrapper.Unwrap(stanzas)
}

// Expose returns the private half in clear, as age and sops read it. It is for the
// keyring's own storage and for a child process that the operator asked for.
func (i Identity) Expose() string { return i.text }

// String hides the private half, as the methods below do, from every way of printing.
func (Identity) String() string { return redacted }

// GoString hides the identity from %#v.
func (Identity) GoString() string { return redacted }

// Format hides the identity from every verb.
func (Identity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the identity from logs.
func (Identity) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalJSON hides the identity from JSON.
func (Identity) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText hides the identity from every encoder of text.
func (Identity) MarshalText() ([]byte, error) { return []byte(redacted), nil }

var (
	errDamaged = errors.New("a damaged age identity: a character was lost or mistyped")
	errPlugin  = errors.New("an identity of an age plugin: using it runs a program, which this keyring does not do")
	errSSH     = errors.New("not an ssh-ed25519 private key that can be read")
)

// ParseIdentity reads one identity: a line AGE-SECRET-KEY-..., or the PEM block of an
// ssh-ed25519 key. White space around it is no part of it. The error never repeats
// what it was given.
func ParseIdentity(text string) (Identity, error) {
	text = strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "AGE-SECRET-KEY-PQ-1"):
		id, err := age.ParseHybridIdentity(text)
		if err != nil {
			return Identity{}, errDamaged
		}
		return hybrid(id), nil
	case strings.HasPrefix(text, "AGE-SECRET-KEY-1"):
		id, err := age.ParseX25519Identity(text)
		if err != nil {
			return Identity{}, errDamaged
		}
		return x25519(id)
	case strings.HasPrefix(text, "AGE-PLUGIN-"):
		return Identity{}, errPlugin
	case strings.HasPrefix(text, "-----BEGIN AGE ENCRYPTED FILE-----"), strings.HasPrefix(text, "age-encryption.org/"):
		return Identity{}, errors.New("an identity sealed with a passphrase, which nobody is here to type; store it unsealed, mode 0600")
	case strings.HasPrefix(text, "-----BEGIN "):
		return sshIdentity(text)
	}
	return Identity{}, errors.New("not an identity: want a line as age-keygen writes it")
}

func x25519(id *age.X25519Identity) (Identity, error) {
	text := id.String()
	key, err := ecdh.X25519().NewPrivateKey(payload(text))
	if err != nil {
		return Identity{}, errDamaged
	}
	r := sops.Recipient{Kind: sops.Age, ID: id.Recipient().String()}
	return Identity{text, r, curveIdentity{key, key.PublicKey().Bytes()}}, nil
}

func hybrid(id *age.HybridIdentity) Identity {
	return Identity{id.String(), sops.Recipient{Kind: sops.Age, ID: id.Recipient().String()}, id}
}

// sshIdentity reads a private ssh key. An ssh-rsa key is none that this keyring
// keeps: it is slow to open with, and Flux reads no ssh keys at all.
func sshIdentity(text string) (Identity, error) {
	block, rest := pem.Decode([]byte(text))
	if block == nil || len(strings.TrimSpace(string(rest))) > 0 {
		return Identity{}, errors.New("a damaged private key: its PEM block does not end or is followed by other text")
	}
	raw, err := ssh.ParseRawPrivateKey([]byte(text))
	var sealed *ssh.PassphraseMissingError
	if errors.As(err, &sealed) {
		return Identity{}, errors.New("an ssh key sealed with a passphrase, which nobody is here to type")
	}
	if err != nil {
		return Identity{}, errSSH
	}
	var key ed25519.PrivateKey
	switch k := raw.(type) {
	case *ed25519.PrivateKey:
		key = *k
	case ed25519.PrivateKey:
		key = k
	default:
		return Identity{}, errors.New("an ssh key of another type than ssh-ed25519")
	}
	id, err := agessh.NewEd25519Identity(key)
	if err != nil {
		return Identity{}, errSSH
	}
	public, err := ssh.NewPublicKey(key.Public())
	if err != nil {
		return Identity{}, errSSH
	}
	r, err := sops.ParseRecipient(string(ssh.MarshalAuthorizedKey(public)))
	if err != nil {
		return Identity{}, errSSH
	}
	return Identity{text + "\n", r, id}, nil
}

// Generate makes a new identity, of age's hybrid kind where postQuantum is set.
func Generate(postQuantum bool) (Identity, error) {
	if postQuantum {
		id, err := age.GenerateHybridIdentity()
		if err != nil {
			return Identity{}, errors.New("make a key: the system has no randomness")
		}
		return hybrid(id), nil
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return Identity{}, errors.New("make a key: the system has no randomness")
	}
	return x25519(id)
}
