package leak

import (
	"crypto/ecdh"
	"strings"
)

const bech32Charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

// AgeRecipient derives the public recipient (age1...) of an X25519 identity
// (AGE-SECRET-KEY-1...), so that a report can say which files the identity opens
// without the identity leaving this package's callers. It reports false for
// anything else, post-quantum identities included.
func AgeRecipient(identity []byte) (string, bool) {
	prefix, data, ok := bech32Decode(string(identity))
	if !ok || prefix != "age-secret-key-" || len(data) != 32 {
		return "", false
	}
	key, err := ecdh.X25519().NewPrivateKey(data)
	if err != nil {
		return "", false
	}
	return bech32Encode("age", key.PublicKey().Bytes()), true
}

// bech32Decode verifies the checksum of a bech32 string of any length and
// returns its prefix, lower-cased, and its bytes. Mixed case is refused.
func bech32Decode(s string) (prefix string, data []byte, ok bool) {
	lower := strings.ToLower(s)
	if s != lower && s != strings.ToUpper(s) {
		return "", nil, false
	}
	at := strings.LastIndexByte(lower, '1')
	if at < 1 || at+7 > len(lower) {
		return "", nil, false
	}
	values := make([]byte, 0, len(lower)-at)
	for i := at + 1; i < len(lower); i++ {
		v := strings.IndexByte(bech32Charset, lower[i])
		if v < 0 {
			return "", nil, false
		}
		values = append(values, byte(v))
	}
	prefix = lower[:at]
	if polymod(append(expandPrefix(prefix), values...)) != 1 {
		return "", nil, false
	}
	data, ok = regroup(values[:len(values)-6], 5, 8, false)
	return prefix, data, ok
}

func bech32Encode(prefix string, data []byte) string {
	values, _ := regroup(data, 8, 5, true)
	sum := polymod(append(append(expandPrefix(prefix), values...), 0, 0, 0, 0, 0, 0)) ^ 1
	for i := range 6 {
		values = append(values, byte(sum>>(5*(5-i)))&31)
	}
	out := []byte(prefix + "1")
	for _, v := range values {
		out = append(out, bech32Charset[v])
	}
	return string(out)
}

// expandPrefix spreads the prefix as the checksum wants it.
func expandPrefix(prefix string) []byte {
	out := make([]byte, 0, 2*len(prefix)+1)
	for i := range len(prefix) {
		out = append(out, prefix[i]>>5)
	}
	out = append(out, 0)
	for i := range len(prefix) {
		out = append(out, prefix[i]&31)
	}
	return out
}

// polymod is bech32's checksum (BIP 173).
func polymod(values []byte) uint32 {
	sum := uint32(1)
	for _, v := range values {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	return sum
}

// regroup packs groups of from bits into groups of to bits.
func regroup(in []byte, from, to uint, pad bool) (out []byte, ok bool) {
	acc, bits := uint32(0), uint(0)
	for _, b := range in {
		acc = acc<<from | uint32(b)
		bits += from
		for bits >= to {
			bits -= to
			out = append(out, byte(acc>>bits)&(1<<to-1))
		}
		acc &= 1<<bits - 1
	}
	if pad && bits > 0 {
		return append(out, byte(acc<<(to-bits))&(1<<to-1)), true
	}
	return out, pad || bits < from && acc == 0
}
