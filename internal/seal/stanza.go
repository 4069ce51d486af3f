package seal

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
	"golang.org/x/crypto/chacha20poly1305"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
)

// maxPart is more than a data key or a Shamir share of one ever has, in bytes.
const maxPart = 64

// What an armored age file is made of.
const (
	armorHead  = "-----BEGIN AGE ENCRYPTED FILE-----\n"
	armorFoot  = "-----END AGE ENCRYPTED FILE-----"
	ageIntro   = "age-encryption.org/v1\n"
	columns    = 64
	fileKeyLen = 16
)

var errWrapped = errors.New("a wrapped data key that does not open")

// unwrap opens a data key, or a share of one, that is wrapped for an identity. A file
// of one chunk in age's usual form is read here, because age's own reader allocates
// two chunks of 64 KB for 32 bytes; whatever else it is, age decides.
func unwrap(enc string, id keyring.Identity) ([]byte, error) {
	if h, ok := parseAge(enc); ok {
		return h.open(id)
	}
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

// ageFile is an age file taken apart.
type ageFile struct {
	stanzas []*age.Stanza
	header  []byte // what its MAC covers
	mac     []byte
	nonce   []byte
	payload []byte
}

// parseAge takes an armored file apart; it is false for one that is not as age writes
// it, or too large to be a data key.
func parseAge(enc string) (ageFile, bool) {
	body, ok := strings.CutPrefix(strings.TrimSpace(enc), armorHead)
	body, ok2 := strings.CutSuffix(body, "\n"+armorFoot)
	if !ok || !ok2 || len(body) > 16<<10 {
		return ageFile{}, false
	}
	raw := make([]byte, 0, len(body))
	for line := range strings.SplitSeq(body, "\n") {
		if len(line) == 0 || len(line) > columns {
			return ageFile{}, false
		}
		raw = append(raw, line...)
	}
	n, err := base64.StdEncoding.Strict().Decode(raw, raw)
	if err != nil {
		return ageFile{}, false
	}
	return parseHeader(raw[:n])
}

func parseHeader(raw []byte) (ageFile, bool) {
	var f ageFile
	rest, ok := bytes.CutPrefix(raw, []byte(ageIntro))
	for ok && bytes.HasPrefix(rest, []byte("-> ")) {
		var s *age.Stanza
		if s, rest, ok = parseStanza(rest); ok {
			f.stanzas = append(f.stanzas, s)
		}
	}
	line, tail, ok2 := bytes.Cut(rest, []byte("\n"))
	mac, ok3 := bytes.CutPrefix(line, []byte("--- "))
	if !ok || !ok2 || !ok3 || len(f.stanzas) == 0 || len(tail) < 16+chacha20poly1305.Overhead {
		return f, false
	}
	f.header = raw[:len(raw)-len(rest)+len("---")]
	var err error
	f.mac, err = base64.RawStdEncoding.Strict().DecodeString(string(mac))
	f.nonce, f.payload = tail[:16], tail[16:]
	return f, err == nil && len(f.mac) == sha256.Size && len(f.payload) <= maxPart+chacha20poly1305.Overhead
}

func parseStanza(rest []byte) (*age.Stanza, []byte, bool) {
	line, rest, ok := bytes.Cut(rest, []byte("\n"))
	if !ok {
		return nil, nil, false
	}
	args := strings.Split(string(line[len("-> "):]), " ")
	var body []byte
	for {
		var text []byte
		if text, rest, ok = bytes.Cut(rest, []byte("\n")); !ok || len(text) > columns {
			return nil, nil, false
		}
		body = append(body, text...)
		if len(text) < columns {
			break
		}
	}
	raw, err := base64.RawStdEncoding.Strict().DecodeString(string(body))
	if err != nil || args[0] == "" {
		return nil, nil, false
	}
	return &age.Stanza{Type: args[0], Args: args[1:], Body: raw}, rest, true
}

// open opens the file with an identity.
func (f ageFile) open(id age.Identity) ([]byte, error) {
	key, err := id.Unwrap(f.stanzas)
	if err != nil || len(key) != fileKeyLen {
		return nil, errWrapped
	}
	defer clear(key)
	mac, err := headerMAC(key, f.header)
	if err != nil || !hmac.Equal(mac, f.mac) {
		return nil, errWrapped
	}
	aead, nonce, err := payloadBox(key, f.nonce)
	if err != nil {
		return nil, errWrapped
	}
	part, err := aead.Open(nil, nonce, f.payload, nil)
	if err != nil {
		return nil, errWrapped
	}
	return part, nil
}

func headerMAC(fileKey, header []byte) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, fileKey, nil, "header", sha256.Size)
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, key)
	h.Write(header)
	return h.Sum(nil), nil
}

// payloadBox is what the only, and so the last, chunk of a file is sealed with.
func payloadBox(fileKey, salt []byte) (aead interface {
	Open(dst, nonce, ciphertext, additionalData []byte) ([]byte, error)
	Seal(dst, nonce, plaintext, additionalData []byte) []byte
}, nonce []byte, err error) {
	key, err := hkdf.Key(sha256.New, fileKey, salt, "payload", chacha20poly1305.KeySize)
	if err != nil {
		return nil, nil, err
	}
	defer clear(key)
	nonce = make([]byte, chacha20poly1305.NonceSize)
	nonce[len(nonce)-1] = 1
	aead, err = chacha20poly1305.New(key)
	return aead, nonce, err
}

// wrap seals a data key, or a share of one, to one recipient: an armored age file of
// its own, as SOPS writes it. Its ephemeral key is never shared with another file.
func wrap(part []byte, to sops.Recipient) (string, error) {
	if point, ok := keyring.CurvePoint(to); ok && len(part) <= maxPart {
		if enc, err := wrapCurve(part, point); err == nil {
			return enc, nil
		}
	}
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

// wrapCurve writes the age file for an X25519 recipient.
func wrapCurve(part []byte, to *ecdh.PublicKey) (string, error) {
	ephemeral, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	secret, err := ephemeral.ECDH(to)
	if err != nil {
		return "", err
	}
	defer clear(secret)
	share := ephemeral.PublicKey().Bytes()
	salt := append(append(make([]byte, 0, 64), share...), to.Bytes()...)
	wrapping, err := hkdf.Key(sha256.New, secret, salt, "age-encryption.org/v1/X25519", chacha20poly1305.KeySize)
	if err != nil {
		return "", err
	}
	defer clear(wrapping)
	box, err := chacha20poly1305.New(wrapping)
	if err != nil {
		return "", err
	}
	var random [fileKeyLen + 16]byte
	_, _ = rand.Read(random[:]) // never fails: the runtime ends the process first
	defer clear(random[:])
	fileKey, nonce := random[:fileKeyLen], random[fileKeyLen:]

	b64 := base64.RawStdEncoding
	out := make([]byte, 0, 512)
	out = append(out, ageIntro+"-> X25519 "...)
	out = b64.AppendEncode(out, share)
	out = append(out, '\n')
	out = b64.AppendEncode(out, box.Seal(nil, make([]byte, chacha20poly1305.NonceSize), fileKey, nil))
	out = append(out, "\n---"...)
	mac, err := headerMAC(fileKey, out)
	if err != nil {
		return "", err
	}
	out = append(out, ' ')
	out = b64.AppendEncode(out, mac)
	out = append(out, '\n')
	out = append(out, nonce...)
	stream, last, err := payloadBox(fileKey, nonce)
	if err != nil {
		return "", err
	}
	return armored(stream.Seal(out, last, part, nil)), nil
}

// armored writes bytes as age's armor.
func armored(raw []byte) string {
	text := base64.StdEncoding.EncodeToString(raw)
	var b strings.Builder
	b.Grow(len(text) + len(text)/columns + 80)
	b.WriteString(armorHead)
	for len(text) > 0 {
		n := min(columns, len(text))
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	b.WriteString(armorFoot + "\n")
	return b.String()
}
