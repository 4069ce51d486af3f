package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"time"

	"github.com/sealward/sealward/internal/bot"
	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/drift"
)

// reader is [bot.Reader]: what a repository's default branch says beside its keys.
type reader struct {
	room func(context.Context) (func(), error)
}

// Policy reads the configuration of the default branch, and nothing else of it.
func (r *reader) Policy(ctx context.Context, on *github.Client, repository string) (bot.Policy, error) {
	about, err := on.Repository(ctx, repository)
	if err != nil {
		return bot.Policy{}, err
	}
	change, err := on.Change(ctx, github.Range{Repo: repository, Head: about.DefaultBranch, Whole: true, Keep: func(e repo.Entry) bool { return e.Path == config.Name }})
	if err != nil {
		return bot.Policy{}, err
	}
	cfg, err := readConfig(change.Head.FS)
	if user := (*bot.UserError)(nil); errors.As(err, &user) {
		return bot.Policy{Problem: user.Error()}, nil
	} else if err != nil {
		return bot.Policy{}, err
	}
	return bot.Policy{Allow: cfg.Rotation.Allow, DriftCron: cfg.Drift.Schedule}, nil
}

// readConfig reads .sealward.yaml; a repository without one has the zero configuration.
func readConfig(fsys fs.FS) (*config.Config, error) {
	data, err := fs.ReadFile(fsys, config.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return &config.Config{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", config.Name, err)
	}
	cfg, err := config.Parse(config.Name, data)
	if err != nil {
		return nil, &bot.UserError{Err: err}
	}
	return cfg, nil
}

// driftHash is the report's own word on what matters in it: ages do not.
var driftHash = regexp.MustCompile(`<!-- sealward:drift ([0-9a-f]+) -->\s*$`)

// Drift makes the report of the default branch. A tree that was not read whole closes no
// issue.
func (r *reader) Drift(ctx context.Context, on *github.Client, repository string) (github.IssueReport, error) {
	rep := github.IssueReport{Repo: repository, Mark: "drift", Title: "Environments have drifted apart", Labels: []string{"sealward-drift"}}
	found, err := r.build(ctx, on, repository)
	if err != nil {
		return rep, err
	}
	rep.Open = found.Count() > 0
	if !rep.Open && len(found.Incomplete) > 0 {
		return rep, &bot.UserError{Err: fmt.Errorf("the tree was not read whole, so that the absence of drift is not known: %s", found.Incomplete[0])}
	}
	// What the issue said last is all that is known of ages: there is no history here.
	before, _, err := on.FindIssue(ctx, repository, rep.Mark, rep.Labels[0])
	if err != nil {
		return rep, err
	}
	found.Recall(before.Body)
	var b bytes.Buffer
	if err := drift.Markdown(&b, found); err != nil {
		return rep, err
	}
	rep.Body = b.String()
	if m := driftHash.FindStringSubmatch(rep.Body); m != nil {
		rep.Hash = m[1]
	}
	return rep, nil
}

func (r *reader) build(ctx context.Context, on *github.Client, repository string) (*drift.Report, error) {
	leave, err := r.room(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	snap, err := on.Snapshot(ctx, repository, "")
	if err != nil {
		return nil, err
	}
	cfg, err := readConfig(snap.FS)
	if err != nil {
		return nil, err
	}
	tree, err := review.OpenTree(snap, cfg)
	if err != nil {
		return nil, &bot.UserError{Err: err}
	}
	found := drift.Build(tree, cfg, nil)
	found.Now, found.Title = time.Now(), repository
	return found, nil
}
