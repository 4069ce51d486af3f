package review

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/syntax"
)

// ignore takes out what the configuration or a comment at the place allows.
func (r *run) ignore(found []Finding) (kept []Finding, ignored []Ignored) {
	for _, f := range found {
		reason, by := r.allowedByConfig(&f)
		if by == "" && f.Commit == "" {
			reason, by = r.allowedByComment(&f)
		}
		if by == "" {
			kept = append(kept, f)
			continue
		}
		ignored = append(ignored, Ignored{Finding: f, Reason: reason, By: by})
	}
	return kept, ignored
}

func (r *run) allowedByConfig(f *Finding) (reason, by string) {
	for _, ig := range r.config.Ignore {
		if !covers(ig, f) {
			continue
		}
		if !ig.Until.IsZero() && r.opt.Now.After(ig.Until.Add(24*time.Hour)) {
			f.Hint = strings.TrimSpace(f.Hint + fmt.Sprintf(" (An ignore of this ended on %s.)", ig.Until.Format(time.DateOnly)))
			continue
		}
		return ig.Reason, fmt.Sprintf("%s:%d", config.Name, ig.Span.Start.Line)
	}
	return "", ""
}

func covers(ig config.Ignore, f *Finding) bool {
	return (ig.Rule == "" || ig.Rule == f.Rule) &&
		(ig.Path == "" || config.Match(ig.Path, f.Home())) &&
		(ig.Key == "" || ig.Key == f.Key)
}

// allowedByComment looks for "sealward:allow RULE reason" on the finding's first
// line, on the line above, and where the finding lies in a leaf at that leaf's key;
// "gitleaks:allow" is honoured for leaks, as people already have it in place.
func (r *run) allowedByComment(f *Finding) (reason, by string) {
	file := r.head.File(f.Span.File)
	if file == nil || f.Span.IsZero() {
		return "", ""
	}
	data := file.Data()
	if !bytes.Contains(data, []byte(":allow")) {
		return "", ""
	}
	for _, offset := range placesOf(file, f.Span) {
		own, above := linesAt(data, offset)
		for _, line := range []string{own, above} {
			if reason, ok := allows(line, f, r.family(f.Rule)); ok {
				return reason, "comment"
			}
		}
	}
	return "", ""
}

func (r *run) family(id string) Family {
	for _, rule := range r.rules {
		if rule.ID == id {
			return rule.Family
		}
	}
	return ""
}

// placesOf are the offsets whose lines may carry a comment for the span: its own,
// and the key of the leaf that it lies in.
func placesOf(file *File, s syntax.Span) []int {
	places := []int{s.Start.Offset}
	for _, l := range file.Syntax().Leaves {
		if l.Span.Start.Offset <= s.Start.Offset && s.Start.Offset < l.Span.End.Offset && !l.Key.IsZero() {
			places = append(places, l.Key.Start.Offset)
		}
	}
	return places
}

// linesAt returns the line that holds offset and, where it is a comment and nothing
// else, the one above.
func linesAt(data []byte, offset int) (own, above string) {
	offset = min(max(offset, 0), len(data))
	start := bytes.LastIndexByte(data[:offset], '\n') + 1
	end := len(data)
	if i := bytes.IndexByte(data[start:], '\n'); i >= 0 {
		end = start + i
	}
	own = string(data[start:end])
	if start > 0 {
		prev := bytes.LastIndexByte(data[:start-1], '\n') + 1
		above = strings.TrimSpace(string(data[prev : start-1]))
		if !isComment(above) {
			above = ""
		}
	}
	return own, above
}

func isComment(line string) bool {
	for _, mark := range []string{"#", "//", ";", "--", "/*", "<!--", "{{/*", "{{- /*"} {
		if strings.HasPrefix(line, mark) {
			return true
		}
	}
	return false
}

// Allowance is what an allow comment says.
type Allowance struct{ Rule, Reason string }

// AllowComment reads "sealward:allow RULE reason" out of a line. Without a reason it
// allows nothing.
func AllowComment(line string) (Allowance, bool) {
	_, rest, ok := strings.Cut(line, "sealward:allow ")
	if !ok {
		return Allowance{}, false
	}
	rule, reason, _ := strings.Cut(strings.TrimSpace(rest), " ")
	for _, end := range []string{"*/", "-->", "*/}}"} {
		reason = strings.TrimSuffix(strings.TrimSpace(reason), end)
	}
	reason = strings.TrimSpace(reason)
	return Allowance{rule, reason}, reason != ""
}

func allows(line string, f *Finding, family Family) (reason string, ok bool) {
	if a, ok := AllowComment(line); ok && a.Rule == f.Rule {
		return a.Reason, true
	}
	if family == Leaks && strings.Contains(line, "gitleaks:allow") {
		return "gitleaks:allow", true
	}
	return "", false
}

func matchAny(globs []string, path string) bool {
	for _, g := range globs {
		if config.Match(g, path) {
			return true
		}
	}
	return false
}
