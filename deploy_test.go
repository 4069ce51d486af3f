package sealward_test

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/rule"
	"github.com/sealward/sealward/internal/syntax"
)

// manifest is one document below deploy/: path to value, as syntax writes paths.
type manifest struct {
	file   string
	values map[string]string
}

func (m manifest) kind() string { return m.values["kind"] }

// list returns the values of a list.
func (m manifest) list(at string) []string {
	var out []string
	for i := 0; ; i++ {
		v, ok := m.values[at+"["+string(rune('0'+i))+"]"]
		if !ok {
			return out
		}
		out = append(out, v)
	}
}

// manifests parses every file below deploy/.
func manifests(t *testing.T) []manifest {
	t.Helper()
	var out []manifest
	err := fs.WalkDir(os.DirFS("."), "deploy", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f := syntax.Parse(name, data)
		if f.Format != syntax.YAML || f.Broken != nil {
			t.Errorf("%s is no YAML: %v", name, f.Broken)
			return nil
		}
		docs := make([]manifest, len(f.Docs))
		for _, l := range f.Leaves {
			if docs[l.Doc].values == nil {
				docs[l.Doc] = manifest{name, map[string]string{}}
			}
			docs[l.Doc].values[l.Path.String()] = l.Value
		}
		out = append(out, docs...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 12 {
		t.Fatalf("only %d documents found", len(out))
	}
	return out
}

// one is the document of a kind in a file or below a directory.
func one(t *testing.T, all []manifest, under, kind string) manifest {
	t.Helper()
	for _, m := range all {
		if below(m.file, under) && m.kind() == kind {
			return m
		}
	}
	t.Fatalf("%s has no %s", under, kind)
	return manifest{}
}

// hold checks values of a document.
func (m manifest) hold(t *testing.T, want map[string]string) {
	t.Helper()
	for at, v := range want {
		if m.values[at] != v {
			t.Errorf("%s: %s is %q, want %q", m.file, at, m.values[at], v)
		}
	}
}

func TestDeployKustomizationsListEveryFile(t *testing.T) {
	listed := map[string]bool{}
	for _, m := range manifests(t) {
		if path.Base(m.file) != "kustomization.yaml" {
			continue
		}
		listed[m.file] = true
		dir := path.Dir(m.file)
		names := slices.Concat(m.list("resources"), m.list("components"))
		for i := range 9 {
			if p := m.values["patches["+string(rune('0'+i))+"].path"]; p != "" {
				names = append(names, p)
			}
		}
		for _, name := range names {
			p := path.Join(dir, name)
			info, err := os.Stat(p)
			if err == nil && info.IsDir() {
				p = path.Join(p, "kustomization.yaml")
				_, err = os.Stat(p)
			}
			if err != nil {
				t.Errorf("%s lists %s: %v", m.file, name, err)
			}
			listed[p] = true
		}
	}
	for _, m := range manifests(t) {
		if !listed[m.file] {
			t.Errorf("%s is listed by no kustomization", m.file)
		}
	}
}

// A SQLite file has one process; that must hold in every way in which there could be two.
func TestDeploySQLiteIsOneProcess(t *testing.T) {
	all := manifests(t)
	one(t, all, "deploy/overlays/sqlite", "Deployment").hold(t, map[string]string{
		"spec.replicas": "1", "spec.strategy.type": "Recreate",
		"spec.template.spec.containers[0].env[0].name": "DATABASE_URL", "spec.template.spec.containers[0].env[0].value": "sqlite:///var/lib/sealward/bot.db",
		"spec.template.spec.containers[0].volumeMounts[0].mountPath": "/var/lib/sealward",
	})
	if modes := one(t, all, "deploy/overlays/sqlite", "PersistentVolumeClaim").list("spec.accessModes"); !slices.Equal(modes, []string{"ReadWriteOncePod"}) {
		t.Errorf("the volume's modes are %q: two pods could have it", modes)
	}
	for _, m := range all {
		if below(m.file, "deploy/base") && m.values["spec.replicas"] != "" {
			t.Errorf("%s: the base says how many replicas there are", m.file)
		}
		if strings.Contains(m.kind(), "Autoscaler") && below(m.file, "deploy/overlays/sqlite") {
			t.Errorf("%s scales one process", m.file)
		}
	}
}

func TestDeployPostgresIsSeveralProcesses(t *testing.T) {
	all := manifests(t)
	d := one(t, all, "deploy/overlays/postgres", "Deployment")
	d.hold(t, map[string]string{
		"spec.strategy.type": "RollingUpdate", "spec.template.spec.containers[0].env[0].name": "DATABASE_URL_FILE",
		"spec.template.spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey": "kubernetes.io/hostname",
	})
	if n := d.values["spec.replicas"]; n < "2" || len(n) != 1 {
		t.Errorf("%s replicas", n)
	}
	one(t, all, "deploy/overlays/postgres", "PodDisruptionBudget").hold(t, map[string]string{"spec.maxUnavailable": "1"})
}

func TestDeployRunsWithTheLeast(t *testing.T) {
	all := manifests(t)
	const pod, bot = "spec.template.spec.", "spec.template.spec.containers[0]."
	d := one(t, all, "deploy/base", "Deployment")
	d.hold(t, map[string]string{
		pod + "securityContext.runAsNonRoot": "true", pod + "securityContext.runAsUser": "65532", pod + "securityContext.seccompProfile.type": "RuntimeDefault",
		bot + "securityContext.readOnlyRootFilesystem": "true", bot + "securityContext.allowPrivilegeEscalation": "false", bot + "securityContext.capabilities.drop[0]": "ALL",
		bot + "startupProbe.httpGet.path": "/healthz", bot + "livenessProbe.httpGet.path": "/healthz", bot + "readinessProbe.httpGet.path": "/readyz",
	})
	for at, v := range d.values {
		name, isName := strings.CutSuffix(at, ".name")
		if isName && strings.Contains(at, ".env[") && strings.Contains(v, "SECRET") || strings.Contains(at, ".env[") && strings.Contains(at, "secretKeyRef") {
			if !strings.HasSuffix(v, "_FILE") {
				t.Errorf("%s: a secret comes by the environment: %s", d.file, name)
			}
		}
	}
	one(t, all, "deploy/base", "Namespace").hold(t, map[string]string{"metadata.labels.\"pod-security.kubernetes.io/enforce\"": "restricted"})
	one(t, all, "deploy/base", "ServiceAccount").hold(t, map[string]string{"automountServiceAccountToken": "false"})
}

// The one Secret and nothing else, by name, and only what the keyring does with it.
func TestDeployRBACNamesOneSecret(t *testing.T) {
	roles := 0
	for _, m := range manifests(t) {
		if strings.HasPrefix(m.kind(), "ClusterRole") {
			t.Errorf("%s has a %s", m.file, m.kind())
		}
		if m.kind() != "Role" {
			continue
		}
		roles++
		m.hold(t, map[string]string{"metadata.namespace": "flux-system"})
		if got := m.list("rules[0].resources"); !slices.Equal(got, []string{"secrets"}) {
			t.Errorf("%s: resources %q", m.file, got)
		}
		if got := m.list("rules[0].resourceNames"); len(got) != 1 || got[0] == "" {
			t.Errorf("%s: resourceNames %q", m.file, got)
		}
		if got := m.list("rules[0].verbs"); !slices.Equal(got, []string{"get", "patch"}) {
			t.Errorf("%s: verbs %q", m.file, got)
		}
		if _, more := m.values["rules[1].verbs[0]"]; more {
			t.Errorf("%s has more than one rule", m.file)
		}
	}
	if roles != 1 {
		t.Errorf("%d roles", roles)
	}
}

// What we ship must pass what we ask of others.
func TestDeployIsCleanByOurOwnRules(t *testing.T) {
	head, err := repo.OpenDir("deploy")
	if err != nil {
		t.Fatal(err)
	}
	rep, err := review.Run(t.Context(), &repo.Change{Head: head}, review.Options{Mode: review.ReviewTree, Rules: rule.All()})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range rep.Findings {
		t.Errorf("%s:%d: %s: %s", f.Span.File, f.Span.Start.Line, f.Rule, f.Message)
	}
	if len(rep.Incomplete) > 0 || rep.Scanned < 12 {
		t.Errorf("%d files were read, and not: %q", rep.Scanned, rep.Incomplete)
	}
}
