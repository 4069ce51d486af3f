package main

import (
	"context"
	"errors"
	"flag"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite what the tests generate")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"action": func() { os.Exit(run(context.Background(), os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// The scripts run the program as a program, on real repositories. They add to
// testscript's commands:
//
//	status N COMMAND...  runs it and wants exactly this exit status
//	token FILE           puts a synthetic credential where FILE says @TOKEN@
//	commit MESSAGE       commits all there is
//	sparse FILE BYTES    makes a file of that size, without writing it
//	name FILE QUOTED     renames FILE to a name in Go's quotes
//	bytes FILE QUOTED    writes a file from Go's quotes
func TestScripts(t *testing.T) {
	demo, err := filepath.Abs("../../testdata/demo")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("DEMO", demo)
			e.Setenv("ALONE", filepath.SplitList(e.Getenv("PATH"))[0]) // a PATH with the program and nothing else
			e.Setenv("HOME", filepath.Join(e.WorkDir, ".home"))
			for _, kv := range []string{"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com"} {
				name, value, _ := strings.Cut(kv, "=")
				e.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": statusCommand,
			"token":  tokenCommand,
			"commit": commitCommand,
			"sparse": sparseCommand,
			"name":   nameCommand,
			"bytes":  bytesCommand,
		},
	})
}

func statusCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s exited with %d, want %d", args[1], got, want)
	}
}

// syntheticToken has the form of a token of GitHub's, checksum included, and was
// never one. It is made here, so that no file of the tree holds it.
func syntheticToken() string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	body := "R7kQ2mXv9TzLw4Yb" + "N8sJd3HcF6pGa1"
	sum := make([]byte, 6)
	for crc, i := crc32.ChecksumIEEE([]byte(body)), 5; i >= 0; i-- {
		sum[i] = digits[crc%62]
		crc /= 62
	}
	return "ghp_" + body + string(sum)
}

func tokenCommand(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		old := ts.ReadFile(name)
		if !strings.Contains(old, "@TOKEN@") {
			ts.Fatalf("%s has no @TOKEN@", name)
		}
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(strings.ReplaceAll(old, "@TOKEN@", syntheticToken())), 0o644))
	}
}

func commitCommand(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(ts.Exec("git", "add", "-A"))
	ts.Check(ts.Exec("git", "commit", "-q", "-m", strings.Join(args, " ")))
}

func sparseCommand(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte("x"), 0o644))
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

func nameCommand(ts *testscript.TestScript, _ bool, args []string) {
	to, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(to)), 0o755))
	ts.Check(os.Rename(ts.MkAbs(args[0]), ts.MkAbs(to)))
}

func bytesCommand(ts *testscript.TestScript, _ bool, args []string) {
	data, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(data), 0o644))
}
