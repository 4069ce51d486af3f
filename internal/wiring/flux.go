package wiring

import (
	"bytes"
	"path"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// FluxKustomization is an object that has Flux apply a directory.
type FluxKustomization struct {
	File       string
	Name       string
	Namespace  string
	Span       syntax.Span // of its name
	Path       string      // spec.path, relative to the repository's root; "" is the root
	PathSpan   syntax.Span
	Source     string // kind/namespace/name of its source
	Decryption string // spec.decryption.provider
	KeySecret  string // spec.decryption.secretRef.name
	KeySpan    syntax.Span
	Target     string // targetNamespace
	Patched    bool   // it has patches of its own that set decryption on what it applies
	Partial    bool   // no spec.path: a patch, or a part of an object
}

// FluxPatch is a patch that gives Flux Kustomizations a decryption.
type FluxPatch struct {
	File   string
	Name   string // the target's name, "" for any
	Secret bool   // it names a key's Secret too
	Span   syntax.Span
}

// Remote is an object that brings files from elsewhere, or from this repository.
type Remote struct {
	Kind, Namespace, Name, URL string
	Ignore                     string // spec.ignore, which replaces what is left out by default
}

// Release is a HelmRelease, with the Secrets and files that its values come from.
type Release struct {
	File, Namespace, Name string
	ValuesFiles           []Ref
}

func (fs *Facts) flux(o *Object) {
	k := FluxKustomization{File: o.File.Name, Name: o.Name, Namespace: o.Namespace, Target: o.Str("spec", "targetNamespace")}
	if name, ok := o.Leaf("metadata", "name"); ok {
		k.Span = name.Span
	}
	if at, ok := o.Leaf("spec", "path"); ok {
		k.PathSpan = at.Span
		k.Path = strings.TrimPrefix(path.Clean("/"+at.Value), "/")
	}
	_, hasSource := o.Leaf("spec", "sourceRef", "name")
	k.Partial = !hasSource
	k.Source = o.Str("spec", "sourceRef", "kind") + "/" + o.Str("spec", "sourceRef", "namespace") + "/" + o.Str("spec", "sourceRef", "name")
	if d, ok := o.Leaf("spec", "decryption", "provider"); ok {
		k.Decryption, k.KeySpan = d.Value, d.Span
	}
	if s, ok := o.Leaf("spec", "decryption", "secretRef", "name"); ok {
		k.KeySecret, k.KeySpan = s.Value, s.Span
	}
	before := len(fs.Patches)
	fs.patches(o, "spec", "patches")
	k.Patched = len(fs.Patches) > before
	if k.Partial && k.Decryption != "" {
		fs.Patches = append(fs.Patches, FluxPatch{File: o.File.Name, Name: o.Name, Secret: k.KeySecret != "", Span: k.Span})
	}
	fs.Flux = append(fs.Flux, k)
}

// patches notes, of the inline patches below keys, those that set decryption.
func (fs *Facts) patches(o *Object, keys ...string) {
	fs.inlinePatches(o.Under(keys...), o.File.Name)
}

// inlinePatches looks at patches as text: a strategic merge or a JSON patch, as YAML
// or JSON, sets decryption if it names the field.
func (fs *Facts) inlinePatches(leaves []syntax.Leaf, file string) {
	for _, l := range leaves {
		if len(l.Path) == 0 { // a document that is a lone scalar
			continue
		}
		if l.Path.Last() != "patch" && l.Path[0].Key != "patchesStrategicMerge" || !strings.Contains(l.Value, "decryption") {
			continue
		}
		fs.Patches = append(fs.Patches, FluxPatch{File: file, Secret: strings.Contains(l.Value, "secretRef"), Span: l.Span})
	}
}

// jsonPatch reads a file of operations (RFC 6902) that set decryption: who is meant
// stands in the kustomization that lists it.
func (fs *Facts) jsonPatch(f *syntax.File) {
	for _, l := range f.Leaves {
		if len(l.Path) == 2 && l.Path[0].Index >= 0 && l.Path[1].Key == "path" && strings.HasPrefix(l.Value, "/spec/decryption") {
			fs.Patches = append(fs.Patches, FluxPatch{File: f.Name, Secret: bytes.Contains(f.Data, []byte("secretRef")), Span: l.Span})
		}
	}
}

func (fs *Facts) remote(o *Object) {
	fs.Remotes = append(fs.Remotes, Remote{o.Kind, o.Namespace, o.Name, o.Str("spec", "url"), o.Str("spec", "ignore")})
}

func (fs *Facts) release(o *Object) {
	r := Release{File: o.File.Name, Namespace: o.Namespace, Name: o.Name}
	for _, l := range o.Under("spec", "chart", "spec", "valuesFiles") {
		r.ValuesFiles = append(r.ValuesFiles, Ref{Field: "valuesFiles", Target: l.Value, Span: l.Span})
	}
	fs.Releases = append(fs.Releases, r)
}
