package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sealward/sealward/internal/github"
)

// appSecrets are an App's number and secrets. Their only way out is the file of /setup.
type appSecrets struct {
	ID             int64    `json:"app_id"`
	PrivateKey     string   `json:"private_key"`
	WebhookSecrets []string `json:"webhook_secrets"`
}

// String hides the secrets.
func (a appSecrets) String() string { return fmt.Sprintf("App %d, secrets [redacted]", a.ID) }

// GoString hides the secrets.
func (a appSecrets) GoString() string { return a.String() }

// readAppFile reads what /setup left; the zero appSecrets where there is no such file yet.
func readAppFile(file string) (appSecrets, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return appSecrets{}, nil
	}
	if err != nil {
		return appSecrets{}, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxSetting || info.Mode().Perm()&0o077 != 0 {
		return appSecrets{}, fmt.Errorf("%s is no file of its owner's alone: chmod 600 it", file)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return appSecrets{}, err
	}
	var a appSecrets
	if json.Unmarshal(data, &a) != nil || a.ID <= 0 || a.PrivateKey == "" || len(a.WebhookSecrets) == 0 {
		return appSecrets{}, fmt.Errorf("%s is not what /setup writes: remove it to make an App again", file)
	}
	return a, nil
}

// writeAppFile writes the file whole, readable by its owner alone, and never over another.
func writeAppFile(file string, a appSecrets) error {
	data, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".app-*.tmp") // which is 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), file) // unlike a rename this replaces nothing
	}
	return errors.Join(err, os.Remove(f.Name()))
}

// setup is the App manifest flow, for whoever has the one-time token.
type setup struct {
	api, webhookPath, publicURL, file string
	log                               *slog.Logger
	opt                               github.Options
	token                             string

	mu     sync.Mutex
	states map[string]time.Time // of forms that were sent to GitHub, until when
	made   chan struct{}        // closed when the file is written
	done   bool
}

func newSetup(s settings, log *slog.Logger, opt github.Options) *setup {
	return &setup{
		api: s.api, webhookPath: s.webhookPath, publicURL: s.publicURL, file: s.appFile, log: log, opt: opt,
		token: rand.Text(), states: map[string]time.Time{}, made: make(chan struct{}),
	}
}

// The paths of the flow.
const (
	setupPath = "/setup"
	setupDone = "/setup/done"
	stateTime = time.Hour
	maxStates = 100
)

func (s *setup) register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+setupPath, s.form)
	mux.HandleFunc("GET "+setupDone, s.complete)
}

// orgName is what GitHub takes as an account's name.
var orgName = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,99})$`)

// form shows the button that takes the manifest to GitHub.
func (s *setup) form(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.URL.Query().Get("token")), []byte(s.token)) != 1 {
		s.render(w, http.StatusForbidden, setupView{Problem: "This page needs the one-time token that the bot printed when it started."})
		return
	}
	org := strings.TrimSpace(r.URL.Query().Get("org"))
	if org != "" && !orgName.MatchString(org) {
		s.render(w, http.StatusBadRequest, setupView{Token: s.token, Problem: "That is no organisation's name."})
		return
	}
	state, ok := s.newState()
	if !ok {
		s.render(w, http.StatusConflict, setupView{Problem: "The App is made already, or too many forms were opened: start the bot again."})
		return
	}
	web := webOf(s.api)
	to := web + "/settings/apps/new"
	if org != "" {
		to = web + "/organizations/" + url.PathEscape(org) + "/settings/apps/new"
	}
	manifest, err := json.Marshal(newManifest(s.base(r), s.webhookPath))
	if err != nil {
		http.Error(w, "the manifest could not be written", http.StatusInternalServerError)
		return
	}
	s.render(w, http.StatusOK, setupView{Token: s.token, Org: org, To: to + "?state=" + state, Manifest: string(manifest), Web: web})
}

func (s *setup) newState() (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for state, until := range s.states {
		if now.After(until) {
			delete(s.states, state)
		}
	}
	if s.done || len(s.states) >= maxStates {
		return "", false
	}
	state := rand.Text()
	s.states[state] = now.Add(stateTime)
	return state, true
}

// useState takes a state away; it was good if it was there.
func (s *setup) useState(state string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	until, ok := s.states[state]
	delete(s.states, state)
	return ok && !s.done && time.Now().Before(until)
}

// base is how the browser reaches the bot.
func (s *setup) base(r *http.Request) string {
	if s.publicURL != "" {
		return s.publicURL
	}
	scheme := "http"
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host}).String()
}

// complete takes the code that GitHub sent the browser back with.
func (s *setup) complete(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if !s.useState(q.Get("state")) {
		s.render(w, http.StatusForbidden, setupView{Problem: "This answer of GitHub's belongs to no form of this bot, or to one that was used. Begin again at /setup."})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
	defer cancel()
	m, err := github.CompleteManifest(ctx, q.Get("code"), s.opt)
	if err != nil {
		s.log.ErrorContext(ctx, "the App was not made", "error", err)
		s.render(w, http.StatusBadGateway, setupView{Problem: "GitHub did not give the App's secrets. The bot's log says why; begin again at /setup."})
		return
	}
	err = writeAppFile(s.file, appSecrets{ID: m.ID, PrivateKey: string(m.PrivateKey), WebhookSecrets: []string{m.WebhookSecret}})
	if err != nil {
		s.log.ErrorContext(ctx, "the App's secrets could not be kept", "app", m.ID, "error", err)
		s.render(w, http.StatusInternalServerError, setupView{Problem: "GitHub made the App, and its secrets could not be written here: delete the App on GitHub, mend what the bot's log says, and begin again."})
		return
	}
	s.mu.Lock()
	s.done = true
	s.mu.Unlock()
	s.log.InfoContext(ctx, "the App is made", "app", m.ID, "slug", m.Slug, "file", s.file)
	s.render(w, http.StatusOK, setupView{App: strconv.FormatInt(m.ID, 10), Install: webOf(s.api) + "/apps/" + url.PathEscape(m.Slug) + "/installations/new"})
	close(s.made)
}

// webOf is where people find what an API's address is of.
func webOf(api string) string {
	u, err := url.Parse(api)
	if err != nil {
		return "https://github.com"
	}
	return (&url.URL{Scheme: u.Scheme, Host: strings.TrimPrefix(u.Host, "api.")}).String()
}

// manifest is what GitHub makes the App of.
type manifest struct {
	Name        string            `json:"name"`
	URL         string            `json:"url"`
	Hook        manifestHook      `json:"hook_attributes"`
	Redirect    string            `json:"redirect_url"`
	Public      bool              `json:"public"`
	Permissions map[string]string `json:"default_permissions"`
	Events      []string          `json:"default_events"`
}

type manifestHook struct {
	URL    string `json:"url"`
	Active bool   `json:"active"`
}

func newManifest(base, webhookPath string) manifest {
	return manifest{
		Name: "sealward", URL: "https://github.com/sealward/sealward", Redirect: base + setupDone,
		Hook:        manifestHook{base + webhookPath, true},
		Permissions: map[string]string{"contents": "write", "pull_requests": "write", "issues": "write", "metadata": "read", "members": "read"},
		Events:      []string{"issue_comment", "pull_request", "push", "repository"},
	}
}

type setupView struct {
	Token, Org, To, Manifest, Web string
	App, Install                  string
	Problem                       string
}

func (s *setup) render(w http.ResponseWriter, status int, v setupView) {
	var b bytes.Buffer
	if err := setupPage.Execute(&b, v); err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	secure(h)
	form := "form-action 'self'"
	if v.Web != "" {
		form += " " + v.Web
	}
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; "+form+"; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

var setupPage = template.Must(template.New("setup").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Set up sealward</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}
button,input{font:inherit;padding:.4rem .8rem}.bad{color:#a40e26}
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}a{color:#79c0ff}.bad{color:#ff9492}}</style>
<main><h1>Set up sealward</h1>
{{with .Problem}}<p class="bad" role="alert">{{.}}</p>{{end}}
{{if .App}}<p>App {{.App}} is made, and its secrets are kept where the bot reads them at its next start. The bot ends now: start it again.</p>
<p>Then <a href="{{.Install}}">install the App</a> on the repositories whose keys it is to rotate.</p>
{{else if .To}}<p>GitHub will make a private App{{with .Org}} of {{.}}{{end}} that may write contents, issues and pull requests, and read members.</p>
<form action="{{.To}}" method="post"><input type="hidden" name="manifest" value="{{.Manifest}}"><button>Make the App on GitHub</button></form>
<form action="/setup" method="get"><p><input type="hidden" name="token" value="{{.Token}}">
<label>For an organisation: <input name="org" value="{{.Org}}" autocomplete="off"></label> <button>Choose</button></p></form>
{{end}}</main></html>
`))
