package keyring

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/sops"
)

// The comments that age-keygen writes above an identity.
const (
	createdMark = "# created: "
	publicMark  = "# public key: "
)

// entry is the text of an identity file, taken apart: what age, sops and Flux read
// line by line. Comments and blank lines are kept where they stand.
type entry struct {
	text     string
	held     []held
	ssh      bool // an ssh key stands in it
	warnings []string
}

// held is an identity and where it stands.
type held struct {
	Identity
	start, end int       // of its bytes, with the comments of age-keygen right above
	created    time.Time // from the comment; zero where none says it
}

// parseEntry reads an identity file. Where exact is set it accepts no more than Flux
// does, which fails as a whole on one line that it cannot read. The error names the
// line by its number.
func parseEntry(text string, exact bool) (entry, error) {
	if len(text) > maxText {
		return entry{}, fmt.Errorf("%d bytes, and an identity file has at most %d", len(text), maxText)
	}
	p := entryParser{entry: entry{text: text}, exact: exact, above: -1}
	for p.at < len(text) {
		if err := p.line(); err != nil {
			return entry{}, fmt.Errorf("line %d: %w", p.number, err)
		}
	}
	if p.pem >= 0 && p.inPEM {
		return entry{}, fmt.Errorf("line %d: a PEM block without an end", p.number)
	}
	return p.entry, nil
}

type entryParser struct {
	entry
	exact   bool
	at      int // offset of the next line
	number  int // of the line, from 1
	above   int // where the comments right above begin, or -1
	created time.Time
	public  string
	inPEM   bool
	pem     int // where the block began
}

func (p *entryParser) line() error {
	start := p.at
	line := p.text[start:]
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line, p.at = line[:i], start+i+1
	} else {
		p.at = len(p.text)
	}
	p.number++
	line = strings.TrimSuffix(line, "\r")
	bare := strings.TrimSpace(line)
	switch {
	case p.inPEM:
		if strings.HasPrefix(bare, "-----END ") {
			p.inPEM = false
			return p.identity(p.pem, p.text[p.pem:p.at])
		}
		return nil
	case strings.HasPrefix(line, "#"):
		p.comment(start, line)
		return nil
	case bare == "" && (line == "" || !p.exact):
		p.above, p.created, p.public = -1, time.Time{}, ""
		return nil
	case strings.HasPrefix(bare, "-----BEGIN ") && !strings.HasPrefix(bare, "-----BEGIN AGE ") && !p.exact:
		p.inPEM, p.pem, p.ssh = true, start, true
		return nil
	case line != bare && p.exact:
		return errors.New("white space around an identity, which Flux cannot read")
	case line != bare:
		p.warnings = append(p.warnings, fmt.Sprintf("line %d: white space around an identity, which age and sops cannot read", p.number))
	}
	return p.identity(start, line)
}

// comment notes what age-keygen says of the identity below.
func (p *entryParser) comment(start int, line string) {
	created, isCreated := strings.CutPrefix(line, createdMark)
	public, isPublic := strings.CutPrefix(line, publicMark)
	switch {
	case isCreated:
		p.created, _ = time.Parse(time.RFC3339, strings.TrimSpace(created))
	case isPublic:
		p.public = strings.TrimSpace(public)
	default:
		p.above, p.created, p.public = -1, time.Time{}, ""
		return
	}
	if p.above < 0 {
		p.above = start
	}
}

func (p *entryParser) identity(start int, text string) error {
	id, err := ParseIdentity(text)
	if errors.Is(err, errPlugin) {
		p.warnings = append(p.warnings, fmt.Sprintf("line %d: %v", p.number, err))
		p.above, p.created, p.public = -1, time.Time{}, ""
		return nil
	}
	if err != nil {
		return err
	}
	if p.above >= 0 {
		start = p.above
	}
	if p.public != "" && p.public != id.Recipient().ID {
		p.warnings = append(p.warnings, fmt.Sprintf("line %d: the comment above names another public key; the identity is %s's",
			p.number, id.Recipient().Short()))
	}
	p.held = append(p.held, held{id, start, p.at, p.created})
	p.above, p.created, p.public = -1, time.Time{}, ""
	return nil
}

// identities returns what the entry holds, the last one first.
func (e entry) identities() []Identity {
	out := make([]Identity, 0, len(e.held))
	for _, h := range slices.Backward(e.held) {
		out = append(out, h.Identity)
	}
	return out
}

// without returns the text with every identity but keep taken out, and what was.
func (e entry) without(keep sops.Recipient) (string, []sops.Recipient) {
	var b strings.Builder
	var gone []sops.Recipient
	at := 0
	for _, h := range e.held {
		if h.Recipient() == keep {
			continue
		}
		b.WriteString(e.text[at:h.start])
		at = h.end
		gone = append(gone, h.Recipient())
	}
	b.WriteString(e.text[at:])
	return b.String(), gone
}

// entryText is an identity as age-keygen writes it. created is a time in RFC 3339,
// or "" where it is not known.
func entryText(id Identity, created string) string {
	var b strings.Builder
	if created != "" {
		b.WriteString(createdMark + created + "\n")
	}
	b.WriteString(publicMark + id.Recipient().ID + "\n")
	b.WriteString(strings.TrimSuffix(id.Expose(), "\n") + "\n")
	return b.String()
}

// appended is the entry's text with another identity behind it.
func (e entry) appended(id Identity, created string) string {
	text := e.text
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if text != "" && !strings.HasSuffix(text, "\n\n") {
		text += "\n"
	}
	return text + entryText(id, created)
}
