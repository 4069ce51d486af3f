package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/bradleyfalzon/ghinstallation/v2"
	gh "github.com/google/go-github/v62/github"
)

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
