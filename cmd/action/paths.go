package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/drift"
)

// keepPaths leaves out findings of which no place lies in the paths that were asked
// for. Everything is read all the same: what an environment lacks, and what refers to
// what, shows in the whole tree alone.
func keepPaths(rep *review.Report, paths []string) {
	if len(paths) == 0 {
		return
	}
	elsewhere := func(f *review.Finding) bool {
		return !inPaths(paths, f.Home()) && !inPaths(paths, f.Span.File) &&
			!slices.ContainsFunc(f.Related, func(r review.Related) bool { return inPaths(paths, r.Span.File) })
	}
	rep.Findings = slices.DeleteFunc(rep.Findings, func(f review.Finding) bool { return elsewhere(&f) })
	rep.Ignored = slices.DeleteFunc(rep.Ignored, func(i review.Ignored) bool { return elsewhere(&i.Finding) })
}

// keepUnits leaves out units of which no file lies in the paths.
func keepUnits(r *drift.Report, paths []string) {
	if len(paths) == 0 {
		return
	}
	r.Keep(func(u *drift.Unit) bool {
		for _, path := range u.Files {
			if inPaths(paths, path) {
				return true
			}
		}
		return false
	})
}

func inPaths(paths []string, path string) bool {
	return slices.ContainsFunc(paths, func(glob string) bool { return config.Match(glob, path) })
}

// checkGlobs says what is wrong with the globs of an input.
func checkGlobs(name string, globs []string) error {
	var wrong []error
	for _, g := range globs {
		err := config.CheckGlob(g)
		if strings.HasPrefix(g, "!") {
			err = errors.New("it takes no negation: what is not to be reviewed goes into paths-ignore")
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("input %s: %q: %w", name, g, err))
		}
	}
	return errors.Join(wrong...)
}

// fieldsOf splits a list at line ends and at commas that stand in no braces.
func fieldsOf(s string) []string {
	var out []string
	depth := 0
	for _, field := range strings.FieldsFunc(s, func(r rune) bool {
		switch r {
		case '{':
			depth++
		case '}':
			depth = max(0, depth-1)
		case '\n', '\r':
			depth = 0
			return true
		}
		return r == ',' && depth == 0
	}) {
		if field = strings.TrimSpace(field); field != "" {
			out = append(out, field)
		}
	}
	return out
}
