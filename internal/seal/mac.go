package seal

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/syntax"
)

// newMAC begins a MAC: SHA-512 over the values of a tree in the order of the source,
// none of them framed. Keys are not in it; each sealed value is bound to its own by
// AES-GCM. Where the file says mac_only_encrypted, the SHA-256 of "sops" stands first,
// so that the setting itself is authenticated.
func newMAC(onlyEncrypted bool) hash.Hash {
	h := sha512.New()
	if onlyEncrypted {
		seed := sha256.Sum256([]byte("sops"))
		h.Write(seed[:])
	}
	return h
}

// sealedBytes is what a sealed value adds to the MAC: SOPS parses it into its type and
// writes that out again.
func sealedBytes(kind string, plain []byte) ([]byte, bool) {
	switch kind {
	case "str", "bytes":
		return plain, true
	case "comment":
		return nil, true
	case "int":
		n, err := strconv.Atoi(string(plain))
		return strconv.AppendInt(nil, int64(n), 10), err == nil
	case "float":
		f, err := strconv.ParseFloat(string(plain), 64)
		return strconv.AppendFloat(nil, f, 'f', -1, 64), err == nil
	case "bool":
		b, err := strconv.ParseBool(string(plain))
		return []byte(titleBool(b)), err == nil
	case "time":
		var t time.Time
		if t.UnmarshalText(plain) != nil {
			return nil, false
		}
		text, err := t.MarshalText()
		return text, err == nil
	}
	return nil, false
}

func titleBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// clearBytes is what a value in clear adds to the MAC. It is exact for what people
// write; where YAML has exotic forms (timestamps, octal numbers) the MAC fails to
// match, and the library is asked instead.
func clearBytes(format syntax.Format, l *syntax.Leaf, value string) []byte {
	if format != syntax.YAML && format != syntax.JSON {
		return []byte(value)
	}
	switch l.Kind {
	case syntax.Null, syntax.EmptyMap, syntax.EmptyList:
		return nil
	case syntax.Bool:
		return []byte(titleBool(strings.EqualFold(value, "true")))
	case syntax.Int:
		if n, err := strconv.ParseInt(value, 0, 64); err == nil {
			return strconv.AppendInt(nil, n, 10)
		}
		return floatBytes(value)
	case syntax.Float:
		return floatBytes(value)
	}
	return []byte(value)
}

func floatBytes(value string) []byte {
	if f, err := strconv.ParseFloat(value, 64); err == nil {
		return strconv.AppendFloat(nil, f, 'f', -1, 64)
	}
	return []byte(value)
}

// sameMAC compares a computed MAC with the one that a file holds.
func sameMAC(sum, held []byte) bool {
	text := strings.ToUpper(hex.EncodeToString(sum))
	return subtle.ConstantTimeCompare([]byte(text), held) == 1
}
