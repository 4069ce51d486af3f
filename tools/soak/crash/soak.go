package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/sealward/sealward/internal/github/githubtest"
)

// soak asks for all rotations while processes are killed, waits until every one is
// answered, and checks what is there.
func (w *world) soak(ctx context.Context, out io.Writer) ([]string, error) {
	fmt.Fprintf(out, "%d rotations in %d repositories, %d kills, %s, %d process(es), seed %d\n", w.rotations, len(w.repositories()), w.kills, w.store, len(w.bots), w.seed)
	if err := w.startAll(ctx); err != nil {
		return nil, err
	}
	w.fake.SetLatency(w.latency)
	w.fake.Arm(
		githubtest.SecondaryLimit(403, "1").Sometimes(w.limits/2), githubtest.SecondaryLimit(429, "1").Sometimes(w.limits/2),
		githubtest.LostAnswer().Sometimes(w.lost),
	)
	began := time.Now()
	var asking sync.WaitGroup
	asking.Go(func() { w.askAll(ctx, began) })
	kills, crashes, err := w.killing(ctx)
	asking.Wait()
	if err != nil {
		return crashes, err
	}
	killing := time.Since(began)
	left := w.settle(ctx)
	took := time.Since(began)
	w.fake.Disarm()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found := w.check(ctx)
	found.add(crashes...)
	if left > 0 {
		found.add(fmt.Sprintf("%d rotations have no answer %s after the last kill", left, w.patience))
	}
	w.table(out, kills, killing, took, found)
	return found.violations, nil
}

func (w *world) startAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for _, p := range w.bots {
		if err := p.start(); err != nil {
			return err
		}
		if err := p.up(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) repositories() []*githubtest.Repo {
	var list []*githubtest.Repo
	for _, r := range w.asked {
		if len(list) == 0 || list[len(list)-1] != r.repo {
			list = append(list, r.repo)
		}
	}
	return list
}

// askAll writes the comments, spread over most of the time that the kills take, so that
// every kill meets work.
func (w *world) askAll(ctx context.Context, began time.Time) {
	whole := time.Duration(w.kills) * w.every * 8 / 10
	var writing sync.WaitGroup
	for i, at := range rand.Perm(len(w.asked)) {
		due := began.Add(whole * time.Duration(i) / time.Duration(len(w.asked)))
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(due)):
		}
		r := w.asked[at]
		writing.Go(func() {
			r.comment = r.repo.Comment("olga", r.issue, "Somebody left.\n\n/rotate-key "+r.env+" --force\n")
		})
	}
	writing.Wait()
}

// killing kills one process after the other at random moments, and starts each again. A
// process that ends by itself is a violation.
func (w *world) killing(ctx context.Context) (kills int, crashes []string, err error) {
	for kills < w.kills {
		select {
		case <-ctx.Done():
			return kills, crashes, ctx.Err()
		case <-time.After(time.Duration(w.random.Float64() * 2 * float64(w.every))):
		}
		p := w.bots[w.random.IntN(len(w.bots))]
		if p.crashed() {
			crashes = append(crashes, fmt.Sprintf("%s ended by itself: %s", p.name, tail(p.log)))
		}
		if p.kill() {
			kills++
		}
		if err := p.start(); err != nil {
			return kills, crashes, err
		}
		// Now and then the next one dies while it starts.
		if w.random.IntN(10) == 0 {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, time.Minute)
		err := p.up(limited)
		cancel()
		if err != nil {
			return kills, crashes, err
		}
	}
	return kills, crashes, nil
}

// settle waits until every rotation is answered, and returns how many are not.
func (w *world) settle(ctx context.Context) int {
	for end := time.Now().Add(w.patience); ; {
		left := 0
		for _, r := range w.asked {
			if len(w.answers(r)) == 0 {
				left++
			}
		}
		if left == 0 {
			// What would come a second time has a moment to do so.
			time.Sleep(5 * time.Second)
			return 0
		}
		if time.Now().After(end) || ctx.Err() != nil {
			return left
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// answers are the bot's comments where a rotation was asked for.
func (w *world) answers(r *rotation) []githubtest.Comment {
	var list []githubtest.Comment
	for _, c := range r.repo.Comments(r.issue) {
		if strings.EqualFold(c.By, w.app.Login()) {
			list = append(list, c)
		}
	}
	return list
}

func (w *world) table(out io.Writer, kills int, killing, took time.Duration, f *found) {
	calls := map[string]int{}
	for _, r := range w.fake.Requests() {
		switch {
		case r.Status == 403, r.Status == 429:
			calls["limited"]++
		case r.Status == 502:
			calls["lost"]++
		}
		calls["all"]++
	}
	in := w.ingress
	unanswered := in.unanswered()
	in.mu.Lock()
	defer in.mu.Unlock()
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	for _, row := range []struct {
		name  string
		value any
		want  any
	}{
		{"kill -9", kills, fmt.Sprint("at least ", w.kills)},
		{"time with kills, and in all", fmt.Sprint(killing.Round(time.Second), ", ", took.Round(time.Second)), ""},
		{"calls of GitHub", calls["all"], ""},
		{"of them limited", calls["limited"], ""},
		{"answers lost after the effect", calls["lost"], ""},
		{"deliveries", in.count["deliveries"], ""},
		{"of them dropped, doubled, swallowed", fmt.Sprint(in.count["dropped"], ", ", in.count["doubled"], ", ", in.count["swallowed"]), ""},
		{"refused by a dead process", in.count["refused"], ""},
		{"acknowledged", len(in.acked), ""},
		{"acknowledged, and nothing came of it", unanswered, 0},
		{"branches", f.branches, w.rotations},
		{"pull requests", f.pulls, w.rotations},
		{"answers", f.answers, w.rotations},
		{"new keys in the keyrings", f.minted, w.rotations},
		{"files that the new key opens", f.opened, f.files},
		{"files that the old key opens", f.openedByOld, 0},
		{"jobs given up", f.discarded, 0},
	} {
		fmt.Fprintf(t, "%s\t%v\t%v\n", row.name, row.value, row.want)
	}
	_ = t.Flush()
}
