package store

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Job is work to be done. It may be done more than once.
type Job struct {
	Kind string // names the handler
	// Key is the work's own: there is at most one job of a kind and key for ever (a month
	// at least), whatever became of it. "" is never the same as another.
	Key string
	// Line orders jobs: those of one line are worked one at a time. "" is no line.
	Line         string
	Installation int64
	Repo         string // owner/name
	Delivery     string // GitHub's id of the event that it came of, for the log
	Args         []byte // JSON; nothing secret
	At           time.Time
	Urgent       bool // before those that are not
}

// maxArgs bounds the arguments of one job.
const maxArgs = 1 << 20

// Enqueue stores jobs, all or none; those that are there already stay as they are.
func (s *Store) Enqueue(ctx context.Context, jobs ...Job) (fresh int, err error) {
	err = s.db.write(ctx, func(q queries) error {
		fresh, err = s.insert(ctx, q, jobs)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("store %d jobs: %w", len(jobs), err)
	}
	if fresh > 0 {
		s.eng.committed()
	}
	return fresh, nil
}

// insert stores the jobs whose keys are new, within a transaction.
func (s *Store) insert(ctx context.Context, q queries, jobs []Job) (int, error) {
	for i, j := range jobs {
		switch {
		case j.Kind == "":
			return 0, fmt.Errorf("job %d has no kind", i)
		case len(j.Args) > maxArgs:
			return 0, fmt.Errorf("job %s has arguments of %d bytes, over %d", j.Kind, len(j.Args), maxArgs)
		case len(j.Args) > 0 && !json.Valid(j.Args):
			return 0, fmt.Errorf("job %s has arguments that are not JSON", j.Kind)
		}
	}
	fresh, err := s.claimKeys(ctx, q, jobs)
	if err != nil || len(fresh) == 0 {
		return 0, err
	}
	return len(fresh), s.eng.insert(ctx, q, fresh)
}

// claimKeys returns the jobs that are new, in their order, and writes their keys down. The
// keys are taken in one order by everybody, so that two transactions do not wait for each
// other.
func (s *Store) claimKeys(ctx context.Context, q queries, jobs []Job) ([]Job, error) {
	order := make([]int, len(jobs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(jobs[a].Kind, jobs[b].Kind), cmp.Compare(jobs[a].Key, jobs[b].Key))
	})
	claimed := make([]bool, len(jobs))
	for _, i := range order {
		if jobs[i].Key == "" {
			claimed[i] = true
			continue
		}
		n, err := q.exec(ctx, insertKey, clean(jobs[i].Kind), clean(jobs[i].Key), micros(s.now()))
		if err != nil {
			return nil, fmt.Errorf("write the key of a job %s: %w", jobs[i].Kind, err)
		}
		claimed[i] = n == 1
	}
	var fresh []Job
	for i, j := range jobs {
		if claimed[i] {
			fresh = append(fresh, j)
		}
	}
	return fresh, nil
}

var insertKey = statement{both: `
	INSERT INTO sealward_key (kind, key, added) VALUES ($1, $2, $3)
	ON CONFLICT (kind, key) DO NOTHING`}

// clean makes text storable: PostgreSQL takes neither a zero byte nor broken UTF-8.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// envelope is a job as River keeps it.
type envelope struct {
	kind         string
	Key          string `json:"key,omitempty"`
	Line         string `json:"line,omitempty"`
	Installation int64  `json:"installation,omitempty"`
	Repo         string `json:"repo,omitempty"`
	Delivery     string `json:"delivery,omitempty"`
	// Args is JSON within a string: PostgreSQL's own JSON would refuse an escaped zero byte,
	// which GitHub's payloads may have, and would write the rest in another way.
	Args   string `json:"args,omitempty"`
	Urgent bool   `json:"urgent,omitempty"`
}

// Kind names the job for River.
func (e envelope) Kind() string { return e.kind }

func (j Job) envelope() envelope {
	return envelope{
		kind: j.Kind, Key: clean(j.Key), Line: clean(j.Line), Installation: j.Installation,
		Repo: clean(j.Repo), Delivery: clean(j.Delivery), Args: string(j.Args), Urgent: j.Urgent,
	}
}

func (e envelope) job(kind string, at time.Time) Job {
	j := Job{
		Kind: kind, Key: e.Key, Line: e.Line, Installation: e.Installation,
		Repo: e.Repo, Delivery: e.Delivery, At: at, Urgent: e.Urgent,
	}
	if e.Args != "" {
		j.Args = []byte(e.Args)
	}
	return j
}
