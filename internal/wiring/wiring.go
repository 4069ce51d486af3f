// Package wiring tells how kustomize, Flux, Kubernetes Secrets and the External
// Secrets Operator tie the files of a tree together: who lists whom, what a
// cluster applies, who provides a secret's keys and who reads them.
//
// [FactsOf] reads one file; a [Graph] joins the facts of all. Nothing is fetched
// and no plugin runs: what lies outside of the tree is unknown, and said to be.
package wiring

import (
	"bytes"
	"path"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// Source is the tree that a Graph is made from.
type Source interface {
	Paths() []string // every file, sorted
	// Facts returns what a file tells, or nil for one that cannot be a manifest; it
	// may be kept over several trees that share the file.
	Facts(path string) *Facts
}

// Facts is what one file tells.
type Facts struct {
	Path           string
	Kustomization  *Kustomization      // the file is a kustomization.yaml
	Flux           []FluxKustomization // Flux's own Kustomization objects
	Patches        []FluxPatch         // patches that set decryption on Flux Kustomizations
	Providers      []Provider          // who makes Secrets
	Uses           []Use               // who reads them
	Workloads      []Workload
	Namespaces     []Namespace
	Stores         []Store
	External       []ExternalSecret
	ClusterSecrets []ClusterExternalSecret
	Remotes        []Remote // Flux sources and what else brings objects from outside
	Releases       []Release
	Sealed         []syntax.Span // the sops metadata of sealed Kubernetes objects that Flux would decrypt
	Applied        []Applied     // every object, by kind and name
}

// Applied names one object of a file.
type Applied struct {
	Group, Kind, Namespace, Name string
	Span                         syntax.Span // of its name
}

// MayBeManifest is a test by name alone, and MayTell one by name and content, that no
// file with facts fails.
func MayBeManifest(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return path.Base(name) == "Kustomization"
}

// MayTell is described at [MayBeManifest].
func MayTell(name string, data []byte) bool {
	if !MayBeManifest(name) {
		return false
	}
	return path.Base(name) == "Kustomization" || bytes.Contains(data, []byte("kind")) || bytes.Contains(data, []byte("/spec/decryption")) || strings.HasPrefix(path.Base(name), "kustomization.")
}

// FactsOf reads a file. It never returns nil.
func FactsOf(f *syntax.File) *Facts {
	facts := &Facts{Path: f.Name}
	if isKustomizationName(f.Name) {
		facts.Kustomization = readKustomization(f, facts)
		return facts
	}
	objects := Objects(f)
	if len(objects) == 0 {
		facts.jsonPatch(f)
		facts.inlinePatches(f.Leaves, f.Name) // the values of flux-instance's chart
	}
	for i := range objects {
		facts.read(&objects[i])
	}
	return facts
}

func (fs *Facts) read(o *Object) {
	name, _ := o.Leaf("metadata", "name")
	fs.Applied = append(fs.Applied, Applied{o.Group(), o.Kind, o.Namespace, o.Name, name.Span})
	fs.sealed(o)
	switch {
	case o.Is("kustomize.toolkit.fluxcd.io", "Kustomization"):
		fs.flux(o)
	case o.Is("kustomize.config.k8s.io", "Kustomization"), o.Is("kustomize.config.k8s.io", "Component"):
		// a kustomization under another name: kustomize does not look at it
	case o.Is("fluxcd.controlplane.io", "FluxInstance"):
		fs.patches(o, "spec", "kustomize", "patches")
	case o.Group() == "source.toolkit.fluxcd.io":
		fs.remote(o)
	case o.Is("helm.toolkit.fluxcd.io", "HelmRelease"):
		fs.release(o)
		fs.patches(o, "spec", "values")
		fs.uses(o)
	case o.Is("", "Namespace"):
		fs.namespace(o)
	case o.Is("", "Secret"), o.Is("bitnami.com", "SealedSecret"), o.Is("cert-manager.io", "Certificate"):
		fs.provider(o)
	case o.Group() == "external-secrets.io":
		fs.external(o)
	default:
		fs.uses(o)
	}
}

// sealed notes the SOPS metadata of an object, unless it opts out of decryption.
func (fs *Facts) sealed(o *Object) {
	meta := o.Under("sops")
	if len(meta) == 0 || o.prefix != 0 {
		return
	}
	if o.Str("metadata", "annotations", "kustomize.toolkit.fluxcd.io/decrypt") == "Disabled" {
		return
	}
	hasMAC := false
	for _, l := range meta {
		hasMAC = hasMAC || l.Path.Last() == "mac"
	}
	if hasMAC {
		fs.Sealed = append(fs.Sealed, meta[0].Key)
	}
}

func isKustomizationName(p string) bool {
	b := path.Base(p)
	return b == "kustomization.yaml" || b == "kustomization.yml" || b == "Kustomization"
}
