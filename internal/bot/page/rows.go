package page

import (
	"slices"
	"sort"
	"strings"
)

// How much of each list one page has.
const (
	rotationsPage    = 40
	repositoriesPage = 25
	failedMost       = 10
	textMost         = 600
)

// model is a View made ready for the template: every text is clean and cut.
type model struct {
	View
	Made         moment
	Oldest       moment
	Cards        []card
	States       []option
	Filtered     bool
	All          string // the page without a filter
	Self         string // the page as it is
	Jobs         []job
	JobsMore     int
	Rotations    []rotation
	RotationsPg  pager
	Repositories []repository
	ReposPg      pager
	Kinds        []string
	QueueStates  []string
	Queue        []queueRow
	Paths        struct{ Page, Logout, Retry, CSRF, Job string }
}

type card struct{ Name, Value, Note, Class, Shape, Href string }

type option struct {
	Value, Name string
	Chosen      bool
}

type job struct {
	ID                          int64
	Kind, Repo, Delivery, Error string
	State                       string
	Attempts                    string
	Ended                       moment
}

type rotation struct {
	Repo, Env, By, Waits, Problem string
	Shape, Word, Class            string
	Comment, PullURL              string
	Pull, Files                   int
	Old, New                      []key
	Created, Updated              moment
}

type key struct {
	Full, Short string
	Note        string
}

type repository struct {
	Name, URL, Branch, Problem string
	Checked                    moment
	Environments               []environment
}

type environment struct {
	Name, Keyring, Problem string
	Shape, Word, Class     string
	Current                *key
	Keys                   []key
	Since                  moment
	Files                  int
	Warnings               []string
}

type queueRow struct {
	Kind  string
	Cells []int
	Sum   int
}

func prepare(v View) model {
	m := model{View: v, Made: v.moment(v.Now), Oldest: v.moment(v.Oldest), Filtered: v.Query.Repo != "" || v.Query.State != "", All: Path, Self: v.Query.address("")}
	m.Version, m.App, m.AppURL = clean(v.Version), text(v.App, 100), link(v.AppURL)
	m.Notice, m.Query.Repo = text(v.Notice, textMost), clean(v.Query.Repo)
	m.Paths.Page, m.Paths.Logout, m.Paths.Retry, m.Paths.CSRF, m.Paths.Job = Path, LogoutPath, RetryPath, FieldCSRF, FieldJob
	m.States = options(v.Query.State)
	m.jobs(v)
	m.rotations(v)
	m.repositories(v)
	m.queue(v.Queue)
	m.Cards = cards(v, m)
	return m
}

func options(chosen string) []option {
	out := []option{{"", "all states", chosen == ""}, {underWay, "under way", chosen == underWay}}
	for _, s := range states {
		out = append(out, option{s.name, s.shape + " " + s.word, chosen == s.name})
	}
	return out
}

func (m *model) jobs(v View) {
	for i, j := range v.Failed {
		if i == failedMost {
			break
		}
		row := job{ID: j.ID, Kind: text(j.Kind, 60), Repo: text(j.Repo, 140), Delivery: text(j.Delivery, 60), Error: text(j.Error, textMost), State: text(j.State, 30), Ended: v.moment(j.Ended)}
		if j.Attempt > 0 {
			row.Attempts = count(j.Attempt, "attempt", "attempts")
		}
		m.Jobs = append(m.Jobs, row)
	}
	m.JobsMore = len(v.Failed) - len(m.Jobs) + v.FailedMore
}

// matches says whether a repository's name has what is looked for.
func (q Query) matches(name string) bool {
	return strings.Contains(strings.ToLower(name), strings.ToLower(q.Repo))
}

func (m *model) rotations(v View) {
	var list []Rotation
	for _, r := range v.Rotations {
		s := stateOf(r.State)
		if v.Query.matches(r.Repo) && (v.Query.State == "" || v.Query.State == r.State || v.Query.State == underWay && s.under) {
			list = append(list, r)
		}
	}
	// What goes on stands above what is over; both keep their order.
	sort.SliceStable(list, func(i, j int) bool { return stateOf(list[i].State).under && !stateOf(list[j].State).under })
	var part []Rotation
	part, m.RotationsPg = cut(list, v.Query.Rotations, rotationsPage, "rotations", func(n int) string {
		q := v.Query
		q.Rotations = n
		return q.address("rotations")
	})
	for _, r := range part {
		m.Rotations = append(m.Rotations, v.rotation(r))
	}
}

func (v View) rotation(r Rotation) rotation {
	s := stateOf(r.State)
	out := rotation{
		Repo: text(r.Repo, 140), Env: text(r.Env, 80), By: text(r.By, 60), Waits: text(r.Waits, textMost), Problem: text(r.Problem, textMost),
		Shape: s.shape, Word: s.word, Class: s.class, Comment: link(r.Comment), PullURL: link(r.PullURL), Pull: r.Pull, Files: r.Files,
		Old: keys(r.Old), New: keys(r.New), Created: v.moment(r.Created), Updated: v.moment(r.Updated),
	}
	if out.Waits == "" {
		out.Waits = s.waits
	}
	return out
}

func keys(recipients []string) []key {
	out := make([]key, len(recipients))
	for i, r := range recipients {
		out[i] = key{Full: text(r, 2000), Short: short(r)}
	}
	return out
}

func (m *model) repositories(v View) {
	var list []Repository
	for _, r := range v.Repositories {
		if v.Query.matches(r.Name) {
			list = append(list, r)
		}
	}
	// What has a problem stands above what has none.
	sort.SliceStable(list, func(i, j int) bool { return list[i].bad() && !list[j].bad() })
	var part []Repository
	part, m.ReposPg = cut(list, v.Query.Repositories, repositoriesPage, "repositories", func(n int) string {
		q := v.Query
		q.Repositories = n
		return q.address("repositories")
	})
	for _, r := range part {
		row := repository{Name: text(r.Name, 140), URL: link(r.URL), Branch: text(r.Branch, 100), Problem: text(r.Problem, textMost), Checked: v.moment(r.Checked)}
		for _, e := range r.Environments {
			row.Environments = append(row.Environments, v.environment(e))
		}
		m.Repositories = append(m.Repositories, row)
	}
}

func (r Repository) bad() bool {
	return r.Problem != "" || slices.ContainsFunc(r.Environments, func(e Environment) bool { return e.Problem != "" })
}

func (v View) environment(e Environment) environment {
	out := environment{Name: text(e.Name, 80), Keyring: text(e.Keyring, 300), Problem: text(e.Problem, textMost), Since: v.moment(e.Since), Files: e.Files}
	for _, w := range e.Warnings {
		out.Warnings = append(out.Warnings, text(w, textMost))
	}
	for i, r := range e.Held {
		k := key{Full: text(r, 2000), Short: short(r), Note: "held"}
		switch used := slices.Contains(e.InUse, r); {
		case i == 0 && used:
			k.Note = "held, current, in use"
		case i == 0:
			k.Note = "held, current, in no file yet"
		case used:
			k.Note = "held, still in use"
		default:
			k.Note = "held, in no file"
		}
		out.Keys = append(out.Keys, k)
	}
	if len(out.Keys) > 0 {
		current := out.Keys[0]
		out.Current = &current
	}
	for _, r := range e.InUse {
		if !slices.Contains(e.Held, r) {
			out.Keys = append(out.Keys, key{text(r, 2000), short(r), "in use, not held here"})
		}
	}
	out.Shape, out.Word, out.Class = e.standing()
	return out
}

// standing is an environment's state as a shape, a word and a class.
func (e Environment) standing() (shape, word, class string) {
	behind := len(e.Held) > 0 && slices.ContainsFunc(e.InUse, func(r string) bool { return r != e.Held[0] && slices.Contains(e.Held, r) })
	switch {
	case e.Problem != "":
		return "▲", "needs you", "bad"
	case len(e.Held) == 0 && strings.HasPrefix(e.Keyring, "operator"):
		return "●", "operator keeps it", "ok"
	case len(e.Held) == 0:
		return "▲", "no key", "bad"
	case behind:
		return "◑", "files behind the key", "go"
	case len(e.Held) > 1:
		return "◕", "old key still held", "go"
	case len(e.InUse) == 0:
		return "○", "in no file", "dim"
	case len(e.Warnings) > 0:
		return "△", "look at it", "go"
	}
	return "●", "in step", "ok"
}

// queue makes a table of kinds by states, in the order of a job's life.
func (m *model) queue(depths []Depth) {
	order := []string{"running", "available", "pending", "scheduled", "retryable", "discarded", "cancelled", "completed"}
	at := func(s string) int {
		if i := slices.Index(order, s); i >= 0 {
			return i
		}
		return len(order)
	}
	n := map[[2]string]int{}
	for _, d := range depths {
		if d.Count == 0 {
			continue
		}
		kind, state := text(d.Kind, 60), text(d.State, 30)
		n[[2]string{kind, state}] += d.Count
		if !slices.Contains(m.Kinds, kind) {
			m.Kinds = append(m.Kinds, kind)
		}
		if !slices.Contains(m.QueueStates, state) {
			m.QueueStates = append(m.QueueStates, state)
		}
	}
	slices.Sort(m.Kinds)
	slices.SortFunc(m.QueueStates, func(a, b string) int {
		if at(a) != at(b) {
			return at(a) - at(b)
		}
		return strings.Compare(a, b)
	})
	for _, k := range m.Kinds {
		row := queueRow{Kind: k}
		for _, s := range m.QueueStates {
			row.Cells = append(row.Cells, n[[2]string{k, s}])
			row.Sum += n[[2]string{k, s}]
		}
		m.Queue = append(m.Queue, row)
	}
}

func cards(v View, m model) []card {
	under, environments, bad, waits := 0, 0, 0, 0
	for _, r := range v.Rotations {
		if stateOf(r.State).under {
			under++
		}
	}
	for _, r := range v.Repositories {
		environments += len(r.Environments)
		if r.bad() {
			bad++
		}
	}
	for _, d := range v.Queue {
		if d.State != "completed" && d.State != "discarded" && d.State != "cancelled" {
			waits += d.Count
		}
	}
	failed := len(v.Failed) + v.FailedMore
	list := []card{
		{"Repositories", count(len(v.Repositories), "repository", "repositories"), count(environments, "environment", "environments"), "", "", "#repositories"},
		{"Need attention", count(bad, "repository", "repositories"), "with a problem", "", "", "#repositories"},
		{"Under way", count(under, "rotation", "rotations"), count(len(v.Rotations)-under, "is over", "are over"), "", "", "#rotations"},
		{"Queue", count(waits, "job", "jobs"), "none waits", "", "", "#queue"},
		{"Failed", count(failed, "job", "jobs"), "none to retry", "", "", "#failed"},
	}
	if m.Oldest.Ago != "" {
		list[3].Note = "oldest since " + strings.TrimSuffix(m.Oldest.Ago, " ago")
	}
	for i, n := range []int{1: bad, 4: failed} {
		if n > 0 {
			list[i].Class, list[i].Shape = "bad", "▲"
		}
	}
	if failed > 0 {
		list[4].Note = "to mend and retry"
	}
	return list
}
