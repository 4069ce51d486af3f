package rule

import (
	"strings"

	"github.com/sealward/sealward/internal/leak"
	"github.com/sealward/sealward/internal/syntax"
)

// shortest is how long a credential is at least, in bytes.
const shortest = 20

// Redact takes out of a text what is a credential by its own format. Messages name keys
// and objects, and somebody may have put a secret in the place of a name.
func Redact(text string) string {
	var b strings.Builder
	kept, from := 0, 0 // text[:kept] is written
	for i := 0; i <= len(text); i++ {
		if i < len(text) && ofToken(text[i]) {
			continue
		}
		if run := text[from:i]; len(run) >= shortest && dense(run) {
			for _, m := range leak.Text("", []byte(run)) {
				b.WriteString(text[kept:from+m.Start] + "[redacted]")
				kept = from + m.End
			}
		}
		from = i + 1
	}
	if kept == 0 {
		return text
	}
	return b.String() + text[kept:]
}

// ofToken reports what credentials are made of. A slash is not: names of files are cut
// at theirs.
func ofToken(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '-' || c == '.' || c == '+' || c == '='
}

// dense reports a digit, and 16 letters and digits in a row: what a path of keys seldom
// has, and every format of credentials that goes without a name beside it.
func dense(s string) bool {
	digit, row, longest := false, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case '0' <= c && c <= '9':
			digit = true
			row++
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			row++
		default:
			row = 0
		}
		longest = max(longest, row)
	}
	return digit && longest >= 16
}

// namesLeak reports whether a name in a file is itself a credential.
func namesLeak(s *syntax.File) bool {
	for i := range s.Leaves {
		for _, step := range s.Leaves[i].Path {
			if step.Index < 0 && len(step.Key) >= shortest && dense(step.Key) && Redact(step.Key) != step.Key {
				return true
			}
		}
	}
	return false
}
