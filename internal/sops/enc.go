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
	rest, ok := strings.CutPrefix(value, "ENC[AES256_GCM,data:")
	if !ok {
		return Enc{}, false
	}
	data, rest, ok := strings.Cut(rest, ",iv:")
	if !ok {
		return Enc{}, false
	}
	iv, rest, ok := strings.Cut(rest, ",tag:")
	if !ok {
		return Enc{}, false
	}
	tag, rest, ok := strings.Cut(rest, ",type:")
	if !ok {
		return Enc{}, false
	}
	kind, rest, ok := strings.Cut(rest, "]")
	if !ok || rest != "" || !lowerWord(kind) || !base64ish(data) || !base64ish(iv) || !base64ish(tag) {
		return Enc{}, false
	}
	return Enc{Type: kind, Length: decodedLen(data)}, true
}

// sound reports whether a token can be decrypted at all: its parts are whole
// base64, its type is one that SOPS writes.
func sound(value string) bool {
	e, ok := ParseEnc(value)
	if !ok {
		return false
	}
	for _, part := range strings.Split(strings.TrimSuffix(strings.TrimPrefix(value, "ENC[AES256_GCM,"), "]"), ",") {
		name, text, _ := strings.Cut(part, ":")
		if name != "type" && len(text)%4 != 0 {
			return false
		}
	}
	switch e.Type {
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
