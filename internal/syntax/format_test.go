package syntax_test

import (
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/syntax"
)

func TestFormatOf(t *testing.T) {
	for format, names := range map[syntax.Format]string{
		syntax.Dotenv: `.env .env.prod .env.production.local prod.env secrets/prod.env secret.enc.env app.env.example .env.sops prod.env.enc
			secrets/prod.env.keys .env.keys .env.example .envrc .flaskenv .env.prod.enc .env.vault .env-prod .env_local app.ENV env.production .dev.vars .env.sample .env.dec x/.env.local~`,
		syntax.YAML: `a.yaml a.yml A.YAML a.yaml.enc a.sops.yaml .sops.yaml a.yaml.tpl a.yaml.j2 a.yml.dec a.yaml.example a.kubeconfig kubeconfig .kube/config
			home/.kube/config secret.enc.yaml .decrypted~secret.yaml Kustomization charts/x/values.yaml.gotmpl Chart.lock .env.yaml`,
		syntax.JSON: `a.json a.jsonc a.json5 terraform.tfstate terraform.tfstate.backup .dockerconfigjson x.dockercfg a.ipynb site.webmanifest composer.lock flake.lock a.jsonl a.ndjson
			package.json tsconfig.json .env.json a.sops.json a.json.enc`,
		syntax.INI: `a.ini a.cfg .npmrc .s3cfg .aws/credentials home/.aws/config tox.ini .gitconfig .gitmodules app.properties pyproject.toml Cargo.lock web.service a.sops.ini a.toml.enc .git/config`,
		syntax.Text: `README.md main.go config env.go src/env.ts .env.ts .env.d.ts environment.txt a.pem Dockerfile config/config env a a.b.c yaml .yaml.md credentials a.env.go
			x.env.md secrets.enc .gitignore envoy.conf prod.environment`,
	} {
		for name := range strings.FieldsSeq(names) {
			if got := syntax.FormatOf(name); got != format {
				t.Errorf("FormatOf(%q) = %s, want %s", name, got, format)
			}
		}
	}
}

// TestSniff: SOPS and Kubernetes are known by content where the name says nothing.
func TestSniff(t *testing.T) {
	tests := []struct {
		name, data string
		want       syntax.Format
	}{
		{"key.pem", `{"data": "ENC[AES256_GCM,data:x]", "sops": {"mac": "m"}}`, syntax.JSON},
		{"key.pem", "  \n{\n\t\"data\": \"x\"\n}\n", syntax.JSON},
		{"list", `["a", "b"]`, syntax.JSON},
		{"secret", "apiVersion: v1\nkind: Secret\nstringData:\n  a: b\n", syntax.YAML},
		{"secret.enc", "a: ENC[x]\nsops:\n    mac: y\n", syntax.YAML},
		{"config", "a=b\nsops_mac=x\n", syntax.Dotenv},
		{"config", "[a]\nb = c\n[sops]\nmac = x\n", syntax.INI},
		{"README.md", "# Title\n\napiVersion: v1\nkind: Secret\n\n[link] text: {\n", syntax.Text},
		{"notes", "A=b\nC=d\n", syntax.Text},
		{"code.js", "{ let a = 1 }", syntax.Text},
		{"broken", `{"a": `, syntax.Text},
		{"empty", "", syntax.Text},
		{"brackets", "[see] this\n", syntax.Text},
		{"a.yaml", `{"apiVersion": "v1", "kind": "Secret"}`, syntax.YAML},
	}
	for _, tt := range tests {
		f := syntax.Parse(tt.name, []byte(tt.data))
		checkLaws(t, f)
		if f.Format != tt.want || f.Broken != nil {
			t.Errorf("%s %q is %s (%v), want %s", tt.name, tt.data, f.Format, f.Broken, tt.want)
		}
		if (f.Format == syntax.Text) != (len(f.Leaves) == 0) {
			t.Errorf("%s %q: %d leaves", tt.name, tt.data, len(f.Leaves))
		}
	}
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat("[", 300) + strings.Repeat("]", 300)
	for _, tt := range []struct{ name, data, broken string }{
		{"a.yaml", strings.Repeat("x", syntax.MaxSize+1), "the file is larger than the 16 MB"},
		{"a.txt", strings.Repeat("x", syntax.MaxSize+1), "the file is larger than the 16 MB"},
		{"a.yaml", deep, "not YAML: nested deeper than 200 levels"},
		{"a.json", deep, "not JSON: nested deeper than 200 levels"},
		{"a.toml", "a = " + deep, "not TOML: nested deeper than 200 levels"},
		{"a.yaml", strings.Repeat("- ", 300) + "a", "not YAML: nested deeper than 200 levels"},
		{"a.yaml", strings.Repeat("- a\n", syntax.MaxLeaves+1), "more than 1000000 values"},
		{"a.json", "[" + strings.Repeat("1,", syntax.MaxLeaves+1) + "1]", "more than 1000000 values"},
		{"a.env", strings.Repeat("A=\n", syntax.MaxLeaves+1), "more than 1000000 values"},
		{"a.yaml", strings.Repeat("---\n", 200_000), "more than 100000 documents"},
		{"a.yaml", strings.Repeat("[", 150) + strings.Repeat("a,", 100_000) + strings.Repeat("]", 150), "more than 1000000 values"},
		{"a.yaml", "\xff\xfea\x00", "the file is UTF-16"},
		{"a.yaml", "a: \x01\n", "not YAML: it holds invalid UTF-8 or control characters"},
		{"a.yaml", "a: \xff\n", "not YAML: it holds invalid UTF-8 or control characters"},
	} {
		f := syntax.Parse(tt.name, []byte(tt.data))
		checkBroken(t, f, tt.broken)
		if n := len(f.Leaves); n > 0 && n < 1000 {
			checkLaws(t, f)
		}
	}
}
