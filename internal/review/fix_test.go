package review_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/rule"
)

// change reviews head over base and returns the edits that the diff would take.
func editsOf(t *testing.T, base, head map[string]string) []review.Edit {
	t.Helper()
	change := &repo.Change{Base: repotest.Files(base), Head: repotest.Files(head)}
	files, err := repo.Compare(context.Background(), change.Base, change.Head)
	if err != nil {
		t.Fatal(err)
	}
	change.Files = files
	rep, err := review.Run(context.Background(), change, review.Options{Rules: rule.All()})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := review.OpenTree(change.Head, nil)
	if err != nil {
		t.Fatal(err)
	}
	return review.Edits(rep.Findings, tree, func(path string, line int) bool {
		for _, f := range files {
			for _, a := range f.Added {
				if f.Path == path && a.First <= line && line <= a.Last {
					return true
				}
			}
		}
		return false
	})
}

func describe(list []review.Edit) string {
	var b strings.Builder
	for _, ed := range list {
		fmt.Fprintf(&b, "%s:%d-%d %q\n", ed.File, ed.Lines.First, ed.Lines.Last, ed.With)
	}
	return b.String()
}

const flux = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: apps
  namespace: flux-system
spec:
  interval: 10m
  path: ./apps
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
`

const sealed = `apiVersion: v1
kind: Secret
metadata:
    name: db
stringData:
    token: ENC[AES256_GCM,data:YWJj,iv:YWJj,tag:YWJj,type:str]
sops:
    age:
        - recipient: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p
          enc: |
            -----BEGIN AGE ENCRYPTED FILE-----
            YWJj
            -----END AGE ENCRYPTED FILE-----
    lastmodified: "2026-01-01T00:00:00Z"
    mac: ENC[AES256_GCM,data:YWJj,iv:YWJj,tag:YWJj,type:str]
    version: 3.9.0
`

// with is files over others.
func with(lists ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, l := range lists {
		for k, v := range l {
			out[k] = v
		}
	}
	return out
}

func TestEdits(t *testing.T) {
	env := func(dev, prod string) map[string]string {
		return map[string]string{"overlays/dev/app.env": dev, "overlays/prod/app.env": prod}
	}
	keys := func(dev, prod string) map[string]string {
		return map[string]string{"secrets/dev.env.keys": dev, "secrets/prod.env.keys": prod}
	}
	for _, c := range []struct {
		name       string
		base, head map[string]string
		want       string
	}{
		{"inventories, in order and joined", keys("HOST\nPORT\n", "HOST\nPORT\n"), keys("AAA\nBBB\nHOST\nMODE\nPORT\n", "HOST\nMODE\nPORT\n"),
			"secrets/prod.env.keys:2-2 [\"AAA\" \"BBB\" \"MODE\"]\n"},
		{"inventory, behind the name before", keys("HOST\nPORT\n", "HOST\nPORT\n"), keys("HOST\nMODE\nPORT\nZED\n", "HOST\nMODE\nPORT\n"),
			"secrets/prod.env.keys:2-2 [\"MODE\" \"ZED\"]\n"},
		{"inventory that is not in the diff", keys("HOST\nPORT\n", "HOST\nPORT\n"), keys("HOST\nMODE\nPORT\n", "HOST\nPORT\n"), ""},
		{"blank line of an env file", env("HOST=a\nPORT=1\n", "HOST=b\nPORT=2\n"), env("HOST=a\nPORT=1\nMODE=x\n", "HOST=b\n\nPORT=2\n"),
			"overlays/prod/app.env:2-2 [\"MODE=\" \"\"]\n"},
		{"a key without a value", env("HOST=a\nPORT=1\n", "HOST=b\nPORT=2\n"), env("HOST=a\nPORT=1\nLEVEL=\nMODE=x\n", "HOST=b\nPORT=2\nLEVEL=\n"),
			"overlays/prod/app.env:3-3 [\"LEVEL=\" \"MODE=\"]\n"},
		{"every line has a value", env("HOST=a\nPORT=1\n", "HOST=b\nPORT=2\n"), env("HOST=a\nPORT=1\nMODE=x\n", "HOST=c\nPORT=2\n"), ""},
		{"a comment is words", env("HOST=a\nPORT=1\n", "HOST=b\nPORT=2\n"), env("HOST=a\nPORT=1\nMODE=x\n", "# was hunter2\nHOST=b\nPORT=2\n"), ""},
		{"line ends of Windows", env("HOST=a\nPORT=1\n", "HOST=b\r\nPORT=2\r\n"), env("HOST=a\nPORT=1\nMODE=x\n", "HOST=b\r\n\r\nPORT=2\r\n"), ""},
		{"inside of a value", env("HOST=a\nPORT=1\n", "HOST=b\nPORT=2\n"), env("HOST=a\nPORT=1\nMODE=x\n", "HOST=b\nPORT=2\nLONG=\"one\n\ntwo\"\n"),
			""},
		{"only development lacks it: say so", env("HOST=a\nPORT=1\n", "HOST=b\nPORT=2\n"), env("HOST=a\nPORT=1\n", "HOST=b\nPORT=2\n\nSENTRY=x\n"),
			"overlays/prod/app.env:3-3 [\"\" \"# sealward: only prod\"]\n"},
		{"only development lacks it, and can be given it", env("HOST=a\nPORT=1\n", "HOST=b\nPORT=2\n"), env("HOST=a\n\nPORT=1\n", "HOST=b\nPORT=2\n\nSENTRY=x\n"),
			"overlays/dev/app.env:2-2 [\"SENTRY=\" \"\"]\n"},
		{"a name that is misspelt", keys("DATABASE_URL\nHOST\n", "HOST\n"), keys("DATABASE_URL\nHOST\nMODE\n", "DATABSE_URL\nHOST\nMODE\n"),
			"secrets/prod.env.keys:1-1 [\"DATABASE_URL\"]\n"},
		{"twice the same", env("HOST=a\n", "HOST=b\n"), env("HOST=a\n", "HOST=b\nHOST=b\n"), "overlays/prod/app.env:2-2 []\n"},
		{"twice, and which is meant is not known", env("HOST=a\n", "HOST=b\n"), env("HOST=a\n", "HOST=b\nHOST=c\n"), ""},
		{"a kustomization that lists no sealed file", nil, map[string]string{
			"k/kustomization.yaml": "kind: Kustomization\nresources:\n  - deployment.yaml\n", "k/deployment.yaml": "kind: Deployment\n", "k/db.sops.yaml": sealed},
			"k/kustomization.yaml:2-2 [\"resources:\" \"  - db.sops.yaml\"]\n"},
		{"the same, listed in one line", nil, map[string]string{
			"k/kustomization.yaml": "kind: Kustomization\nresources: [deployment.yaml]\n", "k/deployment.yaml": "kind: Deployment\n", "k/db.sops.yaml": sealed}, ""},
		{"Flux without a decryption", nil, map[string]string{"clusters/prod/apps.yaml": flux, "apps/kustomization.yaml": "resources:\n- db.sops.yaml\n", "apps/db.sops.yaml": sealed},
			"clusters/prod/apps.yaml:6-6 [\"spec:\" \"  decryption:\" \"    provider: sops\" \"    secretRef:\" \"      name: sops-age\"]\n"},
		{"Flux without a key", nil, map[string]string{
			"clusters/prod/apps.yaml": flux + "  decryption:\n    provider: sops\n", "apps/kustomization.yaml": "resources:\n- db.sops.yaml\n", "apps/db.sops.yaml": sealed,
			"clusters/prod/infra.yaml": strings.NewReplacer("name: apps", "name: infra", "./apps", "./infra").Replace(flux) + "  decryption: {provider: sops, secretRef: {name: keys}}\n",
			"infra/kustomization.yaml": "resources:\n- db.sops.yaml\n", "infra/db.sops.yaml": sealed},
			"clusters/prod/apps.yaml:11-11 [\"  decryption:\" \"    secretRef:\" \"      name: keys\"]\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := describe(editsOf(t, c.base, with(c.base, c.head))); got != c.want {
				t.Errorf("got:\n%swant:\n%s", got, c.want)
			}
		})
	}
}

// Thousands of keys that drift in files of thousands of lines are placed in no time.
func TestEditsAreBounded(t *testing.T) {
	const n = 4000
	var common, dev, prod strings.Builder
	for i := range n {
		fmt.Fprintf(&common, "KEY_%04d=%d\n", i, i)
		fmt.Fprintf(&dev, "NEW_%04d=%d\n", i, i)
		fmt.Fprintf(&prod, "EMPTY_%04d=\n\n", i)
	}
	base := map[string]string{"a/dev/app.env": common.String(), "a/prod/app.env": common.String()}
	head := map[string]string{"a/dev/app.env": common.String() + dev.String(), "a/prod/app.env": common.String() + prod.String()}
	start := time.Now()
	list := editsOf(t, base, head)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	if len(list) == 0 || len(list) > 100 || len(list[0].New) > 100 {
		t.Errorf("%d edits", len(list))
	}
}
