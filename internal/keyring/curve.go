package keyring

import (
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"

	"filippo.io/age"
	"github.com/sealward/sealward/internal/sops"
	"golang.org/x/crypto/chacha20poly1305"
)

// curveIdentity opens X25519 stanzas with one scalar multiplication each: age's own
// computes on x/crypto's curve25519, which checks and allocates more. The public half
// is kept, because deriving it is a second multiplication.
type curveIdentity struct {
	key    *ecdh.PrivateKey
	public []byte
}

func (c curveIdentity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	for _, s := range stanzas {
		key, err := c.unwrap(s)
		if errors.Is(err, age.ErrIncorrectIdentity) {
			continue
		}
		return key, err
	}
	return nil, age.ErrIncorrectIdentity
}

var errStanza = errors.New("a damaged X25519 stanza")

func (c curveIdentity) unwrap(s *age.Stanza) ([]byte, error) {
	if s.Type != "X25519" {
		return nil, age.ErrIncorrectIdentity
	}
	if len(s.Args) != 1 || len(s.Body) != 16+chacha20poly1305.Overhead {
		return nil, errStanza
	}
	share, err := base64.RawStdEncoding.Strict().DecodeString(s.Args[0])
	if err != nil || len(share) != 32 || strings.ContainsAny(s.Args[0], "\r\n") {
		return nil, errStanza
	}
	theirs, err := ecdh.X25519().NewPublicKey(share)
	if err != nil {
		return nil, errStanza
	}
	secret, err := c.key.ECDH(theirs)
	if err != nil {
		return nil, errStanza // a point of low order
	}
	salt := append(append(make([]byte, 0, 64), share...), c.public...)
	wrapping, err := hkdf.Key(sha256.New, secret, salt, "age-encryption.org/v1/X25519", chacha20poly1305.KeySize)
	if err != nil {
		return nil, errStanza
	}
	defer clear(wrapping)
	aead, err := chacha20poly1305.New(wrapping)
	if err != nil {
		return nil, errStanza
	}
	// The nonce is zero by age's specification: the key is used once.
	key, err := aead.Open(nil, make([]byte, chacha20poly1305.NonceSize), s.Body, nil)
	if err != nil {
		return nil, age.ErrIncorrectIdentity
	}
	return key, nil
}

// CurvePoint returns the public key of a recipient age1...; it is false for every
// other kind.
func CurvePoint(r sops.Recipient) (*ecdh.PublicKey, bool) {
	if r.Kind != sops.Age || r.SSH() || r.PostQuantum() || r.Plugin() {
		return nil, false
	}
	if _, err := age.ParseX25519Recipient(r.ID); err != nil {
		return nil, false
	}
	key, err := ecdh.X25519().NewPublicKey(payload(r.ID))
	return key, err == nil
}

// payload returns the bytes that a bech32 string holds, whose checksum age has
// verified: this only regroups five-bit characters.
func payload(s string) []byte {
	const alphabet, checksum = "qpzry9x8gf2tvdw0s3jn54khce6mua7l", 6
	s = strings.ToLower(s)
	data := s[strings.LastIndexByte(s, '1')+1:]
	out := make([]byte, 0, len(data)*5/8)
	var acc, bits uint
	for i := range len(data) - checksum {
		acc = acc<<5 | uint(strings.IndexByte(alphabet, data[i]))
		if bits += 5; bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
			acc &= 1<<bits - 1
		}
	}
	return out
}
