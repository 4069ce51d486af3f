package rule

import (
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
)

// The roles of recipients.
const (
	roleCluster = "cluster"
	rolePerson  = "person"
	roleCI      = "ci"
)

// role is what a recipient is for, as far as it is known.
type role struct {
	kind string   // "" is unknown
	name string   // what people call it
	envs []string // for a cluster: its environments; empty is not said
	sure bool     // from the configuration; else it is a hint
}

// rolesOf knows the recipients of a tree: those that the configuration names, and
// by the anchors' names and comments of .sops.yaml the hints on the others.
func rolesOf(t *review.Tree, cfg *config.Config) map[sops.Recipient]role {
	roles := map[sops.Recipient]role{}
	for _, r := range t.SopsRules() {
		for _, rule := range r.Rules {
			for _, at := range rule.Recipients {
				if _, known := roles[at.Recipient]; known {
					continue
				}
				roles[at.Recipient] = hint(at)
			}
		}
	}
	for _, c := range cfg.Recipients {
		r, err := sops.ParseRecipient(c.ID)
		if err != nil {
			continue // the configuration's own check says so
		}
		roles[r] = role{kind: c.Role, name: c.Name, envs: c.Environments, sure: true}
	}
	return roles
}

// hint guesses a role from the kind of key, the anchor's name and the comment.
func hint(at sops.RecipientAt) role {
	text := strings.ToLower(at.Name + " " + at.Comment)
	words := strings.FieldsFunc(text, func(r rune) bool { return !('a' <= r && r <= 'z' || '0' <= r && r <= '9') })
	has := func(list ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
	}
	out := role{name: at.Name}
	switch {
	case has("cluster", "flux", "argocd", "argo", "k8s", "kubernetes", "server", "host", "node"):
		out.kind = roleCluster
	case has("ci", "github", "gitlab", "actions", "bot", "pipeline"):
		out.kind = roleCI
	case has("admin", "user", "users", "person", "laptop", "team", "yubikey", "personal", "me", "recovery", "backup") || at.Kind == sops.PGP || at.SSH() || at.Plugin():
		out.kind = rolePerson
	}
	for _, w := range words {
		if e := env.Canonical(w); env.Known(e) && out.kind != rolePerson {
			out.envs = append(out.envs, e)
		}
	}
	return out
}
