package rotate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// The roles of a recipient, as the configuration names them.
const (
	roleCluster = "cluster"
	rolePerson  = "person"
	roleCI      = "ci"
)

// hint is what one place says of a recipient.
type hint struct {
	sops.Recipient
	role string   // "" where the place does not say
	envs []string // the environments that it is for, as far as the place says
	by   string   // where it stands, for people
}

// hints gathers what the anchors' names and the comments of all rules say.
func (t *Tree) hints() []hint {
	var out []hint
	for _, name := range t.ruleFiles() {
		for _, rule := range t.Rules[name].Rules {
			for _, at := range rule.Recipients {
				out = append(out, hintOf(name, at))
			}
		}
	}
	return out
}

// hintOf reads a recipient's anchor and comment. A person's key may name an
// environment that the person works on: it is not that environment's.
func hintOf(file string, at sops.RecipientAt) hint {
	h := hint{Recipient: at.Recipient, by: fmt.Sprintf("%s:%d", file, at.Source.Start.Line)}
	said := strings.FieldsFunc(strings.ToLower(at.Name+" "+at.Comment), func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9')
	})
	switch {
	case says(said, "cluster", "flux", "argocd", "argo", "k8s", "kubernetes", "server"):
		h.role = roleCluster
	case says(said, "ci", "github", "gitlab", "actions", "pipeline"):
		h.role = roleCI
	case says(said, "admin", "user", "users", "person", "people", "laptop", "team", "yubikey", "personal", "recovery", "backup", "call", "oncall"):
		h.role = rolePerson
	}
	if h.role == "" && personal(at.Recipient) {
		h.role = rolePerson
	}
	for _, w := range said {
		if env.Known(w) && w != "ci" && h.role != rolePerson && !slices.Contains(h.envs, env.Canonical(w)) {
			h.envs = append(h.envs, env.Canonical(w))
		}
	}
	return h
}

func says(said []string, any ...string) bool {
	return slices.ContainsFunc(said, func(w string) bool { return slices.Contains(any, w) })
}

// personal holds for the kinds of keys that people have and clusters have not.
func personal(r sops.Recipient) bool { return r.Kind != sops.Age || r.SSH() || r.Plugin() }

// ruleFiles returns the paths of the .sops.yaml files, sorted.
func (t *Tree) ruleFiles() []string {
	var out []string
	for name := range t.Rules {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// kilterRecipient is an environment's sopsRecipient in a kilter.yaml.
type kilterRecipient struct {
	file      *syntax.File
	env       string
	leaf      syntax.Leaf
	recipient sops.Recipient // zero for one that cannot be read
}

// kilterRecipients reads the sopsRecipient of every environment of every kilter.yaml.
func (t *Tree) kilterRecipients() []kilterRecipient {
	var out []kilterRecipient
	for _, f := range t.kilter {
		for _, l := range f.Leaves {
			p := l.Path
			if len(p) != 3 || p[0].Key != "environments" || p[1].Index >= 0 || p[2].Key != "sopsRecipient" {
				continue
			}
			r, _ := sops.ParseRecipient(l.Value)
			out = append(out, kilterRecipient{f, t.spelled(p[1].Key), l, r})
		}
	}
	return out
}

// envsNamed are the environments that a path_regex names.
func envsNamed(regex string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(strings.ToLower(regex), func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	}) {
		for _, w := range append([]string{w}, words(w)...) {
			if env.Known(w) && !slices.Contains(out, env.Canonical(w)) {
				out = append(out, env.Canonical(w))
			}
		}
	}
	return out
}
