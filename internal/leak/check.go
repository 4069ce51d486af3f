package leak

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"hash/crc32"
	"strconv"
	"strings"
	"sync"
)

// checkNamed returns one of the checksums and structures that formats have, by
// the name that the pattern files use, or nil. Each takes a value that its
// pattern's regex matched and says whether an issuer can have made it.
func checkNamed(name string) func(string) bool {
	switch name {
	case "crc62":
		return crc62
	case "crc36":
		return crc36
	case "bech32":
		return isBech32
	case "jwt":
		return holdsJWT
	case "aws-key-id":
		return isAWSKeyID
	case "macaroon":
		return isPyPIToken
	case "mixed":
		return isMixed
	case "discord":
		return isDiscordToken
	case "password":
		return isPlausiblePassword
	}
	return nil
}

// passes reports whether a value passes the pattern's check, if it has one.
func (p *pattern) passes(value string) bool {
	return p.Check == "" || checkNamed(p.Check)(value)
}

func isBech32(s string) bool {
	_, _, ok := bech32Decode(s)
	return ok
}

// holdsJWT looks at the web token behind a prefix.
func holdsJWT(s string) bool {
	at := strings.Index(s, "ey")
	return at >= 0 && isJWT(s[at:])
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// crc62 holds the last six characters to the CRC-32 of what stands between them
// and the last underscore, in base 62: GitHub's and npm's checksum.
func crc62(token string) bool {
	body := token[strings.LastIndexByte(token, '_')+1:]
	if len(body) < 12 {
		return false
	}
	body, sum := body[:len(body)-6], body[len(body)-6:]
	return encode62(crc32.ChecksumIEEE([]byte(body))) == sum
}

func encode62(n uint32) string {
	out := []byte("000000")
	for i := 5; i >= 0; i-- {
		out[i] = base62[n%62]
		n /= 62
	}
	return string(out)
}

// crc36 holds the last seven characters to the CRC-32 of all before them, in
// base 36: GitLab's routable tokens.
func crc36(token string) bool {
	at := len(token) - 7
	sum, err := strconv.ParseUint(token[at:], 36, 64)
	return err == nil && sum == uint64(crc32.ChecksumIEEE([]byte(token[:at])))
}

// isJWT holds a token to the structure of RFC 7519: a header that names an
// algorithm, and claims, both objects of JSON.
func isJWT(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	header := decodeSegment(parts[0])
	return header != nil && json.Valid(header) && bytes.Contains(header, []byte(`"alg"`)) && header[0] == '{' && isClaims(decodeSegment(parts[1]))
}

func isClaims(claims []byte) bool {
	return len(claims) > 0 && claims[0] == '{' && json.Valid(claims) && !isTutorial(claims)
}

// isTutorial knows the claims of every tutorial's token by their subject.
func isTutorial(claims []byte) bool {
	return bytes.Contains(claims, []byte(`"1234567890"`)) || bytes.Contains(claims, []byte("John Doe"))
}

func decodeSegment(s string) []byte {
	out, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil {
		return nil
	}
	return out
}

// isAWSKeyID holds a key id to its structure: since 2019 the characters behind
// the prefix hold the account's number, which has twelve digits.
func isAWSKeyID(id string) bool {
	if id[4] == 'I' || id[4] == 'J' || id[:4] == "ABIA" || id[:4] == "ACCA" {
		return true // older than the structure
	}
	raw, err := base32.StdEncoding.DecodeString(id[4:])
	if err != nil || len(raw) < 6 {
		return false
	}
	n := uint64(0)
	for _, b := range raw[:6] {
		n = n<<8 | uint64(b)
	}
	return n&0x7fffffffff80>>7 < 1e12
}

// isPyPIToken holds a token to a macaroon's beginning: version 2 and a location.
func isPyPIToken(token string) bool {
	raw := decodeSegment(token[len("pypi-"):])
	return len(raw) > 40 && raw[0] == 2 && raw[1] == 1 && int(raw[2]) < len(raw) && bytes.Contains(raw[3:3+int(raw[2])%64], []byte("pypi.org"))
}

// isMixed asks for letters and digits, and no words.
func isMixed(s string) bool {
	f := featuresOf(s)
	return f.digits >= 2 && f.letters >= 2 && wordShare(s) < 0.4
}

// isDiscordToken holds a bot token to its structure: its first part is the
// bot's number in base64.
func isDiscordToken(token string) bool {
	id, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(id, "="))
	if err != nil || len(raw) < 15 {
		return false
	}
	_, err = strconv.ParseUint(string(raw), 10, 64)
	return err == nil
}

// checked are the patterns whose checksum or structure disproves a value that
// has their shape: such a value opens nothing, whatever name stands before it.
var checked = sync.OnceValue(func() []*pattern {
	var out []*pattern
	for _, p := range patterns() {
		switch p.Check {
		case "crc62", "crc36", "bech32", "aws-key-id", "macaroon":
			out = append(out, p)
		}
	}
	return out
})

// isDisproved reports whether v has the whole shape of a format and fails its check.
func isDisproved(v string) bool {
	for _, p := range checked() {
		if !hasFoldPrefix(v, p.Keywords) {
			continue
		}
		if m := p.ready().value.FindStringSubmatchIndex(v); m != nil && !p.passes(v[m[2]:m[3]]) {
			return true
		}
	}
	return false
}

func hasFoldPrefix(s string, lower []string) bool {
	for _, p := range lower {
		if len(s) >= len(p) && equalFold([]byte(s[:len(p)]), p) {
			return true
		}
	}
	return false
}

// isPlausiblePassword judges what stands where a command or a call takes its password.
func isPlausiblePassword(s string) bool {
	return judge(candidate{name: "password", value: s, kind: kindConfig}).rule != ""
}
