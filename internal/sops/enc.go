package sops

import "strings"

// Enc is what can be read of an ENC[...] token without a key.
type Enc struct {
	Type   string // str, int, float, bool, bytes, time or comment
	Length int    // of the plaintext, in bytes
}

// Sealed reports whether the whole of value is one ENC[...] token of SOPS.
func Sealed(value string) bool {
	_, ok := ParseEnc(value)
	return ok
}

// ParseEnc reads a token. Text behind the closing bracket makes it no token:
// SOPS would decrypt it all the same, and the text would stand there in clear.
func ParseEnc(value string) (Enc, bool) {
	t, ok := cutToken(value)
	if !ok {
		return Enc{}, false
	}
	return Enc{Type: t.kind, Length: decodedLen(t.data)}, true
}

// tokenParts are the parts of an ENC[...] token.
type tokenParts struct{ data, iv, tag, kind string }

func cutToken(value string) (t tokenParts, ok bool) {
	rest, ok := strings.CutPrefix(value, "ENC[AES256_GCM,data:")
	if !ok {
		return t, false
	}
	if t.data, rest, ok = strings.Cut(rest, ",iv:"); !ok {
		return t, false
	}
	if t.iv, rest, ok = strings.Cut(rest, ",tag:"); !ok {
		return t, false
	}
	if t.tag, rest, ok = strings.Cut(rest, ",type:"); !ok {
		return t, false
	}
	if t.kind, rest, ok = strings.Cut(rest, "]"); !ok || rest != "" {
		return t, false
	}
	return t, lowerWord(t.kind) && base64ish(t.data) && base64ish(t.iv) && base64ish(t.tag)
}

// sound reports whether a token can be decrypted at all: its parts are whole
// base64, its type is one that SOPS writes.
func (t tokenParts) sound() bool {
	if len(t.data)%4 != 0 || len(t.iv)%4 != 0 || len(t.tag)%4 != 0 {
		return false
	}
	switch t.kind {
	case "str", "int", "float", "bool", "bytes", "time", "comment":
		return true
	}
	return false
}

func lowerWord(s string) bool {
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return s != ""
}

// base64ish holds for text of base64's alphabet, padded at its end only.
func base64ish(s string) bool {
	body := strings.TrimRight(s, "=")
	if len(body) < 2 || len(s)-len(body) > 2 {
		return false
	}
	for i := range len(body) {
		c := body[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/') {
			return false
		}
	}
	return true
}

func decodedLen(s string) int {
	return len(strings.TrimRight(s, "=")) * 6 / 8
}
