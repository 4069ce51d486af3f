package sealward_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sealward/sealward/internal/leak"
)

// synthetic are the places where something that looks like a secret may stand, and
// why. Whatever has an issuer, such as a GitHub token, may stand nowhere.
var synthetic = map[string]string{
	"internal/leak":                 "the leak engine's own patterns and cases",
	"internal/review/rule/testdata": "the rules' cases",
	"tools/bench/leaks":             "the layouts that the leak engine's benchmark plants secrets into",
	"testdata/demo/head":            "the accidents of the demo: a password made of words, a PEM header around prose",
}

// No file may hold what looks like a live credential: scanners, GitHub's push
// protection among them, would be right to stop it.
func TestNoLiveLookingTokenInTheTree(t *testing.T) {
	scanned := 0
	walk(t, func(name string) {
		data, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		if len(data) > 4<<20 || !utf8.Valid(data) {
			return
		}
		scanned++
		for _, m := range leak.Text(name, data) {
			excused := slices.ContainsFunc(slices.Collect(maps.Keys(synthetic)), func(p string) bool { return below(name, p) })
			if m.Severity < leak.Error || excused && m.Issuer == "" {
				continue
			}
			line := 1 + strings.Count(string(data[:m.Start]), "\n")
			t.Errorf("%s:%d: looks like %s (%s); build it from parts at test time", name, line, m.What, m.Rule)
		}
	})
	if scanned < 50 {
		t.Errorf("only %d files were scanned", scanned)
	}
}

func TestNoPathOfTheMachineInTheTree(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	machine := []string{moduleCache()}
	if parent := filepath.Dir(here) + "/"; len(parent) > len("/home/") || strings.Count(parent, "/") > 2 {
		machine = append(machine, parent)
	}
	walk(t, func(name string) {
		data, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range machine {
			if i := strings.Index(string(data), m); i >= 0 {
				t.Errorf("%s:%d: %s is a path of this machine", name, 1+strings.Count(string(data[:i]), "\n"), m)
			}
		}
	})
}
