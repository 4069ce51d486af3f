package seal

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
)

// sopsCLI finds the program of SOPS, or builds it from this module's own requirements.
var sopsCLI = sync.OnceValues(func() (string, error) {
	for _, p := range []string{os.Getenv("SOPS"), "sops"} {
		if found, err := exec.LookPath(p); p != "" && err == nil {
			return found, nil
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		if p := filepath.Join(home, "go", "bin", "sops"); exec.Command(p, "--version").Run() == nil {
			return p, nil
		}
	}
	if testing.Short() {
		return "", errors.New("no sops program, and none is built in short mode")
	}
	dir, err := os.MkdirTemp("", "sops")
	if err != nil {
		return "", err
	}
	p := filepath.Join(dir, "sops")
	out, err := exec.Command("go", "build", "-o", p, "github.com/getsops/sops/v3/cmd/sops").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return p, nil
})

// runSops runs the program in an empty directory with the file and the identities that
// are given, and nothing else of this machine.
func runSops(t *testing.T, name string, data []byte, ids []keyring.Identity, args ...string) ([]byte, error) {
	t.Helper()
	return runSopsIn(t, nil, name, data, ids, args...)
}

// runSopsIn adds to the environment.
func runSopsIn(t *testing.T, more []string, name string, data []byte, ids []keyring.Identity, args ...string) ([]byte, error) {
	t.Helper()
	program, err := sopsCLI()
	if err != nil {
		t.Skipf("the program of SOPS is needed: %v", err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, filepath.Base(name))
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var keys strings.Builder
	env := append([]string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}, more...)
	for _, id := range ids {
		if id.Recipient().SSH() {
			p := filepath.Join(dir, ".ssh-key")
			if err := os.WriteFile(p, []byte(id.Expose()), 0o600); err != nil {
				t.Fatal(err)
			}
			env = append(env, "SOPS_AGE_SSH_PRIVATE_KEY_FILE="+p)
			continue
		}
		keys.WriteString(id.Expose() + "\n")
	}
	cmd := exec.Command(program, append(args, path)...)
	cmd.Dir, cmd.Env = dir, append(env, "SOPS_AGE_KEY="+keys.String())
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, errors.New(err.Error() + ": " + stderr.String())
	}
	return stdout.Bytes(), nil
}

func newID(t testing.TB) keyring.Identity {
	t.Helper()
	id, err := keyring.Generate(false)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func sealer(t testing.TB, ids ...keyring.Identity) *Sealer {
	t.Helper()
	s, err := New(ids)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// encrypt seals a file with the program.
func encrypt(t *testing.T, name, plain string, to []keyring.Identity, rule ...string) []byte {
	t.Helper()
	var ids []string
	for _, id := range to {
		ids = append(ids, id.Recipient().ID)
	}
	rules := "creation_rules:\n  - age: '" + strings.Join(ids, ",") + "'\n"
	for _, a := range rule {
		rules += "    " + a + "\n"
	}
	config := filepath.Join(t.TempDir(), ".sops.yaml")
	if err := os.WriteFile(config, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := runSops(t, name, []byte(plain), nil, "--config", config, "encrypt")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// plainFile is a file before it is sealed.
type plainFile struct {
	name, path, text string
	rule             []string // lines of the creation rule that seals it
}

func plainFiles() []plainFile {
	const secret = `apiVersion: v1
kind: Secret
metadata:
  name: shop # the shop
  labels: {app: shop, tier: "back"}
stringData:
  # who
  user: "admin"
  PASSWORD: hunter2
  multi: |
    one
    two
  empty: ""
  nothing: null
  number: 42
  float: 1.5
  yes: true
  date: 2027-01-31T12:00:00Z
  list:
    - a
    # in between
    - b: c
      d: [1, 2.50, x]
`
	const js = "{\n  \"a\": \"b\",\n  \"n\": 12345678901,\n  \"f\": 1e3,\n  \"t\": true,\n  \"z\": null,\n  \"e\": \"\",\n  \"l\": [1, {\"x\": \"y\"}, []],\n  \"o_unencrypted\": {\"p\": 0.5, \"q\": \"<ö>\"}\n}\n"
	return []plainFile{
		{"yaml", "a.yaml", secret, nil},
		{"yaml by regex", "a.yaml", secret, []string{"encrypted_regex: ^(data|stringData)$"}},
		{"yaml by unencrypted regex", "a.yaml", secret, []string{"unencrypted_regex: ^(metadata|kind|apiVersion)$"}},
		{"yaml by suffix", "a.yaml", strings.ReplaceAll(secret, "user:", "user_enc:"), []string{"encrypted_suffix: _enc"}},
		{"yaml by comment", "a.yaml", secret, []string{"encrypted_comment_regex: who"}},
		{"yaml by unencrypted comment", "a.yaml", secret, []string{"unencrypted_comment_regex: the shop|who"}},
		{"yaml mac only encrypted", "a.yaml", secret, []string{"encrypted_regex: ^stringData$", "mac_only_encrypted: true"}},
		{"yaml documents", "a.yml", secret + "---\n" + strings.Replace(secret, "hunter2", "hunter3", 1) + "---\n# last\nx: y\n", nil},
		{"json", "a.json", js, nil},
		{"json by regex", "a.json", js, []string{"encrypted_regex: ^l$"}},
		{"dotenv", "a.env", "# head\nA=b\nQUOTED=\"x y\"\nEMPTY=\nMULTI=a\\nb\nEQ=a=b#c\nC_unencrypted=plain  \n", nil},
		{"ini", "a.ini", "; top\n[one]\n; who\na = b\nc_unencrypted = \"d e\"\n[two.three]\nx.y = 1\nempty =\n", nil},
		{"binary", "a.bin", "\x00\x01 any\nthing \xff", nil},
		{"text", "tls.key", "some text\n", nil},
	}
}

func TestResealedFilesOpenInSops(t *testing.T) {
	a, b, c := newID(t), newID(t), newID(t)
	wants := []struct {
		name string
		to   []keyring.Identity
		want sops.Rekey
		now  []keyring.Identity
	}{
		{"replace", []keyring.Identity{a}, sops.Rekey{Remove: rs(a), Add: rs(b)}, []keyring.Identity{b}},
		{"replace one of two", []keyring.Identity{a, c}, sops.Rekey{Remove: rs(a), Add: rs(b), Known: rs(c)}, []keyring.Identity{b, c}},
		{"remove", []keyring.Identity{c, a}, sops.Rekey{Remove: rs(a), Known: rs(c)}, []keyring.Identity{c}},
		{"add", []keyring.Identity{a}, sops.Rekey{Add: rs(b), Known: rs(a)}, []keyring.Identity{a, b}},
		{"one for two", []keyring.Identity{a}, sops.Rekey{Remove: rs(a), Add: rs(b, c)}, []keyring.Identity{b, c}},
		{"anew", []keyring.Identity{a}, sops.Rekey{Known: rs(a)}, []keyring.Identity{a}},
	}
	for _, p := range plainFiles() {
		for _, w := range wants {
			for _, way := range []string{bySpan, byLibrary} {
				t.Run(p.name+"/"+w.name+"/"+way, func(t *testing.T) {
					t.Parallel()
					sealed := encrypt(t, p.path, p.text, w.to, p.rule...)
					before, err := runSops(t, p.path, sealed, w.to, "decrypt")
					if err != nil {
						t.Fatal(err)
					}
					s := sealer(t, a, b, c)
					if way == byLibrary {
						s = s.ByLibrary()
					}
					got, err := s.Reseal(context.Background(), p.path, sealed, w.want)
					if err != nil {
						t.Fatalf("%v\n%s", err, sealed)
					}
					if got.Way != way {
						t.Errorf("went the way %q", got.Way)
					}
					for _, id := range w.now {
						after, err := runSops(t, p.path, got.Data, []keyring.Identity{id}, "decrypt")
						if err != nil || !bytes.Equal(before, after) {
							t.Errorf("decrypts to another plaintext, %v\n%s\n%s", err, before, after)
						}
					}
					if len(w.want.Remove) > 0 {
						if _, err := runSops(t, p.path, got.Data, []keyring.Identity{a}, "decrypt"); err == nil {
							t.Error("the removed key still decrypts it")
						}
					}
				})
			}
		}
	}
}

func rs(ids ...keyring.Identity) []sops.Recipient {
	var out []sops.Recipient
	for _, id := range ids {
		out = append(out, id.Recipient())
	}
	return out
}
