package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/rotate"
)

// The kinds of jobs.
const (
	kindGreet        = "greet"        // reacts to a comment
	kindCommand      = "command"      // does what a comment asks for, and answers it
	kindPull         = "pull"         // a rotation's pull request was closed, merged or reopened
	kindRetire       = "retire"       // takes the old key out of the keyring after a merge
	kindBase         = "base"         // the default branch moved
	kindDrift        = "drift"        // keeps the drift report current
	kindInstallation = "installation" // brings what is known of one installation up to date
	kindSurvey       = "survey"       // the same for all of them
	kindRefresh      = "refresh"      // reads a repository's configuration
	kindDeliveries   = "deliveries"   // has lost deliveries delivered again
	kindComments     = "comments"     // finds a repository's comments whose delivery was lost
	kindRotations    = "rotations"    // looks at a repository's rotations that are under way
	kindSweep        = "sweep"        // makes jobs of the two above for every repository
)

// What jobs carry. None of it is secret.
type (
	commentArgs struct {
		Comment int64    `json:"comment"`
		Issue   int      `json:"issue"`
		Author  string   `json:"author"`
		Asks    []string `json:"asks"` // the commands as they came; see asks
	}
	pullArgs struct {
		Number int    `json:"number"`
		Branch string `json:"branch"`
	}
	retireArgs struct {
		Rotation string    `json:"rotation"` // its key
		Since    time.Time `json:"since"`    // the merge was seen then
	}
	baseArgs struct {
		Head string `json:"head"`
	}
	sweepArgs struct {
		Kind string `json:"kind"`
		Slot string `json:"slot"`
	}
	nothing struct{}
)

// newJob makes a job; args are always one of the types above.
func newJob[A commentArgs | pullArgs | retireArgs | baseArgs | sweepArgs | nothing](kind, key string, installation int64, repository string, args A) store.Job {
	data, err := json.Marshal(args)
	if err != nil {
		panic("arguments of a job that are no JSON: " + err.Error())
	}
	return store.Job{Kind: kind, Key: key, Installation: installation, Repo: repository, Args: data}
}

func argsOf[A commentArgs | pullArgs | retireArgs | baseArgs | sweepArgs](w store.Work) (A, error) {
	var a A
	if err := json.Unmarshal(w.Args, &a); err != nil {
		return a, &store.Fatal{Err: fmt.Errorf("arguments of a %s job: %w", w.Kind, err)}
	}
	return a, nil
}

// task is an attempt at a job with what it is worked with.
type task struct {
	*Bot
	store.Work
	log *slog.Logger
}

// handlers are the work of every kind.
func (b *Bot) handlers() map[string]store.Handler {
	all := map[string]store.Handler{}
	for kind, f := range map[string]func(task, context.Context) error{
		kindGreet: task.greet, kindCommand: task.command, kindPull: task.pull, kindRetire: task.retire, kindBase: task.base, kindDrift: task.drift,
		kindInstallation: task.installation, kindSurvey: task.survey, kindRefresh: task.refresh,
		kindDeliveries: task.deliveries, kindComments: task.comments, kindRotations: task.rotations, kindSweep: task.sweep,
	} {
		all[kind] = func(ctx context.Context, w store.Work) error { return b.attempt(ctx, w, f) }
	}
	return all
}

// attempt works a job, and tells the store what its error means.
func (b *Bot) attempt(ctx context.Context, w store.Work, f func(task, context.Context) error) error {
	t := task{b, w, b.log.With("delivery", w.Delivery, "repo", w.Repo, "job", w.ID, "kind", w.Kind)}
	start := b.now()
	err := b.verdict(ctx, w, f(t, ctx))
	log := t.log.With("attempt", w.Attempt, "took", b.now().Sub(start).Round(time.Millisecond))
	var snooze *store.Snooze
	switch {
	case err == nil:
		log.InfoContext(ctx, "job done")
	case errors.As(err, &snooze):
		log.InfoContext(ctx, "job put off", "until", snooze.Until, "why", snooze.Why)
	default:
		b.remember(w.ID, forPeople(err))
		log.WarnContext(ctx, "job failed", "error", err, "last", w.Last)
	}
	return err
}

// verdict turns GitHub's limits into a job that is put off, and an installation that is
// gone into the end of its jobs.
func (b *Bot) verdict(ctx context.Context, w store.Work, err error) error {
	var limited *github.LimitError
	if !errors.As(err, &limited) {
		return err
	}
	until := limited.Until
	// Status 0 is our own pace, which the store knows of already.
	if limited.Status != 0 && w.Installation != 0 {
		if held := b.opt.Store.Hold(ctx, w.Installation, until); held != nil {
			return errors.Join(err, held)
		}
	}
	return &store.Snooze{Until: b.spread(until, w.ID), Why: limited.Error()}
}

// spread puts jobs that wait for the same moment some time apart, so that each finds room
// for all its writes.
func (b *Bot) spread(until time.Time, job int64) time.Time {
	if until.Before(b.now()) {
		until = b.now()
	}
	return until.Add(time.Duration(job%40) * time.Second / 4)
}

// forPeople is what may be said of an error on GitHub: what GitHub itself said, and what
// is written for people. Other errors may name what is inside the operator's network.
func forPeople(err error) string {
	var user *UserError
	var several *rotate.AmbiguousError
	var api *github.APIError
	switch {
	case errors.As(err, &user):
		return user.Error()
	case errors.As(err, &several):
		return several.Error()
	case errors.As(err, &api):
		return "GitHub says " + api.Error()
	case errors.Is(err, github.ErrForeign), errors.Is(err, github.ErrUnverified):
		return err.Error()
	}
	return ""
}

// remember keeps why a job's last attempt failed, until the job has ended.
func (b *Bot) remember(job int64, reason string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.reasons) > 10_000 {
		clear(b.reasons) // jobs that other processes took over
	}
	b.reasons[job] = reason
}

func (b *Bot) reason(job int64) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reasons[job]
}

// discarded says where a job was asked for that it has failed for good.
func (b *Bot) discarded(ctx context.Context, w store.Work, why string) error {
	log := b.log.With("delivery", w.Delivery, "repo", w.Repo, "job", w.ID, "kind", w.Kind)
	log.ErrorContext(ctx, "job given up", "why", why)
	t := task{b, w, log}
	var err error
	switch w.Kind {
	case kindCommand:
		err = t.commandFailed(ctx)
	case kindRetire:
		err = t.retireFailed(ctx)
	case kindBase:
		err = t.baseFailed(ctx)
	}
	if unreachable(err) {
		log.ErrorContext(ctx, "a failure could not be told", "error", err)
		err = nil
	}
	if err != nil {
		return b.verdict(ctx, w, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.reasons, w.ID)
	return nil
}

// unreachable holds for errors that no further attempt at telling would change.
func unreachable(err error) bool {
	return errors.Is(err, github.ErrNotFound) || errors.Is(err, github.ErrDenied) || errors.Is(err, github.ErrUnauthorized) || errors.Is(err, github.ErrInvalid)
}

// client returns a client for the job's repository that can do what permissions say.
func (t task) client(ctx context.Context, permissions github.Permissions) (*github.Client, error) {
	return t.opt.App.Client(ctx, t.Installation, t.Repo, permissions)
}
