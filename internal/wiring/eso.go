package wiring

import (
	"maps"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// Store is a SecretStore or ClusterSecretStore.
type Store struct{ Kind, Namespace, Name string }

// ExternalSecret has the External Secrets Operator make a Secret.
type ExternalSecret struct {
	File, Namespace, Name string
	APIVersion            string
	Store, StoreKind      string
	StoreSpan             syntax.Span
	Target                string // the Secret's name
	Owns                  bool   // creationPolicy is Owner: nobody else may make it
	Keys                  []string
	Open                  bool // dataFrom: it brings keys that are not named
	Template              []TemplateUse
	Refresh               syntax.Leaf // refreshInterval; zero where it is not set
	Span, APISpan         syntax.Span // of the name; of the apiVersion
}

// TemplateUse is a key that a template refers to.
type TemplateUse struct {
	Key  string
	Span syntax.Span
}

// ClusterExternalSecret makes an ExternalSecret in every namespace that it selects.
type ClusterExternalSecret struct {
	ExternalSecret
	Selectors  []map[string]string // matchLabels; a namespace is selected by any of them
	Names      []string            // namespaces by name
	Expression bool                // matchExpressions: not decided here
	Selector   syntax.Span
}

func (fs *Facts) external(o *Object) {
	switch o.Kind {
	case "SecretStore", "ClusterSecretStore":
		fs.Stores = append(fs.Stores, Store{o.Kind, o.Namespace, o.Name})
	case "ExternalSecret":
		es := externalSecret(o)
		fs.External = append(fs.External, es)
		fs.Providers = append(fs.Providers, es.provider("ExternalSecret"))
	case "ClusterExternalSecret":
		ces := clusterSecret(o)
		fs.ClusterSecrets = append(fs.ClusterSecrets, ces)
		fs.Providers = append(fs.Providers, ces.provider("ClusterExternalSecret"))
	}
}

func (es *ExternalSecret) provider(kind string) Provider {
	return Provider{File: es.File, Kind: kind, Namespace: es.Namespace, Name: es.Target, Keys: es.Keys, Closed: !es.Open && len(es.Keys) > 0, Span: es.Span}
}

func externalSecret(o *Object) ExternalSecret {
	es := ExternalSecret{File: o.File.Name, Namespace: o.Namespace, Name: o.Name, APIVersion: o.APIVersion, Target: o.Name}
	es.spec(o, "spec")
	return es
}

// spec reads an ExternalSecret's spec, which stands below the keys given.
func (es *ExternalSecret) spec(o *Object, at ...string) {
	below := func(keys ...string) []string { return append(append([]string{}, at...), keys...) }
	name, _ := o.Leaf("metadata", "name")
	api, _ := o.Leaf("apiVersion")
	es.Span, es.APISpan = name.Span, api.Span
	if t := o.Str(below("target", "name")...); t != "" {
		es.Target = t
	}
	policy := o.Str(below("target", "creationPolicy")...)
	es.Owns = policy == "" || policy == "Owner"
	store, _ := o.Leaf(below("secretStoreRef", "name")...)
	es.Store, es.StoreSpan, es.StoreKind = store.Value, store.Span, o.Str(below("secretStoreRef", "kind")...)
	es.Refresh, _ = o.Leaf(below("refreshInterval")...)
	es.Open = len(o.Under(below("dataFrom")...)) > 0
	data := map[string]bool{}
	for _, l := range o.Under(below("data")...) {
		if l.Path.Last() == "secretKey" {
			es.Keys = append(es.Keys, l.Value)
			data[l.Value] = true
		}
	}
	es.template(o, below("target", "template"), data)
}

// template reads what a target's template makes of the data: its keys replace them.
func (es *ExternalSecret) template(o *Object, at []string, data map[string]bool) {
	if len(o.Under(append(at[:len(at):len(at)], "templateFrom")...)) > 0 {
		es.Open = true
	}
	leaves := o.Under(append(at[:len(at):len(at)], "data")...)
	if len(leaves) == 0 {
		return
	}
	if o.Str(append(at[:len(at):len(at)], "mergePolicy")...) != "Merge" {
		es.Keys = nil
	}
	for _, l := range leaves {
		es.Keys = append(es.Keys, l.Path.Last())
		for _, key := range templateKeys(l.Value) {
			if !data[key] && !es.Open {
				es.Template = append(es.Template, TemplateUse{key, l.Span})
			}
		}
	}
}

// templateKeys finds the plain {{ .key }} references of a Go template; anything that
// computes is left alone, and so is a text with a range, a with or a definition: there
// the dot is another.
func templateKeys(text string) []string {
	var out []string
	for {
		_, rest, ok := strings.Cut(text, "{{")
		if !ok {
			return out
		}
		action, after, ok := strings.Cut(rest, "}}")
		if !ok {
			return out
		}
		text = after
		action = strings.TrimSpace(strings.Trim(strings.TrimSpace(action), "-"))
		word, _, _ := strings.Cut(action, " ")
		if word == "range" || word == "with" || word == "define" || word == "block" {
			return out
		}
		if strings.HasPrefix(word, ".") && len(word) > 1 && !strings.ContainsAny(word[1:], ".()$") {
			out = append(out, word[1:])
		}
	}
}

func clusterSecret(o *Object) ClusterExternalSecret {
	es := ExternalSecret{File: o.File.Name, Name: o.Name, APIVersion: o.APIVersion, Target: o.Name}
	if n := o.Str("spec", "externalSecretName"); n != "" {
		es.Target = n
	}
	es.spec(o, "spec", "externalSecretSpec")
	ces := ClusterExternalSecret{ExternalSecret: es}
	ces.selectors(o)
	return ces
}

func (c *ClusterExternalSecret) selectors(o *Object) {
	one := map[string]string{}
	many := map[int]map[string]string{}
	for _, l := range o.Under("spec") {
		p := o.Rel(l)
		keys := l.Path.Keys()
		switch field := p[1].Key; {
		case field == "namespaces" && len(p) == 3:
			c.Names = append(c.Names, l.Value)
			c.Selector = l.Span
		case field != "namespaceSelector" && field != "namespaceSelectors":
		case slices.Contains(keys, "matchExpressions"):
			c.Expression = true
		case field == "namespaceSelector" && len(p) == 4:
			one[p[3].Key] = l.Value
			c.Selector = l.Span
		case field == "namespaceSelectors" && len(p) == 5:
			if many[p[2].Index] == nil {
				many[p[2].Index] = map[string]string{}
			}
			many[p[2].Index][p[4].Key] = l.Value
			c.Selector = l.Span
		}
	}
	if len(one) > 0 {
		c.Selectors = append(c.Selectors, one)
	}
	for _, i := range slices.Sorted(maps.Keys(many)) {
		c.Selectors = append(c.Selectors, many[i])
	}
}

// Selects reports whether the object makes a secret in the namespace. Where it cannot
// be decided here, it does.
func (c *ClusterExternalSecret) Selects(n Namespace) bool {
	if c.Expression || slices.Contains(c.Names, n.Name) {
		return true
	}
	for _, sel := range c.Selectors {
		all := true
		for k, v := range sel {
			have, ok := n.Labels[k]
			if k == "kubernetes.io/metadata.name" {
				have, ok = n.Name, true
			}
			all = all && ok && have == v
		}
		if all {
			return true
		}
	}
	return false
}
