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
	"time"

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
	c.self, c.token = &Self{Login: login}, in.token
	a.clients[key] = c
	return c, nil
}

// installed signs requests with an installation's token, which it makes when it is
// needed.
type installed struct {
	app   *App
	id    int64
	opt   *gh.InstallationTokenOptions
	probe string // what the token can surely read

	mu   sync.Mutex
	tr   *ghinstallation.Transport
	good string // a token that GitHub is known to know
}

// RoundTrip sends a request with the token. A 401 ends a token before its time: the
// request had no effect and is made once more with a new one.
func (in *installed) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != in.app.base.Host {
		return in.app.plain.RoundTrip(req)
	}
	req = req.Clone(context.WithValue(req.Context(), installKey{}, in.id))
	for first := true; ; first = false {
		token, err := in.token(req.Context())
		if err != nil {
			return nil, err
		}
		out := req.Clone(req.Context())
		out.Header.Set("Authorization", "Bearer "+token)
		resp, err := in.app.plain.RoundTrip(out)
		if err != nil || resp.StatusCode != http.StatusUnauthorized || !first || !rewind(req) {
			return resp, err
		}
		drain(resp)
		in.forget(token)
	}
}

func (in *installed) forget(token string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.good == token {
		in.tr, in.good = nil, ""
	}
}

// token returns a token that GitHub knows. A new one is not known everywhere for
// some seconds and gets 404 or 401; what it may surely read is asked until it can.
// Other calls can not be: a 404 may be the answer to them.
func (in *installed) token(ctx context.Context) (string, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.tr == nil {
		in.tr = ghinstallation.NewFromAppsTransport(in.app.jwt, in.id)
		in.tr.InstallationTokenOptions = in.opt
	}
	token, err := in.tr.Token(repeatable(ctx, opToken))
	if err != nil {
		in.tr = nil
		return "", tokenError(err)
	}
	if token == in.good {
		return token, nil
	}
	for _, wait := range append(in.app.opt.Fresh, -1) {
		err = in.try(ctx, token)
		if err == nil {
			in.good = token
			return token, nil
		}
		if wait < 0 || !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrUnauthorized) {
			break
		}
		if err := sleep(ctx, wait); err != nil {
			return "", err
		}
	}
	in.tr = nil
	return "", fmt.Errorf("a new token of installation %d: %w", in.id, err)
}

func (in *installed) try(ctx context.Context, token string) error {
	op := "repos/get"
	if strings.Contains(in.probe, "installation/") {
		op = "apps/list-repos-accessible-to-installation"
	}
	req, err := http.NewRequestWithContext(named(ctx, op), http.MethodGet, in.probe, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := in.app.plain.RoundTrip(req)
	if err != nil {
		return apiError(op, err)
	}
	drain(resp)
	if resp.StatusCode/100 == 2 {
		return nil
	}
	return &APIError{op, resp.StatusCode, http.StatusText(resp.StatusCode)}
}

// tokenError turns an error of ghinstallation, which holds a URL, into one of ours.
func tokenError(err error) error {
	const op = opToken
	var refused *ghinstallation.HTTPError
	if errors.As(err, &refused) && refused.RootCause == nil && refused.Response != nil {
		status := refused.Response.StatusCode
		drain(refused.Response)
		return &APIError{op, status, http.StatusText(status)}
	}
	return apiError(op, err)
}

// HookDelivery is one attempt of GitHub to deliver an event to the App.
type HookDelivery struct {
	ID        int64  // of the attempt
	GUID      string // of the event: the same over all attempts, and X-GitHub-Delivery's value
	Event     string
	Action    string
	Delivered time.Time
	Status    int // what we answered; 0 where GitHub got no answer
	Again     bool
}

// OK says whether the delivery was taken.
func (d HookDelivery) OK() bool { return d.Status >= 200 && d.Status < 300 }

// Deliveries lists the attempts since a time, the last first, at most limit.
func (a *App) Deliveries(ctx context.Context, since time.Time, limit int) ([]HookDelivery, error) {
	const op = "apps/list-webhook-deliveries"
	var list []HookDelivery
	opt := &gh.ListCursorOptions{PerPage: 100}
	for {
		page, resp, err := a.api.Apps.ListHookDeliveries(named(ctx, op), opt)
		if err != nil {
			return nil, apiError(op, err)
		}
		for _, d := range page {
			if d.GetDeliveredAt().Before(since) || len(list) == limit {
				return list, nil
			}
			list = append(list, HookDelivery{
				d.GetID(), d.GetGUID(), d.GetEvent(), d.GetAction(), d.GetDeliveredAt().Time, d.GetStatusCode(), d.GetRedelivery(),
			})
		}
		if resp.Cursor == "" {
			return list, nil
		}
		opt.Cursor = resp.Cursor
	}
}

// Lost returns of a list of attempts one for each event that no attempt delivered.
func Lost(list []HookDelivery) []HookDelivery {
	taken := map[string]bool{}
	for _, d := range list {
		taken[d.GUID] = taken[d.GUID] || d.OK()
	}
	var lost []HookDelivery
	for _, d := range list {
		if !taken[d.GUID] {
			taken[d.GUID] = true
			lost = append(lost, d)
		}
	}
	return lost
}

// Redeliver asks GitHub to deliver an attempt's event once more.
func (a *App) Redeliver(ctx context.Context, id int64) error {
	const op = "apps/redeliver-webhook-delivery"
	_, _, err := a.api.Apps.RedeliverHookDelivery(named(ctx, op), id)
	var accepted *gh.AcceptedError // 202 is an error to go-github
	if errors.As(err, &accepted) {
		return nil
	}
	return apiError(op, err)
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
