package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github/githubtest"
)

func TestPlanWhereNothingWasReplaced(t *testing.T) {
	w := newWorld(t)
	answer := w.run("alice", "/rotate-key prod")
	has(t, answer, "Nothing was changed", "`secrets/prod.txt`", "a new key, made when the rotation runs", "`/rotate-key prod --force`", "DB_PASSWORD")
	if len(w.repo.Pulls()) != 0 || w.paper.minted != 0 || len(w.rotations(statePlanned)) != 1 {
		t.Errorf("%d pull requests, %d keys made, %+v", len(w.repo.Pulls()), w.paper.minted, w.rotations())
	}
}

func TestForceOpensOnePullRequest(t *testing.T) {
	w := newWorld(t)
	id, jobs := w.ask("alice", "/rotate-key prod --force")
	for range 3 { // as often as one likes
		for _, j := range jobs {
			if err := w.work(j); err != nil {
				t.Fatal(err)
			}
		}
	}
	pulls := w.repo.Pulls()
	if len(pulls) != 1 || w.paper.minted != 1 || len(w.answers(w.issue)) != 1 {
		t.Fatalf("%+v, %d keys made, %q", pulls, w.paper.minted, w.answers(w.issue))
	}
	has(t, w.answer(), fmt.Sprintf("#%d is open", pulls[0].Number), "2 files sealed anew", "2 values", publicKeys[0], publicKeys[2], "**Next**")
	for _, c := range w.repo.Comments(w.issue) {
		if c.ID == id && strings.Join(c.Reactions, " ") != "eyes" {
			t.Errorf("reactions: %q", c.Reactions)
		}
	}
	r := w.rotations(stateOpen)
	if len(r) != 1 || r[0].Env != "prod" || r[0].By != "alice" || r[0].Pull != pulls[0].Number || r[0].Files != 2 || len(r[0].Before) != 1 || !strings.Contains(pulls[0].Head, r[0].Key) {
		t.Errorf("%+v", r)
	}
	if n := w.counter("sealward_rotation_files_total", map[string]string{"result": "sealed"}); n != 2 {
		t.Errorf("%v files counted", n)
	}
}

func TestASecondCommandRefersToTheFirst(t *testing.T) {
	w := newWorld(t)
	w.run("alice", "/rotate-key prod --force")
	pull := w.repo.Pulls()[0]
	for _, again := range []string{"/rotate-key prod", "/rotate-key prod --force", "/rotate-key production --force"} {
		has(t, w.run("alice", again), fmt.Sprintf("#%d rotates the key of `prod` already", pull.Number), "Merge it, or close it")
	}
	w.repo.Commit("main", "Move on", githubtest.Files{"README.md": "moved\n"})
	has(t, w.run("alice", "/rotate-key prod"), "rebuilt on it now")
	has(t, w.run("alice", "/rotate-key prod --to "+publicKeys[5]), "asks for something else")
	if len(w.repo.Pulls()) != 1 || w.paper.minted != 1 {
		t.Errorf("%+v, %d keys made", w.repo.Pulls(), w.paper.minted)
	}
	// Another environment is no business of it.
	has(t, w.run("alice", "/rotate-key staging --force"), "is open", "`staging`")
	if len(w.repo.Pulls()) != 2 {
		t.Errorf("%+v", w.repo.Pulls())
	}
}

func TestAnotherCommandEndsWhatACrashBegan(t *testing.T) {
	w := newWorld(t)
	_, first := w.ask("alice", "/rotate-key prod --force")
	w.cut.setAt("/pulls")
	if err := w.work(first[1]); err == nil {
		t.Fatal("the crash did not come")
	}
	w.cut.set(-1, false)
	w.remake()
	answer := w.run("alice", "/rotate-key prod --force")
	if len(w.repo.Pulls()) != 1 || w.paper.minted != 1 {
		t.Fatalf("%+v, %d keys made", w.repo.Pulls(), w.paper.minted)
	}
	has(t, answer, "rotates the key of `prod` already")
	if err := w.work(first[1]); err != nil {
		t.Fatal(err)
	}
	has(t, w.answer(), "is open")
	if len(w.repo.Pulls()) != 1 || w.paper.minted != 1 || len(w.answers(w.issue)) != 2 {
		t.Errorf("%+v, %d keys made, %q", w.repo.Pulls(), w.paper.minted, w.answers(w.issue))
	}
}

func TestOtherForms(t *testing.T) {
	w := newWorld(t)
	has(t, w.run("alice", "/rotate-key staging --to "+publicKeys[4]), "is open", publicKeys[4])
	has(t, w.run("alice", "/rotate-key help"), "/rotate-key prod --force", "rotation.allow")
	has(t, w.run("alice", "/rotate-key status"), "`prod`", "file:///keys/prod.agekey", "current", "**Under way**", "`staging`: #", "@&#8203;octo/all")
	has(t, w.run("alice", "/rotate-key nowhere"), "Nothing was done", `no environment "nowhere": known are prod, staging`)
	has(t, w.run("alice", "/rotate-key prod --forse"), "did you mean `--force`", "/rotate-key help")
	has(t, w.run("alice", "/rotate-key prod --force\n/rotate-key prod --forse"), "1 of the 2 commands", "none was run")
	has(t, w.run("alice", "/rotate-key help\n/rotate-key status"), "### `/rotate-key help`", "### `/rotate-key status`")
	if w.paper.minted != 0 || len(w.repo.Pulls()) != 1 {
		t.Errorf("%d keys made, %+v", w.paper.minted, w.repo.Pulls())
	}
}

func TestProblemsAreAnswered(t *testing.T) {
	w := newWorld(t)
	w.paper.fail = func(int, Ask) error {
		return &UserError{errors.New("secrets/[x](https://evil.example).yaml @octo/all <b>is</b> broken\n  one\n  two")}
	}
	answer := w.run("alice", "/rotate-key prod --force")
	has(t, answer, "Nothing was done", `\[x\](https:&#8203;//evil.example).yaml @&#8203;octo/all \<b\>is`, "- one")
	if r := w.rotations(stateRefused); len(r) != 1 || r[0].Problem == "" {
		t.Errorf("%+v", w.rotations())
	}
	w.paper.fail = nil
	has(t, w.run("alice", "/rotate-key prod --force"), "is open")
}

func TestMergeThenRetire(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.start()
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	w.settle()
	pull := w.repo.Pulls()[0].Number
	w.repo.Merge(pull, "alice")
	w.settle()
	if r := w.rotations(stateMerged); len(r) != 1 {
		t.Fatalf("%+v\n%s", w.rotations(), w.log)
	}
	if len(w.paper.held["prod"]) != 2 || w.onMain("secrets/prod.txt") != publicKeys[2] {
		t.Fatalf("%v %s", w.paper.held, w.onMain("secrets/prod.txt"))
	}
	var retire store.JobRow
	for _, j := range w.jobs() {
		if j.Kind == kindRetire {
			retire = j
		}
	}
	if wait := time.Until(retire.At); wait < 50*time.Minute || wait > 70*time.Minute {
		t.Fatalf("retired in %s: %+v", wait, retire)
	}
	// Something waits still.
	args := w.rotations()[0]
	j := newJob(kindRetire, args.Key, w.in, w.repo.Name(), retireArgs{Rotation: args.Key, Since: w.now.now()})
	w.paper.set(func(p *paper) { p.noRetir = "2 files on `main` are still sealed for it" })
	var snooze *store.Snooze
	for range 2 {
		if err := w.work(j); !errors.As(err, &snooze) || time.Until(snooze.Until) < 10*time.Minute {
			t.Fatalf("%v", err)
		}
	}
	has(t, w.answers(pull)[0], "still in the keyring", "2 files on")
	w.paper.set(func(p *paper) { p.noRetir = "" })
	for range 2 {
		if err := w.work(j); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.answers(pull); len(got) != 1 || !strings.Contains(got[0], "is retired") || !strings.Contains(got[0], publicKeys[0]) {
		t.Errorf("%q", got)
	}
	if len(w.rotations(stateRetired)) != 1 || len(w.paper.held["prod"]) != 1 {
		t.Errorf("%+v %v", w.rotations(), w.paper.held)
	}
}

func (w *world) jobs() []store.JobRow {
	w.t.Helper()
	list, err := w.store.Jobs(context.Background(), store.JobFilter{Limit: 1000})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func TestClosedIsAnswered(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.start()
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	w.settle()
	first := w.repo.Pulls()[0].Number
	w.repo.ClosePull(first, "alice")
	w.settle()
	if got := w.answers(first); len(got) != 1 {
		t.Fatalf("%q\n%s", got, w.log)
	}
	has(t, w.answers(first)[0], "Closed without a merge", "the old key stays", "`/rotate-key prod`", "opened again")
	w.repo.Comment("alice", w.issue, "/rotate-key prod")
	w.settle()
	if pulls := w.repo.Pulls(); len(pulls) != 2 || pulls[1].State != "open" || w.paper.minted != 1 {
		t.Errorf("%+v, %d keys made", pulls, w.paper.minted)
	}
	has(t, w.answer(), "is open")
}

func TestAMovedBaseIsFollowed(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.start()
	w.repo.Comment("alice", w.issue, "/rotate-key prod --force")
	w.settle()
	pull := w.repo.Pulls()[0]
	for i := range 3 {
		w.repo.Commit("main", "Edit", githubtest.Files{"secrets/prod-db.txt": publicKeys[0] + fmt.Sprintf("\nnewer %d\n", i)})
	}
	w.settle()
	now := w.repo.Pulls()
	if len(now) != 1 || now[0].HeadID == pull.HeadID || now[0].State != "open" || w.paper.minted != 1 {
		t.Fatalf("%+v\n%s", now, w.log)
	}
	if data, _ := w.repo.ReadFile(now[0].HeadID, "secrets/prod-db.txt"); !strings.Contains(data, "newer 2") || !strings.HasPrefix(data, publicKeys[2]) {
		t.Errorf("%q", data)
	}
	w.repo.Merge(pull.Number, "alice")
	w.settle()
	if w.onMain("secrets/prod-db.txt") != publicKeys[2]+"\nnewer 2" || len(w.rotations(stateMerged)) != 1 {
		t.Errorf("%q %+v", w.onMain("secrets/prod-db.txt"), w.rotations())
	}
}

func TestChangedRulesOpenARotationOnce(t *testing.T) {
	w := newWorld(t)
	w.listen()
	w.start()
	w.settle()
	w.repo.Commit("main", "Replace the key", githubtest.Files{".rules": "prod " + publicKeys[6] + "\n"})
	w.settle()
	w.repo.Commit("main", "Something else", githubtest.Files{"README.md": "1\n"})
	w.settle()
	pulls := w.repo.Pulls()
	if len(pulls) != 1 || pulls[0].State != "open" {
		t.Fatalf("%+v\n%s", pulls, w.log)
	}
	w.repo.ClosePull(pulls[0].Number, "alice")
	w.settle()
	w.repo.Commit("main", "Something more", githubtest.Files{"README.md": "2\n"})
	w.settle()
	if pulls := w.repo.Pulls(); len(pulls) != 1 {
		t.Fatalf("closed, it came again: %+v", pulls)
	}
	// Another recipient is another rotation.
	w.repo.Commit("main", "Replace the key again", githubtest.Files{".rules": "prod " + publicKeys[7] + "\n"})
	w.settle()
	if pulls := w.repo.Pulls(); len(pulls) != 2 || pulls[1].State != "open" {
		t.Fatalf("%+v\n%s", pulls, w.log)
	}
}

func TestLimitsPutJobsOff(t *testing.T) {
	for name, fault := range map[string]githubtest.Fault{
		"secondary": githubtest.SecondaryLimit(403, "120"), "secondary 429": githubtest.SecondaryLimit(429, "120"),
		"primary": githubtest.PrimaryLimit(403, time.Now().Add(2*time.Minute)), "abuse": githubtest.AbuseLimit(),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			_, jobs := w.ask("alice", "/rotate-key prod --force")
			w.hub.Arm(fault.On("git/create-ref"))
			var snooze *store.Snooze
			if err := w.work(jobs[1]); !errors.As(err, &snooze) || time.Until(snooze.Until) < 50*time.Second {
				t.Fatalf("%v", err)
			}
			until, err := w.store.Pace(context.Background(), w.in, true)
			if err != nil || time.Until(until) < 30*time.Second {
				t.Errorf("the installation is not held back: %v %v", until, err)
			}
			if err := w.work(jobs[1]); err != nil {
				t.Fatal(err)
			}
			if len(w.repo.Pulls()) != 1 || w.paper.minted != 1 {
				t.Errorf("%+v, %d keys made", w.repo.Pulls(), w.paper.minted)
			}
		})
	}
}

func TestLostAnswersAreLookedFor(t *testing.T) {
	w := newWorld(t)
	w.hub.Arm(githubtest.LostAnswer().Sometimes(0.3))
	for i := range 5 {
		w.issue = w.repo.NewIssue("alice", "Again", "")
		_, jobs := w.ask("alice", fmt.Sprintf("/rotate-key staging --to %s", publicKeys[2+i]))
		for _, j := range jobs {
			for try := 0; w.work(j) != nil; try++ {
				if try > 50 {
					t.Fatal("it does not end")
				}
			}
		}
		comments := w.repo.Comments(w.issue)
		if len(comments) != 2 || len(comments[0].Reactions) != 1 {
			t.Fatalf("%+v", comments)
		}
		if n := len(w.repo.Pulls()); n != i+1 {
			t.Fatalf("%d pull requests", n)
		}
		r := w.rotations(stateOpen)[0]
		r.State = stateRetired
		if err := w.store.SaveRotation(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFailureIsTold(t *testing.T) {
	w := newWorld(t)
	_, jobs := w.ask("alice", "/rotate-key prod --force")
	w.paper.fail = func(int, Ask) error { return fmt.Errorf("read http://10.0.0.7/keys: %w", errors.New("refused")) }
	if err := w.work(jobs[1]); err == nil {
		t.Fatal("no error")
	}
	job := store.Work{Job: jobs[1], ID: 7, Attempt: 25, Last: true}
	job.Delivery = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
	for range 2 {
		if err := w.bot.discarded(context.Background(), job, "it failed"); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.answers(w.issue); len(got) != 1 || strings.Contains(got[0], "10.0.0.7") {
		t.Fatalf("%q", got)
	}
	has(t, w.answer(), "could not be finished", "`bot jobs retry 7`", "72d3162e")
	if len(w.rotations(stateFailed)) != 1 {
		t.Errorf("%+v", w.rotations())
	}
	w.paper.fail = nil
	if err := w.work(jobs[1]); err != nil {
		t.Fatal(err)
	}
	if got := w.answers(w.issue); len(got) != 1 || !strings.Contains(got[0], "is open") || len(w.repo.Pulls()) != 1 {
		t.Errorf("%q", got)
	}
}

func TestForeignCommitsAreNotOverwritten(t *testing.T) {
	w := newWorld(t)
	w.run("alice", "/rotate-key prod --force")
	pull := w.repo.Pulls()[0]
	w.repo.Commit(pull.Head, "A person's commit", githubtest.Files{"notes.md": "x\n"})
	w.repo.Commit("main", "Move on", githubtest.Files{"README.md": "moved\n"})
	has(t, w.run("alice", "/rotate-key prod"), fmt.Sprintf("#%d rotates the key of `prod` already", pull.Number), "could not be rebuilt", "commits that are not the bot's")
	if len(w.repo.Pulls()) != 1 {
		t.Errorf("%+v", w.repo.Pulls())
	}
	if _, ok := w.repo.ReadFile(pull.Head, "notes.md"); !ok {
		t.Error("the person's commit is gone")
	}
}
