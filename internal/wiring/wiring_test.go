package wiring_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/tools/txtar"

	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

// tree is a Source made of files.
type tree map[string]string

func (t tree) Paths() []string {
	var out []string
	for p := range t {
		out = append(out, p)
	}
	slices.Sort(out)
	return out
}

func (t tree) Facts(p string) *wiring.Facts {
	data := []byte(t[p])
	if !wiring.MayTell(p, data) {
		return nil
	}
	return wiring.FactsOf(syntax.Parse(p, data))
}

func parse(archive string) tree {
	t := tree{}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		t[f.Name] = string(f.Data)
	}
	return t
}

func TestClosure(t *testing.T) {
	g := wiring.Read(parse(`
-- app/kustomization.yaml --
resources: [../base, deploy.yaml, https://example.com/x.yaml]
components: [../comp]
patches:
  - path: patch.yaml
    target: {kind: Deployment}
secretGenerator:
  - name: s
    files: [key=secret.txt]
    envs: [app.env]
-- app/deploy.yaml --
kind: Deployment
-- app/patch.yaml --
kind: Deployment
-- app/secret.txt --
x
-- app/app.env --
A=1
-- app/unlisted.yaml --
kind: Deployment
-- base/kustomization.yml --
resources: [cm.yaml, ../app]
-- base/cm.yaml --
kind: ConfigMap
-- comp/kustomization.yaml --
kind: Component
resources: [c.yaml]
-- comp/c.yaml --
kind: ConfigMap
-- plain/one.yaml --
kind: ConfigMap
-- plain/sub/two.yaml --
kind: ConfigMap
-- plain/kust/kustomization.yaml --
resources: [in.yaml]
-- plain/kust/in.yaml --
kind: ConfigMap
-- plain/kust/out.yaml --
kind: ConfigMap
-- plain/readme.md --
kind
`))
	for dir, want := range map[string]string{
		"app":     "app/app.env app/deploy.yaml app/kustomization.yaml app/patch.yaml app/secret.txt base/cm.yaml base/kustomization.yml comp/c.yaml comp/kustomization.yaml",
		"./app/":  "app/app.env app/deploy.yaml app/kustomization.yaml app/patch.yaml app/secret.txt base/cm.yaml base/kustomization.yml comp/c.yaml comp/kustomization.yaml",
		"plain":   "plain/kust/in.yaml plain/kust/kustomization.yaml plain/one.yaml plain/sub/two.yaml",
		"missing": "none",
		"../out":  "none",
	} {
		got := "none"
		if c := g.Closure(dir); c != nil {
			got = strings.Join(c.Sorted(), " ")
		}
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", dir, got, want)
		}
	}
	if !g.Closure("app").Open || g.Closure("comp").Open {
		t.Error("a remote resource opens a closure, a component does not")
	}
}

// TestClosuresAreLinear: many roots over one large base, each followed once.
func TestClosuresAreLinear(t *testing.T) {
	files := tree{"base/kustomization.yaml": "resources:\n"}
	for i := range 500 {
		name := "r" + strconv.Itoa(i) + ".yaml"
		files["base/kustomization.yaml"] += "  - " + name + "\n"
		files["base/"+name] = "kind: ConfigMap\n"
	}
	for i := range 74 {
		files["k"+strconv.Itoa(i)+"/kustomization.yaml"] = "resources: [../base]\n"
	}
	g := wiring.Read(files)
	for i := range 74 {
		if n := len(g.Closure("k" + strconv.Itoa(i)).Files); n != 502 {
			t.Fatalf("k%d: %d files", i, n)
		}
	}
}

func TestDecrypts(t *testing.T) {
	const flux = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: NAME}\nspec:\n  path: ./apps\n  sourceRef: {kind: GitRepository, name: x}\n"
	one := strings.Replace(flux, "NAME", "one", 1)
	patch := "  patches:\n    - patch: '{spec: {decryption: {provider: sops}}}'\n      target: {kind: Kustomization}\n"
	for name, c := range map[string]struct {
		files tree
		want  bool
	}{
		"none":                       {tree{"a.yaml": one}, false},
		"its own":                    {tree{"a.yaml": one + "  decryption: {provider: sops}\n"}, true},
		"a parent's patch":           {tree{"a.yaml": one, "b.yaml": strings.Replace(flux, "NAME", "root", 1) + patch}, true},
		"a patch on what it applies": {tree{"a.yaml": one + patch}, false},
		"a kustomization's patch":    {tree{"a.yaml": one, "kustomization.yaml": "resources: [a.yaml]\npatches:\n  - patch: |\n      spec: {decryption: {provider: sops}}\n"}, true},
		"a FluxInstance":             {tree{"a.yaml": one, "f.yaml": "apiVersion: fluxcd.controlplane.io/v1\nkind: FluxInstance\nmetadata: {name: flux}\nspec:\n  kustomize:\n" + strings.ReplaceAll(patch, "  patches", "    patches")}, true},
		"a part elsewhere":           {tree{"a.yaml": one, "p.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: one}\nspec: {decryption: {provider: sops}}\n"}, true},
		"a part of another":          {tree{"a.yaml": one, "p.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: two}\nspec: {decryption: {provider: sops}}\n"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			g := wiring.Read(c.files)
			for _, k := range g.FluxKustomizations() {
				if k.Name == "one" && g.Decrypts(k) != c.want {
					t.Errorf("got %v", !c.want)
				}
			}
		})
	}
}

func TestObjects(t *testing.T) {
	f := syntax.Parse("l.yaml", []byte("apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Secret\n    metadata: {name: a, namespace: n}\n    data: {k: dg==}\n  - apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: b}\n---\nkind: only\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: c}\n"))
	var got []string
	for _, o := range wiring.Objects(f) {
		got = append(got, o.Group()+"|"+o.Kind+"|"+o.Namespace+"|"+o.Name+"|"+o.Str("data", "k"))
	}
	if want := "|Secret|n|a|dg== apps|Deployment||b| |Secret||c|"; strings.Join(got, " ") != want {
		t.Errorf("got %v", got)
	}
}

// FuzzFacts: no input makes reading a file's facts panic, or a closure of it hang.
func FuzzFacts(f *testing.F) {
	f.Add("kustomization.yaml", "resources: [., .., ../a, a/b]\nsecretGenerator: [{name: x, files: [a=b]}]\n")
	f.Add("a.yaml", "apiVersion: external-secrets.io/v1\nkind: ClusterExternalSecret\nspec: {namespaceSelectors: [{matchLabels: {a: b}}], externalSecretSpec: {target: {template: {data: {x: '{{ .y }}'}}}}}\n")
	f.Add("notes.yaml", "a lone scalar of some kind\n")
	f.Fuzz(func(t *testing.T, name, data string) {
		if len(data) > 1<<16 {
			return
		}
		g := wiring.Read(tree{name: data, "b.yaml": data, "b/kustomization.yaml": data})
		g.Closure("")
		g.Closure("b")
		for _, k := range g.FluxKustomizations() {
			g.Decrypts(k)
			g.Closure(k.Path)
		}
	})
}

// Facts that are kept hold nothing of the file's text or of the parser's memory.
func TestDetach(t *testing.T) {
	text := "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: es, namespace: n}\nspec: {refreshInterval: 0s, target: {name: tt}, data: [{secretKey: kk}]}\n---\n" +
		"apiVersion: v1\nkind: Namespace\nmetadata: {name: nn, labels: {team: blue}}\n---\n" +
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: dd, annotations: {rollme: randAlphaNum}}\nspec: {template: {spec: {containers: [{envFrom: [{secretRef: {name: ss}}]}]}}}\n"
	var m syntax.Memory
	f := m.Parse("a.yaml", []byte(text))
	facts := wiring.FactsOf(f)
	if len(facts.External) == 0 || len(facts.Namespaces) == 0 || len(facts.Workloads) == 0 || facts.Workloads[0].Random == nil {
		t.Fatalf("the file tells too little to test anything: %+v", facts)
	}
	before := print(t, facts)
	name := f.Leaves[0].Value
	start := uintptr(unsafe.Pointer(unsafe.StringData(name))) - uintptr(f.Leaves[0].Span.Start.Offset)
	facts.Detach()
	eachString(reflect.ValueOf(facts), func(s string) {
		if at := uintptr(unsafe.Pointer(unsafe.StringData(s))); s != "" && at >= start && at < start+uintptr(len(text)) {
			t.Errorf("%q is still a part of the file's text", s)
		}
	})
	m.Parse("b.yaml", []byte(strings.Repeat("x: {y: [z]}\n", 500)))
	if after := print(t, facts); after != before {
		t.Errorf("facts were %s and are %s", before, after)
	}
}

func print(t *testing.T, facts *wiring.Facts) string {
	t.Helper()
	out, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func eachString(v reflect.Value, f func(string)) {
	switch v.Kind() {
	case reflect.String:
		f(v.String())
	case reflect.Pointer:
		if !v.IsNil() {
			eachString(v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			eachString(v.Field(i), f)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachString(v.Index(i), f)
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			eachString(it.Key(), f)
			eachString(it.Value(), f)
		}
	}
}
