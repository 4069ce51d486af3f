package rule

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

// plainName is a name that stands for itself in every format.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)

// insert is a fix that puts lines above a line.
func insert(file string, above int, with ...string) review.Fix {
	return review.Fix{File: file, Lines: repo.Lines{First: above, Last: above - 1}, With: with}
}

// driftFixes adds a key to the files that lack it: its name to an inventory, an
// assignment to an env file in clear. Where none of these can be, and no environment
// lacks the key that would stop for it, the key can be said to be meant for some alone.
func driftFixes(own *keySet, key string, have, lacking []string, others map[string]*keySet, severity review.Severity) []review.Fix {
	name := key[strings.LastIndexByte(key, '/')+1:]
	if !plainName.MatchString(name) {
		return nil
	}
	var fixes []review.Fix
	for _, e := range lacking {
		f := others[e].file
		if typoOf(key, others[e], own) != "" {
			return nil // the name itself is in doubt
		}
		switch {
		case strings.HasSuffix(f.Path, ".keys"):
			fixes = append(fixes, review.Fix{File: f.Path, With: []string{name}})
		case f.Syntax().Format == syntax.Dotenv:
			fixes = append(fixes, review.Fix{File: f.Path, With: []string{name + "="},
				Note: fmt.Sprintf("The value of `%s` is left empty: set the one of %s.", name, e)})
		}
	}
	if l := own.at[key]; severity == review.Notice && !l.Key.IsZero() && !strings.HasSuffix(own.file.Path, ".keys") {
		only := insert(own.file.Path, l.Key.Start.Line, indentOf(own.file, l.Key.Start.Line)+"# sealward: only "+strings.Join(have, ", "))
		only.Otherwise = true
		fixes = append(fixes, only)
	}
	return fixes
}

// renameFix corrects a name that stands alone in its line.
func renameFix(f *review.File, l syntax.Leaf, to string) []review.Fix {
	line := l.Key.Start.Line
	if !plainName.MatchString(to) || line == 0 {
		return nil
	}
	with := ""
	switch text := strings.TrimSpace(textOf(f, line)); {
	case strings.HasSuffix(f.Path, ".keys"):
		with = to
	case f.Syntax().Format == syntax.Dotenv && text == l.Path.Last()+"=":
		with = to + "="
	default:
		return nil // the line holds a value, which is not for a suggestion to repeat
	}
	return []review.Fix{{File: f.Path, Lines: repo.Lines{First: line, Last: line}, With: []string{with}}}
}

// duplicateFixes takes out one of two lines that say the same.
func duplicateFixes(f *review.File, l, before syntax.Leaf) []review.Fix {
	if l.Value != before.Value || l.Path.String() != before.Path.String() {
		return nil // which one is meant is for a person to say
	}
	var fixes []review.Fix
	for _, l := range []syntax.Leaf{l, before} {
		n := l.Key.Start.Line
		alone := strings.Trim(textOf(f, n), " ") == strings.TrimSpace(string(l.Key.Cut(f.Data()))+between(f, l)+string(l.Span.Cut(f.Data())))
		if alone && l.Span.Start.Line == n && l.Span.End.Line == n {
			fixes = append(fixes, review.Fix{File: f.Path, Lines: repo.Lines{First: n, Last: n}, Otherwise: len(fixes) > 0})
		}
	}
	return fixes
}

// between is the text between a key and its value.
func between(f *review.File, l syntax.Leaf) string {
	if l.Span.Start.Offset < l.Key.End.Offset {
		return ""
	}
	return string(f.Data()[l.Key.End.Offset:l.Span.Start.Offset])
}

// listFix adds a file to the resources of the kustomization beside it.
func listFix(k *review.File, base string) []review.Fix {
	if k == nil || !plainName.MatchString(base) {
		return nil
	}
	for _, d := range k.Syntax().Docs {
		listed := d.Under("resources")
		if len(listed) == 0 {
			continue
		}
		first := listed[0].Span.Start.Line
		indent, _, isList := strings.Cut(textOf(k, first), "- ")
		if !isList || strings.TrimSpace(indent) != "" {
			return nil
		}
		return []review.Fix{insert(k.Path, first, indent+"- "+base)}
	}
	return nil
}

// textOf is a line of a file, from 1, without its end; "" where there is none.
func textOf(f *review.File, line int) string {
	data := f.Data()
	for text := range strings.Lines(string(data[min(len(data), lineOffset(data, line)):])) {
		return strings.TrimRight(text, "\r\n")
	}
	return ""
}

func indentOf(f *review.File, line int) string {
	text := textOf(f, line)
	return text[:len(text)-len(strings.TrimLeft(text, " "))]
}
