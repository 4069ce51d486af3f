package rule

import (
	"fmt"
	"slices"

	"github.com/sealward/sealward/internal/env"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

var sharedRecipient = &review.Rule{
	ID: "shared-recipient", Since: "1.0", Family: review.Sealing, Severity: review.Warning, Scope: review.PerTree,
	Doc: `One cluster's recipient is used in more than one environment.

Roles come from recipients in .sealward.yaml; people and CI may be shared. A recipient that the configuration gives to a
cluster without environments may stand in one alone.

## Why it matters
Whoever gets hold of the development cluster's key reads production.

## Example
    recipients:
      - {id: age1..., role: cluster, environments: [dev]}
    # and a file of prod is sealed for it

## What to do
Make a key for each environment: bot keys init prod --force, then rotate.
`,
	Check: func(p *review.Pass) error {
		if len(p.Config.Recipients) == 0 {
			return nil
		}
		roles := rolesOf(p.Tree, p.Config)
		used := map[sops.Recipient]map[string]syntax.Span{}
		for _, f := range p.Tree.SealedFiles() {
			place, ok := p.Tree.Env().Of(f.Path)
			if !ok {
				continue
			}
			for _, d := range f.Sops().Sealed {
				for _, r := range recipientsOf(d) {
					if used[r] == nil {
						used[r] = map[string]syntax.Span{}
					}
					if _, ok := used[r][place.Env]; !ok {
						used[r][place.Env] = d.Meta
					}
				}
			}
		}
		for r, envs := range used {
			if have := roles[r]; have.sure && have.kind == roleCluster {
				reportShared(p, r, have, envs)
			}
		}
		return nil
	},
}

func reportShared(p *review.Pass, r sops.Recipient, have role, used map[string]syntax.Span) {
	var foreign []string
	for e := range used {
		if len(have.envs) > 0 && !slices.ContainsFunc(have.envs, func(own string) bool { return env.Canonical(own) == env.Canonical(e) }) {
			foreign = append(foreign, e)
		}
	}
	if len(have.envs) == 0 && len(used) > 1 {
		for e := range used {
			foreign = append(foreign, e)
		}
	}
	slices.Sort(foreign)
	for _, e := range foreign {
		p.Report(review.Finding{Span: used[e], Key: r.Short() + "/" + e,
			Message: fmt.Sprintf("the recipient %s of the cluster %s is used in %s too", r.Short(), orUnnamed(have.name), e),
			Hint:    fmt.Sprintf("Give %s a key of its own: bot keys init %s --force, then bot rotate %s.", e, e, e)})
	}
}

func orUnnamed(name string) string {
	if name == "" {
		return "(without a name)"
	}
	return name
}
