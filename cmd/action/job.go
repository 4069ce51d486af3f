package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/github"
)

// job is what an event and the inputs ask for.
type job struct {
	mode     mode // never auto
	rng      github.Range
	standing bool // the head is the default branch: the issue of drift speaks of it
}

// errNothing is an event with nothing to review.
var errNothing = errors.New("there is nothing to review: the branch was deleted")

// maxEvent is how large an event's payload may be, in bytes. GitHub's own bound is 25 MB.
const maxEvent = 32 << 20

// readEvent reads the event that started the workflow.
func readEvent(getenv func(string) string) (github.Event, error) {
	name, path := getenv("GITHUB_EVENT_NAME"), getenv("GITHUB_EVENT_PATH")
	if name == "" || path == "" {
		return github.Event{}, errors.New("GITHUB_EVENT_NAME and GITHUB_EVENT_PATH are not set, which a runner does; outside of a workflow, name a command: action review")
	}
	f, err := os.Open(path)
	if err != nil {
		return github.Event{}, fmt.Errorf("read the event: %w", err)
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxEvent+1))
	if err != nil {
		return github.Event{}, fmt.Errorf("read the event: %w", err)
	}
	if len(body) > maxEvent {
		return github.Event{}, fmt.Errorf("read the event: it is larger than %d MiB", maxEvent>>20)
	}
	e, err := github.ParseEvent(name, body)
	if repository := getenv("GITHUB_REPOSITORY"); repository != "" {
		e.Repo = repository
	}
	return e, err
}

// changeEvents are about a change, treeEvents about the branch as it stands.
var (
	changeEvents = [...]string{"pull_request", "pull_request_target", "pull_request_review", "merge_group", "push"}
	treeEvents   = [...]string{"schedule", "workflow_dispatch", "repository_dispatch"}
)

// jobOf decides what is to be done.
func jobOf(e github.Event, in inputs, getenv func(string) string) (job, error) {
	if e.Push != nil && e.Push.Deleted {
		return job{}, errNothing
	}
	rng, isChange := e.Range()
	if !isChange {
		rng = github.Range{Repo: e.Repo, Head: getenv("GITHUB_SHA")}
	}
	j := job{mode: in.mode, rng: rng, standing: e.Name == "schedule" || isDefault(e, getenv)}
	if in.head != "" {
		j.rng.Head, j.rng.Pull, j.rng.Whole, j.standing = in.head, 0, false, false
	}
	if in.base != "" {
		j.rng.Base, j.rng.Whole = in.base, false
	}
	hasBase := isChange || in.base != "" || in.head != ""
	if j.mode == modeAuto {
		switch {
		case hasBase:
			j.mode = modeReview
		case slices.Contains(treeEvents[:], e.Name):
			j.mode = modeDrift
		default:
			return job{}, cli.Usagef("the event %q is about no change: valid are %s, or set mode to drift or full", e.Name,
				strings.Join(slices.Concat(changeEvents[:], treeEvents[:]), ", "))
		}
	}
	if j.mode == modeReview && !hasBase {
		return job{}, cli.Usagef("mode review wants a change, and the event %q is about none: set base or head, or mode to drift or full", e.Name)
	}
	if j.mode != modeReview {
		j.rng.Whole, j.rng.Base = true, ""
	}
	if j.rng.Head == "" {
		return job{}, cli.Usagef("the event %q names no commit: set head", e.Name)
	}
	return j, nil
}

func isDefault(e github.Event, getenv func(string) string) bool {
	return e.Pull == nil && e.Group == nil && e.DefaultBranch != "" && getenv("GITHUB_REF") == "refs/heads/"+e.DefaultBranch
}
