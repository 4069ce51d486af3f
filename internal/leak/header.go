package leak

import (
	"encoding/base64"
	"strings"
)

// readBasic looks at what stands behind "Basic ": base64 of user:password.
func (s *scan) readBasic(start int) {
	end := start
	for end < len(s.data) && end-start < 400 && isBase64Byte(s.data[end]) {
		end++
	}
	s.work.names += end - start
	if isUserPassword(string(s.data[start:end])) {
		s.report(found{Match{Rule: "basic-auth", Start: start, End: end, Severity: Error}, byPlace})
	}
}

func isBase64Byte(c byte) bool {
	return isLetter(c) || isDigit(c) || c == '+' || c == '/' || c == '=' || c == '-' || c == '_'
}

// decodeBase64 decodes standard or URL base64, padded or not, white space left out.
func decodeBase64(s string) ([]byte, bool) {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '\n', '\r', ' ', '\t', '=':
			return -1
		case '-':
			return '+'
		case '_':
			return '/'
		}
		return r
	}, s)
	out, err := base64.RawStdEncoding.DecodeString(s)
	return out, err == nil && len(out) > 0
}

// isUserPassword reports whether a value is base64 of user:password with a
// password that is one.
func isUserPassword(value string) bool {
	if len(value) < 8 {
		return false
	}
	raw, ok := decodeBase64(value)
	if !ok || !isPrintable(raw) {
		return false
	}
	user, password, ok := strings.Cut(string(raw), ":")
	return ok && user != "" && isURLPassword(user, password, "") && !strings.Contains(user, " ")
}

// isAnyUserPassword reports whether a value is base64 of user:password where that
// is all that can stand there, so that a plain word is a password too.
func isAnyUserPassword(value string) bool {
	raw, ok := decodeBase64(value)
	user, password, cut := strings.Cut(string(raw), ":")
	return ok && cut && isPrintable(raw) && user != "" && len(password) >= 3 && !isFillIn(password) && !isFillIn(user)
}

// isPrintable reports whether raw is one line of ASCII text.
func isPrintable(raw []byte) bool {
	for _, c := range raw {
		if c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
