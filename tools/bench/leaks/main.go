// Command leaks measures internal/leak beside gitleaks and betterleaks: speed and
// memory over a tree of source, recall and precision over a labelled set of
// configuration files that it makes itself from a fixed seed.
//
//	go run . -tree DIR -o ../../../docs/benchmarks-leaks.md
//
// Peers are looked up in PATH; one that is absent is left out of the tables.
// Each scanner is a process of its own, so that CPU time and memory are the
// whole program's.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) == 2 && args[0] == "scan" { // ours, as a process of its own
		if err := scanTree(args[1], stdout); err != nil {
			fmt.Fprintln(stderr, "leaks:", err)
			return 2
		}
		return 0
	}
	flags := flag.NewFlagSet("leaks", flag.ContinueOnError)
	flags.SetOutput(stderr)
	tree := flags.String("tree", "", "tree of source to measure speed on; none leaves that table out")
	about := flags.String("about", "", "what the tree is, for the report")
	program := flags.String("program", "", "the action's binary (go build ./cmd/action), to measure the whole program too")
	runs := flags.Int("runs", 5, "how often speed is measured; gitleaks once")
	out := flags.String("o", "", "Markdown file to write; none prints to standard output")
	keep := flags.String("keep", "", "directory to write the labelled set to and keep it")
	show := flags.Bool("misses", false, "list what ours misses and flags wrongly, by file and line")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	report, err := measure(options{*tree, *about, *program, *keep, max(1, *runs), *show}, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "leaks:", err)
		return 1
	}
	if *out == "" {
		_, err = io.WriteString(stdout, report)
	} else {
		err = os.WriteFile(*out, []byte(report), 0o644)
	}
	if err != nil {
		fmt.Fprintln(stderr, "leaks:", err)
		return 1
	}
	return 0
}

// options are what the flags say.
type options struct {
	tree, about, program, keep string
	runs                       int
	show                       bool
}

// measure runs all that was asked for and returns the report.
func measure(opt options, log io.Writer) (string, error) {
	scanners := findScanners(opt.program)
	dir := opt.keep
	if dir == "" {
		made, err := os.MkdirTemp("", "leaks")
		if err != nil {
			return "", err
		}
		defer os.RemoveAll(made)
		dir = made
	}
	set, err := writeSet(filepath.Join(dir, "set"))
	if err != nil {
		return "", err
	}
	quality, err := measureQuality(scanners, set, opt.show, log)
	if err != nil {
		return "", err
	}
	if opt.tree == "" {
		return quality, nil
	}
	speed, err := measureSpeed(scanners, opt.tree, opt.about, opt.runs, log)
	if err != nil {
		return "", err
	}
	return title + speed + "\n" + quality, nil
}

const title = `# Finding leaks: benchmarks

Made by this command, with any tree of source; run it again after a change of ` + "`internal/leak`" + `:

    go build -o /tmp/action ./cmd/action
    cd tools/bench/leaks && go run . -tree DIR -about "what DIR is" -program /tmp/action -o ../../../docs/benchmarks-leaks.md

It measures the engine alone, read from disk in parallel as the table's peers do, and the whole program: it walks, parses YAML, JSON and
env files, and runs every rule besides. Scanners run one after the other, round by round; the medians are told.
gitleaks and betterleaks are those of PATH (` + "`go install github.com/zricethezav/gitleaks/v8@v8.30.1`" + ` and betterleaks likewise).

`
