package rule

import (
	"fmt"
	"slices"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var noRestart = &review.Rule{
	ID: "no-restart", Since: "1.0", Family: review.References, Severity: review.Warning, Scope: review.PerChange,
	Doc: `The change alters a Secret, and what reads it will not restart.

The workload carries no rollme, checksum or reloader annotation, the change does not touch it, and it reads the Secret as
environment variables, which are set at the start alone.

## Why it matters
The new value is in the cluster and the application does not have it, until somebody restarts it, perhaps weeks later.

## Example
    # secret.yaml is re-encrypted with a new password; deployment.yaml stays as it is

## What to do
Restart the workload after the deploy, or annotate it so that it does by itself.
`,
	Check: func(p *review.Pass) error {
		graph := p.Tree.Wiring()
		readers := secretReaders(graph)
		touched := map[string]bool{}
		for _, c := range p.Change.Files {
			touched[c.Path] = true
		}
		for _, c := range p.Change.Files {
			f, before := p.Tree.File(c.Path), p.Base.File(c.Old)
			if c.Kind == repo.Deleted || f == nil || before == nil {
				continue
			}
			for _, name := range changedSecrets(graph, before, f) {
				for _, w := range readers {
					if w.Restarts == "" && !touched[w.File] && slices.Contains(w.Secrets, name) {
						p.Report(noRestartFinding(w, name, graph.Facts(c.Path)))
					}
				}
			}
		}
		return nil
	},
}

func noRestartFinding(w wiring.Workload, secret string, facts *wiring.Facts) review.Finding {
	f := review.Finding{Span: w.Span, Key: w.Kind + "/" + w.Name + "/" + secret, Class: secret,
		Message: fmt.Sprintf("Secret %s changes, and %s %s will not restart to read it", secret, w.Kind, w.Name),
		Hint:    fmt.Sprintf("After the deploy run: kubectl rollout restart %s/%s. Or annotate the pod template.", lowerKind(w.Kind), w.Name)}
	for _, pr := range facts.Providers {
		if pr.Name == secret {
			f.Related = append(f.Related, review.Related{Span: pr.Span, Message: "the Secret that changes"})
		}
	}
	return f
}

func lowerKind(kind string) string {
	switch kind {
	case "StatefulSet":
		return "statefulset"
	case "DaemonSet":
		return "daemonset"
	}
	return "deployment"
}

// changedSecrets names the Secrets of a file that hold other sealed values than before.
// A re-encryption to other recipients makes every value another ciphertext and changes
// nothing in the cluster; then the recipients differ too.
func changedSecrets(g *wiring.Graph, before, after *review.File) []string {
	facts := g.Facts(after.Path)
	if facts == nil || len(facts.Providers) == 0 || before.Sops() == nil || after.Sops() == nil {
		return nil
	}
	was := map[string]string{}
	for _, d := range before.Sops().Sealed {
		for _, l := range d.Sealed {
			was[l.Path.String()] = l.Value
		}
	}
	same, differ := 0, 0
	for _, d := range after.Sops().Sealed {
		for _, l := range d.Sealed {
			if was[l.Path.String()] == l.Value {
				same++
			} else {
				differ++
			}
		}
	}
	if differ == 0 || same == 0 && differ > 1 {
		return nil
	}
	var names []string
	for _, pr := range facts.Providers {
		names = append(names, pr.Name)
	}
	return names
}
