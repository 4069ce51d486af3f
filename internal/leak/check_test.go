package leak

import (
	"bytes"
	"encoding/base64"
	"hash/crc32"
	"strconv"
	"strings"
	"testing"
)

// flip changes one character of a token's middle into another of its kind.
func flip(s string) string {
	b := []byte(s)
	i := len(b) / 2
	switch c := b[i]; {
	case c == '9' || c == 'z' || c == 'Z':
		b[i]--
	default:
		b[i]++
	}
	return string(b)
}

func TestChecksums(t *testing.T) {
	// The bodies are those that GitHub's and npm's announcements of the formats
	// show; their checksums are what the issuers computed.
	github := "ghp" + "_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17"
	npm := "npm" + "_" + "qkJaB6MffYVzZXWqmcoF49yrUxP3wf" + "0LsakP"
	body := "glpat" + "-" + base64.RawURLEncoding.EncodeToString([]byte("0123456789abcdefo:1\nu:2\x07")) + ".01.0w"
	sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(body))), 36)
	gitlab := body + strings.Repeat("0", 7-len(sum)) + sum
	for _, c := range []struct{ check, token string }{{"crc62", github}, {"crc62", npm}, {"crc36", gitlab}} {
		if !checkNamed(c.check)(c.token) {
			t.Errorf("%s refuses a good token", c.check)
		}
		if checkNamed(c.check)(flip(c.token)) {
			t.Errorf("%s accepts a token with one character changed", c.check)
		}
	}
}

func jwtOf(header, claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(header)) + "." + enc([]byte(claims)) + "." + enc(bytes.Repeat([]byte("k9"), 16))
}

func TestJWT(t *testing.T) {
	good := jwtOf(`{"alg":"HS256","typ":"JWT"}`, `{"sub":"amy","iat":1}`)
	if !isJWT(good) {
		t.Error("a token is refused")
	}
	for name, bad := range map[string]string{
		"no algorithm": jwtOf(`{"typ":"JWT"}`, `{"sub":"amy"}`), "no JSON": jwtOf(`{"alg":"HS256"`, `{}`), "claims are a list": jwtOf(`{"alg":"HS256"}`, `[1]`),
		"two parts": good[:strings.LastIndexByte(good, '.')], "tutorial": jwtOf(`{"alg":"HS256"}`, `{"sub":"1234567890","name":"John Doe"}`),
	} {
		if isJWT(bad) {
			t.Errorf("%s: accepted", name)
		}
	}
	if !checkNamed("jwt")("ghs" + "_12345_" + good) {
		t.Error("a stateless installation token is refused")
	}
}

func TestAWSKeyID(t *testing.T) {
	// The account's number stands in the bits behind the prefix: "Y..." is
	// account 581039954779, "7777..." would be one of thirteen digits.
	if !isAWSKeyID("AKIA" + "QYLPMN5HHHFPZAM2") {
		t.Error("a key id of a possible account is refused")
	}
	if isAWSKeyID("AKIA" + strings.Repeat("7", 16)) {
		t.Error("a key id of an impossible account is accepted")
	}
}

func TestPyPIToken(t *testing.T) {
	raw := append([]byte{2, 1, 8}, "pypi.org"...)
	raw = append(raw, bytes.Repeat([]byte("k9"), 40)...)
	if good := "pypi-" + base64.RawURLEncoding.EncodeToString(raw); !isPyPIToken(good) {
		t.Error("a macaroon of pypi.org is refused")
	}
	raw[0] = 1
	if isPyPIToken("pypi-" + base64.RawURLEncoding.EncodeToString(raw)) {
		t.Error("a macaroon of another version is accepted")
	}
}

func TestAgeRecipient(t *testing.T) {
	// RFC 7748, section 6.1: Alice's key pair.
	secret := []byte("\x77\x07\x6d\x0a\x73\x18\xa5\x7d\x3c\x16\xc1\x72\x51\xb2\x66\x45\xdf\x4c\x2f\x87\xeb\xc0\x99\x2a\xb1\x77\xfb\xa5\x1d\xb9\x2c\x2a")
	public := []byte("\x85\x20\xf0\x09\x89\x30\xa7\x54\x74\x8b\x7d\xdc\xb4\x3e\xf7\x5a\x0d\xbf\x3a\x0d\x26\x38\x1a\xf4\xeb\xa4\xa9\x8e\xaa\x9b\x4e\x6a")
	identity := strings.ToUpper(bech32Encode("age-secret-key-", secret))
	got, ok := AgeRecipient([]byte(identity))
	if want := bech32Encode("age", public); !ok || got != want {
		t.Errorf("got %q, %t, want %q", got, ok, want)
	}
	for _, bad := range []string{"", "age1", flip(identity), identity[:40], strings.ToLower(identity[:20]) + identity[20:], strings.ToUpper(bech32Encode("age-secret-key-pq-", secret)), bech32Encode("age", public)} {
		if _, ok := AgeRecipient([]byte(bad)); ok {
			t.Errorf("accepted something of %d bytes that is no X25519 identity", len(bad))
		}
	}
}

// Look-alikes of formats with a checksum stay silent even behind a telling name.
func TestLookalikesAreSilent(t *testing.T) {
	enc := base64.RawURLEncoding.EncodeToString
	lines := []string{
		"GITHUB_TOKEN=ghp_" + "zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq18",
		"NPM_TOKEN=npm_" + "qkJaB6MffYVzZXWqmcoF49yrUxP3wf" + "0LsakQ",
		"SOPS_AGE_KEY=AGE-SECRET-KEY-1" + strings.Repeat("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 2)[:58],
		"AWS_ACCESS_KEY_ID=AKIA" + "IOSFODNN7" + "EXAMPLE",
		"TOKEN=" + enc([]byte(`{"alg":"HS256","typ":"JWT"}`)),
		"STRIPE_KEY=pk_live_" + "9f8a7c6d5e4b3a2f1e0d9c8b",
	}
	for _, l := range lines {
		for _, m := range Text("prod.env", []byte(l+"\n")) {
			t.Errorf("%s is found in a line of %d bytes that holds a look-alike: %.14s", m.Rule, len(l), l)
		}
	}
}
