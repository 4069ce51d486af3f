package rotate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/sops"
)

// Held are the recipients that the keyring of each environment holds, by environment,
// the current one first.
type Held map[string][]sops.Recipient

// Key is what is known of an environment's key: the recipients that it goes by, and
// what tells so.
type Key struct {
	Recipients []sops.Recipient
	How        string // for people
}

// AmbiguousError says that several recipients could be an environment's key.
type AmbiguousError struct {
	Env        string
	Candidates []sops.Recipient
	How        string
}

func (e *AmbiguousError) Error() string {
	list := make([]string, len(e.Candidates))
	for i, r := range e.Candidates {
		list[i] = "  " + r.ID
	}
	return fmt.Sprintf("%d recipients could be the key of %q (%s):\n%s\nsay which one is meant with --remove RECIPIENT, or name their roles under recipients: in .sealward.yaml",
		len(e.Candidates), e.Env, e.How, strings.Join(list, "\n"))
}

// NoKeyError says that nothing in the tree is the environment's key.
type NoKeyError struct{ Env string }

func (e *NoKeyError) Error() string {
	return fmt.Sprintf("no key of %q was found: no rule of .sops.yaml, no sealed file and no kilter.yaml names one; make it with keys init %s, or say which recipient is meant with --remove RECIPIENT",
		e.Env, e.Env)
}

// facts are what speaks for or against a recipient being an environment's key.
type facts struct {
	tree  *Tree
	held  Held
	files map[sops.Recipient]map[string]bool // the environments of its sealed files; "" among them
	rules map[sops.Recipient]map[string]bool // the environments that its rules govern
	roles map[sops.Recipient]hint            // from the configuration; else from hints
}

func (t *Tree) facts(held Held) *facts {
	f := &facts{tree: t, held: held, files: map[sops.Recipient]map[string]bool{}, rules: map[sops.Recipient]map[string]bool{}, roles: map[sops.Recipient]hint{}}
	governs := map[*sops.CreationRule][]string{}
	for _, s := range t.Sealed {
		for _, r := range s.Recipients() {
			note(f.files, r, s.Env)
		}
		if _, rule := t.Rule(s.Path); rule != nil {
			governs[rule] = append(governs[rule], s.Env)
		}
	}
	for _, name := range t.ruleFiles() {
		for i := range t.Rules[name].Rules {
			rule := &t.Rules[name].Rules[i]
			for _, at := range rule.Recipients {
				note(f.rules, at.Recipient, "")
				for _, e := range append(governs[rule], envsNamed(rule.PathRegex)...) {
					note(f.rules, at.Recipient, t.spelled(e))
				}
			}
		}
	}
	for _, h := range t.hints() {
		if have, known := f.roles[h.Recipient]; !known || have.role == "" && len(have.envs) == 0 {
			f.roles[h.Recipient] = h
		}
	}
	for _, c := range t.Config.Recipients {
		if r, err := sops.ParseRecipient(c.ID); err == nil {
			f.roles[r] = hint{Recipient: r, role: c.Role, envs: c.Environments, by: ".sealward.yaml"}
		}
	}
	return f
}

func note(m map[sops.Recipient]map[string]bool, r sops.Recipient, env string) {
	if m[r] == nil {
		m[r] = map[string]bool{}
	}
	m[r][env] = true
}

// there reports whether the tree is sealed for r anywhere, or a rule names it.
func (f *facts) there(r sops.Recipient) bool { return f.files[r] != nil || f.rules[r] != nil }

// in reports whether r has to do with an environment, by files or rules.
func (f *facts) in(r sops.Recipient, env string) bool { return f.files[r][env] || f.rules[r][env] }

// others returns the environments other than env that r has to do with.
func (f *facts) others(r sops.Recipient, env string) []string {
	var out []string
	for _, m := range []map[string]bool{f.files[r], f.rules[r]} {
		for e := range m {
			if e != "" && e != env && !slices.Contains(out, e) {
				out = append(out, e)
			}
		}
	}
	slices.Sort(out)
	return out
}

// Key finds the key of an environment in the tree: what the configuration says first,
// then kilter.yaml, then anchors and comments of the rules, then what is left when
// everybody else's keys are taken away.
func (t *Tree) Key(env string, held Held) (Key, error) { return t.facts(held).key(env) }

func (f *facts) key(env string) (Key, error) {
	tiers := []struct {
		how   string
		find  func(string) []sops.Recipient
		vague bool
	}{
		{"recipients: of .sealward.yaml says so", f.configured, false},
		{"sopsRecipient of kilter.yaml", f.fromKilter, false},
		{"an anchor or comment of .sops.yaml says so", f.hinted, true},
		{"it has to do with that environment alone", f.exclusive, false},
		{"its files and rules name nobody else that could be", f.shared, false},
	}
	for _, tier := range tiers {
		found := sops.Difference(tier.find(env), nil)
		if tier.vague && len(found) > 1 {
			// A comment may stand beside a list, and mean one of it.
			if own := common(found, f.exclusive(env)); len(own) > 0 {
				found = own
			}
		}
		switch len(found) {
		case 0:
		case 1:
			return Key{found, tier.how}, nil
		default:
			return Key{}, &AmbiguousError{env, found, tier.how}
		}
	}
	return Key{}, &NoKeyError{env}
}

func (f *facts) configured(env string) []sops.Recipient {
	var out []sops.Recipient
	for _, c := range f.tree.Config.Recipients {
		r, err := sops.ParseRecipient(c.ID)
		if err == nil && c.Role == roleCluster && sameEnv(c.Environments, env) && f.there(r) {
			out = append(out, r)
		}
	}
	return out
}

func (f *facts) fromKilter(env string) []sops.Recipient {
	var out []sops.Recipient
	for _, k := range f.tree.kilterRecipients() {
		if k.env == env && k.recipient.ID != "" {
			out = append(out, k.recipient)
		}
	}
	return out
}

func (f *facts) hinted(env string) []sops.Recipient {
	var out []sops.Recipient
	for r, h := range f.roles {
		if sameEnv(h.envs, env) && h.role != rolePerson && h.role != roleCI && !personal(r) && f.there(r) {
			out = append(out, r)
		}
	}
	return out
}

// exclusive are the recipients that have to do with this environment and no other.
func (f *facts) exclusive(env string) []sops.Recipient {
	return slices.DeleteFunc(f.shared(env), func(r sops.Recipient) bool { return len(f.others(r, env)) > 0 })
}

// shared are the recipients of the environment's files and rules that may be a
// cluster's, and are not known to be another environment's.
func (f *facts) shared(env string) []sops.Recipient {
	var out []sops.Recipient
	for _, m := range []map[sops.Recipient]map[string]bool{f.files, f.rules} {
		for r := range m {
			if f.in(r, env) && f.mayBeKey(r, env) {
				out = append(out, r)
			}
		}
	}
	return out
}

func (f *facts) mayBeKey(r sops.Recipient, env string) bool {
	if personal(r) {
		return false
	}
	if h, ok := f.roles[r]; ok && (h.role == rolePerson || h.role == roleCI || len(h.envs) > 0 && !sameEnv(h.envs, env)) {
		return false
	}
	for e, list := range f.held {
		if e != env && slices.Contains(list, r) && !slices.Contains(f.held[env], r) {
			return false
		}
	}
	for _, k := range f.tree.kilterRecipients() {
		if k.recipient == r && k.env != env {
			return false
		}
	}
	return true
}

// Named reports whether a rule names a recipient.
func (t *Tree) Named(r sops.Recipient) bool { return t.facts(nil).rules[r] != nil }

// Alone reports whether a recipient has to do with one environment and no other.
func (t *Tree) Alone(env string, r sops.Recipient) bool { return len(t.facts(nil).others(r, env)) == 0 }
