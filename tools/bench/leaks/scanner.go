package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// place is a line of a file.
type place struct {
	file string
	line int
}

// cost is what a run took.
type cost struct {
	wall, user, system time.Duration
	rss                int64 // peak, in bytes
}

func (c cost) cpu() time.Duration { return c.user + c.system }

// scanner is a program that finds secrets in a tree.
type scanner struct {
	name    string
	version string
	command func(tree, report string) *exec.Cmd
	parse   func(tree, report string, stdout []byte) ([]place, error)
	fails   []int // exit codes that say what was found, and no failure
	rounds  int   // how often its speed is measured at most; 0 is as often as the others'
}

// findScanners returns ours, the engine and the program where one is named, and the
// peers that are installed.
func findScanners(program string) []scanner {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	all := []scanner{{
		name:    "sealward, the engine",
		command: func(tree, _ string) *exec.Cmd { return exec.Command(self, "scan", tree) },
		parse:   parseOurs,
	}}
	if program != "" {
		all = append(all, scanner{
			name: "sealward, `action review --all`",
			command: func(tree, report string) *exec.Cmd {
				return exec.Command(program, "review", "--all", "--format", "json", "--output", report, "--fail-on", "never", tree)
			},
			parse: parseReview,
			fails: []int{2}, // a file that is too large to be read
		})
	}
	for _, peer := range []string{"gitleaks", "betterleaks"} {
		rounds := 0
		if peer == "gitleaks" {
			rounds = 1 // it takes minutes
		}
		path, err := exec.LookPath(peer)
		if err != nil {
			continue
		}
		all = append(all, scanner{
			name:    peer,
			version: version(path),
			command: func(tree, report string) *exec.Cmd {
				return exec.Command(path, "dir", tree, "--no-banner", "-l", "error", "--report-format", "json", "--report-path", report, "--exit-code", "0")
			},
			parse:  parseReport,
			rounds: rounds,
		})
	}
	return all
}

// version asks the go command what a binary was built from: those of go install
// do not know themselves.
func version(path string) string {
	out, err := exec.Command("go", "version", "-m", path).Output()
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) >= 3 && (fields[0] == "mod" || fields[0] == "dep") && strings.HasSuffix(strings.TrimSuffix(fields[1], "/v8"), filepath.Base(path)) {
			return fields[2]
		}
	}
	return ""
}

// run scans a tree and says where secrets are and what it took.
func (s scanner) run(tree string) ([]place, cost, error) {
	dir, err := os.MkdirTemp("", "leaks-report")
	if err != nil {
		return nil, cost{}, err
	}
	defer os.RemoveAll(dir)
	report := filepath.Join(dir, "report.json")
	cmd := s.command(tree, report)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	if err := cmd.Run(); err != nil && !slices.Contains(s.fails, cmd.ProcessState.ExitCode()) {
		return nil, cost{}, fmt.Errorf("run %s: %w: %.200s", s.name, err, stderr.String())
	}
	took := cost{wall: time.Since(start), user: cmd.ProcessState.UserTime(), system: cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		took.rss = usage.Maxrss << 10
	}
	places, err := s.parse(tree, report, stdout.Bytes())
	return places, took, err
}

func parseOurs(_, _ string, stdout []byte) ([]place, error) {
	var out []place
	lines := bufio.NewScanner(bytes.NewReader(stdout))
	for lines.Scan() {
		fields := strings.Split(lines.Text(), "\t")
		line, err := strconv.Atoi(fields[1])
		if err != nil {
			return nil, err
		}
		out = append(out, place{filepath.ToSlash(fields[0]), line})
	}
	return out, lines.Err()
}

// parseReview reads the findings of the program's own JSON that are leaks.
func parseReview(_, report string, _ []byte) ([]place, error) {
	data, err := os.ReadFile(report)
	if err != nil {
		return nil, err
	}
	var found struct {
		Findings []struct {
			Rule, Path string
			Line       int
		}
	}
	if err := json.Unmarshal(data, &found); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	var out []place
	for _, f := range found.Findings {
		switch f.Rule {
		case "leaked-token", "private-key", "plaintext-secret", "tracked-dotenv", "inline-secret", "rendered-chart-key", "generator-literal":
			out = append(out, place{f.Path, f.Line})
		}
	}
	return out, nil
}

// parseReport reads the JSON that gitleaks and betterleaks write.
func parseReport(tree, report string, _ []byte) ([]place, error) {
	data, err := os.ReadFile(report)
	if err != nil {
		return nil, err
	}
	var found []struct {
		File      string
		StartLine int
	}
	if err := json.Unmarshal(data, &found); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	out := make([]place, len(found))
	for i, f := range found {
		rel, err := filepath.Rel(tree, f.File)
		if err != nil {
			return nil, err
		}
		out[i] = place{filepath.ToSlash(rel), f.StartLine}
	}
	return out, nil
}
