package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var updateDocs = flag.Bool("update-docs", false, "rewrite the table of variables in docs/operating.md")

// The manual's table of variables is the program's own.
func TestOperatingNamesEveryVariable(t *testing.T) {
	var table strings.Builder
	table.WriteString("| variable | what | without it |\n|---|---|---|\n")
	for _, v := range variables() {
		secret := ""
		if v.secret {
			secret = " (secret: by file)"
		}
		fallback := v.fallback
		if fallback != "" && !strings.ContainsAny(fallback, "` ") {
			fallback = "`" + fallback + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s%s | %s |\n", v.name, v.what, secret, fallback)
	}
	file := filepath.Join("..", "..", "docs", "operating.md")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- variables: begin -->\n", "<!-- variables: end -->"
	before, rest, ok := strings.Cut(string(data), begin)
	has, after, ended := strings.Cut(rest, end)
	switch {
	case !ok || !ended:
		t.Fatalf("%s has no table of variables", file)
	case has == table.String():
	case *updateDocs:
		if err := os.WriteFile(file, []byte(before+begin+table.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the table of variables in %s is stale: go test ./cmd/bot -run Operating -update-docs", file)
	}
}

// What the manifests set, the program knows.
func TestDeploySetsKnownVariables(t *testing.T) {
	known := map[string]bool{}
	for _, v := range variables() {
		known[v.name], known[v.name+"_FILE"] = true, true
	}
	for _, name := range []string{"base/settings.yaml", "base/deployment.yaml", "overlays/sqlite/deployment.yaml", "overlays/postgres/deployment.yaml"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "deploy", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range strings.Lines(string(data)) {
			line = strings.TrimPrefix(strings.TrimSpace(line), "- name: ")
			name, _, _ := strings.Cut(line, ":")
			if name == "" || strings.ToUpper(name) != name || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
				continue
			}
			if found++; !known[name] {
				t.Errorf("deploy sets %s, which bot serve does not know", name)
			}
		}
		if found == 0 {
			t.Errorf("no variable found in deploy/%s", name)
		}
	}
}
