package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/sealward/sealward/internal/review"
)

// jsonVersion is the version of the JSON format. Fields are added under the same
// version; a field that changes or goes makes a new one.
const jsonVersion = 1

type jsonReport struct {
	Version    int           `json:"version"`
	Tool       string        `json:"tool,omitempty"`
	Findings   []jsonFinding `json:"findings"`
	Ignored    []jsonIgnored `json:"ignored"`
	Incomplete []string      `json:"incomplete"`
	Skipped    []jsonSkip    `json:"skipped"`
	Scanned    int           `json:"scanned_files"`
	Total      int           `json:"total_files"`
	Commits    int           `json:"scanned_commits"`
	Profile    *jsonProfile  `json:"profile,omitempty"`
	Summary    jsonSummary   `json:"summary"`
}

type jsonFinding struct {
	Rule        string        `json:"rule"`
	Severity    string        `json:"severity"`
	Path        string        `json:"path"`
	Line        int           `json:"line"` // from 1; 0 is the file as a whole
	Column      int           `json:"column"`
	EndLine     int           `json:"end_line"`
	EndColumn   int           `json:"end_column"`     // exclusive
	Home        string        `json:"home,omitempty"` // the file it is about, where path is another that the change touches
	Message     string        `json:"message"`
	Why         string        `json:"why,omitempty"`
	Hint        string        `json:"hint"`
	Fingerprint string        `json:"fingerprint"`
	Commit      string        `json:"commit,omitempty"`
	Related     []jsonRelated `json:"related"`
}

type jsonRelated struct {
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

type jsonIgnored struct {
	jsonFinding
	Reason string `json:"reason"`
	By     string `json:"by"`
}

type jsonSkip struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

type jsonProfile struct {
	Name string `json:"name"`
	Why  string `json:"why,omitempty"`
}

type jsonSummary struct {
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Notice  int `json:"notice"`
}

// writeJSON writes the report for programs.
func writeJSON(w io.Writer, r *review.Report, opt Options) error {
	out := jsonReport{
		Version:    jsonVersion,
		Tool:       strings.TrimSpace("sealward " + opt.Version),
		Findings:   make([]jsonFinding, 0, len(r.Findings)),
		Ignored:    make([]jsonIgnored, 0, len(r.Ignored)),
		Incomplete: append([]string{}, r.Incomplete...),
		Skipped:    make([]jsonSkip, 0, len(r.Skipped)),
		Scanned:    r.Scanned,
		Total:      r.Total,
		Commits:    r.Commits,
		Summary:    jsonSummary{r.Count(review.Error), r.Count(review.Warning), r.Count(review.Notice)},
	}
	for i := range r.Findings {
		out.Findings = append(out.Findings, toJSON(&r.Findings[i]))
	}
	for i := range r.Ignored {
		g := &r.Ignored[i]
		out.Ignored = append(out.Ignored, jsonIgnored{toJSON(&g.Finding), g.Reason, g.By})
	}
	for _, s := range r.Skipped {
		out.Skipped = append(out.Skipped, jsonSkip(s))
	}
	if r.Profile.Name != "" {
		out.Profile = &jsonProfile{r.Profile.Name, r.Profile.Why}
	}
	return encode(w, out)
}

func toJSON(f *review.Finding) jsonFinding {
	out := jsonFinding{
		Rule:        f.Rule,
		Severity:    f.Severity.String(),
		Path:        f.Span.File,
		Line:        f.Span.Start.Line,
		Column:      f.Span.Start.Col,
		EndLine:     f.Span.End.Line,
		EndColumn:   f.Span.End.Col,
		Message:     f.Message,
		Why:         f.Why,
		Hint:        f.Hint,
		Fingerprint: f.Fingerprint(),
		Commit:      f.Commit,
		Related:     make([]jsonRelated, 0, len(f.Related)),
	}
	if home := f.Home(); home != f.Span.File {
		out.Home = home
	}
	for _, rel := range f.Related {
		out.Related = append(out.Related, jsonRelated{rel.Span.File, rel.Span.Start.Line, rel.Message})
	}
	return out
}

// encode writes v as indented JSON that is safe in a log: what [Clean] would take
// out of a string is written as JSON's own escape, so that it reads back the same.
func encode[T any](w io.Writer, v T) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(escapeHidden(b.Bytes()))
	return err
}

// escapeHidden escapes hidden characters and "##[" in JSON text. Outside of
// strings JSON has none of them but the line breaks of its indentation.
func escapeHidden(in []byte) []byte {
	in = bytes.ReplaceAll(in, []byte("##["), []byte(`##\u005b`))
	out := make([]byte, 0, len(in))
	for len(in) > 0 {
		r, n := utf8.DecodeRune(in)
		switch {
		case r == '\n' || !isHidden(r):
			out = append(out, in[:n]...)
		case r > 0xFFFF:
			hi, lo := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, hi, lo)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		in = in[n:]
	}
	return out
}
