package keyring

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/keyring/kubetest"
	"github.com/sealward/sealward/internal/sops"
)

// openKubeAs opens the keyring with a token.
func openKubeAs(t *testing.T, c *kubetest.Cluster, token, query string) (Keyring, error) {
	t.Helper()
	path := c.Kubeconfig(t, token)
	return Open("kubernetes://"+kubetest.Namespace+"/"+kubetest.Secret+query, Options{
		Getenv: func(name string) string { return map[string]string{"KUBECONFIG": path}[name] },
	})
}

func opened(t *testing.T, c *kubetest.Cluster, token string) Keyring {
	t.Helper()
	k, err := openKubeAs(t, c, token, "")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestKube runs on the small server, and on a real kube-apiserver where
// SEALWARD_TEST_KUBE=1 asks for it.
func TestKube(t *testing.T) {
	kubetest.Each(t, func(t *testing.T, c *kubetest.Cluster) {
		for name, test := range map[string]func(*testing.T, *kubetest.Cluster){
			"conforms":                  kubetest.Conform,
			"mints beside and retires":  kubeMintsBesideAndRetires,
			"works by its one role":     kubeWorksByItsRole,
			"makes the newest key":      kubeMakesTheNewest,
			"swaps again after others":  kubeSwapsAgain,
			"refuses malformed entries": kubeRefusesEntries,
			"refuses what it may not":   kubeRefusesRights,
		} {
			t.Run(name, func(t *testing.T) {
				c.Clear(t)
				test(t, c)
			})
		}
	})
}

func kubeMintsBesideAndRetires(t *testing.T, c *kubetest.Cluster) {
	ctx := context.Background()
	k, err := openKubeAs(t, c, c.Admin, "?context=eu")
	if err != nil {
		t.Fatal(err)
	}
	if got := held3(t, k); len(got) != 0 {
		t.Fatalf("holds %v before it exists", got)
	}
	first := mint(t, k)
	old, err := Generate(false)
	if err != nil {
		t.Fatal(err)
	}
	c.Put(t, "age.agekey", entryText(old, "2021-01-02T15:30:45+01:00"))
	c.Put(t, "identity.asc", "something of PGP's")
	c.Put(t, "age.key", entryText(old, ""))
	second := mint(t, k)
	if got := held3(t, k); len(got) != 3 || got[2] != old.Recipient() || got[0] != second || got[1] != first {
		t.Fatalf("held %v", got)
	}
	entries := c.Entries(t)
	if len(entries) != 5 {
		t.Errorf("%d entries", len(entries))
	}
	for name := range entries {
		if !strings.HasSuffix(name, suffix) && name != "age.key" && name != "identity.asc" {
			t.Errorf("Flux would not read %s", name)
		}
	}
	if l := c.Labels(t); fmt.Sprint(l) != "map["+watchLabel+":Enabled]" {
		t.Errorf("labels %v", l)
	}
	warnings, err := k.Warnings(ctx, "prod")
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "age.key") {
		t.Errorf("warnings %v, %v", warnings, err)
	}
	if _, err := k.Retire(ctx, "prod", first); err == nil {
		t.Error("the current key was retired")
	}
	done, err := k.Retire(ctx, "prod", second)
	if err != nil || fmt.Sprint(done.Removed) != fmt.Sprint([]sops.Recipient{first, old.Recipient()}) {
		t.Fatalf("%v, %v", done, err)
	}
	if got := held3(t, k); len(got) != 1 || got[0] != second || len(c.Entries(t)) != 3 {
		t.Errorf("held %v, %d entries", got, len(c.Entries(t)))
	}
}

// get and patch on one Secret are all that a keyring needs once the Secret is there.
func kubeWorksByItsRole(t *testing.T, c *kubetest.Cluster) {
	k := opened(t, c, c.Bot)
	if _, err := k.Mint(context.Background(), "prod"); err == nil || !strings.Contains(err.Error(), "may not create it (403)") {
		t.Fatalf("made without the right to: %v", err)
	}
	mint(t, opened(t, c, c.Admin))
	second := mint(t, k)
	if done, err := k.Retire(context.Background(), "prod", second); err != nil || len(done.Removed) != 1 {
		t.Fatalf("%v, %v", done, err)
	}
	if got := held3(t, k); len(got) != 1 || got[0] != second {
		t.Errorf("held %v", got)
	}
}

// Whatever the clocks say, the key that was made last is the current one.
func kubeMakesTheNewest(t *testing.T, c *kubetest.Cluster) {
	k := opened(t, c, c.Admin)
	first := mint(t, k)
	second := mint(t, k)
	if _, err := k.Retire(context.Background(), "prod", second); err != nil {
		t.Fatal(err)
	}
	third := mint(t, k)
	if got := held3(t, k); len(got) != 2 || got[0] != third || got[1] != second {
		t.Errorf("held %v after %s, %s and %s", got, first, second, third)
	}
	ahead, err := Generate(false)
	if err != nil {
		t.Fatal(err)
	}
	c.Put(t, "ahead.agekey", entryText(ahead, "2999-01-01T00:00:00+02:00"))
	fourth := mint(t, k)
	if got := held3(t, k); len(got) != 4 || got[0] != fourth || got[1] != ahead.Recipient() {
		t.Errorf("held %v, want %s to be the newest", got, fourth)
	}
}

func kubeSwapsAgain(t *testing.T, c *kubetest.Cluster) {
	front := c.Front(t)
	k := opened(t, &front.Cluster, c.Admin)
	mint(t, k)
	other, err := Generate(false)
	if err != nil {
		t.Fatal(err)
	}
	front.Before(func() { c.Put(t, "theirs.agekey", entryText(other, "")) })
	mint(t, k)
	if got := held3(t, k); len(got) != 3 {
		t.Errorf("a key was lost: %v", got)
	}
	front.Lose()
	mint(t, k)
	if got := held3(t, k); len(got) != 4 {
		t.Errorf("a lost answer made %d keys of 4", len(got))
	}
	front.Lose()
	if done, err := k.Retire(context.Background(), "prod", sops.Recipient{}); err != nil || len(done.Removed) != 3 {
		t.Errorf("%v, %v", done, err)
	}
	// The Secret is deleted and made anew between reading and writing.
	front.Before(func() {
		c.Clear(t)
		c.Put(t, "theirs.agekey", entryText(other, ""))
	})
	mint(t, k)
	if got := held3(t, k); len(got) != 2 || !slices.Contains(got, other.Recipient()) {
		t.Errorf("held %v", got)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if _, err := k.Mint(context.Background(), "prod"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := held3(t, k); len(got) != 6 {
		t.Errorf("%d keys of 6", len(got))
	}
}

func kubeRefusesEntries(t *testing.T, c *kubetest.Cluster) {
	ctx := context.Background()
	good, err := Generate(false)
	if err != nil {
		t.Fatal(err)
	}
	text := entryText(good, "")
	for name, bad := range map[string]string{
		"a cut key":      text[:len(text)-8],
		"blanks":         "  " + good.Expose() + "\n",
		"another text":   "hunter2",
		"a blank line":   text + "  \n",
		"a sealed entry": "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n",
	} {
		c.Clear(t)
		k := opened(t, c, c.Bot)
		c.Put(t, "good.agekey", text)
		c.Put(t, "bad.agekey", bad)
		_, errRead := k.Identities(ctx, "prod")
		_, errMint := k.Mint(ctx, "prod")
		_, errRetire := k.Retire(ctx, "prod", good.Recipient())
		for _, err := range []error{errRead, errMint, errRetire} {
			if err == nil || !strings.Contains(err.Error(), "entry bad.agekey") || strings.Contains(err.Error(), good.Expose()[20:40]) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(c.Entries(t)) != 2 {
			t.Errorf("%s: it was written to", name)
		}
	}
}

func kubeRefusesRights(t *testing.T, c *kubetest.Cluster) {
	for query, want := range map[string]string{"?context=other": "exec plugin", "?context=lost": "no cluster", "?context=none": "it has eu, lost, other", "?x=y": "no option"} {
		if _, err := openKubeAs(t, c, c.Admin, query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
	good, err := Generate(false)
	if err != nil {
		t.Fatal(err)
	}
	c.Put(t, "a.agekey", entryText(good, ""))
	for who, want := range map[string]string{c.Stranger: "(403)", "no-token-of-theirs": "(401)"} {
		if _, err := opened(t, c, who).Mint(context.Background(), "prod"); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "AGE-SECRET") {
			t.Errorf("forbidden: %v, want %s", err, want)
		}
	}
	// A certificate that the kubeconfig does not vouch for.
	front := c.Front(t)
	front.CA, _ = kubetest.Certificate(t)
	if _, err := opened(t, &front.Cluster, c.Admin).Identities(context.Background(), "prod"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("another server's certificate: %v", err)
	}
	c.Patch(t, `{"immutable":true}`)
	if _, err := opened(t, c, c.Bot).Mint(context.Background(), "prod"); err == nil || !strings.Contains(err.Error(), "immutable") {
		t.Errorf("immutable: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, address := range []string{"", "vault://x/y", "file:relative", "file://host/x", "file:///", "kubernetes://a", "kubernetes://a/b/c", "kubernetes://A_B/c", "file:///a?b=c", "://"} {
		if _, err := Open(address, Options{Getenv: func(string) string { return "" }}); err == nil {
			t.Errorf("%q opens", address)
		}
	}
	k, err := Open("operator", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Mint(context.Background(), "prod"); err == nil || !strings.Contains(err.Error(), "--to") {
		t.Error(err)
	}
	if ids, err := k.Identities(context.Background(), "prod"); err != nil || len(ids) != 0 {
		t.Error(ids, err)
	}
}

func TestNameTime(t *testing.T) {
	at := time.Date(2027, 1, 31, 12, 0, 5, 0, time.UTC)
	for name, want := range map[string]time.Time{
		"2027-01-31T120005Z.agekey":    at,
		"2027-01-31T120005Z_02.agekey": at,
		"2027-01-31.agekey":            at.Truncate(24 * time.Hour),
		"age.agekey":                   {},
		"2027-13-31.agekey":            {},
	} {
		if got := nameTime(name); !got.Equal(want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	valid := regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)
	s := &secret{Data: map[string][]byte{"2027-01-31T120005Z.agekey": nil, "2027-01-31T120005Z_02.agekey": nil}}
	if got := freeName(s, at); got != "2027-01-31T120005Z_03.agekey" || !valid.MatchString(got) {
		t.Error(got)
	}
}
