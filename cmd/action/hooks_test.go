package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/syntax"
)

// hooks reads hooks by their ids: the values of each entry by key.
func hooks(t *testing.T, name string) map[string]map[string]string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	file := syntax.Parse(name, data)
	if file.Broken != nil {
		t.Fatal(file.Broken)
	}
	byIndex := map[int]map[string]string{}
	for _, l := range file.Leaves {
		i := l.Path[0].Index
		if byIndex[i] == nil {
			byIndex[i] = map[string]string{}
		}
		byIndex[i][l.Path.Last()] = l.Value
	}
	out := map[string]map[string]string{}
	for _, h := range byIndex {
		if out[h["id"]] != nil {
			t.Errorf("%s stands twice", h["id"])
		}
		out[h["id"]] = h
	}
	return out
}

// accepts reports why the program refuses arguments, without running them.
func accepts(args []string) error {
	a := &app{getenv: func(string) string { return "" }, stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	cmd, rest, err := a.rootCommand().Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err
	}
	if only, err := cmd.Flags().GetStringSlice("only"); err == nil {
		if _, err := rulesOf(only); err != nil {
			return err
		}
	}
	return nil
}

// Each hook, in each of its languages, is a command that the program has.
func TestHooksAreCommands(t *testing.T) {
	all := hooks(t, "../../.pre-commit-hooks.yaml")
	for _, id := range []string{"sealward-review", "sealward-inventory", "sealward-wiring"} {
		for suffix, language := range map[string]string{"": "golang", "-docker": "docker_image", "-system": "system"} {
			h := all[id+suffix]
			if h == nil {
				t.Errorf("there is no hook %s", id+suffix)
				continue
			}
			delete(all, id+suffix)
			program, args, _ := strings.Cut(h["entry"], " ")
			want := "action"
			if language == "docker_image" {
				want = "ghcr.io/sealward/sealward:v1"
			}
			if program != want || h["language"] != language {
				t.Errorf("%s runs %q as %s, want %q as %s", h["id"], program, h["language"], want, language)
			}
			if err := accepts(strings.Fields(args)); err != nil {
				t.Errorf("%s: %v", h["id"], err)
			}
			if h["pass_filenames"] != "false" || h["name"] == "" {
				t.Errorf("%s: needs a name and pass_filenames: false: %v", h["id"], h)
			}
		}
	}
	for id := range all {
		t.Errorf("nobody knows the hook %s", id)
	}
}

func TestUnknownArgumentsAreNotAccepted(t *testing.T) {
	for _, args := range []string{"reviw", "review --stagd", "review --only flix", "inventory --chek", "review a b", "inventory a b"} {
		if accepts(strings.Fields(args)) == nil {
			t.Errorf("action %s is accepted", args)
		}
	}
}

// What init writes names only hooks that there are.
func TestStarterNamesHooksThatExist(t *testing.T) {
	all := hooks(t, "../../.pre-commit-hooks.yaml")
	file := syntax.Parse(preCommitFile, []byte("repos:\n"+starterHooks(true)))
	if file.Broken != nil {
		t.Fatal(file.Broken)
	}
	n := 0
	for _, l := range file.Leaves {
		if l.Path.Last() == "id" {
			n++
			if all[l.Value] == nil {
				t.Errorf("there is no hook %s", l.Value)
			}
		}
	}
	if n != 3 {
		t.Errorf("%d hooks, want 3", n)
	}
}
