package github

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Event is what is read of an event's payload, in a webhook's delivery or in the
// file that a workflow is given. What an event does not have, or has in a shape of
// its own, is left zero. Its texts are untrusted.
type Event struct {
	Name, Action  string
	Installation  int64
	Repo          string // owner/name
	RepoID        int64
	DefaultBranch string
	Private       bool
	Sender        string
	SenderBot     bool
	Repos         []string    // of the events about installations: those that were added, or are covered
	Removed       []string    // of the same: those that were taken away
	Issue         *EventIssue // of issues and issue_comment
	Comment       *Comment    // of issue_comment
	Pull          *EventPull  // of pull_request and its kin
	Push          *EventPush
	Group         *EventGroup // of merge_group
}

// EventIssue is an issue, or the issue half of a pull request.
type EventIssue struct {
	Number int
	Open   bool
	Pull   bool
	Author string
}

// EventPull is a pull request.
type EventPull struct {
	Number       int
	State        State
	Head, Base   string // commits
	Branch, Onto string
	HeadRepo     string // another than the event's for a fork; "" where the fork is gone
	Author       string
	Draft        bool
	MergeCommit  string
	Before       string // of synchronize: what the head was
	Body         string
}

// EventPush is a push. Changed names files of at most 2,048 commits.
type EventPush struct {
	Ref, Before, After       string
	Created, Deleted, Forced bool
	Changed                  []string // added and modified paths, each once
	Gone                     []string // removed paths
}

// EventGroup is a merge group.
type EventGroup struct{ Head, Base, HeadRef, BaseRef string }

// object is a JSON object whose fields are read one by one, so that one that has
// an unknown shape does not spoil the others.
type object map[string]json.RawMessage

func field[T any](o object, name string) T {
	var v T
	if err := json.Unmarshal(o[name], &v); err != nil {
		var zero T
		return zero
	}
	return v
}

func (o object) sub(name string) object { return field[object](o, name) }

func (o object) text(name string) string { return field[string](o, name) }

// ParseEvent reads an event. It errors for what is no JSON object, and for nothing
// else: an event that this product does not know is not its business.
func ParseEvent(name string, body []byte) (Event, error) {
	var o object
	if err := json.Unmarshal(body, &o); err != nil || o == nil {
		return Event{}, fmt.Errorf("event %q: the payload is no JSON object", name)
	}
	repo, sender := o.sub("repository"), o.sub("sender")
	e := Event{
		Name: name, Action: o.text("action"), Installation: field[int64](o.sub("installation"), "id"),
		Repo: repo.text("full_name"), RepoID: field[int64](repo, "id"), DefaultBranch: repo.text("default_branch"), Private: field[bool](repo, "private"),
		Sender: sender.text("login"), SenderBot: sender.text("type") == "Bot",
		Repos: append(fullNames(o, "repositories"), fullNames(o, "repositories_added")...), Removed: fullNames(o, "repositories_removed"),
	}
	e.Issue, e.Pull, e.Group = parseIssue(o), parsePull(o), parseGroup(o)
	if name == "issue_comment" {
		e.Comment = parseComment(o)
	}
	if name == "push" {
		e.Push = parsePush(o)
	}
	return e, nil
}

func fullNames(o object, name string) []string {
	var list []string
	for _, r := range field[[]object](o, name) {
		if full := r.text("full_name"); full != "" {
			list = append(list, full)
		}
	}
	return list
}

func parseIssue(o object) *EventIssue {
	i := o.sub("issue")
	if i == nil {
		return nil
	}
	return &EventIssue{field[int](i, "number"), i.text("state") == "open", i.sub("pull_request") != nil, i.sub("user").text("login")}
}

func parseComment(o object) *Comment {
	c := o.sub("comment")
	if c == nil {
		return nil
	}
	user := c.sub("user")
	return &Comment{
		ID: field[int64](c, "id"), Issue: field[int](o.sub("issue"), "number"), Author: user.text("login"), Bot: user.text("type") == "Bot",
		Body: c.text("body"), URL: c.text("html_url"),
	}
}

func parsePull(o object) *EventPull {
	p := o.sub("pull_request")
	if p == nil {
		return nil
	}
	head, base := p.sub("head"), p.sub("base")
	out := &EventPull{
		Number: field[int](p, "number"), State: State(p.text("state")), Head: head.text("sha"), Base: base.text("sha"), Branch: head.text("ref"), Onto: base.text("ref"),
		HeadRepo: head.sub("repo").text("full_name"), Author: p.sub("user").text("login"), Draft: field[bool](p, "draft"), MergeCommit: p.text("merge_commit_sha"),
		Before: o.text("before"), Body: p.text("body"),
	}
	if field[bool](p, "merged") || p.text("merged_at") != "" {
		out.State = StateMerged
	}
	return out
}

func parsePush(o object) *EventPush {
	p := &EventPush{
		Ref: o.text("ref"), Before: o.text("before"), After: o.text("after"), Created: field[bool](o, "created"), Deleted: field[bool](o, "deleted"), Forced: field[bool](o, "forced"),
	}
	seen, gone := map[string]bool{}, map[string]bool{}
	add := func(list *[]string, seen map[string]bool, paths []string) {
		for _, path := range paths {
			if !seen[path] {
				seen[path] = true
				*list = append(*list, path)
			}
		}
	}
	for _, c := range field[[]object](o, "commits") {
		add(&p.Changed, seen, field[[]string](c, "added"))
		add(&p.Changed, seen, field[[]string](c, "modified"))
		add(&p.Gone, gone, field[[]string](c, "removed"))
	}
	return p
}

func parseGroup(o object) *EventGroup {
	g := o.sub("merge_group")
	if g == nil {
		return nil
	}
	return &EventGroup{g.text("head_sha"), g.text("base_sha"), g.text("head_ref"), g.text("base_ref")}
}

// Branch is the branch that a push was to, or "" for a tag.
func (p *EventPush) Branch() string {
	branch, ok := strings.CutPrefix(p.Ref, "refs/heads/")
	if !ok {
		return ""
	}
	return branch
}

// Range is the change that an event asks to review. It is false for an event that
// is about no change: a schedule, a comment, a deleted branch.
func (e *Event) Range() (Range, bool) {
	switch {
	case e.Pull != nil:
		return Range{Repo: e.Repo, Base: e.Pull.Base, Head: e.Pull.Head, Pull: e.Pull.Number}, e.Pull.Head != ""
	case e.Group != nil:
		return Range{Repo: e.Repo, Base: e.Group.Base, Head: e.Group.Head}, e.Group.Head != ""
	case e.Push != nil:
		first := isZero(e.Push.Before) && e.Push.Branch() == e.DefaultBranch
		return Range{Repo: e.Repo, Base: e.Push.Before, Head: e.Push.After, Whole: first}, !isZero(e.Push.After)
	}
	return Range{}, false
}
