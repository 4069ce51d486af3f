// Package bot turns webhook deliveries into durable jobs, and works them: a rotation that
// a comment asks for ends in one pull request, whatever crashes, is lost or comes twice.
package bot

import (
	"context"
	"time"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

// Ask is a rotation that the bot is asked for.
type Ask struct {
	rotate.Request
	// Plan says that the plan is wanted and nothing else: no key is made.
	Plan bool
	// Before are the recipients that the environment's keyring held when this rotation
	// began, nil where it has not: a key beyond these was made for it, and no further one
	// is. Begin keeps them, before a key is made.
	Before []sops.Recipient
	Begin  func(ctx context.Context, before []sops.Recipient) error
	// Reopen makes a new pull request where a person closed the last one.
	Reopen bool
}

// Answer is what came of an [Ask].
type Answer struct {
	Plan    *rotate.Plan
	Outcome *rotate.Outcome // nil where nothing was sealed
	// Pull is the pull request, zero where none was needed or wanted.
	Pull github.Proposed
	// Problems are why nothing was proposed, in sentences for people, each without a
	// secret: refused files, findings of the review.
	Problems []string
}

// Environment is a key as the status page shows it.
type Environment struct {
	Name     string
	Keyring  string           // its address, without what is private about it
	Held     []sops.Recipient // the current one first
	InUse    []sops.Recipient // the keys that files are sealed for
	Files    int
	Problem  string
	Warnings []string
}

// Rotator rotates the keys of a repository on GitHub. Every method may be repeated.
type Rotator interface {
	// Run plans, makes a key where the request forces one, re-encrypts, reviews and
	// proposes. An error in the request or in the tree is a [*rotate.AmbiguousError] or a
	// [*UserError]; any other error is worth another attempt.
	Run(ctx context.Context, on *github.Client, ask Ask) (*Answer, error)
	// Behind returns a request for each environment whose rules name another key than
	// its files are sealed for, where the keyring can open them.
	Behind(ctx context.Context, on *github.Client, repository string) ([]rotate.Request, error)
	// Retire removes from an environment's keyring what keep has replaced, once no file
	// of the default branch is sealed for it any more. done is false, and why says what
	// it waits for, where that is not so yet.
	Retire(ctx context.Context, on *github.Client, repository, env string, keep sops.Recipient) (removed []sops.Recipient, done bool, why string, err error)
	// Environments describes the keys of a repository.
	Environments(ctx context.Context, on *github.Client, repository string) ([]Environment, error)
}

// UserError is what a person has to mend; its text is for a comment.
type UserError struct{ Err error }

func (e *UserError) Error() string { return e.Err.Error() }
func (e *UserError) Unwrap() error { return e.Err }

// Policy is what a repository's configuration, on its default branch, says to the bot.
type Policy struct {
	Allow     []string // teams, as org/team, and logins that may rotate; none: who may write
	DriftCron string   // "" for no reports
	Problem   string   // the configuration cannot be read
}

// Reader reads what the bot needs of a repository beside rotations.
type Reader interface {
	Policy(ctx context.Context, on *github.Client, repository string) (Policy, error)
	// Drift is the drift report as an issue that is kept current.
	Drift(ctx context.Context, on *github.Client, repository string) (github.IssueReport, error)
}

// RetireAfter is how long the old key stays in the keyring after a merge, at least: Flux
// has applied the new files by then.
const RetireAfter = time.Hour
