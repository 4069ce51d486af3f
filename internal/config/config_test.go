package config

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sealward/sealward/internal/syntax"
)

var update = flag.Bool("update", false, "write the generated files anew")

const whole = `# what people write
environments:
  prod:
    paths: [overlays/production/**, secrets/prod.env]
    keyring: kubernetes://flux-system/sops-age?context=eu
  dev: {keyring: file:///keys/dev.agekey}
  acc:
review:
  fail-on: warning
  rules: {key-drift: warning, rollme-annotation: off, no-rule: Off, bad-rule: "off"}
  profile: kilter
  paths-ignore:
    - vendor/**
ignore:
  - {rule: leaked-token, path: testdata/**, reason: "fixtures", until: 2027-01-01}
  - key: stringData.TOKEN
    reason: a sample
rotation:
  allow: [octocat, org/platform]
  copy-to: ["ssh-ed25519 AAAAC3Nz someone@example.org"]
recipients:
  - {id: age1abc, name: flux, role: cluster, environments: [prod]}
drift:
  schedule: "0 6 * * 1-5"
  only:
    "apps/*/secret.yaml/DEBUG_*": dev, staging
`

func TestParse(t *testing.T) {
	got, err := Parse(Name, []byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Environments: map[string]Environment{
			"prod": {Paths: []string{"overlays/production/**", "secrets/prod.env"}, Keyring: "kubernetes://flux-system/sops-age?context=eu"},
			"dev":  {Keyring: "file:///keys/dev.agekey"},
			"acc":  {},
		},
		Review: Review{
			FailOn:      "warning",
			Rules:       map[string]string{"key-drift": "warning", "rollme-annotation": "off", "no-rule": "off", "bad-rule": "off"},
			Profile:     "kilter",
			PathsIgnore: []string{"vendor/**"},
		},
		Ignore: []Ignore{
			{Rule: "leaked-token", Path: "testdata/**", Reason: "fixtures", Until: Date{time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}},
			{Key: "stringData.TOKEN", Reason: "a sample"},
		},
		Rotation:   Rotation{Allow: []string{"octocat", "org/platform"}, CopyTo: []string{"ssh-ed25519 AAAAC3Nz someone@example.org"}},
		Recipients: []Recipient{{ID: "age1abc", Name: "flux", Role: "cluster", Environments: []string{"prod"}}},
		Drift:      Drift{Schedule: "0 6 * * 1-5", Only: map[string]string{"apps/*/secret.yaml/DEBUG_*": "dev, staging"}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{}), cmpopts.IgnoreTypes(syntax.Span{})); diff != "" {
		t.Error(diff)
	}
	if at := got.Ignore[1].Span.Start; at.Line != 16 || at.Col != 5 {
		t.Errorf("the second ignore stands at %d:%d", at.Line, at.Col)
	}
}

func TestParseEmpty(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "---\n", "{}\n", "null\n", "review:\n", "ignore: []\n"} {
		if c, err := Parse(Name, []byte(text)); err != nil || len(c.Ignore)+len(c.Environments) > 0 {
			t.Errorf("%q: %v, %v", text, c, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "reveiw: {}", `.sealward.yaml:1:1: unknown key "reveiw" in the file; did you mean "review"?`},
		{"unknown key below", "review:\n  failon: error", `.sealward.yaml:2:3: unknown key "failon" in review; did you mean "fail-on"?`},
		{"unknown mapping", "review:\n  rule:\n    x: off", `.sealward.yaml:2:3: unknown key "rule" in review; did you mean "rules"?`},
		{"far from all", "rotation: {zzz: 1}", `unknown key "zzz" in rotation; known are allow, copy-to, copy`},
		{"a list for a mapping", "review: [a]", "1:10: review is a mapping"},
		{"a value for a mapping", "review: strict", "review is a mapping"},
		{"a mapping for a list", "ignore: {rule: x}", "ignore is a list"},
		{"a value for a list", "environments: {prod: {paths: a}}", "paths is a list"},
		{"a list for text", "review: {fail-on: [error]}", "fail-on is text"},
		{"a number for text", "environments: {prod: {paths: [1]}}", "put it in quotes"},
		{"another severity", "review: {rules: {key-drift: high}}", "key-drift is one of error, warning, notice, off"},
		{"near severity", "review: {fail-on: warnign}", `did you mean "warning"?`},
		{"true is no severity", "review: {rules: {key-drift: true}}", "put it in quotes"},
		{"a glob", "environments: {prod: {paths: ['[a']}}", `glob "[a": it has a "[" without a "]"`},
		{"a glob to ignore", "ignore: [{path: '{a', reason: x}]", `it has a "{"`},
		{"no reason", "ignore:\n  - rule: x\n    path: y", "2:5: an entry of ignore without reason; say why"},
		{"a blank reason", "ignore: [{rule: x, reason: ' '}]", "without reason"},
		{"ignoring everything", "ignore: [{reason: x}]", "an ignore of everything"},
		{"an empty entry", "environments: {prod: {paths: [a, ]}}\nreview:\n  guarded:\n    -\n", "4:6: an empty entry in guarded"},
		{"a date", "ignore: [{rule: x, reason: y, until: tomorrow}]", "until is a day; write it like 2027-01-31"},
		{"no such date", "ignore: [{rule: x, reason: y, until: 2027-02-30}]", "until is a day"},
		{"a role", "recipients: [{id: age1x, role: robot}]", "role is one of cluster, person, ci"},
		{"no id", "recipients: [{role: ci}]", "without id"},
		{"a keyring", "environments: {prod: {keyring: s3://x}}", "want file:///"},
		{"a schedule", "drift: {schedule: '0 25 * * *'}", "the hour of the schedule"},
		{"a short schedule", "drift: {schedule: '0 5 * *'}", "five fields"},
		{"a name", "environments: {'a b': {}}", "an environment's name"},
		{"a profile", "review: {profile: flux}", "profile is one of"},
		{"twice", "review:\n  fail-on: error\nignore: []\nreview:\n  fail-on: never\n", "stands twice"},
		{"two documents", "review: {}\n---\nreview: {}\n", "a second document"},
		{"not a mapping", "- a\n", "the file is a mapping"},
		{"not YAML", "review: [\n", "it must be YAML"},
		{"a private key", "rotation: {copy-to: ['AGE-SECRET-" + "KEY-1QQQQQQ']}", "a private key, where a public recipient belongs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse(Name, []byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "KEY-1QQ") {
				t.Error("the error repeats the private key")
			}
		})
	}
}

func TestParseSeveral(t *testing.T) {
	_, err := Parse(Name, []byte("x: 1\nreview:\n  fail-on: y\nz: 2\n"))
	if err == nil {
		t.Fatal("no error")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, want := range []string{":1:1:", ":3:12:", ":4:1:"} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Errorf("line %d of %q lacks %s", i, lines, want)
		}
	}
}

func TestParseLimit(t *testing.T) {
	if _, err := Parse(Name, make([]byte, MaxSize+1)); err == nil || !strings.Contains(err.Error(), "allowed") {
		t.Errorf("got %v", err)
	}
}

func TestCheck(t *testing.T) {
	c, err := Parse(Name, []byte("review:\n  rules:\n    key-drfit: off\n    bad-rule: off\nignore:\n  - reason: x\n    rule: leaked-tokens\n"))
	if err != nil {
		t.Fatal(err)
	}
	err = c.Check([]string{"key-drift", "bad-rule", "leaked-token"})
	want := `.sealward.yaml:3:5: no rule is called "key-drfit"; did you mean "key-drift"?` + "\n" +
		`.sealward.yaml:7:11: no rule is called "leaked-tokens"; did you mean "leaked-token"?`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
	if err := (&Config{}).Check(nil); err != nil {
		t.Error(err)
	}
}

// The schema that editors use is the one that the types make.
func TestSchema(t *testing.T) {
	got := Schema()
	if !json.Valid(got) {
		t.Fatal("not JSON")
	}
	for _, want := range []string{`"fail-on"`, `"never"`, `"additionalProperties": false`, `"reason"`, `"format": "date"`} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %s in the schema", want)
		}
	}
	file := filepath.Join("..", "..", "docs", "sealward.schema.json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil || string(have) != string(got) {
		t.Errorf("%s is stale: run go test ./internal/config -run TestSchema -update (%v)", file, err)
	}
}

// Bad input gives an error with a place, never a panic.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("review: &a {rules: *a}\nignore: [[[]], {}, null]"))
	f.Add([]byte("a: b: c\n\t- x"))
	f.Add([]byte("drift: {only: {? [a] : b}}\n<<: {review: 1}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse(Name, data)
		if (c == nil) == (err == nil) {
			t.Errorf("neither a configuration nor an error: %v, %v", c, err)
		}
		if c != nil {
			_ = c.Check([]string{"bad-rule"})
		}
	})
}
