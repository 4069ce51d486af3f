package review

import (
	"slices"

	"github.com/sealward/sealward/internal/repo"
)

// history looks for what only a commit in between held: added, then removed again,
// it is still in the repository's history. found is what Head shows already.
func (r *run) history(found []Finding) []Finding {
	rules := slices.DeleteFunc(r.scoped(PerFile), func(rule *Rule) bool { return !rule.History })
	if r.opt.Mode != ReviewChange || len(rules) == 0 || len(r.change.Commits) == 0 {
		return nil
	}
	known := map[subject]bool{}
	for _, list := range [][]Finding{r.inBase, r.inHead, found} {
		for i := range list {
			known[r.subjectOf(&list[i])] = true
		}
	}
	// A leak that nobody sees in Head is told once for each path that it stood at: whoever
	// looks through the history, or rewrites it, needs them all.
	said := map[identity]bool{}
	var out []Finding
	versions := r.versions()
	byVersion := make([][]Finding, len(versions))
	parallel(len(versions), func(_, i int) { byVersion[i] = r.checkVersion(rules, versions[i]) })
	for i, list := range byVersion {
		for _, f := range list {
			at := identity{rule: f.Rule, path: f.Span.File, subject: f.Subject}
			if f.Subject == "" {
				at.key = f.Key
			}
			if !known[r.subjectOf(&f)] && !said[at] {
				said[at] = true
				f.Commit = versions[i].commit
				out = append(out, f)
			}
		}
	}
	return out
}

// subject is what makes a leak the same leak wherever it is moved to within a
// change; a finding without a subject is told by its place.
type subject struct {
	rule, subject string
	identity
}

func (r *run) subjectOf(f *Finding) subject {
	if f.Subject != "" {
		return subject{rule: f.Rule, subject: f.Subject}
	}
	return subject{identity: r.identityOf(f)}
}

// version is a file as one commit has it.
type version struct {
	commit string
	file   *File
}

// versions lists every content that the commits brought, each once, in order,
// without those that Base or Head hold at that path themselves.
func (r *run) versions() []version {
	seen := map[string]bool{}
	for _, c := range r.change.Files {
		if c.ID != "" {
			seen[c.Path+"\x00"+c.ID] = true
		}
	}
	var out []version
	for _, c := range r.change.Commits {
		for _, ch := range c.Files {
			key := ch.Path + "\x00" + ch.ID
			if ch.Kind == repo.Deleted || ch.ID != "" && seen[key] || r.outOfScope(ch.Path) {
				continue
			}
			seen[key] = true
			f := &File{Path: ch.Path, from: &origin{fsys: c.Tree.FS, log: r.log}}
			out = append(out, version{c.ID, f})
		}
	}
	return out
}

func (r *run) outOfScope(path string) bool {
	return matchAny(r.config.Review.PathsIgnore, path)
}

func (r *run) checkVersion(rules []*Rule, v version) []Finding {
	if r.ctx.Err() != nil {
		return nil
	}
	var found []Finding
	for _, rule := range rules {
		p := &Pass{Rule: rule, Tree: r.head, File: v.file}
		found = append(found, r.check(p, v.file.Path+" at "+v.commit[:min(12, len(v.commit))])...)
	}
	v.file.evict()
	return found
}
