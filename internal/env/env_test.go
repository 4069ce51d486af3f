package env

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/syntax"
)

// tree is a Source of paths, some with text.
type tree map[string]string

func (t tree) Paths() []string { return slices.Sorted(maps.Keys(t)) }

func (t tree) Syntax(p string) (*syntax.File, error) {
	text, ok := t[p]
	if !ok {
		return nil, fmt.Errorf("no %s", p)
	}
	return syntax.Parse(p, []byte(text)), nil
}

// listed reads the paths of a layout: one a line, {a,b} for several.
func listed(layout string) tree {
	t := tree{}
	for line := range strings.Lines(layout) {
		if line = strings.TrimSpace(line); line != "" {
			for _, p := range braced(line) {
				t[p] = ""
			}
		}
	}
	return t
}

func braced(s string) []string {
	open := strings.IndexByte(s, '{')
	if open < 0 {
		return []string{s}
	}
	end := open + strings.IndexByte(s[open:], '}')
	var out []string
	for _, part := range strings.Split(s[open+1:end], ",") {
		out = append(out, braced(s[:open]+part+s[end+1:])...)
	}
	return out
}

// rendered lists the units with several environments, and then, marked "~", the
// places of files that have no sibling.
func rendered(m *Map) string {
	var b strings.Builder
	for _, u := range m.Units() {
		fmt.Fprintf(&b, "%s %s\n", u, strings.Join(slices.SortedFunc(maps.Keys(m.Siblings(u)), byRank), " "))
	}
	for _, p := range slices.Sorted(maps.Keys(m.places)) {
		if at := m.places[p]; len(m.Siblings(at.Unit)) == 1 {
			fmt.Fprintf(&b, "~%s %s\n", p, at.Env)
		}
	}
	return b.String()
}

func TestDetect(t *testing.T) {
	for _, c := range []struct{ name, layout, want string }{
		{"kustomize overlays", `
			apps/shop/base/{kustomization,deployment}.yaml
			apps/shop/overlays/{dev,staging,prod}/{kustomization,secret}.yaml
			README.md`, `
			apps/shop/overlays/*/kustomization.yaml dev staging prod
			apps/shop/overlays/*/secret.yaml dev staging prod`},
		{"clusters of Flux", `
			clusters/{production,staging}/{apps,infrastructure}.yaml
			clusters/production/flux-system/gotk-sync.yaml
			apps/{base,production,staging}/podinfo/kustomization.yaml
			infrastructure/controllers/x.yaml`, `
			apps/*/podinfo/kustomization.yaml staging prod
			clusters/*/apps.yaml staging prod
			clusters/*/infrastructure.yaml staging prod
			~clusters/production/flux-system/gotk-sync.yaml prod`},
		{"env files", `
			.env
			.env.example
			.env.{dev,staging,prod}
			secrets/{prod,staging,dev}.enc.env`, `
			.env.* dev staging prod
			secrets/*.enc.env dev staging prod`},
		{"sealed and not yet sealed", `
			secrets/prod.enc.env
			secrets/{dev,staging}.env`, `
			secrets/*.env dev staging prod`},
		{"values of Helm", `
			charts/shop/Chart.yaml
			charts/shop/values.yaml
			charts/shop/values-{staging,production}.yaml
			charts/shop/ci/{test,dev}-values.yaml
			charts/shop/templates/tests/test-connection.yaml`, `
			charts/shop/values-*.yaml staging prod`},
		{"values in a folder", `values/{dev,prod}.yaml`, `values/*.yaml dev prod`},
		{"at the root", `
			{dev,prod}/secrets.yaml
			modules/x.yaml`, `
			*/secrets.yaml dev prod`},
		{"names in both", `
			overlays/{dev,prod}/kustomization.yaml
			overlays/dev/secret-dev.yaml
			overlays/prod/secret-prod.yaml`, `
			overlays/*/kustomization.yaml dev prod
			overlays/*/secret-*.yaml dev prod`},
		{"an app with an environment's name", `
			environments/{dev,prod}/dev-portal.yaml`, `
			environments/*/dev-portal.yaml dev prod`},
		{"several words in a name", `
			apps/shop-staging-{ci,qa,production}/secret.yaml`, `
			apps/shop-staging-*/secret.yaml ci qa prod`},
		{"regions", `
			clusters/{prod,staging}-eu-west-1/secret.yaml
			clusters/prod-us/secret.yaml`, `
			clusters/*-eu-west-1/secret.yaml staging prod
			~clusters/prod-us/secret.yaml prod`},
		{"two spellings side by side", `
			overlays/{prod,production,dev}/secret.yaml`, `
			overlays/*/secret.yaml dev prod production`},
		{"an environment with its own name", `
			overlays/{base,dev,prod,beta}/{kustomization,secret}.yaml
			overlays/common/{kustomization,secret}.yaml
			overlays/tools/kustomization.yaml`, `
			overlays/*/kustomization.yaml dev beta prod
			overlays/*/secret.yaml dev beta prod`},
		{"appsettings", `
			src/Shop/appsettings.json
			src/Shop/appsettings.{Development,Production}.json`, `
			src/Shop/appsettings.*.json dev prod`},
		{"spring", `
			src/main/resources/application.yml
			src/main/resources/application-{dev,prod}.yml`, `
			src/main/resources/application-*.yml dev prod`},
		{"terraform", `
			terraform/environments/{dev,prod}/{main.tf,terraform.tfvars}
			terraform/{dev,prod}.tfvars`, `
			terraform/*.tfvars dev prod
			terraform/environments/*/main.tf dev prod
			terraform/environments/*/terraform.tfvars dev prod`},
		{"numbers", `
			clusters/{dev1,dev2,prod1}/secret.yaml`, `
			clusters/*/secret.yaml dev1 dev2 prod1`},
		{"live beside what makes it plain", `
			live/{prod,stage}/terragrunt.hcl
			sites/{live,staging}/config.yaml`, `
			live/*/terragrunt.hcl staging prod
			sites/*/config.yaml staging prod`},
		{"test among environments", `
			deploy/{test,prod}/config.yaml`, `
			deploy/*/config.yaml test prod`},
		{"dotenv of a frontend", `
			.env.{development,test,local}
			web/.env.{production,development}.local`, `
			.env.* local dev test
			web/.env.*.local dev prod`},
		{"compose", `
			docker-compose.yml
			docker-compose.{dev,prod}.yml`, `
			docker-compose.*.yml dev prod`},
		{"ansible", `
			inventories/{production,staging}/group_vars/all.yml
			inventories/production/host_vars/db.yml`, `
			inventories/*/group_vars/all.yml staging prod
			~inventories/production/host_vars/db.yml prod`},
		{"suffix of a directory", `
			apps/{web,api}-{dev,prod}/values.yaml`, `
			apps/api-*/values.yaml dev prod
			apps/web-*/values.yaml dev prod`},

		{"not production", `
			clusters/{prod,non-prod,pre-prod}/secret.yaml
			values-{nonprod,pre-production,prod}.yaml
			aws-non-prod/main.tf
			aws-prod/other.tf`, `
			clusters/*/secret.yaml nonprod preprod prod
			values-*.yaml nonprod preprod prod
			~aws-non-prod/main.tf nonprod
			~aws-prod/other.tf prod`},
		{"acceptance", `secrets/{acc,sit,prod}.env`, `secrets/*.env acc sit prod`},
		{"Pulumi, Rails, Ansible", `
			Pulumi.{dev,prod}.yaml
			config/credentials/{production,staging}.yml.enc
			inventory/{production,staging}
			us-east-1/{prod,staging}/main.tf`, `
			Pulumi.*.yaml dev prod
			config/credentials/*.yml.enc staging prod
			inventory/* staging prod
			us-east-1/*/main.tf staging prod`},
		{"sealed with another suffix", `
			overlays/{dev,prod}/kustomization.yaml
			overlays/dev/secret.yml
			overlays/prod/secret.enc.yaml`, `
			overlays/*/kustomization.yaml dev prod
			overlays/*/secret.yaml dev prod`},
		{"an overlay of another cloud", `
			apps/x/overlays/{dev,production,uat}/kustomization.yaml
			apps/x/overlays/dev-gcp/kustomization.yaml
			apps/y/overlays/dev-gcp/kustomization.yaml`, `
			apps/x/overlays/*/kustomization.yaml dev uat prod
			~apps/x/overlays/dev-gcp/kustomization.yaml dev`},
		{"Argo", `
			argocd/projects/{infrastructure,production,staging}.yaml
			apps/{production,staging}/README.md
			apps/production/kong-production.yaml
			apps/staging/kong-staging.yaml
			apps/staging/test-runner-staging.yaml
			apps/production/shop-production-{blue,green}.yaml`, `
			apps/*/README.md staging prod
			apps/*/kong-*.yaml staging prod
			argocd/projects/*.yaml staging prod
			~apps/production/shop-production-blue.yaml prod
			~apps/production/shop-production-green.yaml prod
			~apps/staging/test-runner-staging.yaml staging`},
		{"cert-manager for each environment", `
			cert-manager/overlays/{dev,production}/kustomization.yaml
			cert-manager/values-{dev,production}.yaml`, `
			cert-manager/overlays/*/kustomization.yaml dev prod
			cert-manager/values-*.yaml dev prod`},

		{"sides of Let's Encrypt", `
			apps/cert-manager/base/letsencrypt-{prod,staging}.yaml
			cert-manager/issuers/{production,staging}.yaml
			cert-manager/issuers/{production,staging}/issuer.yaml
			cert-manager/{le-,cluster-issuer-,}{prod,staging}.yaml
			network/certificates/{production,staging}.yaml
			network/wildcard-{production,staging}.yaml
			network/letsencrypt-{production,staging}/kustomization.yaml`, ``},
		{"customers", `
			clusters/eu/{demo,staging,a,b,c,d,e,f,g}.values.yaml
			hubs/{demo,staging,a,b,c,d,e,f,g}/hub.yaml`, ``},
		{"source code", `
			src/test/resources/application.yml
			src/main/resources/application.yml
			internal/{dev,test}/x.go
			internal/{dev,prod}/x.go
			test/{ci,local}/config.yaml
			{dev,test,ci,demo}/run.sh
			cmd/{test,ci}/config.yaml
			types/int32.yaml
			types/int64.yaml`, ``},
		{"nothing beside it", `
			apps/shop/overlays/prod/secret.yaml
			apps/api/dev/secret.yaml
			production/secret.yaml`, ``},
		{"workflows and docs", `
			.github/workflows/deploy-{dev,prod}.yaml
			docs/{production,staging}.md
			docs/{production,staging}/setup.yaml
			{production,staging}.md`, ``},
		{"fixtures", `
			testdata/overlays/{dev,prod}/secret.yaml
			pkg/x/testdata/{dev,prod}.yaml
			tests/fixtures/.env.{dev,prod}
			node_modules/x/config/{dev,prod}.json
			vendor/x/{dev,prod}.yaml`, ``},
		{"tools", `
			requirements-{dev,prod}.txt
			Dockerfile.{dev,prod}
			tsconfig.{dev,prod}.json
			webpack.{dev,prod}.js
			src/environments/environment.{dev,prod}.ts`, ``},
		{"apps with common names", `
			apps/{demo,ci,sandbox,local}/kustomization.yaml
			apps/{demo-app,test-runner,dev-tools,local-path-provisioner,int-api}/kustomization.yaml
			kubernetes/{main,apps}/kustomization.yaml`, ``},
		{"kubernetes itself", `
			staging/src/k8s.io/api/go.yaml
			test/conformance.yaml
			build/x.yaml`, ``},
		{"weak words with the same files", `
			apps/{test,ci}/kustomization.yaml`, ``},
		{"one environment in two spellings", `
			{prod,production}/secret.yaml`, ``},
		{"the same word twice", `
			apps/{a,b}/prod/secret.yaml
			x-prod.yaml
			y-staging.yaml`, ``},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Detect(listed(c.layout), nil)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSpace(strings.ReplaceAll(c.want, "\t", ""))
			if got := strings.TrimSpace(rendered(m)); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestConfigured(t *testing.T) {
	cfg := &config.Config{Environments: map[string]config.Environment{
		"blue":       {Paths: []string{"k8s/blue/**"}},
		"green":      {Paths: []string{"k8s/green/**", "extra/green.yaml"}},
		"production": {Keyring: "operator"},
		"acc":        {},
		"odd":        {Paths: []string{"somewhere/else/**", "overlays/prod/special.yaml"}},
	}}
	m, err := Detect(listed(`
		k8s/{blue,green}/app/secret.yaml
		k8s/green/only.yaml
		k8s/other/x.yaml
		extra/green.yaml
		overlays/{prod,acc,dev}/secret.yaml
		overlays/prod/special.yaml
		somewhere/else/x.yaml`), cfg)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSpace(strings.ReplaceAll(`
		k8s/*/app/secret.yaml blue green
		overlays/*/secret.yaml dev acc production
		~extra/green.yaml green
		~k8s/green/only.yaml green
		~overlays/prod/special.yaml odd
		~somewhere/else/x.yaml odd`, "\t", ""))
	if got := strings.TrimSpace(rendered(m)); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if got := m.Home("k8s/*/only.yaml"); got["blue"] != "k8s/blue" || got["green"] != "k8s/green" {
		t.Errorf("home of k8s/*/only.yaml: %v", got)
	}
	if why := m.Why("k8s/blue/app/secret.yaml"); !strings.Contains(why, "k8s/blue/**") || !strings.Contains(why, config.Name) {
		t.Error(why)
	}
}

func TestKilter(t *testing.T) {
	src := listed(`
		secrets/{prod,staging}.env.keys
		secrets/customer-a.env
		apps/x.yaml`)
	src["kilter.yaml"] = "appSecrets: [TOKEN]\nenvironments:\n  prod:\n    namespace: shop\n    secrets: secrets/prod.env\n" +
		"  staging:\n    secrets: ./secrets/staging.env\n  customer-a:\n    secrets: secrets/customer-a.env\n  odd:\n    secrets: ../../etc/passwd\n"
	m, err := Detect(src, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := "secrets/*.env.keys staging prod\n~secrets/customer-a.env customer-a\n"
	if got := rendered(m); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if why := m.Why("secrets/prod.env.keys"); !strings.Contains(why, "kilter.yaml") {
		t.Error(why)
	}

	src["kilter.yaml"] = "environments: {prod: [\n"
	m, err = Detect(src, nil)
	if err == nil || !strings.Contains(err.Error(), "kilter.yaml") {
		t.Errorf("a broken kilter.yaml is not reported: %v", err)
	}
	if at, _ := m.Of("secrets/prod.env.keys"); at.Env != "prod" {
		t.Errorf("the rest of the map is gone: %v", at)
	}
}

func TestWhy(t *testing.T) {
	m, err := Detect(listed(`
		overlays/{dev,staging,prod,beta}/{kustomization,secret}.yaml
		.env.{dev,prod}
		apps/api/prod/secret.yaml
		src/test/app.yaml
		src/dev/app.yaml
		clusters/{prod,dev}-eu/x.yaml
		clusters/prod-us/x.yaml
		docs/prod.yaml
		README.md`), nil)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"overlays/prod/secret.yaml": "overlays/prod/secret.yaml belongs to environment prod, unit overlays/*/secret.yaml: the directory overlays/prod stands beside beta, dev and staging.",
		"overlays/beta/secret.yaml": "overlays/beta/secret.yaml belongs to environment beta, unit overlays/*/secret.yaml: the directory overlays/beta holds the same files as its siblings dev, prod and staging.",
		".env.prod":                 `.env.prod belongs to environment prod, unit .env.*: "prod" in its name, where its siblings are .env.dev.`,
		"clusters/prod-us/x.yaml":   `the directory clusters/prod-us has "prod" where its siblings name their environments.`,
		"apps/api/prod/secret.yaml": `belongs to no environment: "prod" in apps/api/prod has no sibling of another environment in the same place.`,
		"src/test/app.yaml":         `"test" in src/test is a common word here, and nothing shows that it means an environment.`,
		"docs/prod.yaml":            "it documents (docs).",
		"README.md":                 "no part of it is an environment's name; name its environment under environments: in .sealward.yaml if it has one.",
		"gone.yaml":                 "it is not in the tree.",
	} {
		if got := m.Why(path); !strings.HasSuffix(got, want) {
			t.Errorf("Why(%s) = %s\nwant %s", path, got, want)
		}
	}
}

func TestHomeAndGroups(t *testing.T) {
	m, err := Detect(listed(`
		apps/a/overlays/{dev,staging,prod}/kustomization.yaml
		apps/a/overlays/{dev,prod}/secret.yaml
		.env.{dev,prod}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	home := m.Home("apps/a/overlays/*/secret.yaml")
	if home["staging"] != "apps/a/overlays/staging" || len(home) != 3 {
		t.Errorf("home: %v", home)
	}
	if _, ok := m.Siblings("apps/a/overlays/*/secret.yaml")["staging"]; ok {
		t.Error("a file that is not there is a sibling")
	}
	if home := m.Home(".env.*"); home != nil {
		t.Errorf("env files have a home: %v", home)
	}
	if g := m.Groups(); len(g) != 1 || g[0].Template != "apps/a/overlays/*" {
		t.Errorf("groups: %v", g)
	}
	if got := strings.Join(m.Environments(), " "); got != "dev staging prod" {
		t.Errorf("environments: %s", got)
	}
}

func TestRank(t *testing.T) {
	order := []string{"local", "dev", "test", "acc", "uat", "staging", "preprod", "prod"}
	for i := range order[1:] {
		if Rank(order[i]) >= Rank(order[i+1]) {
			t.Errorf("%s is not below %s", order[i], order[i+1])
		}
	}
	for env, want := range map[string]bool{"prod": true, "production": true, "prod2": true, "prod-eu": true, "prd": true, "preprod": false, "non-prod": false, "non-prod-eu": false, "pre-prod": false, "staging": false, "acc": false} {
		if Production(env) != want {
			t.Errorf("Production(%s) = %v", env, !want)
		}
	}
	for env, want := range map[string]bool{"dev": true, "dev2": true, "local": true, "ci": true, "test": true, "staging": false, "acc": false, "prod": false} {
		if Local(env) != want {
			t.Errorf("Local(%s) = %v", env, !want)
		}
	}
}

// However strange the paths: no panic, every place has its file among its unit's
// siblings or a sibling of the same environment there, and the same paths make the
// same map.
func FuzzDetect(f *testing.F) {
	f.Add("overlays/dev/a.yaml\noverlays/prod/a.yaml")
	f.Add(".env.dev\n.env.prod\n.env.dev.prod\n..-_-.")
	f.Add("dev/dev/dev/a\nprod/dev/prod/a\ndev-prod/prod-dev.yaml\nprod-prod/dev-dev.yaml")
	f.Add("a/*/b.yaml\na/dev/b.yaml\na/prod/b.yaml\na/acc/b.yaml")
	f.Fuzz(func(t *testing.T, list string) {
		src := tree{}
		for _, p := range strings.Split(list, "\n") {
			if p = strings.Trim(p, "/"); p != "" && !strings.Contains(p, "//") && !strings.Contains(p, "kilter") {
				src[p] = ""
			}
		}
		m, err := Detect(src, nil)
		if err != nil {
			t.Fatal(err)
		}
		for p := range src {
			m.Why(p)
			at, ok := m.Of(p)
			if ok && (at.Env == "" || at.Unit == "" || m.Siblings(at.Unit)[at.Env] == "") {
				t.Errorf("%q has the place %+v, whose siblings are %v", p, at, m.Siblings(at.Unit))
			}
		}
		again, _ := Detect(src, nil)
		if a, b := rendered(m), rendered(again); a != b {
			t.Errorf("two maps of the same paths differ:\n%s\n%s", a, b)
		}
	})
}

func BenchmarkDetect(b *testing.B) {
	src := tree{}
	for i := range 500 {
		for _, env := range []string{"base", "overlays/dev", "overlays/staging", "overlays/prod", "overlays/qa"} {
			for _, name := range []string{"kustomization.yaml", "secret.enc.yaml"} {
				src[fmt.Sprintf("teams/t%d/apps/app-%d/%s/%s", i%20, i, env, name)] = ""
			}
		}
	}
	paths := list(src.Paths())
	b.ReportMetric(float64(len(paths)), "paths")
	for b.Loop() {
		if _, err := Detect(paths, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// list is a Source of nothing but paths.
type list []string

func (l list) Paths() []string                   { return l }
func (list) Syntax(string) (*syntax.File, error) { return nil, fmt.Errorf("none") }
