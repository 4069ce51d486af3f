package main

import (
	"crypto/ecdh"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strconv"
	"strings"
)

// maker makes values; the same seed makes the same ones.
type maker struct{ *rand.Rand }

const (
	lowers  = "abcdefghijklmnopqrstuvwxyz"
	uppers  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	alnum   = lowers + uppers + digits
	base62  = digits + uppers + lowers
	symbols = "!@#%^*-_+=.?"
	base32  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

var words = strings.Fields(`summer winter dragon monkey sunshine flower coffee orange tiger falcon silver purple guitar soccer hockey ranger hunter
	shadow master thunder ginger pepper cookie banana cheese london berlin madrid oslo river mountain forest ocean rocket planet galaxy
	castle knight wizard phoenix eagle panther cobra viper mustang ferrari porsche corvette harley yamaha maverick snoopy garfield batman`)

func (m maker) from(set string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = set[m.IntN(len(set))]
	}
	return string(b)
}

func (m maker) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.IntN(256))
	}
	return b
}

func (m maker) word() string { return words[m.IntN(len(words))] }

// password chooses as people and generators do; one in fourteen is a bare word.
func (m maker) password() string {
	switch n := m.IntN(28); {
	case n < 8:
		return m.from(alnum, 8+m.IntN(9))
	case n < 14:
		return m.from(alnum, 5) + m.from(symbols, 1) + m.from(alnum, 4+m.IntN(8))
	case n < 21:
		w := m.word()
		return strings.ToUpper(w[:1]) + w[1:] + m.from(digits, 2+m.IntN(3)) + m.from("!.#", m.IntN(2))
	case n < 23:
		return strings.NewReplacer("a", "4", "e", "3", "o", "0", "i", "1").Replace(m.word()) + m.from(digits, 2)
	case n < 25:
		return m.from(lowers, 8+m.IntN(3))
	case n < 26:
		return m.from("123456789", 1) + m.from(digits, 7)
	}
	return m.word()
}

// make calls a maker by name.
func (m maker) make(name string) string {
	if f, ok := makers[name]; ok {
		return f(m)
	}
	panic("no maker is called " + name)
}

var makers = map[string]func(maker) string{
	"pw":      maker.password,
	"plainpw": func(m maker) string { return m.from(alnum, 6) + m.from(digits, 2) },
	"word":    maker.word,
	"short":   func(m maker) string { return m.from("bcdfghjkmnpqrstvwxz", 4) + m.from(digits, 3) },
	"gibberish": func(m maker) string {
		return m.from("bcdfghjkmnpqrstvwxz", 5) + m.from("-_", 1) + m.from("bcdfghjkmnpqrstvwxz", 6)
	},
	"bytes64": func(m maker) string {
		return base64.StdEncoding.EncodeToString(append([]byte{0x93, 0, 0xf2}, m.bytes(29)...))
	},
	"strong": func(m maker) string { return m.from(alnum, 24+m.IntN(16)) },
	"hex20":  func(m maker) string { return hex.EncodeToString(m.bytes(10)) },
	"hex32":  func(m maker) string { return hex.EncodeToString(m.bytes(16)) },
	"hex40":  func(m maker) string { return hex.EncodeToString(m.bytes(20)) },
	"hex64":  func(m maker) string { return hex.EncodeToString(m.bytes(32)) },
	"b64":    func(m maker) string { return base64.StdEncoding.EncodeToString(m.bytes(32)) },
	"uuid":   uuid,
	"salt64": func(m maker) string { return m.from(alnum+"!@#$%^&*()-_=+[]{}|;:,.<>?/~", 64) },

	"userpass64": func(m maker) string { return base64.StdEncoding.EncodeToString([]byte("bot:" + m.from(alnum, 12))) },
	"pw64":       func(m maker) string { return base64.StdEncoding.EncodeToString([]byte(m.from(alnum, 14))) },
	"strong64":   func(m maker) string { return base64.StdEncoding.EncodeToString([]byte(m.from(alnum, 32))) },
	"word64":     func(m maker) string { return base64.StdEncoding.EncodeToString([]byte(m.word())) },
	"cert64":     func(m maker) string { return base64.StdEncoding.EncodeToString([]byte(m.armor("CERTIFICATE", 300))) },
	"key64": func(m maker) string {
		return base64.StdEncoding.EncodeToString([]byte(m.armor("RSA PRIVATE KEY", 600)))
	},
	"pem":     func(m maker) string { return m.armor("RSA PRIVATE KEY", 600) },
	"pemline": func(m maker) string { return strings.ReplaceAll(m.armor("PRIVATE KEY", 600), "\n", `\n`) },
	"openssh": func(m maker) string { return m.armor("OPENSSH PRIVATE KEY", 400) },
	"cert":    func(m maker) string { return m.armor("CERTIFICATE", 400) },
	"pubkey":  func(m maker) string { return m.armor("PUBLIC KEY", 200) },
	"pgp":     func(m maker) string { return m.armor("PGP MESSAGE", 300) },
	"static":  func(m maker) string { return m.static() },
	"ppk": func(m maker) string {
		return "Private-Lines: 3\n" + m.lines(140) + "\nPrivate-MAC: " + hex.EncodeToString(m.bytes(20)) + "\n"
	},
	"crypt":   func(m maker) string { return m.from(alnum, 4) + "$" + m.from(alnum+"./", 22) },
	"lines64": func(m maker) string { return m.lines(180) },

	"apr1":   func(m maker) string { return "$apr1$" + m.from(alnum, 8) + "$" + m.from(alnum+"./", 22) },
	"bcrypt": func(m maker) string { return "$2y$10$" + m.from(alnum+"./", 53) },
	"sha512": func(m maker) string { return "$6$" + m.from(alnum, 12) + "$" + m.from(alnum+"./", 86) },
	"phpass": func(m maker) string { return "$P$B" + m.from(alnum+"./", 30) },

	"github":     func(m maker) string { return crc("ghp_", m.from(base62, 30)) },
	"githubbad":  func(m maker) string { return "ghp_" + m.from(base62, 35) + "-" },
	"githubapp":  func(m maker) string { return "ghs_" + m.from(digits, 7) + "_" + m.jwt() },
	"npm":        func(m maker) string { return crc("npm_", m.from(base62, 30)) },
	"gitlab":     func(m maker) string { return "glpat-" + m.from(alnum, 20) },
	"routable":   func(m maker) string { return m.routable() },
	"awsid":      func(m maker) string { return "AKIA" + m.from("ABCDEFGHIJKLMNOPQRSTUVWX", 1) + m.from(base32, 15) },
	"awsexample": func(maker) string { return "AKIA" + "IOSFODNN7" + "EXAMPLE" },
	"awssecret":  func(m maker) string { return m.from(alnum, 19) + "/" + m.from(alnum, 10) + "+" + m.from(alnum, 9) },
	"slack": func(m maker) string {
		return "xoxb-" + m.from(digits[1:], 12) + "-" + m.from(digits[1:], 12) + "-" + m.from(alnum, 24)
	},
	"slackhook": func(m maker) string {
		return "https://hooks.slack.com/services/T" + m.from(uppers+digits, 8) + "/B" + m.from(uppers+digits, 8) + "/" + m.from(alnum, 24)
	},
	"discord": func(m maker) string {
		return "https://discord.com/api/webhooks/1" + m.from(digits, 17) + "/" + m.from(alnum+"-_", 68)
	},
	"stripe":    func(m maker) string { return "sk_" + "live_" + m.from(alnum, 24) },
	"stripepub": func(m maker) string { return "pk_" + "live_" + m.from(alnum, 24) },
	"gcpkey":    func(m maker) string { return "AIza" + m.from(alnum, 35) },
	"tailscale": func(m maker) string { return "tskey-auth-k" + m.from(alnum, 10) + "CNTRL-" + m.from(alnum, 32) },
	"vault":     func(m maker) string { return "hvs." + m.from(alnum, 92) },
	"jwt":       maker.jwt,
	"age":       func(m maker) string { identity, _ := ageKeys(m); return identity },
	"agepub":    func(m maker) string { _, recipient := ageKeys(m); return recipient },
	"agebad":    func(m maker) string { return "AGE-SECRET-KEY-1" + m.from("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58) },
	"wireguard": func(m maker) string { return base64.StdEncoding.EncodeToString(m.bytes(32)) },
	"sopsenc": func(m maker) string {
		return "ENC[AES256_GCM,data:" + m.from(alnum, 16) + "=,iv:" + m.from(alnum, 43) + "=,tag:" + m.from(alnum, 22) + "==,type:str]"
	},
	"sealed":  func(m maker) string { return "Ag" + m.from(alnum, 340) },
	"jenkins": func(m maker) string { return "{AQAAABAAAAAQ" + m.from(alnum, 42) + "=}" },
	"mozilla": func(m maker) string { return "MDIEEPgAAAAAAAAAAAAAAAAAAAEwFAYIKoZIhvcNAwcECJ" + m.from(alnum, 22) },
	"version": func(m maker) string { return fmt.Sprintf("%d.%d.%d", m.IntN(9), m.IntN(20), m.IntN(30)) },
	"sha256":  func(m maker) string { return "sha256:" + hex.EncodeToString(m.bytes(32)) },
}

func uuid(m maker) string {
	h := hex.EncodeToString(m.bytes(16))
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// crc puts the checksum of GitHub's and npm's tokens behind them.
func crc(prefix, body string) string {
	n := crc32.ChecksumIEEE([]byte(body))
	out := []byte("000000")
	for i := 5; i >= 0; i-- {
		out[i] = base62[n%62]
		n /= 62
	}
	return prefix + body + string(out)
}

// routable makes a GitLab token with its checksum.
func (m maker) routable() string {
	payload := m.from(alnum+"-_", 32)
	body := "glpat-" + payload + "." + fmt.Sprintf("%02s", strconv.FormatInt(int64(len(payload)), 36))
	sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(body))), 36)
	return body + strings.Repeat("0", 7-len(sum)) + sum
}

func (m maker) jwt() string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc([]byte(`{"sub":"`+m.from(alnum, 12)+`","iat":17`+m.from(digits, 8)+`}`)) + "." + enc(m.bytes(32))
}

func (m maker) armor(label string, size int) string {
	return "-----BEGIN " + label + "-----\n" + m.lines(size) + "\n-----END " + label + "-----"
}

func (m maker) lines(size int) string {
	text := base64.StdEncoding.EncodeToString(m.bytes(size))
	var out []string
	for len(text) > 64 {
		out, text = append(out, text[:64]), text[64:]
	}
	return strings.Join(append(out, text), "\n")
}

func (m maker) static() string {
	var b strings.Builder
	b.WriteString("-----BEGIN OpenVPN Static key V1-----\n")
	for range 16 {
		b.WriteString(hex.EncodeToString(m.bytes(16)) + "\n")
	}
	return b.String() + "-----END OpenVPN Static key V1-----"
}

// ageKeys makes an identity and its recipient.
func ageKeys(m maker) (identity, recipient string) {
	secret := m.bytes(32)
	key, err := ecdh.X25519().NewPrivateKey(secret)
	if err != nil {
		panic(err)
	}
	return strings.ToUpper(bech32("age-secret-key-", secret)), bech32("age", key.PublicKey().Bytes())
}

// bech32 encodes as BIP 173 says.
func bech32(prefix string, data []byte) string {
	const charset = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	var values []byte
	acc, bits := 0, 0
	for _, b := range data {
		acc, bits = acc<<8|int(b), bits+8
		for bits >= 5 {
			bits -= 5
			values = append(values, byte(acc>>bits)&31)
		}
		acc &= 1<<bits - 1
	}
	if bits > 0 {
		values = append(values, byte(acc<<(5-bits))&31)
	}
	var head []byte
	for i := range len(prefix) {
		head = append(head, prefix[i]>>5)
	}
	head = append(head, 0)
	for i := range len(prefix) {
		head = append(head, prefix[i]&31)
	}
	check := uint32(1)
	for _, v := range append(append(head, values...), 0, 0, 0, 0, 0, 0) {
		top := check >> 25
		check = check&0x1ffffff<<5 ^ uint32(v)
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				check ^= g
			}
		}
	}
	check ^= 1
	for i := range 6 {
		values = append(values, byte(check>>(5*(5-i)))&31)
	}
	out := prefix + "1"
	for _, v := range values {
		out += string(charset[v])
	}
	return out
}
