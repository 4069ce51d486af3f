package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/bot"
	"github.com/sealward/sealward/internal/github"
)

// variable is one setting of the server. Each has a twin NAME_FILE, which names a file
// that holds the value.
type variable struct {
	name, fallback, what string
	secret               bool
}

// variables are all settings, in the order of the manual.
func variables() []variable {
	return []variable{
		{"APP_ID", "", "the App's number, from its settings page; without it `/setup` makes an App", false},
		{"PRIVATE_KEY", "", "the App's private key: PEM, or PEM in base64", true},
		{"PRIVATE_KEY_PATH", "", "the file of it, the same as `PRIVATE_KEY_FILE`", false},
		{"WEBHOOK_SECRET", "", "the webhook's secret; several, separated by commas, while one is replaced", true},
		{"WEBHOOK_PATH", "/api/github/webhooks", "where deliveries come in", false},
		{"WEBHOOK_PROXY_URL", "", "not taken: forward deliveries with a program of their own", false},
		{"HOST", "127.0.0.1", "the address of the public listener; `0.0.0.0` is all", false},
		{"PORT", "3000", "its port", false},
		{"PUBLIC_URL", "", "what the public listener is called from outside, for `/setup`; else what the browser calls it", false},
		{"ADMIN_ADDRESS", "`HOST`:9090", "host:port of the private listener: page, metrics, health", false},
		{"ADMIN_TOKEN", "", "asked for by the operator's page, 16 characters at least; without one there is a page on loopback alone", true},
		{"LOG_LEVEL", "info", "`debug`, `info`, `warn` or `error`", false},
		{"LOG_FORMAT", "text", "`text` or `json`", false},
		{"DATABASE_URL", "SQLite in the state directory", "`sqlite:///var/lib/sealward/bot.db` or `postgres://user:password@host/name`", true},
		{"GITHUB_API_URL", "https://api.github.com", "`https://HOST/api/v3` of an Enterprise Server", false},
		{"APP_FILE", "app.json in the state directory", "where `/setup` leaves the App's secrets, and the next start reads them", false},
		{"SEALWARD_RETIRE_AFTER", "1h", "how long after a merge the old key stays in the keyring, at least", false},
		{"SEALWARD_KEYRING", "", "the keyring's address for every repository, with `{owner}`, `{repo}` and `{env}`", false},
		{"SEALWARD_KEYRINGS", "", "which keyrings `.sealward.yaml` may name, see below", false},
		{"SEALWARD_KEYS_DIR", "`~/.config/sealward/keys`", "below it, in `OWNER/REPO/`, are the keyrings of each repository that needs no address", false},
	}
}

// settings are what the environment says, checked.
type settings struct {
	app         appSecrets // ID is 0 where an App is still to be made
	webhookPath string
	public      string // host:port
	private     string
	publicURL   string
	adminToken  string
	level       slog.Level
	json        bool
	database    string
	api         string
	appFile     string
	retireAfter time.Duration
	rings       serverRings
}

// lookup reads variables, and gathers what is wrong with them: all of it is told at once,
// and no value of a secret.
type lookup struct {
	getenv func(string) string
	errs   []error
}

func (l *lookup) bad(format string, args ...any) {
	l.errs = append(l.errs, fmt.Errorf(format, args...))
}

// maxSetting bounds a file that holds a value.
const maxSetting = 1 << 20

// get returns a variable's value, its own or its file's; "" where there is none.
func (l *lookup) get(name string) string {
	value, file := l.getenv(name), l.getenv(name+"_FILE")
	switch {
	case value != "" && file != "":
		l.bad("%s and %s_FILE are both set: unset one of them", name, name)
	case file != "":
		return l.read(name+"_FILE", file)
	}
	return strings.TrimSpace(value)
}

// read reads a file that a variable names. An empty one is an error: it was meant to be
// something.
func (l *lookup) read(name, file string) string {
	f, err := os.Open(file)
	if err != nil {
		l.bad("%s: %w", name, err)
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSetting+1))
	text := strings.TrimSpace(string(data))
	switch {
	case err != nil:
		l.bad("%s: %w", name, err)
	case len(data) > maxSetting:
		l.bad("%s: %s has more than %d bytes: is it the right file?", name, file, maxSetting)
	case text == "":
		l.bad("%s: %s is empty: put the value into it", name, file)
	}
	return text
}

// or returns a variable's value, or what holds without one.
func (l *lookup) or(name, fallback string) string {
	if v := l.get(name); v != "" {
		return v
	}
	return fallback
}

// readSettings reads everything that serve needs.
func readSettings(getenv func(string) string) (settings, error) {
	l := &lookup{getenv: getenv}
	s := settings{database: l.database(), level: l.level(), json: l.one("LOG_FORMAT", "text", "text", "json") == "json"}
	s.appFile = l.or("APP_FILE", l.inState("app.json"))
	l.listeners(&s)
	s.retireAfter = l.duration("SEALWARD_RETIRE_AFTER", bot.RetireAfter)
	l.keyrings(&s)
	s.api = l.api()
	l.app(&s)
	if l.get("WEBHOOK_PROXY_URL") != "" {
		l.bad("WEBHOOK_PROXY_URL is not taken: unset it, and forward deliveries with a program of their own, such as: gh webhook forward, or smee --target http://%s%s", s.public, s.webhookPath)
	}
	return s, errors.Join(l.errs...)
}

// one returns a variable's value out of a few.
func (l *lookup) one(name, fallback string, valid ...string) string {
	v := strings.ToLower(l.or(name, fallback))
	for _, ok := range valid {
		if v == ok {
			return v
		}
	}
	l.bad("%s is %q: valid are %s", name, v, strings.Join(valid, ", "))
	return fallback
}

func (l *lookup) duration(name string, fallback time.Duration) time.Duration {
	v := l.get(name)
	if v == "" {
		return fallback
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 || d > 30*24*time.Hour {
		l.bad("%s is %q: want a time such as 90m or 24h, 720h at most", name, v)
		return fallback
	}
	return d
}

func (l *lookup) level() slog.Level {
	return map[string]slog.Level{"trace": slog.LevelDebug, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}[l.one("LOG_LEVEL", "info", "trace", "debug", "info", "warn", "error")]
}

// database is where the bot's memory is.
func (l *lookup) database() string {
	if v := l.get("DATABASE_URL"); v != "" {
		return v
	}
	path := l.inState("bot.db")
	if path == "" {
		l.bad("DATABASE_URL is not set, and neither $XDG_STATE_HOME nor $HOME says where a file could be: set it, as sqlite:///var/lib/sealward/bot.db")
		return ""
	}
	return "sqlite://" + (&url.URL{Path: path}).EscapedPath()
}

// inState is a file in the state directory, "" where there is none.
func (l *lookup) inState(name string) string {
	if dir := l.getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "sealward", name)
	}
	if home := l.getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "sealward", name)
	}
	return ""
}

func (l *lookup) listeners(s *settings) {
	host, port := l.or("HOST", "127.0.0.1"), l.or("PORT", "3000")
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		l.bad("PORT is %q: want a number up to 65535", port)
	}
	if strings.ContainsAny(host, "/ ") || strings.Contains(host, "://") {
		l.bad("HOST is %q: want an address to listen at, such as 0.0.0.0, and no URL", host)
	}
	s.public = net.JoinHostPort(host, port)
	s.private = l.or("ADMIN_ADDRESS", net.JoinHostPort(host, "9090"))
	if _, port, err := net.SplitHostPort(s.private); err != nil || port == "" {
		l.bad("ADMIN_ADDRESS is %q: want host:port, such as 127.0.0.1:9090", s.private)
	}
	if s.private == s.public && port != "0" {
		l.bad("ADMIN_ADDRESS is the same as HOST and PORT: the operator's page needs a listener of its own")
	}
	s.webhookPath = l.or("WEBHOOK_PATH", "/api/github/webhooks")
	if u, err := url.Parse(s.webhookPath); err != nil || u.Path != s.webhookPath || !strings.HasPrefix(s.webhookPath, "/") || len(s.webhookPath) < 2 ||
		strings.ContainsAny(s.webhookPath, "{} ") || strings.HasPrefix(s.webhookPath, "/setup") {
		l.bad("WEBHOOK_PATH is %q: want a path such as /api/github/webhooks, and not /setup", s.webhookPath)
	}
	s.publicURL = strings.TrimSuffix(l.get("PUBLIC_URL"), "/")
	if u, err := url.Parse(s.publicURL); s.publicURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.User != nil) {
		l.bad("PUBLIC_URL is no URL: want https://HOST")
	}
	if s.adminToken = l.get("ADMIN_TOKEN"); s.adminToken != "" && len(s.adminToken) < 16 {
		l.bad("ADMIN_TOKEN has fewer than 16 characters: make one with openssl rand -hex 32")
	}
}

func (l *lookup) keyrings(s *settings) {
	s.rings = serverRings{getenv: l.getenv, template: l.get("SEALWARD_KEYRING")}
	if s.rings.template != "" {
		if _, err := checkTemplate(s.rings.template); err != nil {
			l.bad("SEALWARD_KEYRING: %w", err)
		}
	}
	var err error
	if s.rings.allowed, err = parseAllowed(l.get("SEALWARD_KEYRINGS")); err != nil {
		l.bad("SEALWARD_KEYRINGS: %w", err)
	}
	s.rings.dir = l.get("SEALWARD_KEYS_DIR")
	if s.rings.dir != "" && !filepath.IsAbs(s.rings.dir) {
		l.bad("SEALWARD_KEYS_DIR is %q: want an absolute path", s.rings.dir)
	}
	if s.rings.dir == "" {
		dir, home := l.getenv("XDG_CONFIG_HOME"), l.getenv("HOME")
		if !filepath.IsAbs(dir) && filepath.IsAbs(home) {
			dir = filepath.Join(home, ".config")
		}
		if filepath.IsAbs(dir) {
			s.rings.dir = filepath.Join(dir, "sealward", "keys")
		}
	}
	if s.rings.dir != "" {
		s.rings.dir = filepath.Clean(s.rings.dir)
	}
}

func (l *lookup) api() string {
	raw := l.or("GITHUB_API_URL", "https://api.github.com")
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
		l.bad("GITHUB_API_URL is no address of an API: want https://api.github.com, or https://HOST/api/v3 of an Enterprise Server")
		return "https://api.github.com"
	}
	return strings.TrimSuffix(raw, "/")
}

// app reads the App's number and secrets: from the variables, or from what /setup left.
func (l *lookup) app(s *settings) {
	id, key, path, secret := l.get("APP_ID"), l.get("PRIVATE_KEY"), l.get("PRIVATE_KEY_PATH"), l.get("WEBHOOK_SECRET")
	if path != "" {
		if key != "" {
			l.bad("PRIVATE_KEY (or PRIVATE_KEY_FILE) and PRIVATE_KEY_PATH are both set: unset one of them")
		}
		key = l.read("PRIVATE_KEY_PATH", path)
	}
	if id == "" {
		if key != "" || secret != "" {
			l.bad("APP_ID is not set, and the App's private key or the webhook's secret is: set it to the number on the App's settings page (or unset the others, to make an App by /setup)")
			return
		}
		l.appFromFile(s)
		return
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		l.bad("APP_ID is no number: it is on the App's settings page as \"App ID\"")
	}
	s.app = appSecrets{ID: n, PrivateKey: pemOf(key)}
	if key == "" {
		l.bad("PRIVATE_KEY_PATH is not set: name the .pem file that GitHub made for the App (or set PRIVATE_KEY to what is in it)")
	} else if _, err := github.NewApp(1, []byte(s.app.PrivateKey), github.Options{}); err != nil {
		l.bad("PRIVATE_KEY: %w", err)
	}
	if secret == "" {
		l.bad("WEBHOOK_SECRET is not set: it is what the App's settings page has as the webhook's secret; an empty one would let everybody in")
		return
	}
	for part := range strings.SplitSeq(secret, ",") {
		if part = strings.TrimSpace(part); part == "" {
			l.bad("WEBHOOK_SECRET has an empty secret between its commas, which would let everybody in")
		}
		s.app.WebhookSecrets = append(s.app.WebhookSecrets, part)
	}
}

func (l *lookup) appFromFile(s *settings) {
	if s.appFile == "" {
		l.bad("APP_ID is not set, and there is nowhere to keep an App that /setup makes: set APP_ID, PRIVATE_KEY_PATH and WEBHOOK_SECRET, or APP_FILE")
		return
	}
	app, err := readAppFile(s.appFile)
	if err != nil {
		l.bad("APP_FILE: %w", err)
	}
	s.app = app
}

// pemOf reads a private key as variables have it: PEM, PEM with \n in it, or base64.
func pemOf(text string) string {
	if !strings.Contains(text, "-----BEGIN") {
		if data, err := base64.StdEncoding.DecodeString(text); err == nil {
			return string(data)
		}
	}
	if !strings.Contains(text, "\n") {
		return strings.ReplaceAll(text, `\n`, "\n")
	}
	return text
}
