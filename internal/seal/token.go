package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
)

// token is an ENC[...] value of SOPS, decoded.
type token struct {
	kind    string // str, int, float, bool, bytes, time or comment
	iv, box []byte // box is the ciphertext with its tag behind
}

const (
	tokenHead = "ENC[AES256_GCM,data:"
	ivSize    = 32
	tagSize   = 16
	keySize   = 32
)

var errToken = errors.New("a damaged ENC[...] value")

// parseToken takes a token apart. Text behind the bracket makes it none.
func parseToken(s string) (token, error) {
	rest, ok := strings.CutPrefix(s, tokenHead)
	data, rest, ok1 := strings.Cut(rest, ",iv:")
	iv, rest, ok2 := strings.Cut(rest, ",tag:")
	tag, rest, ok3 := strings.Cut(rest, ",type:")
	kind, rest, ok4 := strings.Cut(rest, "]")
	if !ok || !ok1 || !ok2 || !ok3 || !ok4 || rest != "" || !knownKind(kind) {
		return token{}, errToken
	}
	n := base64.StdEncoding.DecodedLen(len(data))
	box := make([]byte, n, n+tagSize+3)
	n, err := base64.StdEncoding.Decode(box, []byte(data))
	if err != nil {
		return token{}, errToken
	}
	rawTag, err := base64.StdEncoding.DecodeString(tag)
	if err != nil || len(rawTag) != tagSize {
		return token{}, errToken
	}
	rawIV, err := base64.StdEncoding.DecodeString(iv)
	if err != nil || len(rawIV) == 0 || len(rawIV) > 1024 {
		return token{}, errToken
	}
	return token{kind, rawIV, append(box[:n], rawTag...)}, nil
}

func knownKind(kind string) bool {
	switch kind {
	case "str", "int", "float", "bool", "bytes", "time", "comment":
		return true
	}
	return false
}

// box seals and opens values with one data key.
type box struct {
	block cipher.Block
	aead  cipher.AEAD // for IVs of SOPS' own size
}

func newBox(key []byte) (*box, error) {
	if len(key) != keySize {
		return nil, errors.New("a data key of the wrong size")
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, errors.New("a data key of the wrong size")
	}
	aead, err := cipher.NewGCMWithNonceSize(block, ivSize)
	if err != nil {
		return nil, errors.New("no AES-GCM")
	}
	return &box{block, aead}, nil
}

// open returns the plaintext of a token that stands at the place aad.
func (b *box) open(t token, aad string) ([]byte, bool) {
	aead := b.aead
	if len(t.iv) != ivSize {
		var err error
		if aead, err = cipher.NewGCMWithNonceSize(b.block, len(t.iv)); err != nil {
			return nil, false
		}
	}
	plain, err := aead.Open(nil, t.iv, t.box, []byte(aad))
	return plain, err == nil
}

// seal makes the token of a value that stands at the place aad, with a fresh IV.
func (b *box) seal(plain []byte, kind, aad string) string {
	var iv [ivSize]byte
	_, _ = rand.Read(iv[:]) // never fails: the runtime ends the process first
	sealed := b.aead.Seal(nil, iv[:], plain, []byte(aad))
	cut := len(sealed) - tagSize
	out := make([]byte, 0, len(tokenHead)+4*(len(sealed)+ivSize)/3+64)
	out = append(out, tokenHead...)
	out = base64.StdEncoding.AppendEncode(out, sealed[:cut])
	out = append(out, ",iv:"...)
	out = base64.StdEncoding.AppendEncode(out, iv[:])
	out = append(out, ",tag:"...)
	out = base64.StdEncoding.AppendEncode(out, sealed[cut:])
	out = append(out, ",type:"...)
	out = append(out, kind...)
	return string(append(out, ']'))
}
