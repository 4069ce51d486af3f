package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"
	_ "golang.org/x/crypto/x509roots/fallback" // the image has no certificates of its own

	"github.com/sealward/sealward/internal/bot"
	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/github"
)

// stopWithin is how long jobs under way may take to end; a pod's grace period is longer.
const stopWithin = 45 * time.Second

func (a *app) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Work as a GitHub App: rotate keys by pull request",
		Long: `Takes webhook deliveries, and works what comes of them: /rotate-key in a comment, a pushed
.sops.yaml, scheduled reports of drift. The public listener has the webhook and, while no
App is configured, /setup, which makes one; the private listener has the operator's page
at /, /metrics, /healthz and /readyz.

The database is brought to this program's schema at the start. At SIGTERM no more jobs are
taken, those under way may end, the rest is handed back, and the exit status is 0; a second
signal ends it at once.

Settings are variables of the environment. Each has a twin NAME_FILE, which names a file
that holds the value.

` + variablesText() + `
` + allowedHelp + `

Exit status: 0 stopped by a signal; 2 the settings are wrong, or the database was lost.`,
		Example: `  bot serve                                     make an App: open the address that is printed
  APP_ID=12345 PRIVATE_KEY_PATH=app.pem WEBHOOK_SECRET_FILE=secret bot serve
  DATABASE_URL=postgres://bot@db/sealward bot serve`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context()) },
	}
}

// variablesText is the table of variables as the help has it.
func variablesText() string {
	var b strings.Builder
	for _, v := range variables() {
		fmt.Fprintf(&b, "  %-21s %s", v.name, strings.ReplaceAll(v.what, "`", ""))
		if v.fallback != "" {
			fmt.Fprintf(&b, " (%s)", strings.ReplaceAll(v.fallback, "`", ""))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (a *app) serve(ctx context.Context) error {
	ctx, second := twoSignals(ctx)
	set, err := readSettings(a.getenv)
	if err != nil {
		return err
	}
	log := newLog(a.stderr, set)
	ended := make(chan error, 1)
	go func() {
		if set.app.ID == 0 {
			ended <- a.serveSetup(ctx, set, log)
			return
		}
		ended <- serveBot(ctx, set, log)
	}()
	select {
	case err := <-ended:
		return err
	case <-second:
		return errors.New("a second signal: ended at once, and what was under way goes on at the next start")
	}
}

// twoSignals returns a context that the first signal ends, and a channel for the second.
func twoSignals(parent context.Context) (context.Context, <-chan struct{}) {
	ctx, end := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	second := make(chan struct{})
	go func() {
		s := <-signals
		end(fmt.Errorf("signal: %s", s))
		<-signals
		close(second)
	}()
	return ctx, second
}

func newLog(w io.Writer, set settings) *slog.Logger {
	opt := &slog.HandlerOptions{Level: set.level}
	if set.json {
		return slog.New(slog.NewJSONHandler(w, opt))
	}
	return slog.New(slog.NewTextHandler(w, opt))
}

// serveSetup serves /setup, until an App is made.
func (a *app) serveSetup(ctx context.Context, set settings, log *slog.Logger) error {
	flow := newSetup(set, log, github.Options{BaseURL: set.api, UserAgent: "sealward/" + version()})
	mux := http.NewServeMux()
	flow.register(mux)
	public, err := listen(ctx, "HOST and PORT", set.public, mux, log)
	if err != nil {
		return err
	}
	defer public.close()
	base := set.publicURL
	if base == "" {
		base = "http://" + public.address()
	}
	a.say("no App is configured (APP_ID); to make one, open this address, which works until the App is made:\n  %s%s?token=%s", base, setupPath, flow.token)
	select {
	case <-ctx.Done():
		return nil
	case err := <-public.failed:
		return err
	case <-flow.made:
		a.say("the App is made, and its secrets are in %s; start the bot again", set.appFile)
		return nil
	}
}

// server is everything that runs.
type server struct {
	set   settings
	log   *slog.Logger
	store *store.Store
	bot   *bot.Bot
	reg   *prometheus.Registry
}

func serveBot(ctx context.Context, set settings, log *slog.Logger) (err error) {
	if err := makeStateDir(set.database); err != nil {
		return err
	}
	memory, err := store.Open(ctx, store.Options{URL: set.database, Own: true, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, memory.Close(context.WithoutCancel(ctx))) }()
	steps, err := memory.Migrate(ctx)
	for _, step := range steps {
		log.InfoContext(ctx, "database migrated", "step", step)
	}
	if err != nil {
		return err
	}
	s := &server{set: set, log: log, store: memory, reg: prometheus.NewRegistry()}
	s.reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if s.bot, err = newBot(s); err != nil {
		return err
	}
	return s.run(ctx)
}

// makeStateDir makes the directory of a SQLite file, readable by its owner alone.
func makeStateDir(database string) error {
	path, ok := strings.CutPrefix(database, "sqlite://")
	if !ok {
		return nil
	}
	path, err := url.PathUnescape(path)
	if err != nil || !filepath.IsAbs(path) {
		return nil //nolint:nilerr // the store says what is wrong with it
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("DATABASE_URL: make the directory of the file: %w", err)
	}
	return nil
}

// newBot puts the bot together.
func newBot(s *server) (*bot.Bot, error) {
	verifier, err := github.NewVerifier(s.set.app.WebhookSecrets...)
	if err != nil {
		return nil, fmt.Errorf("WEBHOOK_SECRET: %w", err)
	}
	figures := bot.NewMetrics(s.reg, version())
	hub, err := github.NewApp(s.set.app.ID, []byte(s.set.app.PrivateKey), github.Options{
		BaseURL: s.set.api, UserAgent: "sealward/" + version(), Observe: figures.Call, Admit: bot.Admit(s.store),
		MaxWait: 3 * time.Second, // for a longer one the job is put off, and the installation held back for all
	})
	if err != nil {
		return nil, fmt.Errorf("PRIVATE_KEY: %w", err)
	}
	rings := s.set.rings
	rings.claim = func(ctx context.Context, keyring, account string) (string, error) {
		return s.store.Claim(ctx, "keyring "+keyring, account)
	}
	keys := &rotator{rings: rings, log: s.log, trees: make(chan struct{}, treesAtOnce), others: s.store.Repositories,
		client: func(ctx context.Context, r store.Repository) (*github.Client, error) {
			return hub.Client(ctx, r.Installation, r.Name, github.Permissions{Contents: github.Read})
		}}
	return bot.New(bot.Options{Store: s.store, App: hub, Verifier: verifier, Rotator: keys, Reader: &reader{keys.room}, Metrics: figures, Log: s.log, RetireAfter: s.set.retireAfter})
}

// run serves until a signal, or until something is lost.
func (s *server) run(ctx context.Context) (err error) {
	mux := http.NewServeMux()
	mux.Handle(s.set.webhookPath, s.bot.Webhook())
	private, err := listen(ctx, "ADMIN_ADDRESS", s.set.private, s.privateMux(), s.log)
	if err != nil {
		return err
	}
	defer private.close()
	lost, err := s.bot.Start(ctx)
	if err != nil {
		return err
	}
	public, err := listen(ctx, "HOST and PORT", s.set.public, mux, s.log)
	if err != nil {
		return errors.Join(err, s.stop(ctx, nil))
	}
	s.log.InfoContext(ctx, "serving", "version", version(), "app", s.set.app.ID, "public", public.address(), "private", private.address())
	select {
	case <-ctx.Done():
		s.log.InfoContext(ctx, "stopping", "why", context.Cause(ctx))
	case err = <-lost:
		err = fmt.Errorf("the database was lost, and another process may work its jobs now: %w", err)
	case err = <-public.failed:
	case err = <-private.failed:
	}
	stopped := s.stop(ctx, public)
	if err == nil && stopped == nil {
		s.log.InfoContext(ctx, "stopped")
	}
	return errors.Join(err, stopped)
}

// stop takes no more deliveries, waits for those that come in, and then for the jobs.
func (s *server) stop(ctx context.Context, public *listener) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	if public != nil {
		if err := public.server.Shutdown(ctx); err != nil {
			public.close()
		}
	}
	return s.bot.Stop(ctx)
}

// privateMux is what the private listener has.
func (s *server) privateMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		secure(w.Header())
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := s.bot.Ready(ctx); err != nil {
			s.log.WarnContext(ctx, "not ready", "error", err)
			http.Error(w, "the database does not answer, or has another schema", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	newDesk(s.bot, s.store, s.set, loopback(s.set.private), s.log).register(mux)
	return mux
}

// listener is an address that is served.
type listener struct {
	server *http.Server
	at     net.Addr
	failed chan error
}

// listen serves an address; name is the variable that it comes from.
func listen(ctx context.Context, name, address string, h http.Handler, log *slog.Logger) (*listener, error) {
	var lc net.ListenConfig
	at, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	l := &listener{at: at.Addr(), failed: make(chan error, 1), server: &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
	go func() {
		if err := l.server.Serve(at); !errors.Is(err, http.ErrServerClosed) {
			l.failed <- fmt.Errorf("%s: %w", name, err)
		}
	}()
	return l, nil
}

func (l *listener) address() string { return l.at.String() }

func (l *listener) close() { _ = l.server.Close() }
