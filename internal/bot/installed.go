package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
)

// survey brings what is known of all installations up to date: events about them may have
// been missed.
func (t task) survey(ctx context.Context) error {
	installations, err := t.opt.App.Installations(ctx)
	if err != nil {
		return err
	}
	there := map[int64]bool{}
	var jobs []store.Job
	for _, in := range installations {
		if !in.Suspended {
			there[in.ID] = true
			jobs = append(jobs, newJob(kindInstallation, fmt.Sprintf("%s/%d", t.Key, in.ID), in.ID, "", nothing{}))
		}
	}
	if err := t.forget(ctx, func(r store.Repository) bool { return !there[r.Installation] }); err != nil || len(jobs) == 0 {
		return err
	}
	_, err = t.opt.Store.Enqueue(ctx, jobs...)
	return err
}

// forget drops repositories that the App is not installed on any more.
func (t task) forget(ctx context.Context, gone func(store.Repository) bool) error {
	t.repos.Lock()
	defer t.repos.Unlock()
	kept, err := t.opt.Store.Repositories(ctx)
	if err != nil {
		return err
	}
	for _, r := range kept {
		if !gone(r) {
			continue
		}
		if err := t.opt.Store.DropRepository(ctx, r.Name); err != nil {
			return err
		}
		t.keys.forget(r.Name)
		t.log.InfoContext(ctx, "repository gone", "name", r.Name)
	}
	return nil
}

// installation keeps the repositories of one installation, and reads the configuration of
// each again.
func (t task) installation(ctx context.Context) error {
	list, err := t.installed(ctx)
	if err != nil {
		return err
	}
	var names []string
	var jobs []store.Job
	for _, r := range list {
		if r.Archived {
			continue // nothing can be written there
		}
		names = append(names, r.Name)
		if err := t.opt.Store.SaveRepository(ctx, store.Repository{Name: r.Name, ID: r.ID, Installation: t.Installation, Branch: r.DefaultBranch, Seen: t.now()}); err != nil {
			return err
		}
		jobs = append(jobs, newJob(kindRefresh, r.Name+"/"+t.Key, t.Installation, r.Name, nothing{}), newJob(kindComments, r.Name+"/"+t.Key, t.Installation, r.Name, nothing{}))
	}
	if err := t.forget(ctx, func(r store.Repository) bool {
		return r.Installation == t.Installation && !slices.Contains(names, r.Name)
	}); err != nil || len(jobs) == 0 {
		return err
	}
	_, err = t.opt.Store.Enqueue(ctx, jobs...)
	return err
}

// installed lists the repositories of an installation; none where it is gone.
func (t task) installed(ctx context.Context) ([]github.Repository, error) {
	c, err := t.opt.App.Client(ctx, t.Installation, "", github.Permissions{})
	if err != nil {
		return nil, err
	}
	list, err := c.Installed(ctx)
	// A suspended installation is denied, one that was taken away is not found.
	if errors.Is(err, github.ErrNotFound) || errors.Is(err, github.ErrDenied) {
		return nil, nil
	}
	return list, err
}

// refresh reads a repository's configuration and keeps its schedule.
func (t task) refresh(ctx context.Context) error {
	c, err := t.client(ctx, github.Permissions{Contents: github.Read})
	if err != nil {
		return err
	}
	policy, err := t.opt.Reader.Policy(ctx, c, t.Repo)
	if err != nil {
		return err
	}
	if policy.Problem != "" {
		t.log.WarnContext(ctx, "the configuration can not be read; schedules stay as they are", "why", policy.Problem)
		return nil
	}
	err = t.opt.Store.SetSchedule(ctx, store.Schedule{Repo: t.Repo, Name: kindDrift, Installation: t.Installation, Cron: policy.DriftCron})
	if err != nil {
		t.log.WarnContext(ctx, "the drift report can not be scheduled", "cron", policy.DriftCron, "error", err)
	}
	return nil
}

// drift keeps a repository's drift report current.
func (t task) drift(ctx context.Context) error {
	c, err := t.client(ctx, github.Permissions{Contents: github.Read, Issues: github.Write})
	if err != nil {
		return err
	}
	report, err := t.opt.Reader.Drift(ctx, c, t.Repo)
	if wrong := mistake(err); wrong != "" {
		t.log.WarnContext(ctx, "no drift report", "why", wrong)
		return &store.Fatal{Err: err}
	} else if err != nil {
		return err
	}
	issue, outcome, err := c.KeepIssue(ctx, report)
	if err != nil {
		return err
	}
	t.log.InfoContext(ctx, "drift report kept", "issue", issue.Number, "outcome", outcome.String(), "open", report.Open)
	return nil
}
