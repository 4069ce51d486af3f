package bot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

// publicKeys are recipients whose private halves nobody has.
var publicKeys = [...]string{
	"age1nx27fjrdxh5rtvd466nyvpd9mwsp2hx27lmm776qrfcvhu5qavjqug3zw4",
	"age1jcqmy48cc3zegj0rp4gyp5qt0wgxxpv2exfydww5679gc3sz3egq7kc9pe",
	"age1z075k0yp2dq6tsmn04dl399kl3054j7z93hp03zqff8llufe69qspwsadf",
	"age1hyysrekkeetw4mxwnxqftef8uc48u2xtncwvwflhslvnqpmc9qrqrr5mjl",
	"age1w6azrtehvynhdcj900ctu2s07drpluys3vwmqnnctzxrhqu3kaaqwgq4t8",
	"age1f5hhpdqsnazdpk95gqn35c0nj44l0r8k8hmmpjdrttsms0ar6a0sks70ae",
	"age1x3q5plyp2dt6c347qjf9ekgtftpgv60kz79lnhhw5pj9e39ztptquf03g2",
	"age1u6x39kgdeyk82h2fm775stvg56wel5dcakskczaqym3rcqjtt5esjxugpt",
}

func testRecipient(t testing.TB, n int) string {
	t.Helper()
	return publicKeys[n]
}

func key(n int) sops.Recipient { return sops.Recipient{Kind: sops.Age, ID: publicKeys[n]} }

// paper is a Rotator over repositories whose sealed files are one line of text: the
// recipient that they are sealed for. Its keyrings are in memory, as of a process that
// never ends: a key that was made stays made.
type paper struct {
	mu      sync.Mutex
	held    map[string][]sops.Recipient // by environment
	next    int                         // of publicKeys, the next to be made
	minted  int
	runs    int
	fail    func(n int, ask Ask) error // of the n-th run
	policy  Policy
	drift   github.IssueReport
	noRetir string // why nothing is retired yet
}

func newPaper() *paper {
	return &paper{held: map[string][]sops.Recipient{"prod": {key(0)}, "staging": {key(1)}}, next: 2}
}

func paperFiles() githubtest.Files {
	return githubtest.Files{
		"secrets/prod.txt": publicKeys[0] + "\n", "secrets/prod-db.txt": publicKeys[0] + "\n", "secrets/staging.txt": publicKeys[1] + "\n", "README.md": "hello\n",
	}
}

// sealed reads which files of an environment are sealed for whom.
func (p *paper) sealed(snap repo.Snapshot, env string) (map[string]sops.Recipient, error) {
	names, err := fs.Glob(snap, "secrets/"+env+"*.txt")
	if err != nil {
		return nil, err
	}
	out := map[string]sops.Recipient{}
	for _, name := range names {
		data, err := fs.ReadFile(snap, name)
		if err != nil {
			return nil, err
		}
		out[name] = sops.Recipient{Kind: sops.Age, ID: strings.TrimSpace(strings.Split(string(data), "\n")[0])}
	}
	return out, nil
}

func (p *paper) Run(ctx context.Context, on *github.Client, ask Ask) (*Answer, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.runs++
	if p.fail != nil {
		if err := p.fail(p.runs, ask); err != nil {
			return nil, err
		}
	}
	snap, err := on.Snapshot(ctx, ask.Repo, ask.Branch)
	if err != nil {
		return nil, err
	}
	env := ask.Env
	if env == "production" {
		env = "prod"
	}
	if env == "" {
		env = "*"
	}
	files, err := p.sealed(snap, env)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, &UserError{fmt.Errorf("no environment %q: known are prod, staging", ask.Env)}
	}
	plan, err := p.plan(ctx, ask, env, files)
	if err != nil {
		return nil, err
	}
	if ask.Plan || plan.Idle || len(plan.Files) == 0 {
		return &Answer{Plan: plan}, nil
	}
	return p.propose(ctx, on, ask, plan, snap)
}

func (p *paper) plan(ctx context.Context, ask Ask, env string, files map[string]sops.Recipient) (*rotate.Plan, error) {
	plan := &rotate.Plan{Request: ask.Request, Env: env}
	if env == "*" {
		plan.Env = ""
	}
	held := p.held[env]
	switch {
	case len(ask.To) > 0:
		plan.New = ask.To
	case len(ask.Add) > 0:
		plan.New = ask.Add
	default:
		plan.New = held[:1]
	}
	behind := func() bool {
		for _, r := range files {
			if r != plan.New[0] {
				return true
			}
		}
		return false
	}
	if len(ask.To)+len(ask.Add) == 0 && !behind() && ask.Before == nil {
		plan.Idle, plan.Mint, plan.New = !ask.Force, true, nil
		if ask.Force && !ask.Plan {
			if err := ask.Begin(ctx, slices.Clone(held)); err != nil {
				return nil, err
			}
			ask.Before = held
		}
	}
	if ask.Before != nil && ask.Force && !ask.Plan {
		if len(p.held[env]) == len(ask.Before) {
			p.held[env] = append([]sops.Recipient{key(p.next)}, p.held[env]...)
			p.next++
			p.minted++
		}
		plan.New, plan.Mint = p.held[env][:1], false
	}
	for name, r := range files {
		if len(plan.New) == 0 || r != plan.New[0] {
			plan.Files = append(plan.Files, rotate.Reseal{Path: name, From: []sops.Recipient{r}, To: plan.New, Env: env, Values: 2, Docs: 1, Why: "sealed for the old key"})
			if !slices.Contains(plan.Old, r) {
				plan.Old = append(plan.Old, r)
			}
			plan.Exposed = append(plan.Exposed, rotate.Exposed{Path: name, Value: rotate.Value{Key: "DB_PASSWORD"}})
		}
	}
	slices.SortFunc(plan.Files, func(a, b rotate.Reseal) int { return strings.Compare(a.Path, b.Path) })
	return plan, nil
}

func (p *paper) propose(ctx context.Context, on *github.Client, ask Ask, plan *rotate.Plan, snap repo.Snapshot) (*Answer, error) {
	var edits []repo.Edit
	out := &rotate.Outcome{}
	for _, f := range plan.Files {
		old, err := fs.ReadFile(snap, f.Path)
		if err != nil {
			return nil, err
		}
		_, rest, _ := strings.Cut(string(old), "\n")
		edits = append(edits, repo.Edit{Path: f.Path, Data: []byte(plan.New[0].ID + "\n" + rest)})
		out.Sealed = append(out.Sealed, f.Path)
	}
	done, err := on.Publish(ctx, plan.Proposal(snap.Commit, edits, nil), github.ProposeOptions{Labels: []string{"sealward"}, NeedVerified: true, ReopenIfClosed: ask.Reopen})
	return &Answer{Plan: plan, Outcome: out, Pull: done}, err
}

// Behind looks for a file .rules of lines "environment recipient".
func (p *paper) Behind(ctx context.Context, on *github.Client, repository string) ([]rotate.Request, error) {
	snap, err := on.Snapshot(ctx, repository, "main")
	if err != nil {
		return nil, err
	}
	data, err := fs.ReadFile(snap, ".rules")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []rotate.Request
	for line := range strings.Lines(string(data)) {
		env, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		files, err := p.sealed(snap, env)
		if err != nil {
			return nil, err
		}
		for _, r := range files {
			if r.ID != id {
				out = append(out, rotate.Request{Repo: repository, Branch: "main", Env: env, To: []sops.Recipient{{Kind: sops.Age, ID: id}}})
				break
			}
		}
	}
	return out, nil
}

func (p *paper) Retire(ctx context.Context, on *github.Client, repository, env string, keep sops.Recipient) ([]sops.Recipient, bool, string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.noRetir != "" {
		return nil, false, p.noRetir, nil
	}
	snap, err := on.Snapshot(ctx, repository, "main")
	if err != nil {
		return nil, false, "", err
	}
	files, err := p.sealed(snap, env)
	if err != nil {
		return nil, false, "", err
	}
	var removed, left []sops.Recipient
	for _, r := range p.held[env] {
		if r == keep {
			left = append(left, r)
			continue
		}
		for name, used := range files {
			if used == r {
				return nil, false, name + " is still sealed for it", nil
			}
		}
		removed = append(removed, r)
	}
	p.held[env] = left
	return removed, true, "", nil
}

func (p *paper) Environments(context.Context, *github.Client, string) ([]Environment, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return []Environment{{Name: "prod", Keyring: "file:///keys/prod.agekey", Held: slices.Clone(p.held["prod"]), InUse: []sops.Recipient{key(0)}, Files: 2, Warnings: []string{"@octo/all look"}}}, nil
}

func (p *paper) Policy(context.Context, *github.Client, string) (Policy, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.policy, nil
}

func (p *paper) Drift(_ context.Context, _ *github.Client, repository string) (github.IssueReport, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.drift
	r.Repo, r.Mark, r.Labels = repository, "drift", []string{"sealward"}
	return r, nil
}

func (p *paper) set(f func(p *paper)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}
