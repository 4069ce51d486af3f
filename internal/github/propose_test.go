package github_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/github/githubtest"
	"github.com/sealward/sealward/internal/repo"
)

// forge is what the rotation asks of GitHub.
type forge interface {
	Snapshot(ctx context.Context, name, branch string) (repo.Snapshot, error)
	Propose(ctx context.Context, p repo.Proposal) (repo.PullRequest, error)
}

var _ forge = (*github.Client)(nil)

// installation is a client of an App's installation.
func installation(t *testing.T, s *githubtest.Server, app *githubtest.App, id int64, name string, p github.Permissions) *github.Client {
	t.Helper()
	a, err := github.NewApp(app.ID, app.PrivateKey, quick(s.URL))
	if err != nil {
		t.Fatal(err)
	}
	c, err := a.Client(context.Background(), id, name, p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var toPropose = github.Permissions{Contents: github.Write, PullRequests: github.Write, Issues: github.Write}

// bench is a repository with an App on it.
type bench struct {
	*githubtest.Server
	app  *githubtest.App
	repo *githubtest.Repo
	c    *github.Client
}

func newBench(t *testing.T, files githubtest.Files) *bench {
	t.Helper()
	s := githubtest.New(t)
	b := &bench{Server: s, app: s.NewApp("sealward"), repo: s.NewRepo("octo/shop", files)}
	b.c = installation(t, s, b.app, b.app.Install(githubtest.AppPermissions(), b.repo), "octo/shop", toPropose)
	return b
}

func (b *bench) proposal(edits ...repo.Edit) repo.Proposal {
	return repo.Proposal{
		Repo: "octo/shop", Onto: "main", Branch: "sealward/rotate-prod-1a2b", Message: "Rotate the key of prod", Title: "Rotate the key of prod",
		Body: "The plan", Base: b.repo.Head("main"), Edits: edits,
	}
}

func TestAThousandFilesInFewWrites(t *testing.T) {
	files := githubtest.Files{"script.sh": githubtest.Executable("#!/bin/sh\n"), "gone": "x"}
	var edits []repo.Edit
	for i := range 1000 {
		path := fmt.Sprintf("clusters/prod/%d/secret.sops.yaml", i)
		files[path] = "data: old\n"
		edits = append(edits, repo.Edit{Path: path, Data: []byte(strings.Repeat("data: new ciphertext\n", 150))})
	}
	edits = append(edits, repo.Edit{Path: "script.sh", Data: []byte("#!/bin/sh\nx\n")}, repo.Edit{Path: "gone"}, repo.Edit{Path: "added", Data: []byte("a")}, repo.Edit{Path: "never-there"})
	b := newBench(t, files)
	b.Forget()
	pr, err := b.c.Propose(context.Background(), b.proposal(edits...))
	if err != nil {
		t.Fatal(err)
	}
	if writes := b.Writes(); len(writes) > 8 {
		t.Errorf("%d writes: %v", len(writes), writes)
	}
	head := b.repo.Head("sealward/rotate-prod-1a2b")
	for path, want := range map[string]string{"clusters/prod/999/secret.sops.yaml": string(edits[999].Data), "added": "a", "script.sh": "#!/bin/sh\nx\n"} {
		if got, _ := b.repo.ReadFile(head, path); got != want {
			t.Errorf("%s holds %.40q", path, got)
		}
	}
	if _, there := b.repo.ReadFile(head, "gone"); there {
		t.Error("a deleted file is there")
	}
	list := b.repo.Pulls()
	if len(list) != 1 || list[0].Number != pr.Number || list[0].Author != "sealward[bot]" || pr.URL == "" || !strings.HasSuffix(list[0].Body, "The plan") {
		t.Errorf("%+v %+v", list, pr)
	}
	if err := b.repo.Fsck(); err != nil {
		t.Error(err)
	}
	snap, err := b.c.Snapshot(context.Background(), "octo/shop", "sealward/rotate-prod-1a2b")
	if err != nil || contents(t, snap)["added"] != "a" || snap.Commit != head {
		t.Errorf("%s %v", snap.Commit, err)
	}
	list2, _ := snap.FS.(repo.Lister).List()
	for _, e := range list2 {
		if e.Path == "script.sh" && e.Mode.Perm()&0o111 == 0 {
			t.Error("an executable file is none any more")
		}
	}
}

func TestAProposalMayBeRepeated(t *testing.T) {
	b := newBench(t, githubtest.Files{"a": "1"})
	p := b.proposal(repo.Edit{Path: "a", Data: []byte("2")})
	first, err := b.c.Publish(context.Background(), p, github.ProposeOptions{Labels: []string{"rotation"}, NeedVerified: true})
	if err != nil || first.Outcome != github.Created || !first.Verified {
		t.Fatalf("%+v %v", first, err)
	}
	b.Forget()
	p.Edits[0].Data = []byte("2, sealed anew, so other bytes")
	again, err := b.c.Publish(context.Background(), p, github.ProposeOptions{NeedVerified: true})
	if err != nil || again.Number != first.Number || again.Outcome != github.Unchanged || again.Commit != first.Commit || len(b.Writes()) != 0 {
		t.Errorf("%+v %v %v", again, err, b.Writes())
	}
	b.repo.Merge(first.Number, "alice")
	done, err := b.c.Publish(context.Background(), p, github.ProposeOptions{})
	if err != nil || done.State != github.StateMerged || done.MergeCommit == "" || done.Number != first.Number {
		t.Errorf("%+v %v", done, err)
	}
	if got := b.repo.Pulls(); len(got) != 1 || fmt.Sprint(got[0].Labels) != "[rotation]" {
		t.Errorf("%+v", got)
	}
}

func TestAnOpenProposalIsRebuiltOnANewBase(t *testing.T) {
	b := newBench(t, githubtest.Files{"a": "1", "b": "1"})
	p := b.proposal(repo.Edit{Path: "a", Data: []byte("2")})
	first, err := b.c.Publish(context.Background(), p, github.ProposeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b.repo.Commit("main", "Move on", githubtest.Files{"a": "1 and more", "b": "2"})
	p.Base, p.Edits, p.Body = b.repo.Head("main"), []repo.Edit{{Path: "a", Data: []byte("3")}}, "The new plan"
	b.Arm(githubtest.LostAnswer().On("git/update-ref"))
	next, err := b.c.Publish(context.Background(), p, github.ProposeOptions{})
	if err != nil || next.Number != first.Number || next.Outcome != github.Updated || next.Commit == first.Commit {
		t.Fatalf("%+v %v", next, err)
	}
	head := b.repo.Head(p.Branch)
	a, _ := b.repo.ReadFile(head, "a")
	other, _ := b.repo.ReadFile(head, "b")
	if a != "3" || other != "2" || b.repo.Head(head+"^") != p.Base {
		t.Errorf("a %q b %q on %s", a, other, b.repo.Head(head+"^"))
	}
	if got := b.repo.Pulls(); len(got) != 1 || !strings.HasSuffix(got[0].Body, "The new plan") {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsNotOursIsLeftAlone(t *testing.T) {
	edit := repo.Edit{Path: "a", Data: []byte("2")}
	tests := []struct {
		name string
		set  func(b *bench, p repo.Proposal)
		want error
	}{
		{"a person's branch", func(b *bench, p repo.Proposal) { b.repo.Commit(p.Branch, "Mine", githubtest.Files{"x": "y"}) }, github.ErrForeign},
		{"a person's commit with our trailer", func(b *bench, p repo.Proposal) {
			b.repo.Commit(p.Branch, "Forged\n\nSealward-Proposal: "+p.Branch, githubtest.Files{"x": "y"})
		}, github.ErrForeign},
		{"a person's commit on top of ours", func(b *bench, p repo.Proposal) {
			if _, err := b.c.Propose(context.Background(), p); err != nil {
				panic(err)
			}
			b.repo.Commit(p.Branch, "By hand", githubtest.Files{"a": "by hand"})
			b.repo.Commit("main", "Move on", githubtest.Files{"b": "2"})
		}, github.ErrForeign},
		{"a person's pull request", func(b *bench, p repo.Proposal) {
			b.repo.Commit(p.Branch, "Mine", githubtest.Files{"x": "y"})
			b.repo.OpenPull("alice", p.Branch, "Mine")
		}, github.ErrForeign},
		{"closed by a person", func(b *bench, p repo.Proposal) {
			pr, err := b.c.Propose(context.Background(), p)
			if err != nil {
				panic(err)
			}
			b.repo.ClosePull(pr.Number, "alice")
		}, github.ErrClosed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, githubtest.Files{"a": "1"})
			p := b.proposal(edit)
			tt.set(b, p)
			before := b.repo.Head(p.Branch)
			p.Base = b.repo.Head("main")
			b.Forget()
			_, err := b.c.Propose(context.Background(), p)
			if !errors.Is(err, tt.want) || len(b.Writes()) != 0 || b.repo.Head(p.Branch) != before {
				t.Errorf("%v after %v", err, b.Writes())
			}
		})
	}
}

func TestProposalsThatAreNone(t *testing.T) {
	b := newBench(t, githubtest.Files{"a": "1", "link": githubtest.Symlink("a")})
	good := func() repo.Proposal { return b.proposal(repo.Edit{Path: "a", Data: []byte("2")}) }
	edits := func(list ...repo.Edit) repo.Proposal { p := good(); p.Edits = list; return p }
	branch := func(name string) repo.Proposal { p := good(); p.Branch = name; return p }
	for name, p := range map[string]repo.Proposal{
		"no edits": edits(), "nothing new": edits(repo.Edit{Path: "a", Data: []byte("1")}), "outside": edits(repo.Edit{Path: "../x", Data: []byte("1")}),
		"absolute": edits(repo.Edit{Path: "/x", Data: []byte("1")}), "git's own": edits(repo.Edit{Path: ".git/config", Data: []byte("1")}),
		"twice": edits(repo.Edit{Path: "x", Data: []byte("1")}, repo.Edit{Path: "x"}), "a link": edits(repo.Edit{Path: "link", Data: []byte("1")}),
		"same branch": branch("main"), "dots": branch("a/../b"), "query": branch("a?b"), "space": branch("a b"), "empty": branch(""), "ref": branch("refs/heads/x"),
	} {
		t.Run(name, func(t *testing.T) {
			b.Forget()
			if _, err := b.c.Propose(context.Background(), p); err == nil || len(b.Writes()) > 0 {
				t.Errorf("%v, writes %v", err, b.Writes())
			}
		})
	}
}

func TestAnUnsignedCommitIsSaid(t *testing.T) {
	b := newBench(t, githubtest.Files{"a": "1"})
	b.repo.Unsigned()
	p := b.proposal(repo.Edit{Path: "a", Data: []byte("2")})
	if _, err := b.c.Publish(context.Background(), p, github.ProposeOptions{NeedVerified: true}); !errors.Is(err, github.ErrUnverified) || b.repo.Head(p.Branch) != "" {
		t.Errorf("%v", err)
	}
	if done, err := b.c.Publish(context.Background(), p, github.ProposeOptions{}); err != nil || done.Verified {
		t.Errorf("%+v %v", done, err)
	}
}

// Whatever call goes wrong, and however: one branch, one pull request, one commit on it.
func TestEveryFaultEndsInOnePullRequest(t *testing.T) {
	ops := []string{"git/get-ref", "git/get-tree", "git/create-tree", "git/create-commit", "git/create-ref", "pulls/list", "pulls/create", "issues/add-labels", "git/get-commit", "git/create-blob"}
	kinds := map[string]githubtest.Fault{
		"502 after":        {Status: 502, After: true, Body: "<html>"},
		"cut after":        {Drop: true, After: true},
		"503 before":       githubtest.Broken(503),
		"secondary":        githubtest.SecondaryLimit(403, ""),
		"secondary, known": githubtest.SecondaryLimit(429, "0"),
		"two in a row":     {Status: 504, After: true, Times: 2},
		"401":              githubtest.Expired(),
	}
	for kind, fault := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, githubtest.Files{"a": "1"})
			for i, op := range ops {
				p := b.proposal(repo.Edit{Path: "a", Data: fmt.Appendf(nil, "%d", i)}, repo.Edit{Path: "bin", Data: []byte("\xff\xfe\x00")})
				p.Branch = fmt.Sprintf("sealward/%d", i)
				b.Arm(fault.On(op))
				pr, err := b.c.Publish(context.Background(), p, github.ProposeOptions{Labels: []string{"rotation"}})
				b.Disarm()
				if err != nil { // a job tries again, as after a crash
					if pr, err = b.c.Publish(context.Background(), p, github.ProposeOptions{Labels: []string{"rotation"}}); err != nil {
						t.Errorf("%s: %v", op, err)
						continue
					}
				}
				if got := b.repo.Pulls()[len(b.repo.Pulls())-1].Labels; fmt.Sprint(got) != "[rotation]" {
					t.Errorf("%s: labels %v", op, got)
				}
				if got := b.repo.Head(p.Branch + "^"); got != b.repo.Head("main") || pr.Number != i+1 || len(b.repo.Pulls()) != i+1 {
					t.Errorf("%s: pull request %d of %d", op, pr.Number, len(b.repo.Pulls()))
				}
			}
			if got := len(b.repo.Branches()); got != len(ops)+1 {
				t.Errorf("%d branches", got)
			}
		})
	}
}

func TestARaceForTheBranchIsLostInPeace(t *testing.T) {
	b := newBench(t, githubtest.Files{"a": "1"})
	p := b.proposal(repo.Edit{Path: "a", Data: []byte("2")})
	results := make(chan github.Proposed, 6)
	for range 6 {
		go func() {
			done, err := b.c.Publish(context.Background(), p, github.ProposeOptions{})
			if err != nil {
				t.Error(err)
			}
			results <- done
		}()
	}
	for range 6 {
		if done := <-results; done.Number != 1 {
			t.Errorf("%+v", done)
		}
	}
	if len(b.repo.Pulls()) != 1 || b.repo.Head(p.Branch+"^") != p.Base {
		t.Errorf("%+v", b.repo.Pulls())
	}
}
