package keyring

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sealward/sealward/internal/sops"
)

func openAt(t *testing.T, path string) Keyring {
	t.Helper()
	k, err := Open("file://"+path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mint(t *testing.T, k Keyring) sops.Recipient {
	t.Helper()
	r, err := k.Mint(context.Background(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func held3(t *testing.T, k Keyring) []sops.Recipient {
	t.Helper()
	ids, err := k.Identities(context.Background(), "prod")
	if err != nil {
		t.Fatal(err)
	}
	return recipients(ids)
}

func TestFileMintsBesideAndRetires(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "keys", "prod.agekey")
	k := openAt(t, path)
	if got := held3(t, k); len(got) != 0 {
		t.Fatalf("a new keyring holds %v", got)
	}
	first := mint(t, k)
	head := "# the keys of prod, ask the platform team\n\n"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte(head), data...), 0o600); err != nil {
		t.Fatal(err)
	}
	second, third := mint(t, k), mint(t, k)
	if got := held3(t, k); fmt.Sprint(got) != fmt.Sprint([]sops.Recipient{third, second, first}) {
		t.Fatalf("held %v, want the newest first", got)
	}
	for _, keep := range []sops.Recipient{first, {Kind: sops.Age, ID: "age1nobody"}} {
		if _, err := k.Retire(ctx, "prod", keep); err == nil {
			t.Errorf("retired the current key for %s", keep)
		}
	}
	done, err := k.Retire(ctx, "prod", third)
	if err != nil || fmt.Sprint(done.Removed) != fmt.Sprint([]sops.Recipient{second, first}) {
		t.Fatalf("%v, %v", done, err)
	}
	if got := held3(t, k); len(got) != 1 || got[0] != third {
		t.Fatalf("held %v after retiring", got)
	}
	data, err = os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(data), head) || strings.Count(string(data), "AGE-SECRET-KEY-") != 1 {
		t.Errorf("the head comment is gone, or a key is not: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if rest, err := os.ReadDir(filepath.Dir(path)); err != nil || len(rest) != 1 {
		t.Errorf("left behind: %v, %v", rest, err)
	}
}

func TestFileRefuses(t *testing.T) {
	ctx := context.Background()
	good, err := Generate(false)
	if err != nil {
		t.Fatal(err)
	}
	text := entryText(good, "")
	broken := strings.Replace(text, "AGE-SECRET-KEY-1", "AGE-SECRET-KEY-1Q", 1)
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"world-readable": {text, 0o644, "chmod 600"},
		"group-readable": {text, 0o640, "chmod 600"},
		"a damaged key":  {broken, 0o600, "line 2"},
		"other text":     {"hunter2\n", 0o600, "line 1"},
		"a sealed file":  {"-----BEGIN AGE ENCRYPTED FILE-----\n", 0o600, "passphrase"},
		"an open block":  {"-----BEGIN OPENSSH PRIVATE KEY-----\n", 0o600, "without an end"},
		"a large file":   {strings.Repeat("#\n", maxText/2+1), 0o600, "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "prod.agekey")
			if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
				t.Fatal(err)
			}
			k := openAt(t, path)
			_, err := k.Identities(ctx, "prod")
			_, errMint := k.Mint(ctx, "prod")
			for _, err := range []error{err, errMint} {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				} else if strings.Contains(err.Error(), good.Expose()[20:40]) || strings.Contains(err.Error(), "hunter2") {
					t.Error("the error holds what the file holds")
				}
			}
			if data, err := os.ReadFile(path); err != nil || string(data) != c.text {
				t.Error("a refused file was changed")
			}
		})
	}
}

func TestFileKeepsItsLink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "prod.agekey")
	if err := os.Symlink("real.agekey", link); err != nil {
		t.Fatal(err)
	}
	if _, err := openAt(t, link).Mint(context.Background(), "prod"); err == nil || !strings.Contains(err.Error(), "link to nothing") {
		t.Fatalf("a dangling link: %v", err)
	}
	mint(t, openAt(t, filepath.Join(dir, "real.agekey")))
	mint(t, openAt(t, link))
	if got := held3(t, openAt(t, filepath.Join(dir, "real.agekey"))); len(got) != 2 {
		t.Errorf("the target holds %d keys, want 2", len(got))
	}
	if to, err := os.Readlink(link); err != nil || to != "real.agekey" {
		t.Errorf("the link became %q, %v", to, err)
	}
}

func TestFileMintsAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prod.agekey")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := openAt(t, path).Mint(context.Background(), "prod"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := held3(t, openAt(t, path)); len(got) != 8 {
		t.Errorf("%d keys of 8 are there", len(got))
	}
}

func TestIdentityNeverPrints(t *testing.T) {
	for _, pq := range []bool{false, true} {
		id, err := Generate(pq)
		if err != nil {
			t.Fatal(err)
		}
		secret := id.Expose()
		if again, err := ParseIdentity(secret); err != nil || again.Recipient() != id.Recipient() {
			t.Fatalf("does not read back: %v", err)
		}
		var log strings.Builder
		slog.New(slog.NewJSONHandler(&log, nil)).Info("key", "id", id, "ids", []Identity{id}, "in", struct{ ID Identity }{id})
		slog.New(slog.NewTextHandler(&log, nil)).Info("key", "id", id, "ids", []Identity{id}, "in", struct{ ID Identity }{id})
		js, err := json.Marshal(map[string]any{"a": id, "b": &id, "c": []Identity{id}})
		if err != nil {
			t.Fatal(err)
		}
		out := log.String() + string(js)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
			out += fmt.Sprintf(verb, id) + fmt.Sprintf(verb, &id) + fmt.Sprintf(verb, []Identity{id}) + fmt.Sprintf(verb, struct{ ID Identity }{id})
		}
		if strings.Contains(out, secret) || strings.Contains(out, secret[20:40]) || strings.Contains(out, fmt.Sprintf("%x", secret)) {
			t.Error("an identity printed itself")
		}
		if !strings.Contains(out, redacted) {
			t.Error("nothing was printed at all")
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	id, err := Generate(false)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(entryText(id, "2027-01-31T12:00:00Z")+"\n# note\n"+entryText(id, ""), true)
	f.Add("\r\n \n#\n-----BEGIN X-----\n-----END X-----", false)
	f.Fuzz(func(t *testing.T, text string, exact bool) {
		e, err := parseEntry(text, exact)
		if err != nil {
			if strings.Contains(err.Error(), "AGE-SECRET-KEY-1Q") {
				t.Error("the error holds the text")
			}
			return
		}
		at := 0
		for _, h := range e.held {
			if h.start < at || h.end < h.start || h.end > len(text) {
				t.Fatalf("an identity at %d to %d of %d", h.start, h.end, len(text))
			}
			at = h.end
		}
		if rest, gone := e.without(sops.Recipient{}); len(gone) != len(e.held) {
			t.Fatalf("%d of %d were taken out", len(gone), len(e.held))
		} else if again, err := parseEntry(rest, exact); err != nil || len(again.held) != 0 {
			t.Fatalf("the rest holds %d, %v", len(again.held), err)
		}
	})
}
