package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/config"
)

// testPEM is a private key that was made a moment ago.
func testPEM(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func TestSettings(t *testing.T) {
	dir, key := t.TempDir(), testPEM(t)
	file := func(name, data string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	const hush = "synthetic-hush-hush"
	good := map[string]string{"HOME": dir, "APP_ID": "12", "PRIVATE_KEY": key, "WEBHOOK_SECRET": hush}
	with := func(kv ...string) map[string]string {
		m := map[string]string{}
		for k, v := range good {
			m[k] = v
		}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return m
	}
	tests := []struct {
		name string
		env  map[string]string
		want []string // in the error; none where it is fine
	}{
		{"good", good, nil},
		{"key by path", with("PRIVATE_KEY", "", "PRIVATE_KEY_PATH", file("a.pem", key)), nil},
		{"key by file", with("PRIVATE_KEY", "", "PRIVATE_KEY_FILE", file("b.pem", key)), nil},
		{"key in base64", with("PRIVATE_KEY", base64.StdEncoding.EncodeToString([]byte(key))), nil},
		{"key on one line", with("PRIVATE_KEY", strings.ReplaceAll(key, "\n", `\n`)), nil},
		{"key is none", with("PRIVATE_KEY", hush), []string{"PRIVATE_KEY"}},
		{"key both", with("PRIVATE_KEY_PATH", file("c.pem", key)), []string{"PRIVATE_KEY_PATH are both set"}},
		{"key twice", with("PRIVATE_KEY_FILE", file("d.pem", key)), []string{"PRIVATE_KEY and PRIVATE_KEY_FILE are both set"}},
		{"key missing", with("PRIVATE_KEY", ""), []string{"PRIVATE_KEY_PATH is not set"}},
		{"key file missing", with("PRIVATE_KEY", "", "PRIVATE_KEY_PATH", dir+"/none"), []string{"PRIVATE_KEY_PATH", "no such file"}},
		{"secret empty", with("WEBHOOK_SECRET", ""), []string{"WEBHOOK_SECRET is not set"}},
		{"secret file empty", with("WEBHOOK_SECRET", "", "WEBHOOK_SECRET_FILE", file("e", " \n")), []string{"WEBHOOK_SECRET_FILE", "is empty"}},
		{"one of the secrets empty", with("WEBHOOK_SECRET", hush+",,"), []string{"empty secret"}},
		{"two secrets", with("WEBHOOK_SECRET", hush+", "+hush+"2"), nil},
		{"secret and no app", with("APP_ID", ""), []string{"APP_ID is not set"}},
		{"no app at all", map[string]string{"HOME": dir}, nil},
		{"no app and no place", map[string]string{"DATABASE_URL": "sqlite:///x"}, []string{"APP_FILE"}},
		{"no home", with("HOME", ""), []string{"DATABASE_URL is not set"}},
		{"app is no number", with("APP_ID", "sealward"), []string{"APP_ID is no number"}},
		{"port", with("PORT", "http"), []string{"PORT"}},
		{"port too large", with("PORT", "65536"), []string{"PORT"}},
		{"host is a URL", with("HOST", "http://x"), []string{"HOST"}},
		{"one listener twice", with("ADMIN_ADDRESS", "127.0.0.1:3000"), []string{"ADMIN_ADDRESS"}},
		{"admin address", with("ADMIN_ADDRESS", "9090"), []string{"ADMIN_ADDRESS"}},
		{"admin token short", with("ADMIN_TOKEN", "admin"), []string{"ADMIN_TOKEN"}},
		{"level", with("LOG_LEVEL", "loud"), []string{"LOG_LEVEL", "valid are"}},
		{"format", with("LOG_FORMAT", "xml"), []string{"LOG_FORMAT", "valid are"}},
		{"api", with("GITHUB_API_URL", "github.com"), []string{"GITHUB_API_URL"}},
		{"api with a password", with("GITHUB_API_URL", "https://a:"+hush+"@github.com"), []string{"GITHUB_API_URL"}},
		{"enterprise", with("GITHUB_API_URL", "https://github.example.com/api/v3"), nil},
		{"proxy", with("WEBHOOK_PROXY_URL", "https://smee.io/x"), []string{"WEBHOOK_PROXY_URL is not taken"}},
		{"path", with("WEBHOOK_PATH", "hooks"), []string{"WEBHOOK_PATH"}},
		{"path of setup", with("WEBHOOK_PATH", "/setup"), []string{"WEBHOOK_PATH"}},
		{"public URL", with("PUBLIC_URL", "bot.example.com"), []string{"PUBLIC_URL"}},
		{"retire", with("SEALWARD_RETIRE_AFTER", "soon"), []string{"SEALWARD_RETIRE_AFTER"}},
		{"keyring", with("SEALWARD_KEYRING", "vault://x"), []string{"SEALWARD_KEYRING"}},
		{"keyrings", with("SEALWARD_KEYRINGS", "file:///keys/a"), []string{"SEALWARD_KEYRINGS"}},
		{"keys dir", with("SEALWARD_KEYS_DIR", "keys"), []string{"SEALWARD_KEYS_DIR"}},
		{"all at once", with("PORT", "x", "LOG_LEVEL", "x", "APP_ID", "x"), []string{"PORT", "LOG_LEVEL", "APP_ID"}},
		{"both set", with("PORT", "1", "PORT_FILE", file("f", "1")), []string{"PORT and PORT_FILE are both set"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := readSettings(func(name string) string { return tt.env[name] })
			if (err != nil) != (len(tt.want) > 0) {
				t.Fatalf("%v", err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in %v", want, err)
				}
			}
			if err != nil && (strings.Contains(err.Error(), hush) || strings.Contains(err.Error(), "BEGIN RSA")) {
				t.Errorf("a secret came out: %v", err)
			}
		})
	}
}

func TestKeyringsOfARepository(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "octo"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "octo", "bank"), filepath.Join(dir, "octo", "link")); err != nil {
		t.Fatal(err)
	}
	own := "file://" + dir + "/octo/shop/"
	tests := []struct {
		name, template, allowed, repo, said string
		want                                string // "" is refused
		shared                              bool
	}{
		{"nothing said", "", "", "octo/shop", "", own + "prod.agekey", false},
		{"the name's case", "", "", "Octo/Shop", "", own + "prod.agekey", false},
		{"its own", "", "", "octo/shop", own + "x.agekey", own + "x.agekey", false},
		{"operator", "", "", "octo/shop", "operator", "operator", false},
		{"another's", "", "", "octo/shop", "file://" + dir + "/octo/bank/prod.agekey", "", false},
		{"by ..", "", "", "octo/shop", own + "../bank/prod.agekey", "", false},
		{"by an escape", "", "", "octo/shop", own + "..%2fbank%2fprod.agekey", "", false},
		{"by two slashes", "", "", "octo/shop", own + "/bank", "", false},
		{"below its own", "", "", "octo/shop", own + "a/b.agekey", "", false},
		{"through a link", "", "", "octo/link", "file://" + dir + "/octo/link/prod.agekey", "", false},
		{"through a link, by name", "", "", "octo/link", "", "", false},
		{"a secret", "", "", "octo/shop", "kubernetes://flux-system/sops-age", "", false},
		{"a secret that is allowed", "", "octo/shop=kubernetes://flux-system/sops-age", "octo/shop", "kubernetes://flux-system/sops-age", "kubernetes://flux-system/sops-age", false},
		{"of another cluster", "", "octo/shop=kubernetes://flux-system/sops-age", "octo/shop", "kubernetes://flux-system/sops-age?context=other", "", false},
		{"a secret of another", "", "octo/bank=kubernetes://flux-system/sops-age", "octo/shop", "kubernetes://flux-system/sops-age", "", false},
		{"a secret of all", "", "*=kubernetes://flux-system/sops-age", "octo/shop", "kubernetes://flux-system/sops-age", "kubernetes://flux-system/sops-age", true},
		{"an owner's", "", "octo/*=file:///keys/octo/*.agekey", "octo/shop", "file:///keys/octo/prod.agekey", "file:///keys/octo/prod.agekey", true},
		{"not an owner's", "", "octo/*=file:///keys/octo/*.agekey", "evil/shop", "file:///keys/octo/prod.agekey", "", false},
		{"over a slash", "", "octo/*=file:///keys/octo/*.agekey", "octo/shop", "file:///keys/octo/x/prod.agekey", "", false},
		{"by names", "", "file:///keys/{owner}/{repo}/*", "octo/shop", "file:///keys/octo/shop/prod.agekey", "file:///keys/octo/shop/prod.agekey", false},
		{"by another's name", "", "file:///keys/{owner}/{repo}/*", "octo/shop", "file:///keys/octo/bank/prod.agekey", "", false},
		{"a list ends the default", "", "octo/bank=file:///keys/x", "octo/shop", own + "prod.agekey", "", false},
		{"the operator's word", "file:///k/{owner}/{repo}/{env}.agekey", "", "octo/shop", "file:///etc/x", "file:///k/octo/shop/prod.agekey", false},
		{"the operator's word for all", "kubernetes://flux-system/{env}", "", "octo/shop", "", "kubernetes://flux-system/prod", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			allowed, err := parseAllowed(tt.allowed)
			if err != nil {
				t.Fatal(err)
			}
			rings, err := serverRings{template: tt.template, allowed: allowed, dir: dir}.of(t.Context(), tt.repo, &config.Config{Environments: map[string]config.Environment{"prod": {Keyring: tt.said}}})
			if err != nil {
				t.Fatal(err)
			}
			address, shared, err := rings.address("prod")
			if (err != nil) != (tt.want == "") || address != tt.want || err == nil && shared != tt.shared {
				t.Errorf("%q shared %v, %v", address, shared, err)
			}
		})
	}
}

// claims is a store's promise: the first who asks for a thing has it.
func claims() func(context.Context, string, string) (string, error) {
	held := map[string]string{}
	return func(_ context.Context, thing, holder string) (string, error) {
		if held[thing] == "" {
			held[thing] = holder
		}
		return held[thing], nil
	}
}

func TestAKeyringBelongsToTheAccountThatNamesItFirst(t *testing.T) {
	dir, keys := t.TempDir(), t.TempDir()
	if err := os.Symlink(keys, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	rings := serverRings{dir: filepath.Join(dir, "own"), claim: claims()}
	file := "file://" + keys + "/prod.agekey"
	for _, step := range []struct {
		repo, said string
		ok         bool
	}{
		{"octo/shop", file, true},
		{"Octo/fleet", file, true},
		{"evil/shop", file, false},
		{"octo/shop", file, true},
		{"evil/shop", "file://" + dir + "/link/prod.agekey", false}, // the same file by another name
		{"evil/shop", "file://" + keys + "/../" + filepath.Base(keys) + "/prod.agekey", false},
		{"evil/shop", "file://" + keys + "/evil.agekey", true},
		{"octo/shop", "file://" + keys + "/evil.agekey", false},
		{"octo/shop", "kubernetes://flux-system/sops-age?context=a", true},
		{"evil/shop", "kubernetes://flux-system/sops-age?context=a", false},
		{"evil/shop", "kubernetes://flux-system/sops-age?context=b", true},
		{"evil/shop", "file://" + dir + "/own/octo/shop/prod.agekey", false}, // unclaimed, and not for anybody to claim
		{"octo/shop", "file://" + dir + "/own/octo/shop/prod.agekey", true},
	} {
		r, err := rings.of(t.Context(), step.repo, &config.Config{Environments: map[string]config.Environment{"prod": {Keyring: step.said}}})
		if err != nil {
			t.Fatal(err)
		}
		address, _, err := r.address("prod")
		if (err == nil) != step.ok || step.ok && address != step.said {
			t.Errorf("%s names %s: %q, %v", step.repo, step.said, address, err)
		}
	}
	rings.allowed = []allowance{{owner: "evil", repo: "shop", address: file}}
	r, err := rings.of(t.Context(), "octo/shop", &config.Config{Environments: map[string]config.Environment{"prod": {Keyring: file}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.address("prod"); err == nil {
		t.Error("a claim counts beside the operator's list")
	}
}

func TestAllowancesAreChecked(t *testing.T) {
	for _, bad := range []string{
		"file:///keys/a", "kubernetes://flux-system/sops-age", "file:///keys/{owner}-{repo}/*", "file:///keys/{owner}/{repo}-*", "octo=file:///a", "*/x=file:///a", "octo/shop=vault://x",
		"octo/shop=file:///a/../b", "octo/shop=file:///{user}/a", "octo/shop=file://host/a", "octo/shop/x=file:///a", "file:///keys/{owner}/*", "octo/shop=",
	} {
		if got, err := parseAllowed(bad); err == nil {
			t.Errorf("%q passed: %+v", bad, got)
		}
	}
	got, err := parseAllowed(" octo/shop=operator , ,*=file:///a/{env}.agekey,")
	if err != nil || len(got) != 2 {
		t.Errorf("%+v %v", got, err)
	}
}

func FuzzParseAllowed(f *testing.F) {
	f.Add("octo/shop=file:///a/{owner}/{repo}/*", "file:///a/octo/shop/x")
	f.Add("*=kubernetes://a/b?context=c", "kubernetes://a/b")
	f.Fuzz(func(t *testing.T, text, said string) {
		allowed, err := parseAllowed(text)
		if err != nil || len(text) > 1000 {
			return
		}
		rings, err := serverRings{allowed: allowed}.of(t.Context(), "octo/shop", &config.Config{Environments: map[string]config.Environment{"prod": {Keyring: said}}})
		if err != nil {
			t.Fatal(err)
		}
		if address, _, err := rings.address("prod"); err == nil && strings.Contains(address, "/../") {
			t.Errorf("%q", address)
		}
	})
}

func FuzzParseDelivery(f *testing.F) {
	f.Add([]byte(`{"guid":"a","request":{"headers":{"X-GitHub-Event":"push"},"payload":{}}}`))
	f.Add([]byte(`{"headers":{"x-github-event":"push"},"body":"{}"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := parseDelivery(data); err == nil && (d.event == "" || len(d.body) == 0) {
			t.Errorf("%+v", d)
		}
	})
}
