package bot

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
)

// Options are what a bot is made of.
type Options struct {
	Store    *store.Store     // required; migrated
	App      *github.App      // required to work, not to receive
	Verifier *github.Verifier // required to receive
	Rotator  Rotator          // required to work
	Reader   Reader           // required to work
	Metrics  *Metrics         // nil counts nothing
	Log      *slog.Logger     // nil discards

	Workers     int           // jobs worked at once; 0 is the store's own
	RetireAfter time.Duration // 0 is [RetireAfter]
	// Quiet is how long a push is waited for another one; 0 is 5 s, negative none.
	Quiet time.Duration
	Tick  time.Duration    // how often due schedules are looked for; 0 is 5 s
	Now   func() time.Time // time.Now where nil
}

// Bot receives deliveries, and works the jobs that come of them. It is safe for
// concurrent use, and any number of processes may share a store that allows it.
type Bot struct {
	opt   Options
	log   *slog.Logger
	keys  *keyTable
	end   context.CancelFunc
	tasks sync.WaitGroup

	// repos is held where repositories are forgotten, and where one is changed. Processes
	// do not hold it against each other: the next survey mends what comes of that.
	repos sync.Mutex

	mu      sync.Mutex
	self    string           // the App's login, once it is known
	reasons map[int64]string // why the last attempt at a job failed, for people
	sweeps  map[string]sweep // what was swept in this process, by name
}

// New returns a bot that does nothing yet.
func New(opt Options) (*Bot, error) {
	if opt.Store == nil {
		return nil, errors.New("a bot needs a store")
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Metrics == nil {
		opt.Metrics = NewMetrics(nil, "")
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.RetireAfter == 0 {
		opt.RetireAfter = RetireAfter
	}
	if opt.Quiet == 0 {
		opt.Quiet = 5 * time.Second
	}
	if opt.Tick == 0 {
		opt.Tick = 5 * time.Second
	}
	return &Bot{opt: opt, log: opt.Log, keys: newKeyTable(), reasons: map[int64]string{}, sweeps: map[string]sweep{}}, nil
}

// Start works jobs, sweeps and ticks, until [Bot.Stop] or until the store is lost, which
// the channel tells: then the process should end.
func (b *Bot) Start(ctx context.Context) (lost <-chan error, err error) {
	if b.opt.App == nil || b.opt.Rotator == nil || b.opt.Reader == nil {
		return nil, errors.New("a bot that works needs an App, a Rotator and a Reader")
	}
	// A signal that ends ctx must not end the jobs: Stop does, in good order.
	ctx = context.WithoutCancel(ctx)
	b.learnSelf(ctx)
	if err := b.keepSweeps(ctx); err != nil {
		return nil, fmt.Errorf("keep the sweeps' schedules: %w", err)
	}
	lost, err = b.opt.Store.Start(ctx, store.Workers{
		Handlers: b.handlers(), Discarded: b.discarded, Observe: b.opt.Metrics.job, At: b.opt.Workers,
	})
	if err != nil {
		return nil, err
	}
	ctx, b.end = context.WithCancel(ctx)
	b.opt.Metrics.watch(b.opt.Store)
	b.tasks.Go(func() { b.tick(ctx) })
	b.tasks.Go(func() { b.lookAtKeys(ctx) })
	return lost, nil
}

// Stop takes no more jobs, and waits for those under way until ctx is done; the rest is
// handed back.
func (b *Bot) Stop(ctx context.Context) error {
	if b.end != nil {
		b.end()
	}
	err := b.opt.Store.Stop(ctx)
	b.tasks.Wait()
	return err
}

// Ready errors where the bot cannot take deliveries.
func (b *Bot) Ready(ctx context.Context) error { return b.opt.Store.Ready(ctx) }

// learnSelf asks who the App is, in order to know its own events. Without an answer all
// bots' comments are still left alone.
func (b *Bot) learnSelf(ctx context.Context) {
	login, err := b.opt.App.Login(ctx)
	if err != nil {
		b.log.WarnContext(ctx, "who the App is could not be asked", "error", err)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.self = login
}

func (b *Bot) now() time.Time { return b.opt.Now().UTC() }

// lines is how many jobs that write are worked at once for one installation. GitHub takes
// one write a second of each, so that more would but wait for one another.
const lines = 4

// lineOf is the line of jobs that may rotate in a repository: one at a time there, and few
// at a time in its installation.
func lineOf(installation int64, repository string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(repository))
	return fmt.Sprintf("%d/%d", installation, h.Sum32()%lines)
}
