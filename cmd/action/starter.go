package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/report"
)

// schemaURL is where editors find the schema of the configuration.
const schemaURL = "https://raw.githubusercontent.com/sealward/sealward/v1/docs/sealward.schema.json"

// starterRelease is what hooks are pinned to by a build that has no version.
const starterRelease = "v1.0.0"

//go:embed workflow.yaml
var workflowText string

// starterWorkflow is the workflow, with the least permissions that its jobs need.
func starterWorkflow(comments bool) string {
	permission, comment := "read   # write, and comment: on-findings below, for a comment on each pull request", "never"
	if comments {
		permission, comment = "write  # for the comment; forks have none, and lose nothing else", "on-findings"
	}
	return strings.NewReplacer("@PULL_REQUESTS@", permission, "@COMMENT@", comment).Replace(workflowText)
}

// starterHooks are the entries of a .pre-commit-config.yaml.
func starterHooks(inventory bool) string {
	rev := version()
	if !release.MatchString(rev) {
		rev = starterRelease
	}
	var b strings.Builder
	fmt.Fprintf(&b, `  - repo: https://github.com/sealward/sealward
    rev: %s
    hooks:
      - id: sealward-review     # what is about to be committed
      - id: sealward-wiring     # what Flux will not find, or cannot open
`, rev)
	if inventory {
		b.WriteString("      - id: sealward-inventory  # secrets/*.env.keys name what the ignored env files have\n")
	}
	return b.String()
}

var (
	release   = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+$`)
	plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_/.-]*$`)
)

// starterConfig is a configuration that says what was found, so that people see it
// and can correct it. It changes nothing: where writing the environments down would
// place a file elsewhere than detection does, they are comments.
func starterConfig(t *review.Tree) (string, error) {
	profile := review.DetectProfile(t, &config.Config{})
	var b strings.Builder
	fmt.Fprintf(&b, "# yaml-language-server: $schema=%s\n", schemaURL)
	b.WriteString("# What sealward cannot know by itself. Reviews read this file from the base of a change.\n\n")
	b.WriteString(starterEnvironments(t))
	b.WriteString("review:\n  fail-on: error\n")
	if profile.Why != review.DefaultProfile {
		fmt.Fprintf(&b, "  # Found: %s.\n  profile: %s\n", report.Clean(profile.Why), profile.Name)
	} else {
		fmt.Fprintf(&b, "  # %s.\n  # profile: %s   # or %s\n", report.Clean(profile.Why), profile.Name, strings.Join(review.Profiles()[1:], ", "))
	}
	b.WriteString(`
# A finding that is no danger, with the reason:
# ignore:
#   - {rule: leaked-token, path: "docs/**", reason: examples in the handbook, until: 2030-12-31}

# A key that some environments have on purpose:
# drift:
#   only: {"**/DEBUG_TOKEN": "dev, staging"}
`)
	if _, err := config.Parse(config.Name, []byte(b.String())); err != nil {
		return "", fmt.Errorf("the configuration made for this repository is not valid: %w", err)
	}
	return b.String(), nil
}

func starterEnvironments(t *review.Tree) string {
	names := slices.DeleteFunc(t.Env().Environments(), func(e string) bool {
		_, err := config.Parse(config.Name, []byte("environments: {"+scalar(e)+": {}}\n"))
		return err != nil
	})
	if len(names) == 0 {
		return "# No environments were found. If there are some:\n# environments:\n#   prod: {paths: [\"overlays/prod/**\"]}\n#   dev: {paths: [\"overlays/dev/**\"]}\n\n"
	}
	globs := environmentGlobs(t, names)
	var b strings.Builder
	b.WriteString("environments:\n")
	for _, e := range names {
		if len(globs[e]) == 0 {
			fmt.Fprintf(&b, "  %s: {}  # its files are found by kilter.yaml\n", scalar(e))
			continue
		}
		fmt.Fprintf(&b, "  %s:\n    paths:\n", scalar(e))
		for _, g := range globs[e] {
			fmt.Fprintf(&b, "      - %s\n", scalar(g))
		}
	}
	b.WriteByte('\n')
	if sameEnvironments(t, names, globs) {
		return b.String()
	}
	return "# Found, and left to detection, which knows them more exactly than globs can:\n# " +
		strings.ReplaceAll(strings.TrimRight(b.String(), "\n"), "\n", "\n# ") + "\n\n"
}

// fewGlobs is how many directories an environment may have before they are gathered
// under one glob.
const fewGlobs = 6

// environmentGlobs says by globs what belongs to each environment: its directories,
// and the files that bear its name.
func environmentGlobs(t *review.Tree, names []string) map[string][]string {
	out := map[string][]string{}
	m := t.Env()
	dirs := map[string][]string{}
	for _, g := range m.Groups() {
		for e, dir := range g.Dirs {
			dirs[e] = append(dirs[e], dir)
		}
	}
	for _, e := range names {
		globs := map[string]bool{}
		for _, d := range outermost(dirs[e]) {
			globs[globOf(d)+"/**"] = true
		}
		if len(globs) > fewGlobs {
			globs = gathered(outermost(dirs[e]))
		}
		for _, p := range t.Paths() {
			at, ok := m.Of(p)
			if ok && at.Env == e && !strings.Contains(at.Unit, "#") && !below(p, dirs[e]) {
				globs[globOf(p)] = true
			}
		}
		out[e] = slices.Sorted(maps.Keys(globs))
	}
	return out
}

// outermost leaves out the directories that lie in others.
func outermost(dirs []string) []string {
	dirs = slices.Sorted(slices.Values(dirs))
	return slices.DeleteFunc(slices.Compact(slices.Clone(dirs)), func(d string) bool {
		i := strings.LastIndexByte(d, '/')
		return i > 0 && below(d[:i]+"/x", dirs)
	})
}

func below(p string, dirs []string) bool {
	for i := range len(p) {
		if p[i] == '/' && slices.Contains(dirs, p[:i]) {
			return true
		}
	}
	return false
}

// gathered names many directories by their last names: **/overlays/prod/**.
func gathered(dirs []string) map[string]bool {
	out := map[string]bool{}
	for _, d := range dirs {
		parts := strings.Split(d, "/")
		out["**/"+globOf(strings.Join(parts[max(0, len(parts)-2):], "/"))+"/**"] = true
	}
	if len(out) <= fewGlobs {
		return out
	}
	short := map[string]bool{}
	for _, d := range dirs {
		short["**/"+globOf(d[strings.LastIndexByte(d, '/')+1:])+"/**"] = true
	}
	return short
}

// globOf is a glob that matches this path alone.
func globOf(p string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`).Replace(p)
}

// sameEnvironments reports whether the globs leave every path in the environment that
// detection gives it, with the same siblings.
func sameEnvironments(t *review.Tree, names []string, globs map[string][]string) bool {
	cfg := &config.Config{Environments: map[string]config.Environment{}}
	for _, e := range names {
		cfg.Environments[e] = config.Environment{Paths: globs[e]}
	}
	found := t.Env()
	told, err := env.Detect(t, cfg)
	if err != nil {
		return false
	}
	for _, p := range t.Paths() {
		was, ok := found.Of(p)
		is, still := told.Of(p)
		if ok != still || was.Env != is.Env || ok && !maps.Equal(found.Siblings(was.Unit), told.Siblings(is.Unit)) {
			return false
		}
	}
	return true
}

// scalar writes a string as YAML: as it is where that is safe, else in quotes, where
// JSON is YAML.
func scalar(s string) string {
	reserved := slices.Contains([]string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}, strings.ToLower(s))
	if plainWord.MatchString(strings.ReplaceAll(strings.TrimSuffix(s, "/**"), "/", "")) && !reserved && !strings.HasPrefix(s, "**") {
		return s
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		return `""` // a string always has a JSON form
	}
	return string(quoted)
}
