package sops

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"testing"
)

const (
	alice = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
	bob   = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa"
)

func sshKey(kind string, fields ...[]byte) string {
	var b []byte
	for _, f := range append([][]byte{[]byte(kind)}, fields...) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(f)))
		b = append(b, f...)
	}
	return kind + " " + base64.StdEncoding.EncodeToString(b)
}

func TestParseRecipient(t *testing.T) {
	ed := sshKey("ssh-ed25519", make([]byte, ed25519.PublicKeySize))
	rsa := sshKey("ssh-rsa", []byte{1, 0, 1}, append([]byte{0}, []byte(strings.Repeat("\xaa", 256))...))
	for _, c := range []struct {
		in   string
		want Recipient
	}{
		{" " + alice + "\n", Recipient{Age, alice}},
		{ed + " someone@example.org", Recipient{Age, ed}},
		{rsa, Recipient{Age, rsa}},
		{"85d7 7543 b3d6 24b6 3cea 9e6d bc17 301b 491b 3f21", Recipient{PGP, "85D77543B3D624B63CEA9E6DBC17301B491B3F21"}},
		{"0x85D77543B3D624B63CEA9E6DBC17301B491B3F21", Recipient{PGP, "85D77543B3D624B63CEA9E6DBC17301B491B3F21"}},
		{"arn:aws:kms:us-east-1:656532927350:key/920aff2e+arn:aws:iam::927034868273:role/sops",
			Recipient{KMS, "arn:aws:kms:us-east-1:656532927350:key/920aff2e+arn:aws:iam::927034868273:role/sops"}},
		{"arn:aws-us-gov:kms:us-gov-west-1:656532927350:alias/sops", Recipient{KMS, "arn:aws-us-gov:kms:us-gov-west-1:656532927350:alias/sops"}},
		{"projects/p/locations/global/keyRings/r/cryptoKeys/k", Recipient{GCPKMS, "projects/p/locations/global/keyRings/r/cryptoKeys/k"}},
		{"https://x.vault.azure.net/keys/k/0123", Recipient{AzureKV, "https://x.vault.azure.net/keys/k"}},
		{"https://x.vault.azure.net/keys/k", Recipient{AzureKV, "https://x.vault.azure.net/keys/k"}},
		{"https://vault.example.org:8200/v1/sops/keys/first", Recipient{Vault, "https://vault.example.org:8200/v1/sops/keys/first"}},
		{"eu-west-101:01234567-89ab-cdef-0123-456789abcdef", Recipient{HCKMS, "eu-west-101:01234567-89ab-cdef-0123-456789abcdef"}},
	} {
		got, err := ParseRecipient(c.in)
		if err != nil || got != c.want {
			t.Errorf("ParseRecipient(%q) = %v, %v, want %v", c.in, got, err, c.want)
		}
	}
}

func TestParseRecipientRefuses(t *testing.T) {
	secret := "AGE-SECRET-" + "KEY-1" + strings.Repeat("Q", 58)
	for in, want := range map[string]string{
		"":                                  "empty",
		secret:                              "private age identity",
		strings.ToLower(secret):             "private age identity",
		"hunter2":                           "not a recipient",
		alice[:len(alice)-1] + "q":          "checksum",
		alice[:40]:                          "checksum",
		"age1" + strings.ToUpper(alice[4:]): "mixes",
		"ssh-ed25519":                       "nothing follows",
		"ssh-ed25519 AAAA":                  "cut short",
		"ssh-dss AAAA":                      "no ssh keys but",
		sshKey("ssh-rsa", []byte{3}, []byte(strings.Repeat("\xaa", 128))): "2048",
		"arn:aws:s3:::bucket":                  "AWS KMS",
		"projects/p":                           "GCP KMS",
		"https://vault.example.org/":           "Vault",
		"-----BEGIN PGP PUBLIC KEY BLOCK-----": "key block",
	} {
		_, err := ParseRecipient(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseRecipient(%q) = %v, want %q", in, err, want)
		}
		if err != nil && len(in) > 12 && strings.Contains(err.Error(), in) {
			t.Errorf("the error repeats what it was given: %v", err)
		}
	}
}

func TestRecipientKinds(t *testing.T) {
	plugin := encode32("age1yubikey", make([]byte, 33))
	quantum := encode32("age1pq", make([]byte, 1216))
	for _, in := range []string{plugin, quantum} {
		if _, err := ParseRecipient(in); err != nil {
			t.Errorf("%.20s...: %v", in, err)
		}
	}
	if _, err := ParseRecipient(encode32("age1pq", make([]byte, 32))); err == nil {
		t.Error("a post-quantum recipient with a short key is taken")
	}
	for _, c := range []struct {
		id                   string
		ssh, plugin, quantum bool
	}{
		{alice, false, false, false},
		{"ssh-ed25519 AAAA", true, false, false},
		{plugin, false, true, false},
		{quantum, false, false, true},
	} {
		r := Recipient{Age, c.id}
		if r.SSH() != c.ssh || r.Plugin() != c.plugin || r.PostQuantum() != c.quantum {
			t.Errorf("%.20s: ssh %v plugin %v quantum %v", c.id, r.SSH(), r.Plugin(), r.PostQuantum())
		}
	}
}

// encode32 is the other way of bech32, for keys that are nobody's.
func encode32(hrp string, data []byte) string {
	var five []byte
	var acc, bits uint32
	for _, b := range data {
		acc, bits = acc<<8|uint32(b), bits+8
		for bits >= 5 {
			bits -= 5
			five = append(five, byte(acc>>bits&31))
		}
	}
	if bits > 0 {
		five = append(five, byte(acc<<(5-bits)&31))
	}
	sum := checksum(hrp, append(append([]byte{}, five...), 0, 0, 0, 0, 0, 0)) ^ 1
	for i := range 6 {
		five = append(five, byte(sum>>(5*(5-i))&31))
	}
	out := hrp + "1"
	for _, v := range five {
		out += string("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[v])
	}
	return out
}

func TestShort(t *testing.T) {
	for in, want := range map[Recipient]string{
		{Age, alice}: alice[:8] + "…" + alice[len(alice)-6:],
		{PGP, "85D77543B3D624B63CEA9E6DBC17301B491B3F21"}:                                                          "…BC17301B491B3F21",
		{KMS, "arn:aws:kms:us-east-1:656532927350:key/920aff2e-c5f1-4040-943a-047fa387b27e+arn:aws:iam::1:role/r"}: "kms us-east-1 920aff2e…b27e",
	} {
		if got := in.Short(); got != want {
			t.Errorf("Short(%s) = %q, want %q", in, got, want)
		}
	}
}

func TestDifference(t *testing.T) {
	a, b, c := Recipient{Age, "a"}, Recipient{Age, "b"}, Recipient{PGP, "C"}
	if got := Difference([]Recipient{c, b, a, b}, []Recipient{a}); len(got) != 2 || got[0] != b || got[1] != c {
		t.Errorf("got %v", got)
	}
	if got := Union([]Group{{c, a}, {a}}); len(got) != 2 || got[0] != a || got[1] != c {
		t.Errorf("got %v", got)
	}
}

func FuzzParseRecipient(f *testing.F) {
	for _, s := range []string{alice, "ssh-ed25519 AAAA", "0x85", "arn:aws:kms:a:1:key/b+arn:c", "https://a/v1/b/keys/c", "age1\x7f1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRecipient(s)
		if err != nil {
			return
		}
		again, err := parseKind(r.Kind, r.ID)
		if err != nil && r.Kind != KMS || err == nil && again != r {
			t.Errorf("%q is %v, which is %v, %v", s, r, again, err)
		}
		r.Short()
	})
}
