package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/review/report"
)

// action runs the program in-process, at the root of the repository.
func action(t *testing.T, env map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, func(name string) string { return env[name] }, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func demoArgs(more ...string) []string {
	return append([]string{"review", "--base", "testdata/demo/base", "testdata/demo/head"}, more...)
}

// The demo's accidents, each of them found.
func TestDemo(t *testing.T) {
	t.Chdir("../..")
	code, out, errs := action(t, nil, demoArgs()...)
	if code != exitFindings {
		t.Errorf("exit %d, stderr %s", code, errs)
	}
	for _, want := range []string{
		"apps/shop/overlays/staging/db-hotfix.yaml:8:13: error: ",
		"[plaintext-secret]", "[key-drift]", "[missing-recipient]", "[tracked-dotenv]", "[removed-not-rotated]",
		"[stale-recipient]", "[hand-edited]", "[duplicate-key]", "[private-key]", "[silenced-review]",
		"    why  ", "    fix  ", "scanned ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestDemoBaseIsHealthy(t *testing.T) {
	t.Chdir("../..")
	code, out, errs := action(t, nil, "review", "--all", "testdata/demo/base")
	if code != exitClean || !strings.HasPrefix(out, "no findings\nscanned ") || strings.Contains(errs, "error") {
		t.Errorf("exit %d:\n%s%s", code, out, errs)
	}
}

// demoSecrets are the values that stand in clear in the demo's head.
func demoSecrets(t *testing.T) []string {
	t.Helper()
	var out []string
	for name, pattern := range map[string]string{
		"apps/shop/overlays/staging/db-hotfix.yaml": `password: (\S+)`,
		"apps/billing/.env.prod":                    `PSP_PASSWORD=(\S+)`,
		"infrastructure/ingress/tls.key":            `(?m)^([A-Za-z0-9+/]{40,})$`,
	} {
		data, err := os.ReadFile(filepath.Join("testdata/demo/head", name))
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(pattern).FindAllStringSubmatch(string(data), -1)
		if found == nil {
			t.Fatalf("%s: no value found", name)
		}
		for _, m := range found {
			out = append(out, m[1])
		}
	}
	return out
}

// No output holds a secret, in any of the shapes that it could be carried out in.
func TestNoSecretLeavesTheProgram(t *testing.T) {
	t.Chdir("../..")
	secrets := demoSecrets(t)
	dir := t.TempDir()
	var all strings.Builder
	for _, format := range report.Formats() {
		file := filepath.Join(dir, format)
		summary := filepath.Join(dir, "summary")
		_, out, errs := action(t, map[string]string{"GITHUB_STEP_SUMMARY": summary}, demoArgs("--format", format)...)
		all.WriteString(out + errs)
		_, out, errs = action(t, nil, demoArgs("--format", format, "--output", file)...)
		all.WriteString(out + errs)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	if summary, err := os.ReadFile(filepath.Join(dir, "summary")); err != nil || len(summary) == 0 {
		t.Errorf("no job summary: %v", err)
	} else {
		all.Write(summary)
	}
	_, out, errs := action(t, nil, demoArgs("--explain", "apps/billing/.env.prod")...)
	all.WriteString(out + errs)
	for _, s := range secrets {
		for shape, carried := range map[string]string{
			"raw": s, "base64": base64.StdEncoding.EncodeToString([]byte(s)), "hex": hex.EncodeToString([]byte(s)), "URL": url.QueryEscape(s),
		} {
			if strings.Contains(all.String(), strings.TrimRight(carried, "=")) {
				t.Errorf("a secret of %d bytes is in the output (%s)", len(s), shape)
			}
		}
	}
}

// The picture in the README is what the program prints.
func TestReadmePicture(t *testing.T) {
	t.Chdir("../..")
	_, out, _ := action(t, map[string]string{"COLUMNS": "110"}, demoArgs()...)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "-run Readme -update -->\n", "<!-- /demo -->"
	before, rest, ok1 := strings.Cut(string(readme), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("README.md has no place for the demo's output")
	}
	want := before + begin + "\n```text\n" + picture(out) + "```\n\n" + end + after
	if want == string(readme) {
		return
	}
	if !*update {
		t.Fatal("the output in README.md is stale; run: go test ./cmd/action -run Readme -update")
	}
	if err := os.WriteFile("README.md", []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// picture cuts a report to its first findings and its last lines.
func picture(out string) string {
	const shown = 4
	blocks := strings.Split(strings.TrimSuffix(out, "\n"), "\n\n")
	last := len(blocks) - 1
	var b strings.Builder
	for i, block := range blocks[:min(shown, last)] {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(block + "\n")
	}
	if last > shown {
		b.WriteString("\n…\n")
	}
	b.WriteString("\n" + blocks[last] + "\n")
	return b.String()
}
