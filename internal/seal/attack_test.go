package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"filippo.io/age/plugin"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/stores/yaml"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
)

// refused re-seals and wants a refusal for the reason; nothing secret may be in it.
func refused(t *testing.T, s *Sealer, path string, data []byte, want sops.Rekey, reason Reason) {
	t.Helper()
	for _, s := range []*Sealer{s, s.ByLibrary()} {
		out, err := s.Reseal(context.Background(), path, data, want)
		var r *Refused
		if !errors.As(err, &r) || r.Reason != reason || r.Path != path {
			t.Errorf("%v, want it refused as %s", err, reason)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Error("the refusal holds a secret")
		}
		if out.Data != nil {
			t.Error("a refused file has an outcome")
		}
	}
}

const attacked = "user: admin\npassword: hunter2\nopen_unencrypted: yes\n"

// withEntry puts one more recipient into the metadata of a sealed YAML file.
func withEntry(t *testing.T, data []byte, recipient, enc string) []byte {
	t.Helper()
	entry := "    age:\n        - enc: |\n            " + strings.ReplaceAll(strings.TrimSpace(enc), "\n", "\n            ") +
		"\n          recipient: " + recipient + "\n"
	out := bytes.Replace(data, []byte("    age:\n"), []byte(entry), 1)
	if bytes.Equal(out, data) {
		t.Fatal("there is no list to put it in")
	}
	return out
}

func TestInjectedRecipient(t *testing.T) {
	a, b, mallory := newID(t), newID(t), newID(t)
	junk, err := wrap(make([]byte, keySize), mallory.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	data := withEntry(t, encrypt(t, "a.yaml", attacked, []keyring.Identity{a}), mallory.Recipient().ID, junk)
	// The attack: the junk passes every check, and the next rotation encrypts to it.
	if _, err := runSops(t, "a.yaml", data, []keyring.Identity{a}, "decrypt"); err != nil {
		t.Fatal(err)
	}
	if _, err := runSops(t, "a.yaml", data, []keyring.Identity{mallory}, "decrypt"); err == nil {
		t.Fatal("mallory reads it before the rotation")
	}
	rotated, err := runSops(t, "a.yaml", data, []keyring.Identity{a}, "rotate")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := runSops(t, "a.yaml", rotated, []keyring.Identity{mallory}, "decrypt"); err != nil || !bytes.Contains(plain, []byte("hunter2")) {
		t.Fatal("the attack does not work", err)
	}
	refused(t, sealer(t, a, b), "a.yaml", data, sops.Rekey{Remove: rs(a), Add: rs(b)}, Injected)
	if _, err := sealer(t, a, b).Reseal(context.Background(), "a.yaml", data, sops.Rekey{Remove: rs(a), Add: rs(b), Known: rs(mallory)}); err != nil {
		t.Error("a recipient that the rules know is refused:", err)
	}
}

// Changing recipients alone is no rotation: whoever kept the old file's wrapped data
// key puts it into the new one and reads what is written later.
func TestGraftedDataKey(t *testing.T) {
	a, b := newID(t), newID(t)
	data := encrypt(t, "a.yaml", attacked, []keyring.Identity{a})
	f, err := read("a.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	d := f.Sealed[0]
	old := f.encOf(d, d.Keys[0])
	o, err := f.trees[0].dataKey([]keyring.Identity{a})
	if err != nil {
		t.Fatal(err)
	}
	sameKey, err := wrap(o.key, b.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	e := edits{file: f, fits: true}
	e.entry(d, d.Keys[0], slot{to: b.Recipient(), enc: sameKey})
	updated, _ := e.apply()
	if plain, err := runSops(t, "a.yaml", withEntry(t, updated, a.Recipient().ID, old), []keyring.Identity{a}, "decrypt"); err != nil ||
		!bytes.Contains(plain, []byte("hunter2")) {
		t.Fatal("the attack does not work", err)
	}
	got, err := sealer(t, a, b).Reseal(context.Background(), "a.yaml", data, sops.Rekey{Remove: rs(a), Add: rs(b)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := runSops(t, "a.yaml", withEntry(t, got.Data, a.Recipient().ID, old), []keyring.Identity{a}, "decrypt"); err == nil {
		t.Error("the grafted data key opens the re-sealed file")
	}
}

func TestTampered(t *testing.T) {
	a, b := newID(t), newID(t)
	s, want := sealer(t, a, b), sops.Rekey{Remove: rs(a), Add: rs(b)}
	data := string(encrypt(t, "a.yaml", attacked, []keyring.Identity{a}))
	line := func(key string) string { return regexp.MustCompile(`(?m)^ *` + key + `:.*\n`).FindString(data) }
	swap := func(key, value string) string {
		return strings.Replace(data, line(key), key+": "+value+"\n", 1)
	}
	user := strings.TrimSpace(strings.TrimPrefix(line("user"), "user: "))
	other := string(encrypt(t, "a.yaml", attacked, []keyring.Identity{a}))
	for _, c := range []struct {
		name, text string
		ignoreMAC  bool // whether sops goes along once it is told to ignore the MAC
		reason     Reason
	}{
		{"a clear value changed", swap("open_unencrypted", "no way"), true, BadMAC},
		{"a value removed", strings.Replace(data, line("password"), "", 1), true, BadMAC},
		{"a clear value added", "x_unencrypted: y\n" + data, true, BadMAC},
		{"values in another order", line("password") + strings.Replace(data, line("password"), "", 1), true, BadMAC},
		{"another MAC", strings.Replace(data, line("mac"), regexp.MustCompile(`(?m)^ *mac:.*\n`).FindString(other), 1), true, BadMAC},
		{"another time", regexp.MustCompile(`lastmodified: "\d{4}`).ReplaceAllString(data, `lastmodified: "1999`), true, BadMAC},
		{"no MAC", strings.Replace(data, line("mac"), "", 1), true, NoMAC},
		{"a value copied to another key", swap("password", user), false, Stray},
		{"a value in clear", swap("password", "hunter2"), false, PartlySealed},
		{"a damaged value", swap("password", strings.Replace(user, "iv:", "iv:!", 1)), false, Stray},
		{"text behind a value", swap("password", user+" hunter2"), false, Stray},
		{"metadata twice", data + data[strings.Index(data, "sops:"):], false, Metadata},
		{"groups beside lists", strings.Replace(data, "    age:", "    key_groups:\n        - age:\n            - recipient: x\n              enc: y\n    age:", 1), true, Metadata},
		{"two selectors", strings.Replace(data, "    lastmodified", "    encrypted_regex: ^x$\n    lastmodified", 1), false, Metadata},
		{"an alias", "x_unencrypted: &a [1]\ny_unencrypted: *a\n" + data, true, Aliases},
		{"not sealed", "password: hunter2\n", false, NotSealed},
		{"no YAML", "password: [hunter2\n" + data, false, Unreadable},
		{"orphans", data + "---\nx: " + user + "\n", false, NotSealed},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.text == data {
				t.Fatal("nothing was tampered with")
			}
			if _, err := runSops(t, "a.yaml", []byte(c.text), []keyring.Identity{a}, "decrypt", "--ignore-mac"); (err == nil) != c.ignoreMAC {
				t.Errorf("sops itself: %v", err)
			}
			refused(t, s, "a.yaml", []byte(c.text), want, c.reason)
		})
	}
	refused(t, sealer(t, b), "a.yaml", []byte(data), want, Closed)
	refused(t, s, "a.yaml", []byte(data), sops.Rekey{Remove: rs(a)}, Nobody)
	refused(t, s, "a.yaml", append([]byte(data), make([]byte, MaxSize)...), want, TooLarge)
	refused(t, s, "a.yaml", []byte("l_unencrypted: ["+strings.Repeat("1,", MaxValues)+"1]\n"+data), want, TooLarge)
}

// A vault's address in a file is where sops sends its token.
func TestVaultAddress(t *testing.T) {
	a, b := newID(t), newID(t)
	var token atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := r.Header.Get("X-Vault-Token"); h != "" {
			token.Store(h)
		}
		fmt.Fprint(w, `{"data":{"ciphertext":"vault:v1:x"}}`)
	}))
	defer server.Close()
	data := bytes.Replace(encrypt(t, "a.yaml", attacked, []keyring.Identity{a}), []byte("    age:\n"), []byte(
		"    hc_vault:\n        - vault_address: "+server.URL+"\n          engine_path: sops\n          key_name: k\n"+
			"          created_at: \"2027-01-31T12:00:00Z\"\n          enc: vault:v1:x\n    age:\n"), 1)
	if _, err := runSopsIn(t, []string{"VAULT_TOKEN=the-token-of-ci"}, "a.yaml", data, []keyring.Identity{a}, "rotate"); err != nil {
		t.Log(err)
	}
	if token.Load() != "the-token-of-ci" {
		t.Fatal("the attack does not work")
	}
	token.Store("")
	t.Setenv("VAULT_TOKEN", "the-token-of-ci")
	s := sealer(t, a, b)
	refused(t, s, "a.yaml", data, sops.Rekey{Remove: rs(a), Add: rs(b)}, Service)
	vault := sops.Recipient{Kind: sops.Vault, ID: server.URL + "/v1/sops/keys/k"}
	for _, s := range []*Sealer{s, s.ByLibrary()} {
		got, err := s.Reseal(context.Background(), "a.yaml", data, sops.Rekey{Remove: rs(a), Add: rs(b), Known: []sops.Recipient{vault}})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.NotRotated) != 1 || got.NotRotated[0] != vault {
			t.Errorf("not rotated: %v", got.NotRotated)
		}
		if _, err := runSops(t, "a.yaml", got.Data, []keyring.Identity{b}, "decrypt"); err != nil {
			t.Error(err)
		}
		if _, err := runSops(t, "a.yaml", got.Data, []keyring.Identity{a}, "decrypt"); err == nil {
			t.Error("the removed key still decrypts it")
		}
	}
	if token.Load() != "" {
		t.Error("the vault was asked")
	}
}

// A plugin's recipient in a file is a program that sops runs.
func TestPluginRecipient(t *testing.T) {
	a, b := newID(t), newID(t)
	dir := t.TempDir()
	mark := filepath.Join(dir, "it-ran")
	script := "#!/bin/sh\necho ran > " + mark + "\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "age-plugin-evil"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	evil := sops.Recipient{Kind: sops.Age, ID: plugin.EncodeRecipient("evil", make([]byte, 32))}
	data := withEntry(t, encrypt(t, "a.yaml", attacked, []keyring.Identity{a}), evil.ID, armored([]byte("junk")))
	path := "PATH=" + dir + string(os.PathListSeparator) + os.Getenv("PATH")
	_, _ = runSopsIn(t, []string{path}, "a.yaml", data, []keyring.Identity{a}, "rotate")
	if err := os.Remove(mark); err != nil {
		t.Fatal("the attack does not work", err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	refused(t, sealer(t, a, b), "a.yaml", data, sops.Rekey{Remove: rs(a), Add: rs(b)}, Injected)
	refused(t, sealer(t, a, b), "a.yaml", data, sops.Rekey{Remove: rs(a), Add: rs(b), Known: []sops.Recipient{evil}}, Plugin)
	if _, err := os.Stat(mark); err == nil {
		t.Error("the plugin ran")
	}
}

// Less than a kilobyte of aliases becomes hundreds of thousands of values in sops, which
// only counts those of the first document.
func TestAliasBomb(t *testing.T) {
	a, b := newID(t), newID(t)
	var bomb strings.Builder
	bomb.WriteString("a0: &a0 [x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 6; i++ {
		fmt.Fprintf(&bomb, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 7), i-1)
	}
	branches, err := yaml.NewStore(&config.YAMLStoreConfig{}).LoadPlainFile([]byte("x: y\n---\n" + bomb.String()))
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	walker{leaf: func(_ string, v any) any { count++; return v }}.branches(branches)
	if bomb.Len() > 1024 || count < 100_000 {
		t.Fatalf("the attack does not work: %d bytes, %d values", bomb.Len(), count)
	}
	data := append(encrypt(t, "a.yaml", attacked, []keyring.Identity{a}), "---\n"+bomb.String()...)
	refused(t, sealer(t, a, b), "a.yaml", data, sops.Rekey{Remove: rs(a), Add: rs(b)}, Aliases)
}
