package keyring

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

	"github.com/sealward/sealward/internal/sops"
)

func TestCopyOpensForTheOperatorAlone(t *testing.T) {
	id, err := Generate(false)
	if err != nil {
		t.Fatal(err)
	}
	one, err := Generate(false)
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	two, err := ParseIdentity(string(pem.EncodeToMemory(block)))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := SealCopy(&out, id, []sops.Recipient{one.Recipient(), two.Recipient()}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), id.Expose()) {
		t.Fatal("the copy is in clear")
	}
	for _, who := range []Identity{one, two} {
		r, err := age.Decrypt(armor.NewReader(bytes.NewReader(out.Bytes())), who)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		e, err := parseEntry(string(text), true)
		if err != nil || len(e.held) != 1 || e.held[0].Recipient() != id.Recipient() {
			t.Errorf("the copy holds something else, %v", err)
		}
	}
	if _, err := age.Decrypt(armor.NewReader(bytes.NewReader(out.Bytes())), id); err == nil {
		t.Error("the copy opens with the key that it holds")
	}
	for _, to := range [][]sops.Recipient{nil, {{Kind: sops.PGP, ID: "X"}}, {{Kind: sops.Age, ID: "age1evil1qqqq"}}, {{Kind: sops.Age, ID: "age1qqqq"}}} {
		if err := SealCopy(io.Discard, id, to); err == nil {
			t.Errorf("sealed to %v", to)
		}
	}
}
