package leak

import "strings"

// floor is the entropy that a generated value of n bytes has at least.
func floor(n int) float64 {
	switch {
	case n < 10:
		return 2.2
	case n < 16:
		return 2.6
	case n < 24:
		return 2.8
	}
	return 3.0
}

// features counts the bytes of a value by what they are.
type features struct {
	letters, upper, lower, digits, symbols, spaces int
	joints                                         int // signs that also join words: - _ . / :
	hard                                           int // signs that no name has
}

func featuresOf(v string) features {
	var f features
	for i := range len(v) {
		switch c := v[i]; {
		case isUpper(c):
			f.upper++
		case isLower(c):
			f.lower++
		case isDigit(c):
			f.digits++
		case c == ' ':
			f.spaces++
		case isJoint(c), c == '=', c == '+':
			f.joints++
		default:
			f.hard++
		}
	}
	f.letters = f.upper + f.lower
	f.symbols = f.joints + f.hard
	return f
}

// Identifier reports whether a value is a name made of words, as people give them
// to hosts, files and objects, and not a secret.
func Identifier(value string) bool { return isIdentifier(value) }

// isIdentifier knows names made of words: my-secret-name, db.credentials.v2,
// PasswordField, host:port. One word with digits behind it (hunter2) is none.
func isIdentifier(v string) bool {
	f := featuresOf(v)
	if f.hard > 0 || f.letters == 0 {
		return false
	}
	share := wordShare(v)
	if at := len(v) - 6; at > 4 && v[at] == '-' && f.upper == 0 && isLowerAlnum(v[at+1:]) {
		share = max(share, wordShare(v[:at])) // Kubernetes puts five random letters behind generated names
	}
	if f.joints > 0 && share > 0.25 && hasVersion(v) {
		return true // chart-1.2.3
	}
	if f.joints == 0 {
		return f.digits == 0 && share > 0.7 || f.digits <= 2 && turns(v) >= 2 && share > 0.75
	}
	return share > 0.65
}

func isLowerAlnum(v string) bool {
	for i := range len(v) {
		if !isLower(v[i]) && !isDigit(v[i]) {
			return false
		}
	}
	return true
}

// turns counts how often case or kind changes between neighbours.
func turns(v string) int {
	n := 0
	for i := 1; i < len(v); i++ {
		if isUpper(v[i]) && isLower(v[i-1]) || isDigit(v[i]) != isDigit(v[i-1]) {
			n++
		}
	}
	return n
}

// hasVersion reports whether digits and dots stand in v as in a version.
func hasVersion(v string) bool {
	for i := 1; i+3 < len(v); i++ {
		if isDigit(v[i-1]) && v[i] == '.' && isDigit(v[i+1]) && v[i+2] == '.' && isDigit(v[i+3]) {
			return true
		}
	}
	return false
}

// isAppPassword knows what Google gives to programs: four times four letters.
func isAppPassword(v string) bool {
	parts := strings.Split(v, " ")
	sum := 0.0
	for _, p := range parts {
		if len(p) != 4 || featuresOf(p).lower != 4 || isSequence(p) {
			return false
		}
		sum += strangeness(p)
	}
	return len(parts) == 4 && sum/4 >= strange
}

// isForeign reports whether v is text of a language with more letters than
// ASCII has, as it is or in escapes: labels and messages, hardly ever passwords.
func isForeign(v string) bool {
	for i := range len(v) {
		if v[i] >= 0x80 {
			return true
		}
	}
	return strings.Contains(v, `\u0`)
}

// isRegex knows regular expressions.
func isRegex(v string) bool {
	return strings.HasPrefix(v, "^") && strings.HasSuffix(v, "$") || strings.Contains(v, ".*") || strings.Contains(v, `\d`) || strings.Contains(v, `\w`) || strings.Contains(v, `\s`) || strings.Contains(v, ".+")
}

func isNumber(v string) bool {
	for i := range len(v) {
		if !isDigit(v[i]) {
			return false
		}
	}
	return true
}

// isTime knows 2006-01-02T15:04:05Z.
func isTime(v string) bool {
	return len(v) >= 16 && len(v) <= 35 && v[4] == '-' && v[7] == '-' && (v[10] == 'T' || v[10] == ' ') && v[13] == ':' && isVersion(v[:10])
}

// isVersion knows 1.2.3, dates, times and addresses.
func isVersion(v string) bool {
	for i := range len(v) {
		if c := v[i]; !isDigit(c) && c != '.' && c != '-' && c != ':' && c != '/' {
			return false
		}
	}
	return true
}

func isPathLike(v string) bool { return strings.Count(v, "/") >= 1 && wordShare(v) > 0.2 }

// isUUID knows 8-4-4-4-12.
func isUUID(v string) bool {
	if len(v) != 36 {
		return false
	}
	for i := range len(v) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (v[i] == '-') || !dash && !isHex(v[i]) {
			return false
		}
	}
	return true
}

// isBase64 reports whether v has only the characters of base64.
func isBase64(v string) bool {
	for i := range len(v) {
		if c := v[i]; !isLetter(c) && !isDigit(c) && c != '+' && c != '/' && c != '=' && c != '-' && c != '_' {
			return false
		}
	}
	return v != ""
}
