package github

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxBody is how many characters GitHub takes for a comment, an issue or the text
// of a pull request.
const maxBody = 65536

var markName = regexp.MustCompile(`^[a-z0-9][a-z0-9./_-]*$`)

// marked puts a hidden line on top of a text, by which it is found again. It must
// be the first: a text that quotes ours further down is not ours.
func marked(name, more, body string) (string, error) {
	if !markName.MatchString(name) || strings.Contains(name, "--") {
		return "", fmt.Errorf("%q is no name for a mark: small letters, digits, single dashes, dots and slashes are", name)
	}
	head := "<!-- sealward:" + name + more + " -->\n"
	return head + fit(body, maxBody-utf8.RuneCountInString(head)), nil
}

// hasMark says whether a text carries the mark, and returns what stands in it
// behind the name.
func hasMark(text, name string) (more string, ok bool) {
	line, _, _ := strings.Cut(normal(text), "\n")
	rest, ok := strings.CutPrefix(line, "<!-- sealward:"+name)
	if !ok || !strings.HasSuffix(rest, " -->") || rest[0] != ' ' {
		return "", false
	}
	return strings.TrimSpace(strings.TrimSuffix(rest, "-->")), true
}

// cutNote ends a text that was too long.
const cutNote = "\n\n*The rest does not fit here: GitHub takes 65,536 characters.*\n"

// fit shortens a text to at most n characters, at the end of a line where it can.
// Who renders should have seen to the length: this is the last resort, that keeps
// a channel from failing.
func fit(body string, n int) string {
	if utf8.RuneCountInString(body) <= n {
		return body
	}
	keep := string([]rune(body)[:n-utf8.RuneCountInString(cutNote)])
	if i := strings.LastIndexByte(keep, '\n'); i > len(keep)/2 {
		keep = keep[:i]
	}
	return keep + cutNote
}

// normal is a text as GitHub may give it back: line ends and outer space differ.
func normal(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// Outcome is what was done to keep something current.
type Outcome uint8

// The outcomes.
const (
	Unchanged Outcome = iota // nothing was written
	Created
	Updated
	Closed
	Reopened
)

// String is the outcome as a sentence would have it.
func (o Outcome) String() string {
	return [...]string{"unchanged", "created", "updated", "closed", "reopened"}[o]
}
