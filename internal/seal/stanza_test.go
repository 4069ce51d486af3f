package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"

	"github.com/sealward/sealward/internal/keyring"
)

func sshID(t testing.TB) keyring.Identity {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	id, err := keyring.ParseIdentity(string(pem.EncodeToMemory(block)))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func pqID(t testing.TB) keyring.Identity {
	t.Helper()
	id, err := keyring.Generate(true)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// What is wrapped here opens in age itself and the other way round, and nobody else's
// identity opens either.
func TestWrapSpeaksAge(t *testing.T) {
	for _, c := range []struct {
		name      string
		id, other keyring.Identity
	}{{"x25519", newID(t), newID(t)}, {"hybrid", pqID(t), pqID(t)}, {"ssh", sshID(t), sshID(t)}} {
		part := make([]byte, 33)
		_, _ = rand.Read(part)
		enc, err := wrap(part, c.id.Recipient())
		if err != nil {
			t.Fatal(c.name, err)
		}
		r, err := age.Decrypt(armor.NewReader(strings.NewReader(enc)), c.id)
		if err != nil {
			t.Fatal(c.name, err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, part) {
			t.Error(c.name, "age opens it to something else", err)
		}
		e, err := keyring.Encrypter(c.id.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		var theirs bytes.Buffer
		a := armor.NewWriter(&theirs)
		w, err := age.Encrypt(a, e)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(part); err != nil || w.Close() != nil || a.Close() != nil {
			t.Fatal(err)
		}
		for _, text := range []string{enc, theirs.String()} {
			if _, ok := parseAge(text); !ok {
				t.Error(c.name, "is not read the fast way")
			}
			if got, err := unwrap(text, c.id); err != nil || !bytes.Equal(got, part) {
				t.Error(c.name, "opens to something else", err)
			}
			if _, err := unwrap(text, c.other); err == nil {
				t.Error(c.name, "opens with another identity")
			}
		}
	}
}

func FuzzUnwrap(f *testing.F) {
	id, err := keyring.Generate(false)
	if err != nil {
		f.Fatal(err)
	}
	part := make([]byte, 32)
	enc, err := wrap(part, id.Recipient())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(enc, 70, byte('A'))
	f.Add(enc, 300, byte('\n'))
	f.Fuzz(func(t *testing.T, text string, at int, c byte) {
		if at >= 0 && at < len(text) {
			text = text[:at] + string(c) + text[at+1:]
		}
		got, err := unwrap(text, id)
		r, errAge := age.Decrypt(armor.NewReader(strings.NewReader(text)), id)
		var theirs []byte
		if errAge == nil {
			theirs, errAge = io.ReadAll(r)
		}
		if (err == nil) != (errAge == nil && len(theirs) <= maxPart) || err == nil && !bytes.Equal(got, theirs) {
			t.Errorf("%v, age says %v", err, errAge)
		}
	})
}
