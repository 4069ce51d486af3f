package store

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func day(hour, minute int) time.Time { return time.Date(2031, 3, 3, hour, minute, 0, 0, time.UTC) }

func TestSlotsComeOnceAndMissedOnesTogether(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		now := day(5, 0)
		s := h.open(t, at(&now))
		if err := s.SetSchedule(ctx, Schedule{Repo: "o/r", Name: "drift", Installation: 3, Cron: "0 * * * *"}); err != nil {
			t.Fatal(err)
		}
		var slots []string
		tick := func() int {
			n, err := s.Tick(ctx, func(sch Schedule, slot time.Time) Job {
				slots = append(slots, sch.Repo+" "+sch.Name+" "+slot.Format("15:04")+" "+sch.Next.Format("15:04"))
				return Job{Kind: "drift", Repo: sch.Repo, Installation: sch.Installation, Key: slot.String()}
			})
			if err != nil {
				t.Error(err)
			}
			return n
		}
		steps := []struct {
			now  time.Time
			want int
		}{{day(5, 0), 0}, {day(5, 59), 0}, {day(6, 0), 1}, {day(6, 0), 0}, {day(9, 30), 1}, {day(9, 59), 0}, {day(10, 1), 1}}
		for _, step := range steps {
			now = step.now
			if n := tick(); n != step.want {
				t.Errorf("%d jobs at %v, want %d", n, now, step.want)
			}
		}
		want := "[o/r drift 06:00 07:00 o/r drift 09:00 10:00 o/r drift 10:00 11:00]"
		if fmt.Sprint(slots) != want {
			t.Errorf("slots %v, want %v", slots, want)
		}
		if n := states(t, s)["available"]; n != 3 {
			t.Errorf("%d jobs", n)
		}
	})
}

func TestAScheduleKeepsItsTimeUntilItsCronChanges(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		now := day(5, 0)
		s := h.open(t, at(&now))
		sch := Schedule{Repo: "o/r", Name: "drift", Cron: "0 6 * * *"}
		set := func(cron string) {
			t.Helper()
			sch.Cron = cron
			if err := s.SetSchedule(ctx, sch); err != nil {
				t.Fatal(err)
			}
		}
		due := func() (n int) {
			t.Helper()
			err := s.db.read(ctx, func(q queries) error {
				_, err := one(ctx, q, statement{both: "SELECT count(*) FROM sealward_schedule WHERE next <= $1"}, []any{micros(now)}, &n)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		set("0 6 * * *")
		now = day(7, 0)
		set("0 6 * * *") // the slot of 6:00 is still to come
		if due() != 1 {
			t.Error("the missed slot was lost when the same schedule was set")
		}
		set("0 8 * * *")
		if due() != 0 {
			t.Error("a changed schedule kept its old time")
		}
		now = day(8, 0)
		if due() != 1 {
			t.Error("a changed schedule has no time of its own")
		}
		set("")
		if due() != 0 {
			t.Error("a dropped schedule is still there")
		}
		for _, bad := range []string{"x", "* * * *", "@daily", "TZ=UTC 0 6 * * *", "CRON_TZ=X 0 6 * * *", "0 0 30 2 *", "61 * * * *", "0 0 0 6 * * *", strings.Repeat("*", 300)} {
			sch.Cron = bad
			if err := s.SetSchedule(ctx, sch); err == nil {
				t.Errorf("%q is taken", bad)
			}
		}
	})
}

func TestProcessesThatTickAtOnceHaveEachSlotOnce(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		now := day(5, 0)
		stores := []*Store{h.open(t, at(&now)), h.open(t, at(&now), shared)}
		const n = 20
		for i := range n {
			if err := stores[0].SetSchedule(ctx, Schedule{Repo: fmt.Sprint(i), Name: "drift", Cron: "* * * * *"}); err != nil {
				t.Fatal(err)
			}
		}
		var jobs atomic.Int64
		for range 3 {
			now = now.Add(time.Minute)
			var wg sync.WaitGroup
			for i := range 4 {
				wg.Go(func() {
					k, err := stores[i%2].Tick(ctx, func(sch Schedule, slot time.Time) Job { return Job{Kind: "drift", Repo: sch.Repo} })
					if err != nil {
						t.Error(err)
					}
					jobs.Add(int64(k))
				})
			}
			wg.Wait()
		}
		if jobs.Load() != 3*n || states(t, stores[0])["available"] != 3*n {
			t.Errorf("%d jobs, want %d", jobs.Load(), 3*n)
		}
	})
}

func TestLastSlotOfALongTime(t *testing.T) {
	now := day(5, 30)
	for _, c := range []struct {
		cron string
		next time.Time
		want time.Time
	}{
		{"* * * * *", now.AddDate(-20, 0, 0), now},
		{"0 6 1 1 *", time.Date(2011, 1, 1, 6, 0, 0, 0, time.UTC), time.Date(2031, 1, 1, 6, 0, 0, 0, time.UTC)},
		{"0 0 29 2 *", time.Date(2012, 2, 29, 0, 0, 0, 0, time.UTC), time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC)},
		{"0 * * * *", day(5, 0), day(5, 0)},
		{"30 5 * * *", day(5, 30), day(5, 30)},
	} {
		spec, err := parseCron(c.cron)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if got := lastSlot(spec, c.next, now); !got.Equal(c.want) {
			t.Errorf("%s: %v, want %v", c.cron, got, c.want)
		}
		if took := time.Since(began); took > 200*time.Millisecond {
			t.Errorf("%s: took %v", c.cron, took)
		}
	}
}

func TestPace(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		now := day(5, 0)
		s := h.open(t, at(&now))
		replica := h.open(t, at(&now), shared)
		pace := func(s *Store, installation int64, creates bool) time.Duration {
			t.Helper()
			until, err := s.Pace(ctx, installation, creates)
			if err != nil {
				t.Fatal(err)
			}
			if until.IsZero() {
				return 0
			}
			return until.Sub(now)
		}
		if pace(s, 1, false) != 0 || pace(replica, 1, false) != time.Second || pace(s, 2, false) != 0 {
			t.Error("one write a second for each installation does not hold")
		}
		now = now.Add(time.Second)
		if pace(s, 1, false) != 0 {
			t.Error("asking took what was not given")
		}
		// As fast as it goes: 60 within any minute, 450 within any hour.
		var created []time.Time
		for began := now; now.Sub(began) < 70*time.Minute; {
			if d := pace([]*Store{s, replica}[len(created)%2], 9, true); d > 0 {
				now = now.Add(d)
				continue
			}
			created = append(created, now)
			if len(created) > 60 && now.Sub(created[len(created)-61]) < time.Minute {
				t.Fatalf("61 created within a minute, until %v", now)
			}
			if len(created) > 450 && now.Sub(created[len(created)-451]) < time.Hour {
				t.Fatalf("451 created within an hour, until %v", now)
			}
			if len(created) > 1 && now.Sub(created[len(created)-2]) < time.Second {
				t.Fatalf("two created within a second, at %v", now)
			}
		}
		if len(created) < 500 {
			t.Errorf("only %d created in 70 minutes", len(created))
		}
		if n := countRows(t, s, "sealward_creation"); n > 451 {
			t.Errorf("%d creations are kept", n)
		}
		// A clock that went ahead and back does not stop everything.
		now = now.Add(-48 * time.Hour)
		if d := pace(s, 1, false); d > time.Second {
			t.Errorf("after the clock was set back: %v", d)
		}
		until := now.Add(90 * time.Second)
		if err := s.Hold(ctx, 1, until); err != nil {
			t.Fatal(err)
		}
		if err := replica.Hold(ctx, 1, until.Add(-time.Minute)); err != nil {
			t.Fatal(err)
		}
		if d := pace(replica, 1, false); d != 90*time.Second {
			t.Errorf("held for %v", d)
		}
	})
}

func TestPaceOfManyAtOnce(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		now := day(5, 0)
		s := h.open(t, at(&now))
		var given atomic.Int32
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				until, err := s.Pace(context.Background(), 1, true)
				if err != nil {
					t.Error(err)
				}
				if until.IsZero() {
					given.Add(1)
				}
			})
		}
		wg.Wait()
		if given.Load() != 1 {
			t.Errorf("given %d times", given.Load())
		}
	})
}

func TestRepositories(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		s := h.open(t)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		a := Repository{Name: "o/a", ID: 1, Installation: 2, Branch: "main", Swept: day(1, 0), Seen: day(2, 0)}
		b := Repository{Name: "o/B", ID: 3}
		must(s.SaveRepository(ctx, a))
		must(s.SaveRepository(ctx, b))
		must(s.SetSchedule(ctx, Schedule{Repo: "o/a", Name: "drift", Cron: "0 6 * * *"}))
		a.Swept, a.Branch = time.Time{}, "trunk"
		must(s.SaveRepository(ctx, a))
		a.Swept = day(1, 0)
		got, err := s.Repositories(ctx)
		must(err)
		if !reflect.DeepEqual(got, []Repository{b, a}) {
			t.Errorf("%+v", got)
		}
		must(s.SaveRotation(ctx, Rotation{Key: "k", Repo: "o/a"}))
		must(s.DropRepository(ctx, "o/a"))
		got, err = s.Repositories(ctx)
		must(err)
		if len(got) != 1 || got[0].Name != "o/B" {
			t.Errorf("%+v", got)
		}
		tableIsEmpty(t, s, "sealward_schedule")
		if _, ok, err := s.Rotation(ctx, "k"); !ok || err != nil {
			t.Error("the rotation went with the repository", err)
		}
	})
}

func TestRotations(t *testing.T) {
	both(t, func(t *testing.T, h home) {
		ctx := context.Background()
		now := day(1, 0)
		s := h.open(t, at(&now))
		first := Rotation{
			Key: "k1", Repo: "o/a", Env: "prod", State: "begun", By: "ana", Source: "u", Issue: 4, Comment: 5, Branch: "b \x00",
			Pull: 6, Commit: "c", Old: []string{"age1"}, New: []string{}, Files: 7, Before: []string{}, Problem: "p", Args: []byte(`{"x":1}`),
		}
		save := func(r Rotation) {
			t.Helper()
			if err := s.SaveRotation(ctx, r); err != nil {
				t.Fatal(err)
			}
		}
		save(first)
		now = day(2, 0)
		save(Rotation{Key: "k2", Repo: "o/b", State: "open"})
		now = day(3, 0)
		first.State = "open"
		save(first)
		got, ok, err := s.Rotation(ctx, "k1")
		want := first
		want.Created, want.Updated = day(1, 0), day(3, 0)
		if err != nil || !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v\nwant\n%+v\n%v", got, want, err)
		}
		if got.Before == nil {
			t.Error("an empty list came back as none")
		}
		if _, ok, err := s.Rotation(ctx, "none"); ok || err != nil {
			t.Error(ok, err)
		}
		for _, c := range []struct {
			repo   string
			states []string
			want   string
		}{{"", nil, "k2 k1"}, {"o/a", nil, "k1"}, {"", []string{"open"}, "k2 k1"}, {"", []string{"begun", "closed"}, ""}, {"o/b", []string{"open", "begun"}, "k2"}} {
			all, err := s.Rotations(ctx, c.repo, c.states...)
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, r := range all {
				keys = append(keys, r.Key)
			}
			if strings.Join(keys, " ") != c.want {
				t.Errorf("%+v: %v", c, keys)
			}
		}
		if all, _ := s.Rotations(ctx, "o/b"); len(all) == 1 && all[0].Before != nil {
			t.Error("no list came back as an empty one")
		}
	})
}

func FuzzCron(f *testing.F) {
	for _, seed := range []string{"0 6 * * 1", "*/5 1-3 1,15 jan mon-fri", "@daily", "TZ=", "? ? ? ? ?", "0 0 31 2 *", "0-59/0 * * * *", "*/999999999999 * * * *"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		spec, err := parseCron(expr)
		if err != nil {
			return
		}
		now := day(5, 30)
		if next := spec.Next(now); !next.IsZero() && !next.After(now) {
			t.Errorf("%q: next is %v", expr, next)
		}
		if slot := lastSlot(spec, now.AddDate(-3, 0, 0), now); slot.After(now) {
			t.Errorf("%q: last slot is %v", expr, slot)
		}
	})
}
