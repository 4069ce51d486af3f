package main

import "github.com/sealward/sealward/internal/rotate"

func (r *rotation) undo() (int, error) {
	j, err := rotate.OpenJournal(r.at.root, r.at.journal)
	if err != nil {
		return exitFailed, err
	}
	defer j.Close() // which throws away what never came as far as the tree
	pending, err := rotate.PendingIn(r.at.journal)
	if err != nil {
		return exitFailed, err
	}
	if pending == nil {
		r.tell("nothing to undo: no rotation of this tree was interrupted")
		r.say("%s", r.takeBack())
		return exitDone, nil
	}
	w, err := j.Finish(true)
	if err != nil {
		return exitFailed, err
	}
	r.left = w.Left
	r.tell("undone: %s; %s brought back", pending.Title, plural(w.Files, "file"))
	r.tellLeft()
	return r.code(), nil
}

// takeBack says how a rotation that came to its end is taken back: --undo is for one that
// did not.
func (r *rotation) takeBack() string {
	if r.at.git == nil {
		return "one that came to its end is taken back from your own copy of the files; the old key opens them until bot keys retire"
	}
	return "one that came to its end is a change of the work tree like any other: git diff shows it, git restore FILE takes it back before the commit " +
		"and git revert COMMIT after it; the old key opens the old files until bot keys retire"
}

// resume takes the journal's lock, and finishes a rotation that was interrupted. It is
// true where that was what the request asks for.
func (r *rotation) resume() (done bool, err error) {
	if r.flags.dryRun {
		pending, err := rotate.PendingIn(r.at.journal)
		if pending != nil {
			r.say("note: an earlier rotation was interrupted (%s): the next run finishes it, --undo takes it back", pending.Title)
		}
		return false, err
	}
	if r.journal, err = rotate.OpenJournal(r.at.root, r.at.journal); err != nil {
		return false, err
	}
	defer func() {
		if done || err != nil {
			r.journal.Close()
		}
	}()
	pending, err := rotate.PendingIn(r.at.journal)
	if pending == nil || err != nil {
		return false, err
	}
	w, err := r.journal.Finish(false)
	if err != nil {
		return false, err
	}
	r.left = w.Left
	what := "finished"
	if pending.Undo {
		what = "undone, as it was begun"
	}
	r.say("note: an interrupted rotation was %s: %s; %s written", what, pending.Title, plural(w.Files, "file"))
	r.tellLeft()
	if done = pending.Key == r.req.Key() && !pending.Undo; done {
		r.tell("done: %s", pending.Title)
	}
	return done, nil
}

func (r *rotation) tellLeft() {
	for _, s := range r.left {
		r.say("left as it is: %s: %s", s.Path, s.Why)
	}
}
