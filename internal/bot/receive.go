package bot

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
)

// heard are the events, and their actions, that the bot does something about.
var heard = map[string]map[string]bool{
	"issue_comment":             {"created": true},
	"pull_request":              {"closed": true, "reopened": true},
	"push":                      {"": true},
	"installation":              {"created": true, "deleted": true, "suspend": true, "unsuspend": true, "new_permissions_accepted": true},
	"installation_repositories": {"added": true, "removed": true},
	"repository":                {"renamed": true, "transferred": true, "deleted": true, "archived": true, "unarchived": true, "edited": true},
	"ping":                      {"": true},
}

// ackTime bounds how long a delivery waits for the store: GitHub gives up after 10 s.
const ackTime = 8 * time.Second

// Webhook takes deliveries: it checks them, stores the jobs that come of them, and
// answers. Nothing is asked of GitHub here.
func (b *Bot) Webhook() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		if b.opt.Verifier == nil {
			http.Error(w, "no webhook secret is set", http.StatusServiceUnavailable)
			return
		}
		d, err := b.opt.Verifier.Read(r)
		var refused *github.RefusedError
		if errors.As(err, &refused) {
			b.opt.Metrics.delivery(github.Event{}, "refused")
			b.log.WarnContext(r.Context(), "delivery refused", "reason", refused.Reason, "status", refused.Status)
			if refused.Status == http.StatusMethodNotAllowed {
				w.Header().Set("Allow", http.MethodPost)
			}
			http.Error(w, refused.Reason, refused.Status)
			return
		}
		status, text := b.take(r.Context(), d)
		b.opt.Metrics.ack.Observe(time.Since(start).Seconds())
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = fmt.Fprintln(w, text)
	})
}

// take stores a delivery that was let in, and returns what to answer.
func (b *Bot) take(ctx context.Context, d github.Delivery) (status int, text string) {
	ctx, cancel := context.WithTimeout(ctx, ackTime)
	defer cancel()
	e, err := github.ParseEvent(d.Event, d.Body)
	if err != nil {
		b.opt.Metrics.delivery(github.Event{}, "refused")
		return http.StatusBadRequest, "the payload is no JSON object"
	}
	log := b.log.With("delivery", d.ID, "repo", e.Repo, "event", e.Name, "action", e.Action)
	jobs := b.jobsOf(e, d.ID)
	if len(jobs) == 0 {
		b.opt.Metrics.delivery(e, "ignored")
		log.DebugContext(ctx, "delivery ignored")
		return http.StatusAccepted, "ignored"
	}
	fresh, err := b.opt.Store.Accept(ctx, d.ID, d.Event, jobs...)
	switch {
	case err != nil:
		b.opt.Metrics.delivery(e, "error")
		log.ErrorContext(ctx, "delivery could not be stored", "error", err)
		return http.StatusServiceUnavailable, "the store does not answer; deliver again later"
	case !fresh:
		b.opt.Metrics.delivery(e, "repeated")
		log.InfoContext(ctx, "delivery taken before")
		return http.StatusAccepted, "taken before"
	}
	b.opt.Metrics.delivery(e, "accepted")
	log.InfoContext(ctx, "delivery accepted", "jobs", kindsOf(jobs))
	return http.StatusAccepted, "accepted"
}

func kindsOf(jobs []store.Job) slog.Value {
	kinds := make([]string, len(jobs))
	for i, j := range jobs {
		kinds[i] = j.Kind
	}
	return slog.StringValue(strings.Join(kinds, " "))
}

// Replay takes a delivery as if GitHub had sent it, signature aside, and says whether it
// was new and how many jobs came of it. guid is GitHub's id of it; "" makes one.
func (b *Bot) Replay(ctx context.Context, event, guid string, body []byte) (fresh bool, jobs int, err error) {
	e, err := github.ParseEvent(event, body)
	if err != nil {
		return false, 0, err
	}
	if guid == "" {
		guid = "replay-" + strings.ToLower(rand.Text())
	}
	list := b.jobsOf(e, guid)
	if len(list) == 0 {
		return true, 0, nil
	}
	fresh, err = b.opt.Store.Accept(ctx, guid, event, list...)
	return fresh, len(list), err
}

// jobsOf decides what an event asks for. It looks at nothing but the event.
func (b *Bot) jobsOf(e github.Event, guid string) []store.Job {
	actions, known := heard[e.Name]
	if !known || !actions[e.Action] || e.Installation == 0 || b.own(e.Sender) {
		return nil
	}
	var jobs []store.Job
	switch e.Name {
	case "issue_comment":
		if e.Comment == nil || e.Sender != e.Comment.Author {
			return nil
		}
		jobs = b.commentJobs(e.Installation, e.Repo, *e.Comment)
	case "pull_request":
		jobs = b.pullJobs(e, guid)
	case "push":
		jobs = b.pushJobs(e, guid)
	case "installation", "installation_repositories", "repository":
		jobs = []store.Job{newJob(kindInstallation, "event/"+guid, e.Installation, "", nothing{})}
	}
	for i := range jobs {
		jobs[i].Delivery = guid
	}
	return jobs
}

// commentJobs are the work that a comment asks for, the same for its delivery and for
// the sweep that finds it without one.
func (b *Bot) commentJobs(installation int64, repository string, c github.Comment) []store.Job {
	if c.Bot || c.ID == 0 || repository == "" || b.own(c.Author) {
		return nil
	}
	cmds := ParseCommands(c.Body)
	if len(cmds.List) == 0 {
		return nil
	}
	key := strconv.FormatInt(c.ID, 10)
	args := commentArgs{Comment: c.ID, Issue: c.Issue, Author: c.Author, Asks: asks(cmds)}
	greet := newJob(kindGreet, key, installation, repository, args)
	// One at a time: reactions are paced as all writes are, and a flood of comments in one
	// installation would hold every worker.
	greet.Line, greet.Urgent = fmt.Sprintf("%d/greet", installation), true
	work := newJob(kindCommand, key, installation, repository, args)
	work.Line, work.Urgent = lineOf(installation, repository), true
	return []store.Job{greet, work}
}

// pullJobs are about the end of a rotation's pull request, or its new beginning.
func (b *Bot) pullJobs(e github.Event, guid string) []store.Job {
	if e.Pull == nil || e.Pull.HeadRepo != e.Repo || !strings.HasPrefix(e.Pull.Branch, branchPrefix) {
		return nil
	}
	j := newJob(kindPull, guid, e.Installation, e.Repo, pullArgs{Number: e.Pull.Number, Branch: e.Pull.Branch})
	j.Line, j.Urgent = lineOf(e.Installation, e.Repo), true
	return []store.Job{j}
}

// pushJobs are about a default branch that moved. They wait a moment: of several pushes
// in a row only the last is worked.
func (b *Bot) pushJobs(e github.Event, guid string) []store.Job {
	if e.Push == nil || e.DefaultBranch == "" || e.Push.Branch() != e.DefaultBranch || e.Push.Deleted || e.Repo == "" {
		return nil
	}
	j := newJob(kindBase, guid, e.Installation, e.Repo, baseArgs{Head: e.Push.After})
	j.Line, j.At = lineOf(e.Installation, e.Repo), b.now().Add(max(b.opt.Quiet, 0))
	return []store.Job{j}
}

// own says whether a login is the App's own.
func (b *Bot) own(login string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.self != "" && strings.EqualFold(login, b.self)
}
