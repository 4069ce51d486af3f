package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
)

// The schedules that the bot keeps for itself, in cron's five fields.
const (
	deliveriesCron = "*/5 * * * *"
	commentsCron   = "*/10 * * * *"
	rotationsCron  = "3-59/10 * * * *"
	surveyCron     = "17 * * * *"
)

// sweep is where a sweep of this process has come to.
type sweep struct{ until time.Time }

// keepSweeps schedules the sweeps, and asks for each once now: much may have been missed.
func (b *Bot) keepSweeps(ctx context.Context) error {
	for name, cron := range map[string]string{
		kindDeliveries: deliveriesCron, kindComments: commentsCron, kindRotations: rotationsCron, kindSurvey: surveyCron,
	} {
		if err := b.opt.Store.SetSchedule(ctx, store.Schedule{Name: name, Cron: cron}); err != nil {
			return err
		}
	}
	// Replicas that start together sweep once.
	slot := "start/" + strconv.FormatInt(b.now().Unix()/60, 10)
	_, err := b.opt.Store.Enqueue(ctx,
		newJob(kindSurvey, slot, 0, "", nothing{}), newJob(kindDeliveries, slot, 0, "", nothing{}),
		newJob(kindSweep, kindComments+"/"+slot, 0, "", sweepArgs{kindComments, slot}), newJob(kindSweep, kindRotations+"/"+slot, 0, "", sweepArgs{kindRotations, slot}))
	return err
}

// tick enqueues the work of due schedules.
func (b *Bot) tick(ctx context.Context) {
	ticker := time.NewTicker(b.opt.Tick)
	defer ticker.Stop()
	for {
		if _, err := b.opt.Store.Tick(ctx, b.slotJob); err != nil && ctx.Err() == nil {
			b.log.ErrorContext(ctx, "due schedules could not be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// slotJob is the work of one slot of a schedule.
func (b *Bot) slotJob(sch store.Schedule, slot time.Time) store.Job {
	at := slot.UTC().Format(time.RFC3339)
	switch sch.Name {
	case kindDeliveries, kindSurvey:
		return newJob(sch.Name, at, 0, "", nothing{})
	case kindComments, kindRotations:
		return newJob(kindSweep, sch.Name+"/"+at, 0, "", sweepArgs{sch.Name, at})
	}
	return newJob(kindDrift, sch.Repo+"/"+at, sch.Installation, sch.Repo, nothing{})
}

// sweep makes a job for every repository.
func (t task) sweep(ctx context.Context) error {
	args, err := argsOf[sweepArgs](t.Work)
	if err != nil {
		return err
	}
	repos, err := t.opt.Store.Repositories(ctx)
	if err != nil {
		return err
	}
	var jobs []store.Job
	for _, r := range repos {
		j := newJob(args.Kind, r.Name+"/"+args.Slot, r.Installation, r.Name, nothing{})
		if args.Kind == kindRotations {
			j.Line = lineOf(r.Installation, r.Name)
		}
		jobs = append(jobs, j)
	}
	if len(jobs) == 0 {
		return nil
	}
	_, err = t.opt.Store.Enqueue(ctx, jobs...)
	return err
}

// How far sweeps look back, and how they hold themselves in.
const (
	deliveriesBack  = 72 * time.Hour   // GitHub keeps deliveries for three days
	deliveriesMost  = 5000             // attempts that one sweep reads
	deliveriesAgain = 10               // attempts at one delivery
	overlap         = 30 * time.Minute // a sweep begins so long before the end of the last
	commentsBack    = 7 * 24 * time.Hour
)

// deliveries asks GitHub to deliver again what got no good answer.
func (t task) deliveries(ctx context.Context) error {
	began := t.now()
	since := began.Add(-deliveriesBack)
	t.mu.Lock()
	if last := t.sweeps[kindDeliveries].until; !last.IsZero() {
		since = last.Add(-overlap)
	}
	t.mu.Unlock()
	list, err := t.opt.App.Deliveries(ctx, since, deliveriesMost)
	if err != nil {
		return err
	}
	if err := t.redeliver(ctx, list); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweeps[kindDeliveries] = sweep{began}
	return nil
}

func (t task) redeliver(ctx context.Context, list []github.HookDelivery) error {
	attempts := map[string]int{}
	for _, d := range list {
		attempts[d.GUID]++
	}
	var lost []github.HookDelivery
	var guids []string
	for _, d := range github.Lost(list) {
		if heard[d.Event] != nil && heard[d.Event][d.Action] && d.Event != "ping" && attempts[d.GUID] < deliveriesAgain {
			lost, guids = append(lost, d), append(guids, d.GUID)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	taken, err := t.opt.Store.Taken(ctx, guids)
	if err != nil {
		return err
	}
	for _, d := range lost {
		if taken[d.GUID] {
			continue // the answer was lost, the delivery was not
		}
		t.log.InfoContext(ctx, "delivery lost, asked for again", "lost", d.GUID, "event", d.Event, "action", d.Action, "attempts", attempts[d.GUID])
		if err := t.opt.App.Redeliver(ctx, d.ID); err != nil && !errors.Is(err, github.ErrNotFound) && !errors.Is(err, github.ErrInvalid) {
			return fmt.Errorf("have delivery %s delivered again: %w", d.GUID, err)
		}
	}
	return nil
}

// comments looks through a repository's latest comments for commands whose delivery was
// lost for good. The jobs have the same keys as those of deliveries.
func (t task) comments(ctx context.Context) error {
	r, ok, err := t.repository(ctx)
	if err != nil || !ok {
		return err
	}
	// What was written in the moment before may not be listed yet.
	until := t.now().Add(-time.Minute)
	if r.Swept.IsZero() {
		return t.swept(ctx, until)
	}
	since := r.Swept.Add(-2 * time.Minute)
	if oldest := t.now().Add(-commentsBack); since.Before(oldest) {
		since = oldest
	}
	c, err := t.client(ctx, github.Permissions{Issues: github.Read, PullRequests: github.Read})
	if err != nil {
		return err
	}
	list, err := c.CommentsSince(ctx, t.Repo, since)
	if err != nil {
		return err
	}
	var jobs []store.Job
	for _, cm := range list {
		// One that was edited since is none of ours; one that was made before is old.
		if cm.Updated.Equal(cm.Created) && !cm.Created.Before(since) {
			jobs = append(jobs, t.commentJobs(t.Installation, t.Repo, cm)...)
		}
	}
	if len(jobs) > 0 {
		fresh, err := t.opt.Store.Enqueue(ctx, jobs...)
		if err != nil {
			return err
		}
		if fresh > 0 {
			t.log.InfoContext(ctx, "commands found whose delivery was lost", "jobs", fresh)
		}
	}
	return t.swept(ctx, until)
}

// swept keeps how far a repository's comments were looked through, unless another sweep
// came further, or the App was taken from it meanwhile.
func (t task) swept(ctx context.Context, until time.Time) error {
	t.repos.Lock()
	defer t.repos.Unlock()
	r, ok, err := t.repository(ctx)
	if err != nil || !ok || until.Before(r.Swept) {
		return err
	}
	r.Swept = until
	return t.opt.Store.SaveRepository(ctx, r)
}

// repository is what is kept of the job's repository.
func (t task) repository(ctx context.Context) (store.Repository, bool, error) {
	list, err := t.opt.Store.Repositories(ctx)
	if err != nil {
		return store.Repository{}, false, err
	}
	for _, r := range list {
		if r.Name == t.Repo {
			return r, true, nil
		}
	}
	return store.Repository{}, false, nil
}

// rotations looks at the pull requests of a repository's rotations: an event about one may
// have been lost.
func (t task) rotations(ctx context.Context) error {
	list, err := t.opt.Store.Rotations(ctx, t.Repo, stateOpen)
	if err != nil || len(list) == 0 {
		return err
	}
	c, err := t.client(ctx, talking)
	if err != nil {
		return err
	}
	var all error
	for _, r := range list {
		_, err := t.follow(ctx, c, r)
		all = errors.Join(all, err)
	}
	return all
}
