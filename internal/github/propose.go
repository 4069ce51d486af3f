package github

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	gh "github.com/google/go-github/v62/github"
	"github.com/sealward/sealward/internal/repo"
)

// What stands in the way of a proposal.
var (
	// ErrForeign is a branch or pull request of the proposal's name that this client
	// did not make, or that somebody has added commits to.
	ErrForeign = errors.New("it is not this program's own")
	// ErrClosed is a pull request for the same request that a person closed unmerged.
	ErrClosed = errors.New("its pull request was closed without being merged")
	// ErrUnverified is a commit that GitHub did not sign.
	ErrUnverified = errors.New("GitHub did not sign the commit")
	// ErrNoChange is a proposal whose edits are all in the base already.
	ErrNoChange = errors.New("there is nothing to change")
)

// State is where a pull request stands.
type State string

// The states.
const (
	StateOpen   State = "open"
	StateMerged State = "merged"
	StateClosed State = "closed" // unmerged
)

// Pull is a pull request as proposals look at it.
type Pull struct {
	Number      int
	URL         string
	State       State
	Title, Body string
	Branch      string // of the head
	Onto        string
	Head, Base  string // commits
	MergeCommit string // "" unless merged
	Labels      []string
	user        *gh.User
}

func newPull(p *gh.PullRequest) Pull {
	out := Pull{
		Number: p.GetNumber(), URL: p.GetHTMLURL(), State: State(p.GetState()), Title: p.GetTitle(), Body: p.GetBody(), Branch: p.GetHead().GetRef(),
		Onto: p.GetBase().GetRef(), Head: p.GetHead().GetSHA(), Base: p.GetBase().GetSHA(), user: p.GetUser(),
	}
	for _, l := range p.Labels {
		out.Labels = append(out.Labels, l.GetName())
	}
	if !p.GetMergedAt().IsZero() {
		out.State, out.MergeCommit = StateMerged, p.GetMergeCommitSHA()
	}
	return out
}

// Pull returns a pull request.
func (c *Client) Pull(ctx context.Context, repository string, number int) (Pull, error) {
	n, err := ParseName(repository)
	if err != nil {
		return Pull{}, err
	}
	p, _, err := c.api.PullRequests.Get(named(ctx, "pulls/get"), n.Owner, n.Repo, number)
	if err != nil {
		return Pull{}, apiError("pulls/get", err)
	}
	return newPull(p), nil
}

// Proposed is what became of a proposal.
type Proposed struct {
	Pull
	Outcome  Outcome // Created, Updated where the branch was rebuilt or the text changed, or Unchanged
	Commit   string
	Verified bool // GitHub signed the commit
}

// ProposeOptions are what a proposal may be asked beside its content.
type ProposeOptions struct {
	Labels         []string
	NeedVerified   bool // fail with ErrUnverified before the branch is touched
	ReopenIfClosed bool // make a new pull request where a person closed the last one
}

// Propose opens a change as a pull request, as rotations want it. It may be
// repeated: the same proposal ends in the same pull request, whatever happened to
// the calls before. See [Client.Publish].
func (c *Client) Propose(ctx context.Context, p repo.Proposal) (repo.PullRequest, error) {
	done, err := c.Publish(ctx, p, ProposeOptions{})
	return repo.PullRequest{Number: done.Number, URL: done.URL}, err
}

// Publish opens a change as one pull request of one commit: the tree with the texts
// in it, the commit, the branch, the pull request, and the labels: four or five
// writes for any number of text files up to 20 MB, each looked for before.
//
// The branch's name is the proposal's key. The branch is made and never overwritten
// unless it is this client's own single commit, made on another base: then it is
// rebuilt on the new one, and the pull request stays. A merged pull request is
// returned as it is; so is one that a person closed, with ErrClosed.
func (c *Client) Publish(ctx context.Context, p repo.Proposal, opt ProposeOptions) (Proposed, error) {
	pub, err := c.newPublishing(ctx, p, opt)
	if err != nil {
		return Proposed{}, fmt.Errorf("propose %s: %w", p.Branch, err)
	}
	if err := c.looked(ctx, pub.run); err != nil {
		return pub.done, fmt.Errorf("propose %s: %w", p.Branch, err)
	}
	return pub.done, nil
}

// publishing is a proposal on its way. What it has made it remembers, so that a
// round after a lost answer begins where the last one ended.
type publishing struct {
	c      *Client
	name   Name
	self   account
	p      repo.Proposal
	opt    ProposeOptions
	body   string
	commit string // made, whether or not the branch has it
	done   Proposed
}

func (c *Client) newPublishing(ctx context.Context, p repo.Proposal, opt ProposeOptions) (*publishing, error) {
	n, err := ParseName(p.Repo)
	if err != nil {
		return nil, err
	}
	if !validBranch(p.Branch) || !validBranch(p.Onto) || p.Branch == p.Onto {
		return nil, fmt.Errorf("%q onto %q: these are no two names of branches", p.Branch, p.Onto)
	}
	if !commitID.MatchString(p.Base) {
		return nil, fmt.Errorf("base %q is no commit", p.Base)
	}
	if err := validEdits(p.Edits); err != nil {
		return nil, err
	}
	body, err := marked("proposal", " "+digest(p.Branch), p.Body)
	if err != nil {
		return nil, err
	}
	self, err := c.whoami(ctx)
	if err != nil {
		return nil, err
	}
	return &publishing{c: c, name: n, self: self, p: p, opt: opt, body: body}, nil
}

// validBranch holds a name to git's rules and a little more: no part of it may
// mean something to a URL.
func validBranch(name string) bool {
	bad := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\%#&`, r) }
	return name != "" && len(name) < 200 && !strings.ContainsFunc(name, bad) && !strings.Contains(name, "..") && !strings.Contains(name, "//") &&
		!strings.Contains(name, "@{") && !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "refs/") && !strings.HasPrefix(name, "-") &&
		!strings.HasSuffix(name, "/") && !strings.HasSuffix(name, ".lock") && !strings.HasSuffix(name, ".")
}

func validEdits(edits []repo.Edit) error {
	if len(edits) == 0 {
		return ErrNoChange
	}
	seen := map[string]bool{}
	for _, e := range edits {
		dot := strings.EqualFold(e.Path, ".git") || strings.HasPrefix(strings.ToLower(e.Path), ".git/")
		if !fs.ValidPath(e.Path) || e.Path == "." || dot || seen[e.Path] {
			return fmt.Errorf("%q can not be edited: it is no path of a file, or is there twice", e.Path)
		}
		seen[e.Path] = true
	}
	return nil
}

// run looks at what there is, and does what is missing.
func (p *publishing) run(ctx context.Context) error {
	pull, found, err := p.find(ctx)
	if err != nil {
		return err
	}
	if found {
		p.done.Pull = pull
	}
	switch {
	case found && pull.State == StateMerged:
		return nil
	case found && pull.State == StateClosed && !p.opt.ReopenIfClosed:
		return ErrClosed
	case found && pull.State == StateClosed:
		found = false
	}
	if err := p.branch(ctx); err != nil {
		return err
	}
	if !found {
		err = p.create(ctx)
	} else {
		err = p.retext(ctx, pull)
	}
	missing := func(label string) bool { return !slices.Contains(p.done.Labels, label) }
	if err != nil || !slices.ContainsFunc(p.opt.Labels, missing) {
		return err
	}
	return p.c.Label(ctx, p.p.Repo, p.done.Number, p.opt.Labels...)
}

// find returns the proposal's pull request: the open one, or else the last.
func (p *publishing) find(ctx context.Context) (Pull, bool, error) {
	const op = "pulls/list"
	list, _, err := p.c.api.PullRequests.List(named(ctx, op), p.name.Owner, p.name.Repo, &gh.PullRequestListOptions{
		State: "all", Head: p.name.Owner + ":" + p.p.Branch, Sort: "created", Direction: "desc", ListOptions: gh.ListOptions{PerPage: 100},
	})
	if err != nil {
		return Pull{}, false, apiError(op, err)
	}
	var best *Pull
	for _, pr := range list {
		pull := newPull(pr)
		more, ok := hasMark(pull.Body, "proposal")
		ours := ok && more == digest(p.p.Branch) && p.self.wrote(pull.user)
		if !ours && pull.State == StateOpen {
			return Pull{}, false, fmt.Errorf("pull request #%d: %w", pull.Number, ErrForeign)
		}
		if ours && (best == nil || pull.State == StateOpen) {
			best = &pull
		}
	}
	if best == nil {
		return Pull{}, false, nil
	}
	return *best, true, nil
}

// trailer ends the message of a proposal's commit, and tells it from others'.
const trailer = "Sealward-Proposal: "

// branch sees to it that the branch has the proposal's commit.
func (p *publishing) branch(ctx context.Context) error {
	const op = "git/get-ref"
	ref, _, err := p.c.api.Git.GetRef(named(ctx, op), p.name.Owner, p.name.Repo, "heads/"+p.p.Branch)
	if err := apiError(op, err); errors.Is(err, ErrNotFound) {
		return p.makeBranch(ctx)
	} else if err != nil {
		return err
	}
	tip := ref.GetObject().GetSHA()
	if tip == p.commit && tip != "" {
		p.done.Commit = tip
		return nil
	}
	c, _, err := p.c.api.Git.GetCommit(named(ctx, "git/get-commit"), p.name.Owner, p.name.Repo, tip)
	if err != nil {
		return apiError("git/get-commit", err)
	}
	if !p.own(c) {
		return fmt.Errorf("branch %s at %s: %w", p.p.Branch, short(tip), ErrForeign)
	}
	if c.Parents[0].GetSHA() == p.p.Base {
		p.done.Commit = tip
		return p.verify(c)
	}
	return p.rebuild(ctx)
}

// own says whether a commit is this proposal's, made by this client: one parent,
// its trailer, and for an App the App's address as the author's.
func (p *publishing) own(c *gh.Commit) bool {
	lines := strings.Split(normal(c.GetMessage()), "\n")
	if len(c.Parents) != 1 || lines[len(lines)-1] != trailer+p.p.Branch {
		return false
	}
	email := c.GetAuthor().GetEmail()
	if p.self.login == "" {
		return strings.HasSuffix(email, "[bot]@users.noreply.github.com") || !strings.HasSuffix(p.c.base.Host, "github.com")
	}
	return !strings.HasSuffix(p.self.login, "[bot]") || strings.Contains(email, p.self.login)
}

func (p *publishing) makeBranch(ctx context.Context) error {
	if err := p.makeCommit(ctx); err != nil {
		return err
	}
	const op = "git/create-ref"
	_, _, err := p.c.api.Git.CreateRef(named(ctx, op), p.name.Owner, p.name.Repo, &gh.Reference{
		Ref: gh.String("refs/heads/" + p.p.Branch), Object: &gh.GitObject{SHA: &p.commit},
	})
	if err == nil {
		p.done.Commit = p.commit
	}
	return apiError(op, err)
}

// rebuild moves our own branch onto a new base. GitHub has no way to say what the
// branch must point to now, so it was looked at just before.
func (p *publishing) rebuild(ctx context.Context) error {
	if err := p.makeCommit(ctx); err != nil {
		return err
	}
	const op = "git/update-ref"
	_, _, err := p.c.api.Git.UpdateRef(repeatable(ctx, op), p.name.Owner, p.name.Repo, &gh.Reference{
		Ref: gh.String("refs/heads/" + p.p.Branch), Object: &gh.GitObject{SHA: &p.commit},
	}, true)
	if err == nil {
		p.done.Commit, p.done.Outcome = p.commit, Updated
	}
	return apiError(op, err)
}

// makeCommit writes the tree and the commit, once. Nothing points to them yet. No
// author is given: then it is the App, and GitHub signs.
func (p *publishing) makeCommit(ctx context.Context) error {
	if p.commit != "" {
		return nil
	}
	tree, err := p.makeTree(ctx)
	if err != nil {
		return err
	}
	const op = "git/create-commit"
	message := normal(p.p.Message) + "\n\n" + trailer + p.p.Branch
	c, _, err := p.c.api.Git.CreateCommit(repeatable(ctx, op), p.name.Owner, p.name.Repo, &gh.Commit{
		Message: &message, Tree: &gh.Tree{SHA: &tree}, Parents: []*gh.Commit{{SHA: &p.p.Base}},
	}, nil)
	if err != nil {
		return apiError(op, err)
	}
	if err := p.verify(c); err != nil {
		return err
	}
	p.commit = c.GetSHA()
	return nil
}

func (p *publishing) verify(c *gh.Commit) error {
	p.done.Verified = c.GetVerification().GetVerified()
	if p.opt.NeedVerified && !p.done.Verified {
		return fmt.Errorf("%w (%s): use an App's token, and on an Enterprise Server turn on its signing of commits", ErrUnverified, c.GetVerification().GetReason())
	}
	return nil
}

func (p *publishing) create(ctx context.Context) error {
	const op = "pulls/create"
	pr, _, err := p.c.api.PullRequests.Create(named(ctx, op), p.name.Owner, p.name.Repo, &gh.NewPullRequest{
		Title: &p.p.Title, Head: &p.p.Branch, Base: &p.p.Onto, Body: &p.body,
	})
	if err != nil {
		return apiError(op, err)
	}
	p.done.Pull, p.done.Outcome = newPull(pr), Created
	return nil
}

// retext brings the pull request's words up to date.
func (p *publishing) retext(ctx context.Context, pull Pull) error {
	if pull.Title == p.p.Title && normal(pull.Body) == normal(p.body) {
		return nil
	}
	const op = "pulls/update"
	pr, _, err := p.c.api.PullRequests.Edit(repeatable(ctx, op), p.name.Owner, p.name.Repo, pull.Number, &gh.PullRequest{Title: &p.p.Title, Body: &p.body})
	if err != nil {
		return apiError(op, err)
	}
	p.done.Pull, p.done.Outcome = newPull(pr), Updated
	return nil
}
