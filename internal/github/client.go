package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	gh "github.com/google/go-github/v62/github"
)

// parallelCalls is how many calls of one client are under way at once: enough to
// hide latency, few enough for GitHub's limit on concurrent calls.
const parallelCalls = 16

// Client speaks to one GitHub for one token. It is safe for concurrent use.
type Client struct {
	opt   Options
	base  *url.URL
	api   *gh.Client
	plain http.RoundTripper // retries, and sends no token
	auth  http.RoundTripper // with the token
	token func(context.Context) (string, error)

	mu   sync.Mutex
	self *account
}

// account is who a client is, to know its own comments by.
type account struct {
	login string // "" where a token does not tell: then any bot's
}

// wrote says whether a user is this one. A person can not write as a bot, so
// where the login is not known the kind of account is what can be relied on.
func (s account) wrote(u *gh.User) bool {
	if s.login == "" {
		return u.GetType() == "Bot"
	}
	return strings.EqualFold(u.GetLogin(), s.login)
}

// New returns a client for a token: a workflow's GITHUB_TOKEN, an App's, or a
// person's. An empty token reads what is public. Nothing is asked yet.
func New(token string, opt Options) (*Client, error) {
	opt = opt.filled()
	base, err := opt.base()
	if err != nil {
		return nil, err
	}
	plain := newRetrier(opt)
	c := newClient(opt, base, &bearer{plain, base.Host, token}, plain)
	c.token = func(context.Context) (string, error) { return token, nil }
	if strings.HasPrefix(token, "ghs_") || token == "" {
		c.self = &account{} // an installation's token may not ask who it is
	}
	return c, nil
}

func newClient(opt Options, base *url.URL, auth, plain http.RoundTripper) *Client {
	api := gh.NewClient(&http.Client{Transport: auth})
	api.BaseURL = base
	api.UserAgent = opt.UserAgent
	return &Client{opt: opt, base: base, api: api, plain: plain, auth: auth}
}

// whoami returns who the client is, asked once.
func (c *Client) whoami(ctx context.Context) (account, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.self != nil {
		return *c.self, nil
	}
	u, _, err := c.api.Users.Get(named(ctx, "users/get-authenticated"), "")
	switch err := apiError("users/get-authenticated", err); {
	case errors.Is(err, ErrDenied):
		c.self = &account{}
	case err != nil:
		return account{}, err
	default:
		c.self = &account{login: u.GetLogin()}
	}
	return *c.self, nil
}

// Name is a repository's owner/name.
type Name struct{ Owner, Repo string }

// String is owner/name.
func (n Name) String() string { return n.Owner + "/" + n.Repo }

var nameParts = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9_.-]*)/([A-Za-z0-9_.-]+)$`)

// ParseName reads owner/name. What it accepts is safe as a part of a URL.
func ParseName(s string) (Name, error) {
	m := nameParts.FindStringSubmatch(s)
	if m == nil || m[2] == "." || m[2] == ".." {
		return Name{}, fmt.Errorf("%q is no repository: write it as owner/name", s)
	}
	return Name{m[1], m[2]}, nil
}

// Repository is what is asked about a repository.
type Repository struct {
	ID            int64
	Name          string // owner/name, as GitHub writes it
	DefaultBranch string
	Private       bool
	Archived      bool
}

// Repository returns a repository's settings.
func (c *Client) Repository(ctx context.Context, repository string) (Repository, error) {
	n, err := ParseName(repository)
	if err != nil {
		return Repository{}, err
	}
	r, _, err := c.api.Repositories.Get(named(ctx, "repos/get"), n.Owner, n.Repo)
	if err != nil {
		return Repository{}, apiError("repos/get", err)
	}
	return Repository{r.GetID(), r.GetFullName(), r.GetDefaultBranch(), r.GetPrivate(), r.GetArchived()}, nil
}

// Installed lists the repositories that an App's installation covers.
func (c *Client) Installed(ctx context.Context) ([]Repository, error) {
	const op = "apps/list-repos-accessible-to-installation"
	var list []Repository
	opt := &gh.ListOptions{PerPage: 100}
	for {
		page, resp, err := c.api.Apps.ListRepos(named(ctx, op), opt)
		if err != nil {
			return nil, apiError(op, err)
		}
		for _, r := range page.Repositories {
			list = append(list, Repository{r.GetID(), r.GetFullName(), r.GetDefaultBranch(), r.GetPrivate(), r.GetArchived()})
		}
		if resp.NextPage == 0 {
			return list, nil
		}
		opt.Page = resp.NextPage
	}
}

// each runs f for every i below n, some at a time, and returns the first error.
func each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	slots := make(chan struct{}, parallelCalls)
	for i := range n {
		slots <- struct{}{}
		if ctx.Err() != nil {
			<-slots
			break
		}
		wg.Add(1)
		go func() {
			defer func() { <-slots; wg.Done() }()
			if err := f(ctx, i); err != nil {
				cancel(err)
			}
		}()
	}
	wg.Wait()
	return context.Cause(ctx)
}
