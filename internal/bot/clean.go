package bot

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/sealward/sealward/internal/sops"
)

// codeOf writes untrusted text as a code span, in which nobody is called and nothing is a
// link; it stays in its line, and in its cell of a table.
func codeOf(s string) string {
	s = strings.ReplaceAll(clipped(visibleOf(s), 200), "|", `\|`)
	if strings.TrimSpace(s) == "" {
		return "(no name)"
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}

// proseOf writes a sentence that may hold untrusted names as plain text of one line.
// Recipients and other words of letters and digits stay as they are.
func proseOf(s string) string {
	var b strings.Builder
	for _, r := range clipped(visibleOf(s), 500) {
		switch {
		case strings.ContainsRune("\\`*_[]<>|#~&!", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '@', r == ':':
			b.WriteRune(r)
			if r == '@' || strings.HasSuffix(b.String(), "http:") || strings.HasSuffix(b.String(), "https:") || strings.HasSuffix(b.String(), "ftp:") {
				b.WriteString("&#8203;") // or it would call somebody, or be a link
			}
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(b.String(), "www.", "www&#8203;.")
}

// linesOf writes what may be several lines, as errors with a list in them are.
func linesOf(s string) string {
	var out []string
	for i, line := range strings.Split(s, "\n") {
		if i == 40 {
			out = append(out, "...")
			break
		}
		if text := strings.TrimSpace(line); text != "" {
			if text != line && i > 0 {
				text = "- " + proseOf(text)
			} else {
				text = proseOf(text)
			}
			out = append(out, text)
		}
	}
	return strings.Join(out, "\n")
}

// visibleOf replaces what ends a line or is not seen.
func visibleOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == '\r' {
			return ' '
		}
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

func clipped(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "y") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func idsOf(list []sops.Recipient) []string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = r.ID
	}
	return out
}

// recipientsOf reads what idsOf wrote.
func recipientsOf(ids []string) ([]sops.Recipient, error) {
	out := make([]sops.Recipient, len(ids))
	for i, id := range ids {
		r, err := sops.ParseRecipient(id)
		if err != nil {
			return nil, fmt.Errorf("recipient %d of a kept rotation: %w", i+1, err)
		}
		out[i] = r
	}
	return out, nil
}
