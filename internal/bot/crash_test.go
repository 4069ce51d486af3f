package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github/githubtest"
)

// crashes works jobs and ends the process at the n-th call of GitHub's, before it is sent
// or when its answer comes, for every n; then another process works them to the end. before
// makes the jobs, and after looks at what came of them; each round has a world of its own
// repository state.
func crashes(t *testing.T, before func(w *world) []store.Job, after func(w *world, n int)) {
	t.Helper()
	for _, lose := range []bool{false, true} {
		t.Run(fmt.Sprintf("answer lost %t", lose), func(t *testing.T) {
			w := newWorld(t)
			rounds := 0
			for crashed := true; crashed; rounds++ {
				if rounds > 200 {
					t.Fatal("there is no end to it")
				}
				w.fresh(rounds)
				jobs := before(w)
				w.remake()
				w.cut.set(rounds, lose)
				crashed = false
				for _, j := range jobs {
					err := w.work(j)
					var snooze *store.Snooze
					crashed = crashed || err != nil && !errors.As(err, &snooze)
				}
				w.cut.set(-1, false)
				w.remake()
				for _, j := range jobs {
					if err := w.work(j); err != nil {
						t.Fatalf("after a crash at call %d: %v", rounds, err)
					}
				}
				after(w, rounds)
				if t.Failed() {
					return
				}
			}
			if rounds < 8 {
				t.Errorf("only %d calls were made", rounds)
			}
		})
	}
}

// fresh gives the world another repository, as new as the first one was.
func (w *world) fresh(n int) {
	w.paper = newPaper()
	w.repo = w.hub.NewRepo(fmt.Sprintf("octo/shop-%d", n), paperFiles())
	w.repo.Grant("alice", "write")
	w.in = w.app.Install(githubtest.AppPermissions(), w.repo)
	w.issue = w.repo.NewIssue("alice", "A key leaked", "")
	w.remake()
}

// one says that there is one of everything, whatever happened on the way.
func (w *world) one(n int) {
	w.t.Helper()
	pulls := w.repo.Pulls()
	if len(pulls) != 1 || w.paper.minted != 1 || len(w.repo.Branches()) != 2 {
		w.t.Errorf("after a crash at call %d: %d pull requests, %d keys, %v", n, len(pulls), w.paper.minted, w.repo.Branches())
	}
}

func TestCrashesInACommand(t *testing.T) {
	crashes(t, func(w *world) []store.Job {
		_, jobs := w.ask("alice", "/rotate-key prod --force")
		return jobs
	}, func(w *world, n int) {
		w.one(n)
		comments := w.repo.Comments(w.issue)
		if len(comments) != 2 || strings.Join(comments[0].Reactions, " ") != "eyes" || !strings.Contains(comments[1].Body, "is open") {
			w.t.Errorf("after a crash at call %d: %+v", n, comments)
		}
	})
}

func TestCrashesInARebuild(t *testing.T) {
	crashes(t, func(w *world) []store.Job {
		w.run("alice", "/rotate-key prod --force")
		w.repo.Commit("main", "Edit", githubtest.Files{"secrets/prod-db.txt": publicKeys[0] + "\nnewer\n"})
		j := newJob(kindBase, fmt.Sprint(w.repo.Name()), w.in, w.repo.Name(), baseArgs{Head: w.repo.Head("main")})
		return []store.Job{j}
	}, func(w *world, n int) {
		w.one(n)
		pull := w.repo.Pulls()[0]
		if data, _ := w.repo.ReadFile(pull.HeadID, "secrets/prod-db.txt"); data != publicKeys[2]+"\nnewer\n" {
			w.t.Errorf("after a crash at call %d: %q", n, data)
		}
	})
}

func TestCrashesWhereTheRulesAskForARotation(t *testing.T) {
	crashes(t, func(w *world) []store.Job {
		w.repo.Commit("main", "Replace the key", githubtest.Files{".rules": "prod " + publicKeys[6] + "\n"})
		j := newJob(kindBase, w.repo.Name(), w.in, w.repo.Name(), baseArgs{Head: w.repo.Head("main")})
		return []store.Job{j}
	}, func(w *world, n int) {
		if pulls := w.repo.Pulls(); len(pulls) != 1 || len(w.repo.Branches()) != 2 {
			w.t.Errorf("after a crash at call %d: %+v", n, pulls)
		}
	})
}

func TestCrashesAfterAMerge(t *testing.T) {
	crashes(t, func(w *world) []store.Job {
		w.run("alice", "/rotate-key prod --force")
		pull := w.repo.Pulls()[0]
		w.repo.Merge(pull.Number, "alice")
		key := w.rotationHere().Key
		return []store.Job{
			newJob(kindPull, "x", w.in, w.repo.Name(), pullArgs{Number: pull.Number, Branch: pull.Head}),
			newJob(kindRetire, key, w.in, w.repo.Name(), retireArgs{Rotation: key, Since: w.now.now()}),
		}
	}, func(w *world, n int) {
		w.one(n)
		r := w.rotationHere()
		if got := w.answers(r.Pull); len(got) != 1 || !strings.Contains(got[0], "is retired") || len(w.paper.held["prod"]) != 1 {
			w.t.Errorf("after a crash at call %d: %q %v %+v", n, got, w.paper.held, r)
		}
		retires := 0
		for _, j := range w.jobs() {
			if j.Kind == kindRetire && j.Repo == w.repo.Name() {
				retires++
			}
		}
		if retires != 1 {
			w.t.Errorf("after a crash at call %d: %d retirements", n, retires)
		}
	})
}

func TestCrashesAfterAClose(t *testing.T) {
	crashes(t, func(w *world) []store.Job {
		w.run("alice", "/rotate-key prod --force")
		pull := w.repo.Pulls()[0]
		w.repo.ClosePull(pull.Number, "alice")
		j := newJob(kindPull, "x", w.in, w.repo.Name(), pullArgs{Number: pull.Number, Branch: pull.Head})
		return []store.Job{j, j, w.job(kindRotations, "x")}
	}, func(w *world, n int) {
		w.one(n)
		if r := w.rotationHere(); r.State != stateClosed || len(w.answers(r.Pull)) != 1 {
			w.t.Errorf("after a crash at call %d: %+v %q", n, r, w.answers(r.Pull))
		}
	})
}

// rotationHere is the only rotation of the repository.
func (w *world) rotationHere() store.Rotation {
	w.t.Helper()
	list, err := w.store.Rotations(context.Background(), w.repo.Name())
	if err != nil || len(list) != 1 {
		w.t.Fatalf("%+v %v", list, err)
	}
	return list[0]
}
