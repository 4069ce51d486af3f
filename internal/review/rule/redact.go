package rule

import (
	"regexp"

	"github.com/sealward/sealward/internal/leak"
	"github.com/sealward/sealward/internal/syntax"
)

// tokenLike is a run of characters that may be a credential. Names of files are cut at
// their slashes.
var tokenLike = regexp.MustCompile(`[A-Za-z0-9_.+=-]{20,}`)

// Redact takes out of a text what is a credential by its own format. Messages name keys
// and objects, and somebody may have put a secret in the place of a name.
func Redact(text string) string {
	if len(text) < 20 {
		return text
	}
	return tokenLike.ReplaceAllStringFunc(text, func(run string) string {
		if !hasDigit(run) {
			return run
		}
		matches := leak.Text("", []byte(run))
		for i := len(matches) - 1; i >= 0; i-- {
			run = run[:matches[i].Start] + "[redacted]" + run[matches[i].End:]
		}
		return run
	})
}

func hasDigit(s string) bool {
	for i := range len(s) {
		if '0' <= s[i] && s[i] <= '9' {
			return true
		}
	}
	return false
}

// namesLeak reports whether a name in a file is itself a credential.
func namesLeak(s *syntax.File) bool {
	for i := range s.Leaves {
		for _, step := range s.Leaves[i].Path {
			if step.Index < 0 && len(step.Key) >= 20 && hasDigit(step.Key) && Redact(step.Key) != step.Key {
				return true
			}
		}
	}
	return false
}
