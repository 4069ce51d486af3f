package rule

import (
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/wiring"
)

var rollmeAnnotation = &review.Rule{
	ID: "rollme-annotation", Since: "1.0", Family: review.References, Severity: review.Warning, Scope: review.PerTree,
	Doc: `A workload reads a Secret and carries nothing that restarts it when the Secret changes.

It speaks where four of five such workloads of the repository carry a rollme, checksum or reloader annotation, and in the
LocalOps profile. Secrets with a content hash in their name (secretGenerator) restart their readers by themselves.

## Why it matters
After a rotation the pod runs on with the old value until somebody restarts it.

## Example
    kind: Deployment
    spec: {template: {metadata: {}}}     # no annotation; envFrom: [{secretRef: {name: app-secrets}}]

## What to do
Annotate the pod template as the others of the repository are.
`,
	Check: func(p *review.Pass) error {
		graph := p.Tree.Wiring()
		readers := secretReaders(graph)
		with := 0
		for _, w := range readers {
			if w.Restarts != "" {
				with++
			}
		}
		if p.Profile() != review.LocalOps && (with < 4 || with*5 < len(readers)*4) {
			return nil
		}
		for _, w := range readers {
			if w.Restarts == "" {
				p.Report(review.Finding{Span: w.Span, Key: w.Kind + "/" + w.Name,
					Message: fmt.Sprintf("%s %s reads Secret %s and does not restart when it changes", w.Kind, w.Name, strings.Join(w.Secrets, ", ")),
					Hint:    "Annotate the pod template with rollme, a checksum or reloader, as the others are."})
			}
		}
		return nil
	},
}

// secretReaders are the workloads that read a Secret whose name does not change with
// its content. Jobs run once.
func secretReaders(g *wiring.Graph) []wiring.Workload {
	var out []wiring.Workload
	for _, path := range g.Files() {
		for _, w := range g.Facts(path).Workloads {
			if w.Kind == "Job" || w.Kind == "CronJob" || w.Kind == "Pod" || w.Name == "" {
				continue
			}
			for _, s := range w.Secrets {
				if !generated(g, s) {
					out = append(out, w)
					break
				}
			}
		}
	}
	return out
}

func generated(g *wiring.Graph, secret string) bool {
	for _, pr := range g.Providers(secret) {
		if pr.Kind == "secretGenerator" {
			return true
		}
	}
	return false
}
