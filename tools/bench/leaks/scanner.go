package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	wall, cpu time.Duration
	rss       int64 // peak, in bytes
}

// scanner is a program that finds secrets in a tree.
type scanner struct {
	name    string
	version string
	command func(tree, report string) *exec.Cmd
	parse   func(tree, report string, stdout []byte) ([]place, error)
}

// findScanners returns ours and the peers that are installed.
func findScanners() []scanner {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	all := []scanner{{
		name:    "sealward",
		command: func(tree, _ string) *exec.Cmd { return exec.Command(self, "scan", tree) },
		parse:   parseOurs,
	}}
	for _, peer := range []string{"gitleaks", "betterleaks"} {
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
			parse: parseReport,
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
	if err := cmd.Run(); err != nil {
		return nil, cost{}, fmt.Errorf("run %s: %w: %.200s", s.name, err, stderr.String())
	}
	took := cost{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
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
