package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// fill finds the programs, and whatever else no flag says.
func (s *settings) fill() error {
	switch s.store {
	case "sqlite":
		if s.replicas > 1 {
			return errors.New("one process owns a SQLite file: -replicas needs -store postgres")
		}
		s.replicas = 1
	case "postgres":
		if s.dsn == "" {
			return errors.New("-store postgres needs -dsn, an empty database: tools/soak/postgres start prints one")
		}
		if s.replicas == 0 {
			s.replicas = 3
		}
	default:
		return fmt.Errorf("unknown -store %q: sqlite or postgres", s.store)
	}
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "sealward-soak")
		if err != nil {
			return err
		}
		s.dir = dir
	}
	var err error
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return err
	}
	if s.sops, err = findSOPS(s.sops); err != nil {
		return err
	}
	if s.bot == "" {
		s.bot, err = build(s.dir)
	} else {
		s.bot, err = filepath.Abs(s.bot)
	}
	return err
}

func findSOPS(given string) (string, error) {
	home, _ := os.UserHomeDir()
	for _, p := range []string{given, os.Getenv("SOPS"), "sops", filepath.Join(home, "go", "bin", "sops")} {
		if p == "" {
			continue
		}
		if path, err := exec.LookPath(p); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no sops program: go install github.com/getsops/sops/v3/cmd/sops@v3.13.3, or name it by -sops")
}

// build builds the bot from the tree that this module stands in.
func build(dir string) (string, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/sealward/sealward").Output()
	if err != nil {
		return "", fmt.Errorf("find the product's module: %w; run this with go -C tools/soak, or give -bot", err)
	}
	bot := filepath.Join(dir, "bot")
	cmd := exec.Command("go", "build", "-o", bot, "./cmd/bot")
	cmd.Dir = strings.TrimSpace(string(root))
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the bot: %w\n%s", err, out)
	}
	return bot, nil
}
