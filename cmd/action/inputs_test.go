package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/syntax"
)

func environment(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

func TestInputs(t *testing.T) {
	in, err := readInputs(environment(map[string]string{
		"INPUT_GITHUB-TOKEN": "t", "INPUT_FAIL-ON": "Warning", "INPUT_PATHS-IGNORE": "a/**, b/*\n\n c\r\n", "INPUT_COMMENT": " never ", "INPUT_DRY-RUN": "TRUE",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if in.token != "t" || in.failOn != "warning" || !slices.Equal(in.pathsIgnore, []string{"a/**", "b/*", "c"}) || in.comment != commentNever || !in.dryRun {
		t.Errorf("inputs: %+v", in)
	}
	if in.mode != modeAuto || !in.annotations || !in.summary || !in.suggestions || in.driftIssue || in.failOnDrift {
		t.Errorf("defaults: %+v", in)
	}
}

func TestUnknownInputs(t *testing.T) {
	for _, i := range new(inputs).all() {
		if i.values == nil {
			continue
		}
		_, err := readInputs(environment(map[string]string{"INPUT_" + strings.ToUpper(i.name): "sideways"}))
		if err == nil {
			t.Errorf("%s took any value", i.name)
			continue
		}
		for _, v := range append(slices.Clone(i.values), i.name, "sideways") {
			if !strings.Contains(err.Error(), v) {
				t.Errorf("%s: the error does not name %q: %v", i.name, v, err)
			}
		}
	}
	_, err := readInputs(environment(map[string]string{"INPUT_MODE": "x", "INPUT_COMMENT": "y"}))
	if err == nil || !strings.Contains(err.Error(), "mode") || !strings.Contains(err.Error(), "comment") {
		t.Errorf("not all that is wrong is told: %v", err)
	}
}

func TestGlobs(t *testing.T) {
	in, err := readInputs(environment(map[string]string{"INPUT_PATHS": "apps/{a,b}/**, c/\n{x\ny,z"}))
	if err == nil || !strings.Contains(err.Error(), `"{x"`) {
		t.Errorf("%v", err)
	}
	if in, err = readInputs(environment(map[string]string{"INPUT_PATHS": "apps/{a,b}/**, c/\n\ny,z"})); err != nil || !slices.Equal(in.paths, []string{"apps/{a,b}/**", "c/", "y", "z"}) {
		t.Errorf("%q %v", in.paths, err)
	}
	for _, bad := range []string{"!apps/**", "[a", `a\`} {
		if _, err := readInputs(environment(map[string]string{"INPUT_PATHS-IGNORE": "b," + bad})); err == nil || !strings.Contains(err.Error(), "paths-ignore") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// actionFile is action.yml, as the Go types have it. A release names the image by
// its digest instead of the Dockerfile.
func actionFile(image string) string {
	var b strings.Builder
	b.WriteString(`# Written by go test ./cmd/action -run Inputs -update, from inputs.go.
name: sealward
description: Reviews the secrets of a GitOps repository - leaks, bad seals, keys that an environment lacks. No key, no checkout.
author: The sealward authors
branding:
  icon: shield
  color: blue
runs:
  using: docker
  image: ` + image + "\ninputs:\n")
	for _, i := range new(inputs).all() {
		fmt.Fprintf(&b, "  %s:\n    description: %s\n    required: false\n    default: %s\n", i.name, single(i.doc), single(i.fallback))
	}
	b.WriteString("outputs:\n")
	for _, o := range outputList() {
		fmt.Fprintf(&b, "  %s:\n    description: %s\n", o.name, single(o.doc))
	}
	return b.String()
}

// single writes YAML's single quotes.
func single(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func inputTable() string {
	var b strings.Builder
	b.WriteString("| input | default | |\n|---|---|---|\n")
	for _, i := range new(inputs).all() {
		shown := ""
		if i.fallback != "" {
			shown = "`" + i.fallback + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", i.name, shown, i.doc)
	}
	b.WriteString("\n| output | |\n|---|---|\n")
	for _, o := range outputList() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", o.name, o.doc)
	}
	return b.String()
}

// action.yml, the tables of the documentation and the Go types say the same.
func TestInputsAgree(t *testing.T) {
	t.Chdir("../..")
	fresh(t, "action.yml", actionFile(imageOf(t)))
	fresh(t, "README.md", replaced(t, "README.md", inputTable()))
	data, err := os.ReadFile("action.yml")
	if err != nil {
		t.Fatal(err)
	}
	parsed := syntax.Parse("action.yml", data)
	defaults := 0
	for _, l := range parsed.Leaves {
		if len(l.Path) == 3 && l.Path[0].Key == "inputs" && l.Path[2].Key == "default" {
			defaults++
		}
	}
	if want := len(new(inputs).all()); defaults != want {
		t.Errorf("action.yml has %d inputs as a reader of YAML sees it, want %d", defaults, want)
	}
}

func imageOf(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("action.yml")
	if err != nil && !*update {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if image, ok := strings.CutPrefix(strings.TrimSpace(line), "image: "); ok {
			return image
		}
	}
	return "Dockerfile"
}

// replaced puts the tables between their marks.
func replaced(t *testing.T, name, table string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- inputs: written by go test ./cmd/action -run Inputs -update -->\n", "<!-- /inputs -->"
	before, rest, ok1 := strings.Cut(string(data), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the inputs", name)
	}
	return before + begin + "\n" + table + "\n" + end + after
}

func fresh(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err == nil && string(got) == want {
		return
	}
	if !*update {
		t.Errorf("%s is stale; run: go test ./cmd/action -run Inputs -update", name)
		return
	}
	if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
