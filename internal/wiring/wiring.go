// Package wiring tells how kustomize, Flux, Kubernetes Secrets and the External
// Secrets Operator tie the files of a tree together: who lists whom, what a
// cluster applies, who provides a secret's keys and who reads them.
package wiring

import "github.com/sealward/sealward/internal/syntax"

// Source is the tree that a Graph is made from.
type Source interface {
	Paths() []string // every file, sorted
	Syntax(path string) (*syntax.File, error)
}

// Graph is what was read of one tree; it does not change once it is made.
type Graph struct{}

// Read makes the graph. It reads only files that can be manifests.
func Read(src Source) (*Graph, error) { return &Graph{}, nil }
