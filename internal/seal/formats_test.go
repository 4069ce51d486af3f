package seal

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/getsops/sops/v3/shamir"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
)

var (
	encToken = regexp.MustCompile(`ENC\[[^\]]*\]|age1[a-z0-9]+|\d{4}-\d\d-\d\dT[0-9:]+Z`)
	encLine  = regexp.MustCompile(`(?m)[A-Za-z0-9+/]{20,}={0,2}(\r?)$`)
)

// frame is a file without what a rotation may change.
func frame(data []byte) string {
	return encLine.ReplaceAllString(encToken.ReplaceAllString(string(data), "X"), "X$1")
}

func TestFormattingStays(t *testing.T) {
	a, b := newID(t), newID(t)
	sealed := string(sealedBench(t, 3, a))
	flow := strings.Replace(sealed, "stringData:\n  KEY_0: ", "stringData:\n  KEY_0: &k !!str ", 1)
	folded := regexp.MustCompile(`KEY_1: (ENC.*)`).ReplaceAllString(sealed, "KEY_1: >-\n    $1\n\n")
	cases := map[string]string{
		"as it is":        sealed,
		"by hand":         "---\n# head\n\n" + regexp.MustCompile(`KEY_1: (ENC.*)`).ReplaceAllString(sealed, "KEY_1:   '$1' # behind\n\n\n") + "# foot\n",
		"CRLF":            strings.ReplaceAll(sealed, "\n", "\r\n"),
		"folded":          folded,
		"double quotes":   regexp.MustCompile(`KEY_2: (ENC.*)`).ReplaceAllString(sealed, `"KEY_2": "$1"`),
		"anchor and tag":  flow,
		"no last newline": strings.TrimSuffix(sealed, "\n"),
		"byte order mark": "\ufeff" + sealed,
		"flow metadata":   regexp.MustCompile(`(?s)stringData:\n  (KEY_0): (ENC[^\n]*)\n  (KEY_1): (ENC[^\n]*)\n  (KEY_2): (ENC[^\n]*)\n`).ReplaceAllString(sealed, `stringData: {$1: "$2", $3: '$4', $5: "$6"}`+"\n"),
		"document end":    sealed + "...\n",
	}
	for name, text := range cases {
		for _, want := range []sops.Rekey{{Remove: rs(a), Add: rs(b)}, {Known: rs(a)}} {
			got, err := sealer(t, a, b).Reseal(context.Background(), "a.yaml", []byte(text), want)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got.Way != bySpan || frame(got.Data) != frame([]byte(text)) {
				t.Errorf("%s: went the way %q\n%s", name, got.Way, got.Data)
			}
			if bytes.Equal(got.Data, []byte(text)) {
				t.Errorf("%s: nothing changed", name)
			}
		}
	}
}

// Several sealed files in one, as Flux reads them: each document has its own data key.
func TestDocumentsSealedOnTheirOwn(t *testing.T) {
	a, b, c := newID(t), newID(t), newID(t)
	mine, other := string(sealedBench(t, 2, a)), string(sealedBench(t, 2, c))
	clear := "# nothing sealed\nkind: ConfigMap\ndata: {a: b}\n"
	text := "---\n" + mine + "---\n" + clear + "---\n" + other + "---\n" + string(sealedBench(t, 3, a))
	for _, s := range []*Sealer{sealer(t, a, b), sealer(t, a, b).ByLibrary()} {
		got, err := s.Reseal(context.Background(), "a.yaml", []byte(text), sops.Rekey{Remove: rs(a), Add: rs(b)})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(got.Data), "---\n"+clear+"---\n"+other+"---\n") {
			t.Error("the documents of others were changed")
		}
		open, err := Opens(context.Background(), "a.yaml", got.Data, []keyring.Identity{b})
		if err != nil || len(open) != 3 {
			t.Fatal(open, err)
		}
		for i, o := range open {
			if mine := i != 1; (o.Err == nil) != mine || (len(o.By) == 1) != mine {
				t.Errorf("document %d: %v opens it, %v", i, o.By, o.Err)
			}
		}
	}
}

// Every kind of age recipient, in every direction.
func TestKindsOfRecipients(t *testing.T) {
	ids := map[string][2]keyring.Identity{"x25519": {newID(t), newID(t)}, "hybrid": {pqID(t), pqID(t)}, "ssh": {sshID(t), sshID(t)}}
	for from, f := range ids {
		for to, g := range ids {
			t.Run(from+" to "+to, func(t *testing.T) {
				sealed := encrypt(t, "a.yaml", attacked, []keyring.Identity{f[0]})
				got, err := sealer(t, f[0], g[1]).Reseal(context.Background(), "a.yaml", sealed, sops.Rekey{Remove: rs(f[0]), Add: rs(g[1])})
				if err != nil || got.Way != bySpan {
					t.Fatal(got.Way, err)
				}
				if plain, err := runSops(t, "a.yaml", got.Data, []keyring.Identity{g[1]}, "decrypt"); err != nil || !bytes.Contains(plain, []byte("hunter2")) {
					t.Error(err)
				}
				if _, err := runSops(t, "a.yaml", got.Data, []keyring.Identity{f[0]}, "decrypt"); err == nil {
					t.Error("the removed key still decrypts it")
				}
			})
		}
	}
}

func TestKeyGroups(t *testing.T) {
	a, b, c, d := newID(t), newID(t), newID(t), newID(t)
	groups := "key_groups:\n  - age: [" + a.Recipient().ID + "]\n  - age: [" + b.Recipient().ID + "]\n  - age: [" + c.Recipient().ID + "]\n"
	for _, p := range []plainFile{{path: "a.yaml", text: attacked}, {path: "a.json", text: `{"a": "b"}`}, {path: "a.env", text: "A=b\n"}, {path: "a.ini", text: "[a]\nb = c\n"}} {
		var rule []string
		for line := range strings.Lines(groups) {
			rule = append(rule, strings.TrimSuffix(line, "\n"))
		}
		sealed := encrypt(t, p.path, p.text, nil, append(rule, "shamir_threshold: 2")...)
		before, err := runSops(t, p.path, sealed, []keyring.Identity{a, b}, "decrypt")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []*Sealer{sealer(t, a, b), sealer(t, b, d, a).ByLibrary()} {
			got, err := s.Reseal(context.Background(), p.path, sealed, sops.Rekey{Remove: rs(a), Add: rs(d), Known: rs(b, c)})
			if err != nil {
				t.Fatal(p.path, err)
			}
			for _, pair := range [][]keyring.Identity{{d, b}, {d, c}, {b, c}} {
				if after, err := runSops(t, p.path, got.Data, pair, "decrypt"); err != nil || !bytes.Equal(before, after) {
					t.Error(p.path, "two of three do not open it", err)
				}
			}
			for _, pair := range [][]keyring.Identity{{a, b}, {a, c}, {d}} {
				if _, err := runSops(t, p.path, got.Data, pair, "decrypt"); err == nil {
					t.Error(p.path, "opens for the wrong ones")
				}
			}
		}
		refused(t, sealer(t, a), p.path, sealed, sops.Rekey{Remove: rs(a), Add: rs(d), Known: rs(b, c)}, Closed)
		refused(t, sealer(t, a, b), p.path, sealed, sops.Rekey{Add: rs(d), Known: rs(a, b, c)}, Group)
		refused(t, sealer(t, a, b), p.path, sealed, sops.Rekey{Remove: rs(a), Known: rs(b, c)}, Nobody)
	}
	if _, err := shamir.Combine([][]byte{{1}, {2}}); err == nil {
		t.Error("shares of one byte combine")
	}
}

// A recipient that needs credentials keeps the data key, and the outcome says so.
func TestCredentialsThatAreNotHere(t *testing.T) {
	a, b := newID(t), newID(t)
	arn := "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
	data := bytes.Replace(encrypt(t, "a.yaml", attacked, []keyring.Identity{a}), []byte("    age:\n"), []byte(
		"    kms:\n        - arn: "+arn+"\n          created_at: \"2027-01-31T12:00:00Z\"\n          enc: AQICAHh\n          aws_profile: \"\"\n    age:\n"), 1)
	kms := sops.Recipient{Kind: sops.KMS, ID: arn}
	for _, s := range []*Sealer{sealer(t, a, b), sealer(t, a, b).ByLibrary()} {
		got, err := s.Reseal(context.Background(), "a.yaml", data, sops.Rekey{Remove: rs(a), Add: rs(b), Known: []sops.Recipient{kms}})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.NotRotated, []sops.Recipient{kms}) || !bytes.Contains(got.Data, []byte("AQICAHh")) {
			t.Errorf("not rotated: %v", got.NotRotated)
		}
		if _, err := runSops(t, "a.yaml", got.Data, []keyring.Identity{b}, "decrypt"); err != nil {
			t.Error(err)
		}
		// Once the key in the cloud goes as well, the data key is new.
		got, err = s.Reseal(context.Background(), "a.yaml", data, sops.Rekey{Remove: append(rs(a), kms), Add: rs(b)})
		if err != nil || len(got.NotRotated) > 0 || bytes.Contains(got.Data, []byte("AQICAHh")) {
			t.Fatal(got.NotRotated, err)
		}
		if _, err := runSops(t, "a.yaml", got.Data, []keyring.Identity{b}, "decrypt"); err != nil {
			t.Error(err)
		}
	}
}

// The files that SOPS tests and documents itself with, read from its module.
func TestUpstreamExamples(t *testing.T) {
	dir := upstreamDir(t)
	a, b := newID(t), newID(t)
	seen := 0
	for _, pattern := range []string{"example.*", "functional-tests/res/*", "examples/*/*", "examples/*/*/*/*"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil || len(data) == 0 || strings.HasSuffix(path, ".py") || strings.HasSuffix(path, ".tf") {
				continue
			}
			name := strings.TrimPrefix(path, dir+"/")
			t.Run(name, func(t *testing.T) {
				// As they are they are sealed for keys that nobody here has.
				if _, err := sealer(t, a).Reseal(context.Background(), name, data, sops.Rekey{Remove: rs(a), Add: rs(b)}); err == nil {
					t.Error("re-sealed without a key")
				}
			})
			plain := regexp.MustCompile(`(?m)^(sops|\[sops\]|sops_\w+).*(\n[ \t].*)*\n?`).ReplaceAll(data, nil)
			if filepath.Ext(path) == ".json" || bytes.Contains(plain, []byte("ENC[")) {
				continue // sealed: its plaintext is not here
			}
			t.Run(name+" sealed anew", func(t *testing.T) {
				sealed := encrypt(t, name, string(plain), []keyring.Identity{a})
				before, err := runSops(t, name, sealed, []keyring.Identity{a}, "decrypt")
				if err != nil {
					t.Fatal(err)
				}
				got, err := sealer(t, a, b).Reseal(context.Background(), name, sealed, sops.Rekey{Remove: rs(a), Add: rs(b)})
				if err != nil {
					t.Fatal(err)
				}
				if after, err := runSops(t, name, got.Data, []keyring.Identity{b}, "decrypt"); err != nil || !bytes.Equal(before, after) {
					t.Error("decrypts to another plaintext", err)
				}
			})
			seen++
		}
	}
	if seen < 3 {
		t.Errorf("only %d files were sealed", seen)
	}
}

// upstreamDir is where the module cache has SOPS.
func upstreamDir(t *testing.T) string {
	t.Helper()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Skip("no build information")
	}
	cache := os.Getenv("GOMODCACHE")
	if home, err := os.UserHomeDir(); cache == "" && err == nil {
		cache = filepath.Join(home, "go", "pkg", "mod")
	}
	for _, m := range info.Deps {
		if m.Path == "github.com/getsops/sops/v3" {
			dir := filepath.Join(cache, "github.com", "getsops", "sops", "v3@"+m.Version)
			if _, err := os.Stat(dir); err == nil {
				return dir
			}
		}
	}
	t.Skip("the module cache has no sources of SOPS")
	return ""
}
