package wiring

import (
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// Provider makes a Secret.
type Provider struct {
	File      string
	Kind      string // Secret, SealedSecret, ExternalSecret, ClusterExternalSecret, secretGenerator, Certificate
	Namespace string // "" where it is not said
	Name      string
	Keys      []string
	// Closed says that the Secret has Keys and no others. A Secret that is filled by
	// somebody else, or by dataFrom, is open.
	Closed bool
	Span   syntax.Span // of the name
}

// Use is a reference to a Secret, or to one of its keys.
type Use struct {
	File      string
	Object    string // Deployment shop/web
	Namespace string
	Secret    string
	Key       string // "" for the Secret as a whole
	Optional  bool
	Span      syntax.Span // of the key, or else of the name
}

// Workload is an object that runs containers.
type Workload struct {
	File, Kind, Namespace, Name string
	Span                        syntax.Span
	Secrets                     []string // that it reads, by name
	// Restarts says what makes it restart when a Secret changes: rollme, checksum,
	// reloader; "" is nothing.
	Restarts string
	Random   *syntax.Leaf // a rollme annotation made with randAlphaNum
}

// Namespace is a Namespace object.
type Namespace struct {
	File, Name string
	Labels     map[string]string
	LabelSpans map[string]syntax.Span
	Span       syntax.Span
}

func (fs *Facts) namespace(o *Object) {
	n := Namespace{File: o.File.Name, Name: o.Name, Labels: map[string]string{}, LabelSpans: map[string]syntax.Span{}}
	if name, ok := o.Leaf("metadata", "name"); ok {
		n.Span = name.Span
	}
	for _, l := range o.Under("metadata", "labels") {
		n.Labels[l.Path.Last()] = l.Value
		n.LabelSpans[l.Path.Last()] = l.Span
	}
	fs.Namespaces = append(fs.Namespaces, n)
}

func (fs *Facts) provider(o *Object) {
	p := Provider{File: o.File.Name, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, Closed: true}
	name, _ := o.Leaf("metadata", "name")
	p.Span = name.Span
	switch o.Kind {
	case "Secret":
		for _, l := range append(o.Under("data"), o.Under("stringData")...) {
			p.Keys = append(p.Keys, l.Path.Last())
		}
		p.Closed = closedSecret(o, len(p.Keys))
	case "SealedSecret":
		for _, l := range append(o.Under("spec", "encryptedData"), o.Under("spec", "template", "data")...) {
			p.Keys = append(p.Keys, l.Path.Last())
		}
		if t := o.Str("spec", "template", "metadata", "name"); t != "" {
			p.Name = t
		}
	case "Certificate":
		secret, ok := o.Leaf("spec", "secretName")
		if !ok {
			return
		}
		p.Name, p.Span, p.Closed = secret.Value, secret.Span, false
	}
	if p.Name != "" {
		fs.Providers = append(fs.Providers, p)
	}
}

// closedSecret reports whether nobody but the manifest fills a Secret: operators fill
// empty ones, and those that carry their annotations and types.
func closedSecret(o *Object, keys int) bool {
	if keys == 0 || strings.HasPrefix(o.Str("type"), "kubernetes.io/service-account") {
		return false
	}
	for _, l := range o.Under("metadata", "annotations") {
		key := l.Path.Last()
		if strings.Contains(key, "reflector") || strings.Contains(key, "replicator") || strings.Contains(key, "secret-generator") || strings.Contains(key, "avp.kubernetes.io") {
			return false
		}
	}
	return true
}

// uses reads every reference to a Secret of an object, wherever a custom resource
// has it: the shapes of Kubernetes' own API are used all over.
func (fs *Facts) uses(o *Object) {
	who := o.Kind + " " + o.Name
	if o.Namespace != "" {
		who = o.Kind + " " + o.Namespace + "/" + o.Name
	}
	refs := map[string]*Use{}
	var order []string
	at := func(p syntax.Path) *Use {
		key := p.String()
		if refs[key] == nil {
			refs[key] = &Use{File: o.File.Name, Object: who, Namespace: o.Namespace}
			order = append(order, key)
		}
		return refs[key]
	}
	workload := isWorkload(o)
	for _, l := range o.Leaves {
		p := o.Rel(l)
		if len(p) < 2 {
			continue
		}
		parent, last := p[len(p)-2].Key, p[len(p)-1].Key
		switch {
		case parent == "secretKeyRef" && (last == "name" || last == "key" || last == "optional"):
			u := at(p[:len(p)-1])
			u.set(last, l)
		case workload && parent == "secretRef" && (last == "name" || last == "optional") && len(p) >= 4 && p[len(p)-4].Key == "envFrom":
			at(p[:len(p)-1]).set(last, l)
		case workload && parent == "secret" && (last == "secretName" || last == "optional"):
			u := at(p[:len(p)-1])
			if last == "secretName" {
				last = "name"
			}
			u.set(last, l)
		}
	}
	for _, key := range order {
		if u := refs[key]; u.Secret != "" {
			fs.Uses = append(fs.Uses, *u)
		}
	}
	fs.volumeItems(o, who, refs)
	if workload {
		fs.workload(o, order, refs)
	}
}

func (u *Use) set(field string, l syntax.Leaf) {
	switch field {
	case "name":
		u.Secret = l.Value
		if u.Span.IsZero() {
			u.Span = l.Span
		}
	case "key":
		u.Key, u.Span = l.Value, l.Span
	case "optional":
		u.Optional = l.Value == "true"
	}
}

// volumeItems reads the keys that a volume's items name.
func (fs *Facts) volumeItems(o *Object, who string, refs map[string]*Use) {
	for _, l := range o.Leaves {
		p := o.Rel(l)
		n := len(p)
		if n < 4 || p[n-1].Key != "key" || p[n-2].Index < 0 || p[n-3].Key != "items" || p[n-4].Key != "secret" {
			continue
		}
		volume := refs[p[:n-3].String()]
		if volume == nil || volume.Secret == "" {
			continue
		}
		fs.Uses = append(fs.Uses, Use{File: o.File.Name, Object: who, Namespace: o.Namespace, Secret: volume.Secret,
			Key: l.Value, Optional: volume.Optional, Span: l.Span})
	}
}

func isWorkload(o *Object) bool {
	switch o.Kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod", "Rollout":
		return true
	}
	return false
}

func (fs *Facts) workload(o *Object, order []string, refs map[string]*Use) {
	name, _ := o.Leaf("metadata", "name")
	w := Workload{File: o.File.Name, Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, Span: name.Span}
	for _, key := range order {
		if s := refs[key].Secret; s != "" {
			w.Secrets = append(w.Secrets, s)
		}
	}
	for _, l := range o.Leaves {
		p := o.Rel(l)
		if len(p) < 2 || p[len(p)-2].Key != "annotations" {
			continue
		}
		key := strings.ToLower(p[len(p)-1].Key)
		switch {
		case strings.Contains(key, "rollme"):
			w.Restarts = "rollme"
			if strings.Contains(l.Value, "randAlphaNum") {
				w.Random = &l
			}
		case strings.HasPrefix(key, "checksum/"), strings.Contains(key, "reloader"), strings.Contains(key, "keel.sh"), strings.Contains(key, "secret-hash"):
			w.Restarts = key
		}
	}
	fs.Workloads = append(fs.Workloads, w)
}
