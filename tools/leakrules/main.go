// Command leakrules turns gitleaks' rule set (MIT) into the compact pattern file
// that internal/leak embeds. It is a module of its own so that neither gitleaks
// nor a TOML reader reaches the product's go.mod.
//
//	go run . -o ../../internal/leak/patterns
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// source is the module that the rules are taken from; go.mod holds its version.
const source = "github.com/zricethezav/gitleaks/v8"

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("leakrules", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("o", "../../internal/leak/patterns", "directory to write to")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := generate(*out, stdout); err != nil {
		fmt.Fprintln(stderr, "leakrules:", err)
		return 1
	}
	return 0
}

func generate(out string, log io.Writer) error {
	dir, version, err := moduleDir()
	if err != nil {
		return err
	}
	rules, err := readRules(filepath.Join(dir, "config", "gitleaks.toml"))
	if err != nil {
		return err
	}
	patterns, left := convert(rules)
	if err := writePatterns(filepath.Join(out, "gitleaks.json"), version, patterns); err != nil {
		return err
	}
	notice, err := os.ReadFile(filepath.Join(dir, "LICENSE"))
	if err != nil {
		return err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("ask go for its root: %w", err)
	}
	table, err := countLetters(filepath.Join(strings.TrimSpace(string(root)), "src"))
	if err != nil {
		return err
	}
	if err := table.write(filepath.Join(out, "letters.txt")); err != nil {
		return err
	}
	fmt.Fprintf(log, "%d rules read, %d patterns written, left out: %s\n", len(rules), len(patterns), strings.Join(left, ", "))
	return os.WriteFile(filepath.Join(out, "LICENSE.gitleaks"), notice, 0o644)
}

// moduleDir asks the go command where the module lies and which version it is.
func moduleDir() (dir, version string, err error) {
	listed, err := exec.Command("go", "list", "-m", "-json", source).Output()
	if err != nil {
		return "", "", fmt.Errorf("list %s: %w; run go mod download first", source, err)
	}
	var module struct{ Dir, Version string }
	if err := json.Unmarshal(listed, &module); err != nil {
		return "", "", fmt.Errorf("read what go list says: %w", err)
	}
	if module.Dir == "" {
		return "", "", fmt.Errorf("%s is not in the module cache; run go mod download first", source)
	}
	return module.Dir, module.Version, nil
}

// writePatterns writes one pattern a line, so that a change of the rules reads well in a diff.
func writePatterns(name, version string, patterns []pattern) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\"source\": %q,\n\"patterns\": [\n", source+" "+version+" (MIT, see LICENSE.gitleaks), by tools/leakrules")
	for i, p := range patterns {
		var line bytes.Buffer
		encoder := json.NewEncoder(&line)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(p); err != nil {
			return fmt.Errorf("write pattern %s: %w", p.ID, err)
		}
		b.Write(bytes.TrimSpace(line.Bytes()))
		if i < len(patterns)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("]}\n")
	return os.WriteFile(name, b.Bytes(), 0o644)
}
