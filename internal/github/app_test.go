package github_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
	"github.com/sealward/sealward/internal/repo"
)

func newApp(t *testing.T, s *githubtest.Server, app *githubtest.App) *github.App {
	t.Helper()
	a, err := github.NewApp(app.ID, app.PrivateKey, quick(s.URL+"/api/v3"))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAnAppSignsIn(t *testing.T) {
	s := githubtest.New(t)
	app := s.NewApp("sealward")
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	other := s.NewRepo("octo/other", githubtest.Files{"a": "1"}).Private()
	id := app.Install(githubtest.AppPermissions(), r, other)
	a := newApp(t, s, app)
	ctx := context.Background()
	if login, err := a.Login(ctx); login != "sealward[bot]" || err != nil {
		t.Errorf("%q %v", login, err)
	}
	if list, err := a.Installations(ctx); err != nil || len(list) != 1 || list[0].ID != id || list[0].Account != "octo" {
		t.Errorf("%v %v", list, err)
	}
	if in, err := a.InstallationOf(ctx, "octo/shop"); err != nil || in.ID != id {
		t.Errorf("%v %v", in, err)
	}
	s.NewRepo("octo/none", githubtest.Files{"a": "1"})
	if _, err := a.InstallationOf(ctx, "octo/none"); !errors.Is(err, github.ErrNotFound) {
		t.Errorf("%v", err)
	}
	// A token for one repository and for reading does that and no more.
	c, err := a.Client(ctx, id, "octo/shop", github.Permissions{Contents: github.Read})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Snapshot(ctx, "octo/shop", ""); err != nil {
		t.Error(err)
	}
	if _, err := c.Snapshot(ctx, "octo/other", ""); !errors.Is(err, github.ErrNotFound) {
		t.Errorf("a token for one repository reads another: %v", err)
	}
	p := repo.Proposal{Repo: "octo/shop", Onto: "main", Branch: "x", Base: r.Head("main"), Title: "t", Edits: []repo.Edit{{Path: "a", Data: []byte("2")}}}
	if _, err := c.Propose(ctx, p); !errors.Is(err, github.ErrDenied) || !strings.Contains(err.Error(), "contents: write") {
		t.Errorf("a token for reading writes: %v", err)
	}
	again, err := a.Client(ctx, id, "octo/shop", github.Permissions{Contents: github.Read})
	if err != nil || again != c || s.Count("apps/create-installation-access-token") != 1 {
		t.Errorf("%d tokens, %v", s.Count("apps/create-installation-access-token"), err)
	}
}

func TestAFreshTokenIsWaitedFor(t *testing.T) {
	for name, tt := range map[string]struct {
		fault githubtest.Fault
		times int
		ok    bool
	}{
		"404 twice":    {githubtest.Missing(), 2, true},
		"401 once":     {githubtest.Expired(), 1, true},
		"404 for good": {githubtest.Missing(), 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := githubtest.New(t)
			app := s.NewApp("sealward")
			r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
			c, err := newApp(t, s, app).Client(context.Background(), app.Install(githubtest.AppPermissions(), r), "octo/shop", toPropose)
			if err != nil {
				t.Fatal(err)
			}
			s.Arm(tt.fault.On("repos/get").Repeat(tt.times))
			_, err = c.Role(context.Background(), "octo/shop", "alice")
			if tt.ok && !errors.Is(err, github.ErrNotFound) || !tt.ok && !strings.Contains(fmt.Sprint(err), "new token") {
				t.Errorf("%v", err)
			}
			if got := s.Count("repos/get-collaborator-permission-level"); tt.ok != (got == 1) {
				t.Errorf("%d calls with a token that is not known yet", got)
			}
		})
	}
}

func TestAnExpiredTokenIsReplaced(t *testing.T) {
	b := newBench(t, githubtest.Files{"a": "1"})
	ctx := context.Background()
	if _, err := b.c.Snapshot(ctx, "octo/shop", "main"); err != nil {
		t.Fatal(err)
	}
	b.Advance(2 * time.Hour) // the fake's hour is over, our clock does not know
	b.repo.NewIssue("alice", "t", "b")
	if _, _, err := b.c.KeepComment(ctx, github.Sticky{Repo: "octo/shop", Issue: 1, Mark: "review", Body: "x", Create: true}); err != nil {
		t.Error(err)
	}
	if got := b.Count("apps/create-installation-access-token"); got != 2 || len(b.repo.Comments(1)) != 1 {
		t.Errorf("%d tokens, %d comments", got, len(b.repo.Comments(1)))
	}
}

func TestATokenThatIsRefused(t *testing.T) {
	s := githubtest.New(t)
	app := s.NewApp("sealward")
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	id := app.Install(map[string]string{"contents": "read"}, r)
	a := newApp(t, s, app)
	c, err := a.Client(context.Background(), id, "octo/shop", toPropose)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Snapshot(context.Background(), "octo/shop", "")
	if !errors.Is(err, github.ErrInvalid) || strings.Contains(err.Error(), "http") {
		t.Errorf("more than the installation grants: %v", err)
	}
	s.Arm(githubtest.PrimaryLimit(403, time.Now().Add(time.Hour)).On("apps/create-installation-access-token"))
	var limited *github.LimitError
	if _, err = c.Snapshot(context.Background(), "octo/shop", ""); !errors.As(err, &limited) {
		t.Errorf("%v", err)
	}
}

func TestLostDeliveriesAreFoundAndSentAgain(t *testing.T) {
	s := githubtest.New(t)
	app := s.NewApp("sealward")
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	app.Install(githubtest.AppPermissions(), r)
	in := newReceiver(t, app.Secret)
	s.Webhook(in.URL, app.Secret)
	n := r.NewIssue("alice", "t", "b")
	r.Comment("alice", n, "taken")
	s.LoseDeliveries(3)
	r.Comment("alice", n, "lost 1")
	r.Comment("alice", n, "lost 2")
	a := newApp(t, s, app)
	ctx := context.Background()
	list, err := a.Deliveries(ctx, time.Now().Add(-time.Hour), 1000)
	if err != nil || len(list) != 3 || len(github.Lost(list)) != 2 {
		t.Fatalf("%v %v", list, err)
	}
	for range 2 { // the first attempt to send one again is lost too
		list, err := a.Deliveries(ctx, time.Now().Add(-time.Hour), 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range github.Lost(list) {
			if err := a.Redeliver(ctx, d.ID); err != nil {
				t.Error(err)
			}
		}
		s.Settle()
	}
	list, err = a.Deliveries(ctx, time.Now().Add(-time.Hour), 1000)
	if err != nil || len(github.Lost(list)) != 0 || len(in.ids()) != 3 {
		t.Errorf("lost %v, came %v, %v", github.Lost(list), in.ids(), err)
	}
	if none, err := a.Deliveries(ctx, time.Now().Add(time.Hour), 1000); err != nil || len(none) != 0 {
		t.Errorf("%v %v", none, err)
	}
}

func TestKeysThatAreNone(t *testing.T) {
	s := githubtest.New(t)
	app := s.NewApp("sealward")
	for _, key := range [][]byte{nil, []byte("secret-of-somebody"), []byte("-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n")} {
		if _, err := github.NewApp(app.ID, key, github.Options{}); err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "c2Vj") {
			t.Errorf("%v", err)
		}
	}
	if _, err := github.NewApp(0, app.PrivateKey, github.Options{}); err == nil {
		t.Error("an App without a number")
	}
}

func TestTheManifestFlow(t *testing.T) {
	s := githubtest.New(t)
	code := s.ManifestCode()
	m, err := github.CompleteManifest(context.Background(), code, quick(s.URL))
	if err != nil || m.ID == 0 || m.WebhookSecret == "" {
		t.Fatalf("%v %v", m, err)
	}
	if _, err := github.NewApp(m.ID, m.PrivateKey, quick(s.URL)); err != nil {
		t.Error(err)
	}
	for _, text := range []string{fmt.Sprint(m), fmt.Sprintf("%+v", m), fmt.Sprintf("%#v", m)} {
		if strings.Contains(text, m.WebhookSecret) || strings.Contains(text, "PRIVATE") {
			t.Errorf("secrets are printed: %.60q", text)
		}
	}
	for _, bad := range []string{code, "", "a/b", "x?y"} { // a code is good for once
		if _, err := github.CompleteManifest(context.Background(), bad, quick(s.URL)); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
}

func TestWritesMayBePaced(t *testing.T) {
	s := githubtest.New(t)
	app := s.NewApp("sealward")
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	id := app.Install(githubtest.AppPermissions(), r)
	opt := quick(s.URL)
	until := time.Now().Add(time.Minute)
	var asked []github.Call
	opt.Admit = func(_ context.Context, c github.Call) error {
		if asked = append(asked, c); len(asked) > 1 {
			return &github.LimitError{Op: c.Op, Kind: github.Secondary, Until: until}
		}
		return nil
	}
	a, err := github.NewApp(app.ID, app.PrivateKey, opt)
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Client(context.Background(), id, "octo/shop", toPropose)
	if err != nil {
		t.Fatal(err)
	}
	p := repo.Proposal{Repo: "octo/shop", Onto: "main", Branch: "x", Base: r.Head("main"), Title: "t", Edits: []repo.Edit{{Path: "a", Data: []byte("2")}}}
	_, err = c.Propose(context.Background(), p)
	var limited *github.LimitError
	if !errors.As(err, &limited) || !limited.Until.Equal(until) || len(s.Writes()) != 1 {
		t.Errorf("%v after %v", err, s.Writes())
	}
	for _, c := range asked {
		if c.Installation != id || c.Method == "GET" || !strings.HasPrefix(c.Op, "git/create-") {
			t.Errorf("%+v", c)
		}
	}
}
