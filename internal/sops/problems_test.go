package sops

import (
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/syntax"
)

const armor = "-----BEGIN AGE ENCRYPTED FILE-----\n            YWdl\n            -----END AGE ENCRYPTED FILE-----"

// manifest is a sealed Secret made by hand, whose parts the cases exchange.
const manifest = `apiVersion: v1
kind: Secret
metadata:
  name: app
stringData:
  TOKEN: ` + enc + `
  EMPTY: ""
sops:
  age:
    - recipient: ` + alice + `
      enc: |
            ` + armor + `
    - recipient: ` + bob + `
      enc: |
            ` + armor + `
  encrypted_regex: ^(data|stringData)$
  lastmodified: "2026-01-02T03:04:05Z"
  mac: ` + enc + `
  version: 3.13.3
`

func TestProblems(t *testing.T) {
	for _, c := range []struct{ name, old, new, want string }{
		{"sound", "", "", ""},
		{"no mac", "  mac: " + enc + "\n", "", "no mac"},
		{"an empty mac", "mac: " + enc, "mac: ''", "no mac"},
		{"a mac in clear", "mac: " + enc, "mac: 0123ABC", "mac is not a sealed value"},
		{"no date", "  lastmodified: \"2026-01-02T03:04:05Z\"\n", "", "no lastmodified"},
		{"a bad date", "2026-01-02T03:04:05Z", "yesterday", "lastmodified is not a date"},
		{"no version", "  version: 3.13.3\n", "", "no version"},
		{"a bad version", "3.13.3", "latest", "version is no version"},
		{"sealed structure", "kind: Secret", "kind: " + enc, "kind is sealed"},
		{"sealed metadata", "name: app", "name: " + enc, "metadata.name is sealed"},
		{"a lost selector", "  encrypted_regex: ^(data|stringData)$\n", "", "says that apiVersion is sealed, and it stands in clear"},
		{"another selector", "encrypted_regex: ^(data|stringData)$", "unencrypted_suffix: _x", "says that apiVersion is sealed"},
		{"two selectors", "  version:", "  encrypted_suffix: x\n  version:", "more than one selector"},
		{"a bad regex", "^(data|stringData)$", "^(data", "encrypted_regex does not compile"},
		{"no armor", "-----BEGIN AGE ENCRYPTED FILE-----", "-----BEGIN SOMETHING-----", "is no age block"},
		{"a cut block", "-----END AGE ENCRYPTED FILE-----", "YWdl", "is no age block"},
		{"no data key", "enc: |\n            " + armor, "enc: ''", "no data key is wrapped for age1zvky"},
		{"listed twice", bob, alice, "is listed twice"},
		{"a bad recipient", bob, "age1hunter", "age recipient 2: not an age recipient"},
		{"an unknown kind", "  age:\n", "  quantum_kms:\n    - id: x\n      enc: y\n  age:\n", "a kind that SOPS 3.13 does not know"},
		{"a damaged token", "data:qBIL", "data:qBI", "stringData.TOKEN will not decrypt"},
		{"a threshold", "  version:", "  shamir_threshold: 2\n  version:", "shamir_threshold is 2, and there are 1 key groups"},
		{"a wrong threshold", "  version:", "  shamir_threshold: two\n  version:", "shamir_threshold is not a number"},
		{"groups beside", "  version:", "  key_groups:\n    - age:\n        - recipient: " + alice + "\n          enc: x\n  version:", "SOPS ignores the groups"},
		{"a pgp block", "  version:", "  pgp:\n    - fp: " + fp1 + "\n      created_at: then\n      enc: x\n  version:", "is no PGP message"},
		{"a pgp date", "  version:", "  pgp:\n    - fp: " + fp1 + "\n      created_at: then\n      enc: x\n  version:", "created_at is not a date"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := manifest
			if c.old != "" {
				if text = strings.Replace(manifest, c.old, c.new, 1); text == manifest {
					t.Fatal("the case changes nothing")
				}
			}
			f := Read(syntax.Parse("a.yaml", []byte(text)))
			if f == nil || len(f.Sealed) != 1 {
				t.Fatalf("read as %+v", f)
			}
			var got []string
			for _, p := range f.Sealed[0].Problems {
				got = append(got, p.Message)
				if p.Span.IsZero() || strings.Contains(p.Message, "qBI") {
					t.Errorf("problem %+v", p)
				}
			}
			if c.want == "" && len(got) > 0 || !strings.Contains(strings.Join(got, "\n"), c.want) {
				t.Errorf("got %q\nwant %s", got, c.want)
			}
		})
	}
}

// Leaves that people put in clear into a sealed document are Clear, and what the
// selector leaves alone is Open.
func TestClear(t *testing.T) {
	text := strings.Replace(manifest, `  EMPTY: ""`, "  EMPTY: \"\"\n  CLEAR: hunter2\n  PORT: 5432\n  ON: true\n  NONE: null\n  LIST: []\n"+
		"  FAKE: ENC[AES256_GCM,data:hunter2 in clear,iv:x,tag:y,type:str]\n  TAIL: "+enc+" hunter2", 1)
	d := Read(syntax.Parse("a.yaml", []byte(text))).Sealed[0]
	if got := paths(d.Clear); got != "stringData.CLEAR stringData.PORT stringData.ON stringData.FAKE stringData.TAIL" {
		t.Errorf("clear: %s", got)
	}
	if got := paths(d.Sealed); got != "stringData.TOKEN" {
		t.Errorf("sealed: %s", got)
	}
	if got := paths(d.Open); got != "apiVersion kind metadata.name stringData.EMPTY stringData.NONE stringData.LIST" {
		t.Errorf("open: %s", got)
	}
}

func paths(leaves []syntax.Leaf) string {
	var out []string
	for _, l := range leaves {
		out = append(out, l.Path.String())
	}
	return strings.Join(out, " ")
}

func TestReadNothing(t *testing.T) {
	for name, text := range map[string]string{
		"values.yaml":  "sops:\n  enabled: true\n  version: 3.9\nimage: x\n",
		"rules.yaml":   "creation_rules:\n  - age: " + alice + "\n",
		"README.md":    "Sealed values look like ENC[...] in sops.\n",
		"a.env":        "sops_enabled=true\n",
		"b.json":       `{"sops": "yes", "sopsy": 1}`,
		"empty.yaml":   "",
		"chart.yaml":   "{{ if .Values.sops }}\na: {{ .Values.x }}\n{{ end }}\n",
		"helm.yaml":    "sops:\n  age:\n    - name: x\n",
		"pointer.yaml": "a: ENC[\n",
	} {
		if f := Read(syntax.Parse(name, []byte(text))); f != nil {
			t.Errorf("%s is read as %d sealed documents, orphans %s", name, len(f.Sealed), paths(f.Orphans))
		}
	}
}

func TestOrphansAndBroken(t *testing.T) {
	f := Read(syntax.Parse("a.yaml", []byte("a: "+enc+"\n---\n"+manifest+"---\nb: 1\n---\nc:\n  - "+enc+"\n")))
	if f == nil || len(f.Sealed) != 1 || f.Sealed[0].Index != 1 || paths(f.Orphans) != "a c[0]" {
		t.Fatalf("got %+v", f)
	}
	conflict := strings.Replace(manifest, "  EMPTY:", "<<<<<<< HEAD\n  EMPTY:", 1)
	f = Read(syntax.Parse("a.yaml", []byte(conflict)))
	if f == nil || len(f.Problems) != 1 || len(f.Orphans) > 0 || strings.Contains(f.Problems[0].Message, "qBIL") {
		t.Fatalf("a conflict in a sealed file: %+v", f)
	}
}

// The envelope is found under any name.
func TestReadUnderAnyName(t *testing.T) {
	for from, to := range map[string]string{
		"sealed/blob-default.txt": "key.pem", "sealed/nested-default.json": "secrets.enc",
		"sealed/app-default.env": "secrets.sealed", "sealed/app-default.ini": "settings", "sealed/secret-default.yaml": "secret.yaml.enc",
	} {
		data := load(t, from).Data
		if f := Read(syntax.Parse(to, data)); f == nil || len(f.Sealed) == 0 || len(f.Recipients()) != 2 {
			t.Errorf("%s as %s: %+v", from, to, f)
		}
	}
	f := Read(load(t, "sealed/blob-default.txt"))
	if !f.Binary(f.Sealed[0]) {
		t.Error("the envelope of a file of no format is not told from JSON")
	}
	if f := Read(load(t, "sealed/nested-default.json")); f.Binary(f.Sealed[0]) {
		t.Error("JSON is taken for an envelope")
	}
}

// Every kind of key is read in every format: plain, and flattened.
func TestReadKinds(t *testing.T) {
	nested := `a: ` + enc + `
sops:
  kms: [{arn: "` + arn + `", role: "arn:aws:iam::1:role/r", context: {b: "2", a: "1"}, created_at: "2026-01-02T03:04:05Z", enc: x, aws_profile: p}]
  gcp_kms: [{resource_id: projects/p/locations/l/keyRings/r/cryptoKeys/k, created_at: "2026-01-02T03:04:05Z", enc: x}]
  azure_kv: [{vault_url: "https://v.vault.azure.net", name: k, version: v, created_at: "2026-01-02T03:04:05Z", enc: x}]
  hc_vault: [{vault_address: "https://vault.example.org", engine_path: sops, key_name: k, created_at: "2026-01-02T03:04:05Z", enc: x}]
  hckms: [{key_id: "r:01234567-89ab-cdef-0123-456789abcdef", created_at: "2026-01-02T03:04:05Z", enc: x}]
  pgp: [{fp: ` + strings.ToLower(fp1) + `, created_at: "2026-01-02T03:04:05Z", enc: "-----BEGIN PGP MESSAGE-----\n"}]
  lastmodified: "2026-01-02T03:04:05Z"
  mac: ` + enc + `
  version: 3.13.3
`
	flat := `a=` + enc + `
sops_kms__list_0__map_arn=` + arn + `
sops_kms__list_0__map_role=arn:aws:iam::1:role/r
sops_kms__list_0__map_context__map_a=1
sops_kms__list_0__map_context__map_b=2
sops_kms__list_0__map_created_at=2026-01-02T03:04:05Z
sops_kms__list_0__map_enc=x
sops_gcp_kms__list_0__map_resource_id=projects/p/locations/l/keyRings/r/cryptoKeys/k
sops_gcp_kms__list_0__map_created_at=2026-01-02T03:04:05Z
sops_gcp_kms__list_0__map_enc=x
sops_azure_kv__list_0__map_vault_url=https://v.vault.azure.net
sops_azure_kv__list_0__map_name=k
sops_azure_kv__list_0__map_created_at=2026-01-02T03:04:05Z
sops_azure_kv__list_0__map_enc=x
sops_hc_vault__list_0__map_vault_address=https://vault.example.org
sops_hc_vault__list_0__map_engine_path=sops
sops_hc_vault__list_0__map_key_name=k
sops_hc_vault__list_0__map_created_at=2026-01-02T03:04:05Z
sops_hc_vault__list_0__map_enc=x
sops_hckms__list_0__map_key_id=r:01234567-89ab-cdef-0123-456789abcdef
sops_hckms__list_0__map_created_at=2026-01-02T03:04:05Z
sops_hckms__list_0__map_enc=x
sops_pgp__list_0__map_fp=` + fp1 + `
sops_pgp__list_0__map_created_at=2026-01-02T03:04:05Z
sops_pgp__list_0__map_enc=-----BEGIN PGP MESSAGE-----\n
sops_lastmodified=2026-01-02T03:04:05Z
sops_mac=` + enc + `
sops_version=3.13.3
`
	want := "kms:" + arn + "+arn:aws:iam::1:role/r|a:1,b:2 gcp_kms:projects/p/locations/l/keyRings/r/cryptoKeys/k " +
		"azure_kv:https://v.vault.azure.net/keys/k hc_vault:https://vault.example.org/v1/sops/keys/k " +
		"hckms:r:01234567-89ab-cdef-0123-456789abcdef pgp:" + fp1
	for name, text := range map[string]string{"a.yaml": nested, "a.env": flat} {
		d := Read(syntax.Parse(name, []byte(text))).Sealed[0]
		if got := ids(d.Groups); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
		}
		for _, p := range d.Problems {
			t.Errorf("%s: %s", name, p.Message)
		}
		if len(d.Keys) != 6 || d.Keys[0].Created != "2026-01-02T03:04:05Z" || len(d.Recipients()) != 6 {
			t.Errorf("%s: keys %+v", name, d.Keys)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	f := load(b, "sealed", "nested-default.yaml")
	b.SetBytes(int64(len(f.Data)))
	for b.Loop() {
		if Read(f) == nil {
			b.Fatal("nothing read")
		}
	}
}
