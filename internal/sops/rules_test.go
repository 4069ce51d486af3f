package sops

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/syntax"
)

func rulesOf(t testing.TB, name, text string) *Rules {
	t.Helper()
	r, err := ReadRules(syntax.Parse(name, []byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ids renders groups with names instead of keys.
func ids(groups []Group) string {
	var out []string
	for _, g := range groups {
		var names []string
		for _, r := range g {
			id := strings.NewReplacer(alice, "alice", bob, "bob").Replace(r.ID)
			names = append(names, string(r.Kind)+":"+id)
		}
		out = append(out, strings.Join(names, " "))
	}
	return strings.Join(out, " | ")
}

const (
	fp1 = "85D77543B3D624B63CEA9E6DBC17301B491B3F21"
	fp2 = "FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4"
	arn = "arn:aws:kms:us-east-1:656532927350:key/920aff2e-c5f1-4040-943a-047fa387b27e"
)

// The ways that sops reads recipients, each as the rule's groups, in sops' order.
func TestReadRulesRecipients(t *testing.T) {
	for _, c := range []struct{ name, rule, want string }{
		{"one", "age: " + alice, "age:alice"},
		{"commas", "age: '" + alice + ", " + bob + ",'", "age:alice age:bob"},
		{"list", "age: [" + alice + ", " + bob + "]", "age:alice age:bob"},
		{"commas in a list", "age: ['" + alice + "," + bob + "']", "age:alice age:bob"},
		{"folded", "age: >-\n      " + alice + ",\n      " + bob, "age:alice age:bob"},
		{"literal", "age: |\n      " + alice + ",\n      " + bob, "age:alice age:bob"},
		{"two lines plain", "age: " + alice + ",\n      " + bob, "age:alice age:bob"},
		{"kinds in sops' order", "pgp: " + fp1 + "\n    age: " + alice, "age:alice pgp:" + fp1},
		{"fingerprints", "pgp: '85d7 7543 b3d6 24b6 3cea 9e6d bc17 301b 491b 3f21, " + strings.ToLower(fp2) + "'", "pgp:" + fp1 + " pgp:" + fp2},
		{"kms with a role", "kms: " + arn + "+arn:aws:iam::927034868273:role/sops", "kms:" + arn + "+arn:aws:iam::927034868273:role/sops"},
		{"clouds", "gcp_kms: projects/p/locations/l/keyRings/r/cryptoKeys/k\n    azure_keyvault: https://v.vault.azure.net/keys/k/v1\n" +
			"    hc_vault_transit_uri: https://vault.example.org:8200/v1/sops/keys/k\n    hckms: ['r:01234567-89ab-cdef-0123-456789abcdef']",
			"gcp_kms:projects/p/locations/l/keyRings/r/cryptoKeys/k hckms:r:01234567-89ab-cdef-0123-456789abcdef " +
				"azure_kv:https://v.vault.azure.net/keys/k hc_vault:https://vault.example.org:8200/v1/sops/keys/k"},
		{"groups", "key_groups: [{age: [" + alice + "]}, {pgp: [" + fp1 + "], age: [" + bob + "]}]", "age:alice | age:bob pgp:" + fp1},
		{"groups with maps", "key_groups: [{kms: [{arn: '" + arn + "', role: 'arn:aws:iam::1:role/r', context: {b: '2', a: '1'}}], " +
			"gcp_kms: [{resource_id: projects/p/locations/l/keyRings/r/cryptoKeys/k}], " +
			"azure_keyvault: [{vaultUrl: 'https://v.vault.azure.net', key: k, version: v}], hc_vault: ['https://vault.example.org/v1/sops/keys/k'], " +
			"hckms: [{key_id: 'r:01234567-89ab-cdef-0123-456789abcdef'}]}]",
			"kms:" + arn + "+arn:aws:iam::1:role/r|a:1,b:2 gcp_kms:projects/p/locations/l/keyRings/r/cryptoKeys/k " +
				"hckms:r:01234567-89ab-cdef-0123-456789abcdef azure_kv:https://v.vault.azure.net/keys/k hc_vault:https://vault.example.org/v1/sops/keys/k"},
		{"merged groups", "key_groups: [{merge: [{age: [" + bob + "]}, {merge: [{pgp: [" + fp1 + "]}]}], age: [" + alice + ", " + bob + "]}]",
			"age:bob pgp:" + fp1 + " age:alice"},
		{"groups before lists", "age: " + alice + "\n    key_groups: [{age: [" + bob + "]}]", "age:bob"},
		{"none", "encrypted_regex: x", ""},
		{"empty ones", "age: ''\n    pgp: []\n    kms:", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rulesOf(t, ".sops.yaml", "creation_rules:\n  - path_regex: x\n    "+c.rule+"\n")
			if len(r.Rules) != 1 {
				t.Fatalf("%d rules", len(r.Rules))
			}
			if got := ids(r.Rules[0].Groups); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

const anchored = `# who may read
keys:
  - &alice ` + alice + ` # Alice
  - &bob ` + bob + `
  - &team
    - ` + alice + `
    - *bob
defaults: &defaults
  age: *bob
  encrypted_regex: ^data$
creation_rules:
  - path_regex: ^a/
    age: *alice
  - path_regex: ^b/
    key_groups:
      - age: [*alice, *bob]
  - path_regex: ^c/
    age: *team
  - path_regex: ^d/
    <<: *defaults
  - age: >-
      ` + alice + `,
      ` + bob + `
`

// Where a recipient stands, and where its text does: others edit them in place.
func TestReadRulesPositions(t *testing.T) {
	r := rulesOf(t, ".sops.yaml", anchored)
	var got strings.Builder
	for _, rule := range r.Rules {
		for _, at := range rule.Recipients {
			cut := func(s syntax.Span) string {
				text := strings.NewReplacer(alice, "ALICE", bob, "BOB").Replace(string(s.Cut(r.File.Data)))
				return fmt.Sprintf("%d:%d %q", s.Start.Line, s.Start.Col, text)
			}
			fmt.Fprintf(&got, "%s span %s source %s name %q\n", rule.PathRegex, cut(at.Span), cut(at.Source), at.Name)
		}
	}
	want := `^a/ span 13:10 "*alice" source 3:12 "ALICE" name "alice"
^b/ span 16:15 "*alice" source 3:12 "ALICE" name "alice"
^b/ span 16:23 "*bob" source 4:10 "BOB" name "bob"
^c/ span 18:10 "*team" source 6:7 "ALICE" name "team"
^c/ span 18:10 "*team" source 4:10 "BOB" name "bob"
^d/ span 20:9 "*defaults" source 4:10 "BOB" name "bob"
 span 22:7 "ALICE" source 22:7 "ALICE" name ""
 span 23:7 "BOB" source 23:7 "BOB" name ""
`
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
	if s := r.Rules[3].Selector; s != (Selector{EncryptedRegex, "^data$"}) {
		t.Errorf("the merged selector is %v", s)
	}
	if c := r.Rules[0].Recipients[0].Comment; c != " Alice" {
		t.Errorf("the comment is %q", c)
	}
	if s := r.Rules[1].Span; s.Start.Line != 14 || s.End.Line != 16 {
		t.Errorf("the second rule stands at lines %d to %d", s.Start.Line, s.End.Line)
	}
	if len(r.Problems) > 0 {
		t.Errorf("problems: %v", r.Problems)
	}
}

func TestReadRulesProblems(t *testing.T) {
	rule := func(text string) string {
		return "creation_rules:\n  - " + strings.ReplaceAll(text, "\n", "\n    ") + "\n"
	}
	sound := rule("path_regex: secrets/.*\\.yaml$\nage: " + alice)
	for _, c := range []struct{ name, text, want string }{
		{"sound", sound, ""},
		{"no rules", "stores: {yaml: {indent: 2}}\n", ""},
		{"empty", "", ""},
		{"last for all", sound + "  - age: " + alice + "\n", ""},
		{"no recipients", rule("path_regex: a"), "a rule without recipients"},
		{"a regex", rule("path_regex: '['\nage: " + alice), "path_regex does not compile"},
		{"a selector's regex", rule("age: " + alice + "\nencrypted_regex: (data"), "encrypted_regex does not compile"},
		{"two selectors", rule("age: " + alice + "\nencrypted_regex: a\nunencrypted_suffix: b"), "more than one selector"},
		{"all, then one", rule("age: "+alice) + "  - path_regex: x\n    age: " + alice + "\n", "the rule at line 2 comes first and has no path_regex"},
		{"the same twice", sound + "  - path_regex: secrets/.*\\.yaml$\n    age: " + bob + "\n", "has the same path_regex"},
		{"a wider one first", rule("path_regex: \\.yaml$\nage: "+alice) + "  - path_regex: prod/.*\\.yaml$\n    age: " + bob + "\n", "matches every path that this one matches"},
		{"a bad recipient", rule("age: " + alice[:30]), "age: age1zvky…"},
		{"a missing comma", rule("age: >-\n  " + alice + "\n  " + bob), "not an age recipient"},
		{"an identity", rule("age: AGE-SECRET-" + "KEY-1QQQQQQQQQQ"), "age: not an age recipient"},
		{"a bad fingerprint", rule("pgp: hunter2"), "not a PGP fingerprint"},
		{"a list in a list", rule("age: [[" + alice + "]]"), "lists in lists"},
		{"a number", rule("age: [1]"), "not a string"},
		{"a map of rules", "creation_rules: {age: x}", "creation_rules is not a list"},
		{"groups and lists", rule("age: " + alice + "\nkey_groups: [{age: [" + bob + "]}]"), "sops ignores all but the groups"},
		{"an empty group", rule("key_groups: [{age: [" + bob + "]}, {pgp: []}]"), "key group 2 has no recipients"},
		{"too high a threshold", rule("shamir_threshold: 3\nkey_groups: [{age: [" + bob + "]}]"), "shamir_threshold is 3"},
		{"a misspelt path", rule("path_regexp: a\nage: " + alice), `is it path_regex?`},
		{"a dash", rule("path-regex: a\nage: " + alice), `is it path_regex?`},
		{"misspelt rules", "creation_rule:\n  - age: " + alice, `is it creation_rules?`},
		{"a second document", sound + "---\n" + sound, "a second document"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rulesOf(t, ".sops.yaml", c.text)
			var got []string
			for _, p := range r.Problems {
				got = append(got, p.Message)
				if p.Span.IsZero() {
					t.Errorf("%q stands nowhere", p.Message)
				}
				if strings.Contains(p.Message, "hunter2") || strings.Contains(p.Message, "KEY-1QQ") {
					t.Errorf("the message repeats what may be secret: %s", p.Message)
				}
			}
			if c.want == "" && len(got) > 0 || c.want != "" && !strings.Contains(strings.Join(got, "\n"), c.want) {
				t.Errorf("got %q\nwant %s", got, c.want)
			}
		})
	}
}

func TestReadRulesRefuses(t *testing.T) {
	for _, text := range []string{"creation_rules: [\n", "{{ template }}\n\t- x: [", "a: *nothing\n"} {
		if r, err := ReadRules(syntax.Parse(".sops.yaml", []byte(text))); err == nil || !strings.Contains(err.Error(), ".sops.yaml") {
			t.Errorf("%q: %v, %v", text, r, err)
		}
	}
}

func TestMatch(t *testing.T) {
	text := "creation_rules:\n" +
		"  - path_regex: ^secrets/.*\\.yaml$\n    age: " + alice + "\n" +
		"  - path_regex: prod\n    age: " + bob + "\n" +
		"  - path_regex: '('\n    age: " + bob + "\n" +
		"  - age: " + bob + "\n"
	for _, c := range []struct {
		name, path string
		want       int
	}{
		{".sops.yaml", "secrets/a.yaml", 0},
		{".sops.yaml", "x/secrets/a.yaml", -1},
		{".sops.yaml", "overlays/prod/a.env", 1},
		{".sops.yaml", "other", -1}, // sops stops at the broken rule
		{"clusters/a/.sops.yaml", "clusters/a/secrets/a.yaml", 0},
		{"clusters/a/.sops.yaml", "secrets/a.yaml", 0}, // as sops: the prefix is cut where it is there
	} {
		got := -1
		if rule := rulesOf(t, c.name, text).Match(c.path); rule != nil {
			got = rule.Index
		}
		if got != c.want {
			t.Errorf("%s of %s: rule %d, want %d", c.path, c.name, got, c.want)
		}
	}
	if rule := (*Rules)(nil).Match("x"); rule != nil {
		t.Error("no rules match")
	}
}

func TestNearest(t *testing.T) {
	root, deep := &Rules{Name: ".sops.yaml"}, &Rules{Name: "a/b/.sops.yaml"}
	all := map[string]*Rules{root.Name: root, deep.Name: deep}
	for path, want := range map[string]*Rules{"x.yaml": root, "a/x.yaml": root, "a/b/x.yaml": deep, "a/b/c/d/x.yaml": deep, "a/bb/x.yaml": root} {
		if got := Nearest(all, path); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	if got := Nearest(map[string]*Rules{deep.Name: deep}, "a/x.yaml"); got != nil {
		t.Errorf("got %v", got)
	}
}

func TestDestinationsAndStores(t *testing.T) {
	r := rulesOf(t, ".sops.yaml", "destination_rules:\n  - path_regex: ^s3/\n    s3_bucket: b\n    recreation_rule:\n      age: "+alice+
		"\nstores:\n  yaml: {indent: 2}\n  json: {indent: 4}\n  json_binary: {indent: 1}\n")
	if len(r.Destinations) != 1 || ids(r.Destinations[0].Groups) != "age:alice" || r.Destinations[0].PathRegex != "^s3/" {
		t.Errorf("destinations: %+v", r.Destinations)
	}
	if r.Indent != (Indent{2, 4, 1}) || len(r.Rules) > 0 {
		t.Errorf("indent %v, rules %v", r.Indent, r.Rules)
	}
}

// The rules may be hostile or half-written: no panic, every place is in the file,
// and every recipient's source holds its text.
func FuzzReadRules(f *testing.F) {
	f.Add([]byte(anchored))
	f.Add([]byte("creation_rules: [{key_groups: [{merge: [{merge: [{age: ['a,b']}]}]}]}]"))
	f.Add([]byte("creation_rules:\n- age: >-\n    a,\n\n    b\n  path_regex: '(('"))
	f.Add([]byte("creation_rules: [[[]], 1, {age: {a: b}, kms: [1], key_groups: [1, [], {kms: x}]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ReadRules(syntax.Parse(".sops.yaml", data))
		if err != nil {
			return
		}
		for _, p := range r.Problems {
			if p.Span.End.Offset > len(data) || p.Message == "" {
				t.Errorf("problem %+v", p)
			}
		}
		for _, rule := range r.Rules {
			for _, at := range rule.Recipients {
				if at.Source.Cut(data) == nil || at.Span.Cut(data) == nil {
					t.Errorf("a recipient stands outside of the file: %+v", at)
				}
			}
		}
		r.Match("a/b.yaml")
	})
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"nested-default.yaml", "app-groups.env", "app-groups.ini", "nested-groups.json", "blob-default.txt", "comments-encrypted-comment.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata", "sealed", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(name, data)
	}
	f.Add("a.yaml", []byte("sops:\n  mac: x\n  key_groups: [{age: [{enc: 1}]}, 3]\n  age: [{recipient: [1]}]\n"))
	f.Add("a.env", []byte("sops_mac=\nsops_age__list_99999999__map_enc=\nsops_age__list_-1__map_enc=x\nsops___list___map_=\n"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		file := Read(syntax.Parse(name, data))
		if file == nil {
			return
		}
		for _, d := range file.Sealed {
			for _, p := range d.Problems {
				if p.Span.End.Offset > len(data) || p.Message == "" {
					t.Errorf("problem %+v", p)
				}
			}
			for _, w := range d.Keys {
				if w.Group >= len(d.Groups) {
					t.Errorf("group %d of %d", w.Group, len(d.Groups))
				}
			}
			if len(d.Groups) > len(d.Keys) {
				t.Errorf("%d groups of %d keys", len(d.Groups), len(d.Keys))
			}
			file.Binary(d)
		}
	})
}
