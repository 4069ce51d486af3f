package bot

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/sealward/sealward/internal/bot/page"
	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/sops"
)

// keyTable is what this process has read of repositories' keys, for people to look at. No
// decision is made by it.
type keyTable struct {
	mu   sync.Mutex
	read map[string]keysRead // by repository
}

type keysRead struct {
	list    []Environment
	at      time.Time
	problem string
}

func newKeyTable() *keyTable { return &keyTable{read: map[string]keysRead{}} }

func (k *keyTable) get(repository string) keysRead {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.read[repository]
}

func (k *keyTable) put(repository string, r keysRead) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.read[repository] = r
}

// forget has a repository read again soon.
func (k *keyTable) forget(repository string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r, ok := k.read[repository]; ok {
		r.at = time.Time{}
		k.read[repository] = r
	}
}

// The pace at which keys are looked at.
const (
	lookEvery = 30 * time.Second
	lookAgain = time.Hour // at one repository, where nothing was pushed
)

// lookAtKeys reads the keys of every repository from time to time, one by one.
func (b *Bot) lookAtKeys(ctx context.Context) {
	for {
		repos, err := b.opt.Store.Repositories(ctx)
		if err != nil && ctx.Err() == nil {
			b.log.WarnContext(ctx, "repositories could not be listed", "error", err)
		}
		for _, r := range repos {
			if b.now().Sub(b.keys.get(r.Name).at) > lookAgain {
				b.lookAt(ctx, r)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
	}
}

func (b *Bot) lookAt(ctx context.Context, r store.Repository) {
	read := keysRead{at: b.now()}
	c, err := b.opt.App.Client(ctx, r.Installation, r.Name, github.Permissions{Contents: github.Read})
	if err == nil {
		read.list, err = b.opt.Rotator.Environments(ctx, c, r.Name)
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		b.log.WarnContext(ctx, "keys could not be read", "repo", r.Name, "error", err)
		read.problem = err.Error()
		read.list = b.keys.get(r.Name).list
	}
	b.keys.put(r.Name, read)
}

// failedShown is how many failed jobs the page shows.
const failedShown = 100

// View is what the operator's page shows, but for what depends on the visitor and the
// program: Version, App, AppURL, CSRF, Notice, NoticeBad, Open and Query are left to the
// caller, and so are the addresses of what is on GitHub, but for comments'.
func (b *Bot) View(ctx context.Context) (page.View, error) {
	v := page.View{Now: b.now()}
	repos, err := b.opt.Store.Repositories(ctx)
	if err != nil {
		return v, err
	}
	rotations, err := b.opt.Store.Rotations(ctx, "")
	if err != nil {
		return v, err
	}
	for _, r := range repos {
		v.Repositories = append(v.Repositories, b.repositoryView(r, rotations))
	}
	for _, r := range rotations {
		v.Rotations = append(v.Rotations, rotationView(r))
	}
	queue, err := b.opt.Store.Queue(ctx)
	if err != nil {
		return v, err
	}
	v.Oldest = queue.Oldest
	for kind, states := range queue.Count {
		for state, n := range states {
			v.Queue = append(v.Queue, page.Depth{Kind: kind, State: state, Count: n})
		}
	}
	return v, b.failedView(ctx, &v, queue)
}

func (b *Bot) failedView(ctx context.Context, v *page.View, queue store.Queue) error {
	failed, err := b.opt.Store.Jobs(ctx, store.JobFilter{States: []string{"discarded", "cancelled"}, Limit: failedShown})
	if err != nil {
		return err
	}
	for _, j := range failed {
		v.Failed = append(v.Failed, page.Job{ID: j.ID, Kind: j.Kind, State: j.State, Repo: j.Repo, Delivery: j.Delivery, Attempt: j.Attempt, Ended: j.Ended, Error: j.Error})
	}
	all := 0
	for _, states := range queue.Count {
		all += states["discarded"] + states["cancelled"]
	}
	v.FailedMore = max(0, all-len(failed))
	return nil
}

func (b *Bot) repositoryView(r store.Repository, rotations []store.Rotation) page.Repository {
	read := b.keys.get(r.Name)
	out := page.Repository{Name: r.Name, Branch: r.Branch, Checked: read.at, Problem: read.problem}
	for _, e := range read.list {
		out.Environments = append(out.Environments, page.Environment{
			Name: e.Name, Keyring: e.Keyring, Held: idsOf(e.Held), InUse: idsOf(e.InUse), Since: since(r.Name, e, rotations), Files: e.Files, Problem: e.Problem, Warnings: e.Warnings,
		})
	}
	return out
}

// since is when an environment's current key came in, where a rotation of ours tells.
func since(repository string, e Environment, rotations []store.Rotation) time.Time {
	current := ""
	for _, list := range [][]sops.Recipient{e.InUse, e.Held} {
		if len(list) > 0 {
			current = list[0].ID
		}
	}
	for _, r := range rotations {
		if r.Repo == repository && len(r.New) > 0 && r.New[0] == current {
			return r.Created
		}
	}
	return time.Time{}
}

func rotationView(r store.Rotation) page.Rotation {
	out := page.Rotation{
		Repo: r.Repo, Env: r.Env, State: r.State, By: r.By, Pull: r.Pull, Old: r.Old, New: r.New, Files: r.Files, Problem: r.Problem, Created: r.Created, Updated: r.Updated,
	}
	if strings.HasPrefix(r.Source, "https://") || strings.HasPrefix(r.Source, "http://") {
		out.Comment = r.Source
	}
	if r.State == stateMerged {
		out.Waits, out.Problem = r.Problem, ""
	}
	return out
}

// statusText answers /rotate-key status.
func (t task) statusText(ctx context.Context) (string, error) {
	c, err := t.client(ctx, github.Permissions{Contents: github.Read})
	if err != nil {
		return "", err
	}
	list, err := t.opt.Rotator.Environments(ctx, c, t.Repo)
	if wrong := mistake(err); wrong != "" {
		return sayWrong(wrong), nil
	} else if err != nil {
		return "", err
	}
	rotations, err := t.opt.Store.Rotations(ctx, t.Repo, stateBegun, stateOpen, stateMerged)
	if err != nil {
		return "", err
	}
	return sayStatus(list, rotations), nil
}

func sayStatus(list []Environment, rotations []store.Rotation) string {
	var b strings.Builder
	if len(list) == 0 {
		b.WriteString("No environment was found in this repository: name one under `environments:` in `.sealward.yaml`.\n\n")
	} else {
		b.WriteString("| environment | files | sealed for | keyring | |\n|---|---|---|---|---|\n")
	}
	for i, e := range list {
		if i == rows {
			fmt.Fprintf(&b, "| and %d more | | | | |\n", len(list)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s |\n", codeOf(e.Name), e.Files, shorts(e.InUse), keyringText(e), standing(e))
	}
	b.WriteString("\n")
	for _, e := range list {
		for _, w := range e.Warnings {
			b.WriteString("- " + codeOf(e.Name) + ": " + proseOf(w) + "\n")
		}
	}
	if len(rotations) == 0 {
		b.WriteString("\nNo rotation is under way.\n")
		return b.String()
	}
	b.WriteString("\n**Under way**\n\n")
	for _, r := range rotations {
		b.WriteString("- " + underWay(r) + "\n")
	}
	return b.String()
}

func shorts(list []sops.Recipient) string {
	if len(list) == 0 {
		return "-"
	}
	out := make([]string, 0, len(list))
	for _, r := range list {
		out = append(out, codeOf(r.Short()))
	}
	return strings.Join(out, ", ")
}

func keyringText(e Environment) string {
	if e.Keyring == "" {
		return "none"
	}
	return codeOf(e.Keyring) + ": " + shorts(e.Held)
}

// standing is how an environment's key stands, in words.
func standing(e Environment) string {
	switch {
	case e.Problem != "":
		return proseOf(e.Problem)
	case len(e.Held) == 0:
		return ""
	case len(e.InUse) == 1 && e.InUse[0] == e.Held[0]:
		return "current"
	case len(e.InUse) > 0:
		return "behind: " + codeOf(keyword+" "+e.Name) + " moves the files to the newest key"
	}
	return ""
}

func underWay(r store.Rotation) string {
	name := "recipients"
	if r.Env != "" {
		name = codeOf(r.Env)
	}
	switch r.State {
	case stateMerged:
		return fmt.Sprintf("%s: #%d is merged, and the old key not retired yet", name, r.Pull)
	case stateOpen:
		return fmt.Sprintf("%s: #%d is open", name, r.Pull)
	}
	return name + ": begun"
}
