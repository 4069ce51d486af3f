package store

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// maxURL bounds what is parsed.
const maxURL = 8 << 10

// place is where a database is: a file, or a server.
type place struct {
	file string
	dsn  string
}

// errURL says what a DATABASE_URL looks like. The URL itself is in no error: it may hold a
// password.
var errURL = errors.New("want sqlite:///var/lib/sealward/bot.db, sqlite:bot.db or postgres://user:password@host:5432/name")

// parseURL reads a DATABASE_URL.
func parseURL(raw string) (place, error) {
	switch {
	case raw == "":
		return place{}, fmt.Errorf("DATABASE_URL is empty: %w", errURL)
	case len(raw) > maxURL:
		return place{}, fmt.Errorf("DATABASE_URL is longer than %d bytes: %w", maxURL, errURL)
	}
	scheme, rest, ok := strings.Cut(raw, ":")
	if !ok {
		return place{}, fmt.Errorf("DATABASE_URL has no scheme: %w", errURL)
	}
	switch strings.ToLower(scheme) {
	case "sqlite", "sqlite3":
		return sqlitePlace(rest)
	case "postgres", "postgresql":
		return postgresPlace(raw)
	}
	return place{}, fmt.Errorf("DATABASE_URL has a scheme that is neither sqlite nor postgres: %w", errURL)
}

// sqlitePlace reads what stands after "sqlite:": a path, or // and an absolute one.
func sqlitePlace(rest string) (place, error) {
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		if !strings.HasPrefix(after, "/") {
			return place{}, fmt.Errorf("DATABASE_URL names a host for sqlite, use three slashes before an absolute path: %w", errURL)
		}
		rest = after
	}
	if strings.ContainsAny(rest, "?#") {
		return place{}, fmt.Errorf("DATABASE_URL has options after sqlite's path, and none are taken (write %%3F or %%23 for the characters): %w", errURL)
	}
	path, err := url.PathUnescape(rest)
	if err != nil {
		return place{}, fmt.Errorf("DATABASE_URL has a %% that escapes nothing (write %%25): %w", errURL)
	}
	switch {
	case strings.IndexByte(path, 0) >= 0:
		return place{}, fmt.Errorf("DATABASE_URL has a zero byte: %w", errURL)
	case path == "", strings.HasSuffix(path, "/"):
		return place{}, fmt.Errorf("DATABASE_URL names no file: %w", errURL)
	case path == ":memory:":
		return place{}, fmt.Errorf("DATABASE_URL names sqlite's memory, which would forget every job: %w", errURL)
	}
	return place{file: filepath.Clean(path)}, nil
}

// postgresPlace checks a server's URL, as far as it can be without the driver.
func postgresPlace(raw string) (place, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Opaque != "" || !strings.HasPrefix(raw[len(u.Scheme):], "://") {
		return place{}, fmt.Errorf("DATABASE_URL is not a URL (a special character of a password is written as %%XX): %w", errURL)
	}
	return place{dsn: raw}, nil
}
