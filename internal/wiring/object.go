package wiring

import (
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// Object is one Kubernetes object of a file: a document, or an item of a List.
type Object struct {
	File       *syntax.File
	Doc        int // index into File.Docs
	APIVersion string
	Kind       string
	Name       string
	Namespace  string
	Leaves     []syntax.Leaf // with their paths from the document's root

	prefix int // steps from the document's root to the object: 0, or 2 for items[i]
}

// Group is the API group, "" for the core one.
func (o Object) Group() string {
	group, _, ok := strings.Cut(o.APIVersion, "/")
	if !ok {
		return ""
	}
	return group
}

// Is reports whether the object is of a kind in an API group, whatever the version.
func (o Object) Is(group, kind string) bool { return o.Kind == kind && o.Group() == group }

// Rel is a leaf's path from the object's root.
func (o Object) Rel(l syntax.Leaf) syntax.Path { return l.Path[min(o.prefix, len(l.Path)):] }

// Leaf returns the leaf at exactly the mapping keys given, from the object's root.
func (o Object) Leaf(keys ...string) (syntax.Leaf, bool) {
	for _, l := range o.Leaves {
		if p := o.Rel(l); len(p) == len(keys) && hasPrefix(p, keys) {
			return l, true
		}
	}
	return syntax.Leaf{}, false
}

// Str is the value of [Object.Leaf], or "".
func (o Object) Str(keys ...string) string {
	l, _ := o.Leaf(keys...)
	return l.Value
}

// Under returns the leaves strictly below the mapping keys given, in source order.
func (o Object) Under(keys ...string) []syntax.Leaf {
	var out []syntax.Leaf
	for _, l := range o.Leaves {
		if p := o.Rel(l); len(p) > len(keys) && hasPrefix(p, keys) {
			out = append(out, l)
		}
	}
	return out
}

func hasPrefix(p syntax.Path, keys []string) bool {
	if len(p) < len(keys) {
		return false
	}
	for i, k := range keys {
		if p[i].Index >= 0 || p[i].Key != k {
			return false
		}
	}
	return true
}

// Objects returns the Kubernetes objects of a YAML or JSON file, those of Lists one
// by one. A document without apiVersion and kind is none, nor is any of a file that
// does not parse.
func Objects(f *syntax.File) []Object {
	if f.Broken != nil || f.Format != syntax.YAML && f.Format != syntax.JSON {
		return nil
	}
	var out []Object
	for i, d := range f.Docs {
		root := Object{File: f, Doc: i, Leaves: d.Leaves}
		root.read()
		switch {
		case strings.HasSuffix(root.Kind, "List") && len(root.Under("items")) > 0:
			out = append(out, items(root)...)
		case root.APIVersion != "" && root.Kind != "":
			out = append(out, root)
		}
	}
	return out
}

func (o *Object) read() {
	for _, l := range o.Leaves {
		p := o.Rel(l)
		switch {
		case len(p) == 1 && p[0].Key == "apiVersion":
			o.APIVersion = l.Value
		case len(p) == 1 && p[0].Key == "kind":
			o.Kind = l.Value
		case len(p) == 2 && p[0].Key == "metadata" && p[1].Key == "name":
			o.Name = l.Value
		case len(p) == 2 && p[0].Key == "metadata" && p[1].Key == "namespace":
			o.Namespace = l.Value
		}
	}
}

// items splits a List; its leaves stand in source order, so each item is one run.
func items(list Object) []Object {
	var out []Object
	leaves := list.Under("items")
	for len(leaves) > 0 {
		n := 1
		for n < len(leaves) && leaves[n].Path[1] == leaves[0].Path[1] {
			n++
		}
		if o := (Object{File: list.File, Doc: list.Doc, Leaves: leaves[:n], prefix: 2}); leaves[0].Path[1].Index >= 0 {
			if o.read(); o.APIVersion != "" && o.Kind != "" {
				out = append(out, o)
			}
		}
		leaves = leaves[n:]
	}
	return out
}
