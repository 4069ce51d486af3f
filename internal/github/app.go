package github

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/bradleyfalzon/ghinstallation/v2"
	gh "github.com/google/go-github/v62/github"
)

// App signs in as a GitHub App. It is safe for concurrent use.
type App struct {
	opt   Options
	base  *url.URL
	plain *retrier
	jwt   *ghinstallation.AppsTransport
	api   *gh.Client

	mu      sync.Mutex
	slug    string
	clients map[clientKey]*Client
}

type clientKey struct {
	installation int64
	repo         string
	permissions  Permissions
}

// NewApp returns the App of that number. The key is the PEM file that GitHub made.
// No part of the key is in any error.
func NewApp(id int64, privateKey []byte, opt Options) (*App, error) {
	opt = opt.filled()
	base, err := opt.base()
	if err != nil {
		return nil, err
	}
	if id <= 0 {
		return nil, errors.New("the App's number must be positive: it is on the App's settings page as \"App ID\"")
	}
	key, err := parseKey(privateKey)
	if err != nil {
		return nil, err
	}
	plain := newRetrier(opt)
	jwt := ghinstallation.NewAppsTransportFromPrivateKey(plain, id, key)
	jwt.BaseURL = strings.TrimSuffix(base.String(), "/")
	api := gh.NewClient(&http.Client{Transport: &hostOnly{jwt, base.Host}})
	api.BaseURL = base
	return &App{opt: opt, base: base, plain: plain, jwt: jwt, api: api, clients: map[clientKey]*Client{}}, nil
}

func parseKey(data []byte) (*rsa.PrivateKey, error) {
	bad := errors.New("the App's private key is no RSA key in PEM: give the .pem file that GitHub made, whole")
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, bad
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, bad
	}
	if rsaKey, ok := key.(*rsa.PrivateKey); ok {
		return rsaKey, nil
	}
	return nil, bad
}

// hostOnly keeps credentials from any host but the API's.
type hostOnly struct {
	next http.RoundTripper
	host string
}

// RoundTrip sends a request to the API.
func (h *hostOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != h.host {
		return nil, fmt.Errorf("the API of %s sent us to another host", h.host)
	}
	return h.next.RoundTrip(req.Clone(req.Context()))
}

// Login is the App's account, as the author of what it writes: "slug[bot]".
func (a *App) Login(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.slug == "" {
		app, _, err := a.api.Apps.Get(named(ctx, "apps/get-authenticated"), "")
		if err != nil {
			return "", apiError("apps/get-authenticated", err)
		}
		a.slug = app.GetSlug()
	}
	return a.slug + "[bot]", nil
}

// Installation is where the App is installed.
type Installation struct {
	ID        int64
	Account   string // the organisation or person
	Suspended bool
}

func newInstallation(i *gh.Installation) Installation {
	return Installation{i.GetID(), i.GetAccount().GetLogin(), !i.GetSuspendedAt().IsZero()}
}

// Installations lists all installations.
func (a *App) Installations(ctx context.Context) ([]Installation, error) {
	const op = "apps/list-installations"
	var list []Installation
	opt := &gh.ListOptions{PerPage: 100}
	for {
		page, resp, err := a.api.Apps.ListInstallations(named(ctx, op), opt)
		if err != nil {
			return nil, apiError(op, err)
		}
		for _, i := range page {
			list = append(list, newInstallation(i))
		}
		if resp.NextPage == 0 {
			return list, nil
		}
		opt.Page = resp.NextPage
	}
}

// InstallationOf returns the installation that covers a repository; ErrNotFound if none does.
func (a *App) InstallationOf(ctx context.Context, repository string) (Installation, error) {
	n, err := ParseName(repository)
	if err != nil {
		return Installation{}, err
	}
	const op = "apps/get-repo-installation"
	i, _, err := a.api.Apps.FindRepositoryInstallation(named(ctx, op), n.Owner, n.Repo)
	if err != nil {
		return Installation{}, apiError(op, err)
	}
	return newInstallation(i), nil
}

// Level is how far a permission goes; "" is none.
type Level string

// The levels.
const (
	Read  Level = "read"
	Write Level = "write"
)

// Permissions narrow a token. Reading a repository's settings is always in.
type Permissions struct {
	Contents, Issues, PullRequests, Members, Checks Level
}

func (p Permissions) github() *gh.InstallationPermissions {
	level := func(l Level) *string {
		if l == "" {
			return nil
		}
		return gh.String(string(l))
	}
	return &gh.InstallationPermissions{
		Metadata: gh.String("read"), Contents: level(p.Contents), Issues: level(p.Issues), PullRequests: level(p.PullRequests),
		Members: level(p.Members), Checks: level(p.Checks),
	}
}

// Client returns a client for one repository of an installation, whose tokens can
// do what permissions say and no more. It is kept, with its token, for the next
// who asks for the same. repository "" means all that the installation covers.
func (a *App) Client(ctx context.Context, installation int64, repository string, permissions Permissions) (*Client, error) {
	login, err := a.Login(ctx)
	if err != nil {
		return nil, err
	}
	var n Name
	if repository != "" {
		if n, err = ParseName(repository); err != nil {
			return nil, err
		}
	}
	key := clientKey{installation, strings.ToLower(repository), permissions}
	a.mu.Lock()
	defer a.mu.Unlock()
	if c := a.clients[key]; c != nil {
		return c, nil
	}
	if len(a.clients) >= 1000 {
		clear(a.clients) // the tokens die by themselves
	}
	opt := &gh.InstallationTokenOptions{Permissions: permissions.github()}
	probe := "installation/repositories?per_page=1"
	if repository != "" {
		opt.Repositories = []string{n.Repo}
		probe = "repos/" + n.String()
	}
	in := &installed{app: a, id: installation, opt: opt, probe: a.base.JoinPath().String() + probe}
	c := newClient(a.opt, a.base, in, a.plain)
	c.self, c.token = &account{login: login}, in.token
	a.clients[key] = c
	return c, nil
}

// Manifest is what GitHub gives for the one-time code of the App manifest flow.
// It holds secrets: it is for a file that only its owner may read.
type Manifest struct {
	ID            int64
	Slug          string
	URL           string
	WebhookSecret string
	PrivateKey    []byte // PEM
}

// String hides the secrets.
func (m Manifest) String() string {
	return fmt.Sprintf("App %d (%s), secrets [redacted]", m.ID, m.Slug)
}

// GoString hides the secrets.
func (m Manifest) GoString() string { return m.String() }

// CompleteManifest exchanges the code that GitHub sent a new App's owner back with.
func CompleteManifest(ctx context.Context, code string, opt Options) (Manifest, error) {
	c, err := New("", opt)
	if err != nil {
		return Manifest{}, err
	}
	const op = "apps/create-from-manifest"
	if code == "" || strings.ContainsAny(code, "/?#%") {
		return Manifest{}, errors.New("that is no code of the App manifest flow")
	}
	a, _, err := c.api.Apps.CompleteAppManifest(named(ctx, op), code)
	if err != nil {
		return Manifest{}, apiError(op, err)
	}
	return Manifest{a.GetID(), a.GetSlug(), a.GetHTMLURL(), a.GetWebhookSecret(), []byte(a.GetPEM())}, nil
}
