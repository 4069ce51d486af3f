package keyring

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/sops"
)

// apiServer is as much of an API server as the keyring speaks to: Secrets with resource
// versions, roles by resourceNames, and the checks of names.
type apiServer struct {
	*httptest.Server
	mu       sync.Mutex
	version  int
	secrets  map[string]map[string]any
	only     string // the one Secret that the token may get and patch; "" allows all
	before   func() // runs before a write is looked at
	lose     int    // how many answers to writes are lost after they took effect
	requests []string
}

const token = "the-token-of-the-bot"

func newAPIServer(t *testing.T) *apiServer {
	s := &apiServer{secrets: map[string]map[string]any{}}
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	return s
}

// open writes a kubeconfig and opens the keyring of flux-system/sops-age.
func (s *apiServer) open(t *testing.T, query string) (Keyring, error) {
	t.Helper()
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	config := "apiVersion: v1\nkind: Config\ncurrent-context: eu\n" +
		"clusters:\n- name: eu\n  cluster: {server: '" + s.URL + "', certificate-authority-data: " + ca + "}\n" +
		"contexts:\n- name: eu\n  context: {cluster: eu, user: bot}\n- name: other\n  context: {cluster: eu, user: runs}\n- name: lost\n  context: {cluster: gone, user: bot}\n" +
		"users:\n- name: bot\n  user: {token: " + token + "}\n- name: runs\n  user:\n    exec: {command: aws, apiVersion: v1}\n"
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return Open("kubernetes://flux-system/sops-age"+query, Options{
		Getenv: func(name string) string { return map[string]string{"KUBECONFIG": path}[name] },
	})
}

func (s *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	before := s.before
	if r.Method != http.MethodGet {
		s.before = nil
	}
	s.mu.Unlock()
	if before != nil && r.Method != http.MethodGet {
		before()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.Method)
	name := strings.Trim(strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/flux-system/secrets"), "/")
	fail := func(code int, reason string) {
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"kind":"Status","status":"Failure","reason":%q,"message":"AGE-SECRET-KEY-in-a-message","code":%d}`, reason, code)
	}
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token:
		fail(401, "Unauthorized")
	case s.only != "" && (name != s.only || r.Method == http.MethodPost):
		fail(403, "Forbidden")
	case r.Method == http.MethodPost:
		var in map[string]any
		if json.Unmarshal(body, &in) != nil {
			fail(400, "BadRequest")
			return
		}
		name = in["metadata"].(map[string]any)["name"].(string)
		if s.secrets[name] != nil {
			fail(409, "AlreadyExists")
			return
		}
		s.store(w, name, in, fail)
	case s.secrets[name] == nil:
		fail(404, "NotFound")
	case r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode(s.secrets[name])
	case r.Method == http.MethodPatch && r.Header.Get("Content-Type") == "application/merge-patch+json":
		var patch map[string]any
		if json.Unmarshal(body, &patch) != nil {
			fail(400, "BadRequest")
			return
		}
		have := s.secrets[name]["metadata"].(map[string]any)["resourceVersion"]
		if want := patch["metadata"].(map[string]any)["resourceVersion"]; want != nil && want != have {
			fail(409, "Conflict")
			return
		}
		s.store(w, name, merged(s.secrets[name], patch), fail)
	default:
		fail(415, "UnsupportedMediaType")
	}
}

var entryName = regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)

func (s *apiServer) store(w http.ResponseWriter, name string, in map[string]any, fail func(int, string)) {
	data, _ := in["data"].(map[string]any)
	for entry := range data {
		if !entryName.MatchString(entry) {
			fail(422, "Invalid")
			return
		}
	}
	s.version++
	in["metadata"].(map[string]any)["resourceVersion"] = strconv.Itoa(s.version)
	s.secrets[name] = in
	if s.lose > 0 {
		s.lose--
		panic(http.ErrAbortHandler)
	}
	_ = json.NewEncoder(w).Encode(in)
}

func merged(old, patch map[string]any) map[string]any {
	out := maps.Clone(old)
	if out == nil {
		out = map[string]any{}
	}
	for k, v := range patch {
		switch v := v.(type) {
		case nil:
			delete(out, k)
		case map[string]any:
			inner, _ := out[k].(map[string]any)
			out[k] = merged(inner, v)
		default:
			out[k] = v
		}
	}
	return out
}

// put sets an entry as somebody else would; an empty text removes it.
func (s *apiServer) put(entry, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	sec := s.secrets["sops-age"]
	if sec == nil {
		sec = map[string]any{"metadata": map[string]any{"name": "sops-age"}, "data": map[string]any{}}
		s.secrets["sops-age"] = sec
	}
	sec["metadata"].(map[string]any)["resourceVersion"] = strconv.Itoa(s.version)
	sec["data"].(map[string]any)[entry] = base64.StdEncoding.EncodeToString([]byte(text))
}

func (s *apiServer) entries() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, _ := s.secrets["sops-age"]["data"].(map[string]any)
	return maps.Clone(data)
}

func TestKubeMintsBesideAndRetires(t *testing.T) {
	ctx := context.Background()
	s := newAPIServer(t)
	k, err := s.open(t, "?context=eu")
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
	s.put("age.agekey", entryText(old, "2021-01-02T15:30:45+01:00"))
	s.put("identity.asc", "something of PGP's")
	s.put("age.key", entryText(old, ""))
	second := mint(t, k)
	if got := held3(t, k); len(got) != 3 || got[2] != old.Recipient() || got[0] != second || got[1] != first {
		t.Fatalf("held %v", got)
	}
	if len(s.entries()) != 5 {
		t.Errorf("entries %v", s.entries())
	}
	for name := range s.entries() {
		if !strings.HasSuffix(name, suffix) && name != "age.key" && name != "identity.asc" {
			t.Errorf("Flux would not read %s", name)
		}
	}
	if l := s.secrets["sops-age"]["metadata"].(map[string]any)["labels"]; fmt.Sprint(l) != "map["+watchLabel+":Enabled]" {
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
	if got := held3(t, k); len(got) != 1 || got[0] != second || len(s.entries()) != 3 {
		t.Errorf("held %v, entries %v", got, s.entries())
	}
}

func TestKubeSwapsAgainAfterOthers(t *testing.T) {
	s := newAPIServer(t)
	k, err := s.open(t, "")
	if err != nil {
		t.Fatal(err)
	}
	mint(t, k)
	other, err := Generate(false)
	if err != nil {
		t.Fatal(err)
	}
	s.before = func() { s.put("theirs.agekey", entryText(other, "")) }
	mint(t, k)
	if got := held3(t, k); len(got) != 3 {
		t.Errorf("a key was lost: %v", got)
	}
	s.lose = 1
	mint(t, k)
	if got := held3(t, k); len(got) != 4 {
		t.Errorf("a lost answer made %d keys of 4", len(got))
	}
	s.lose = 1
	if done, err := k.Retire(context.Background(), "prod", sops.Recipient{}); err != nil || len(done.Removed) != 3 {
		t.Errorf("%v, %v", done, err)
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
	if got := held3(t, k); len(got) != 5 {
		t.Errorf("%d keys of 5", len(got))
	}
}

func TestKubeRefuses(t *testing.T) {
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
		s := newAPIServer(t)
		k, err := s.open(t, "")
		if err != nil {
			t.Fatal(err)
		}
		s.put("good.agekey", text)
		s.put("bad.agekey", bad)
		_, errRead := k.Identities(ctx, "prod")
		_, errMint := k.Mint(ctx, "prod")
		_, errRetire := k.Retire(ctx, "prod", good.Recipient())
		for _, err := range []error{errRead, errMint, errRetire} {
			if err == nil || !strings.Contains(err.Error(), "entry bad.agekey") || strings.Contains(err.Error(), good.Expose()[20:40]) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(s.entries()) != 2 {
			t.Errorf("%s: it was written to", name)
		}
	}
	s := newAPIServer(t)
	for query, want := range map[string]string{"?context=other": "exec plugin", "?context=lost": "no cluster", "?context=none": "it has eu, lost, other", "?x=y": "no option"} {
		if _, err := s.open(t, query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
	s.only = "another"
	k, err := s.open(t, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Mint(ctx, "prod"); err == nil || !strings.Contains(err.Error(), "403") || strings.Contains(err.Error(), "AGE-SECRET") {
		t.Errorf("forbidden: %v", err)
	}
	s.only = ""
	s.put("a.agekey", text)
	s.secrets["sops-age"]["immutable"] = true
	if _, err := k.Mint(ctx, "prod"); err == nil || !strings.Contains(err.Error(), "immutable") {
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
	s := &secret{Data: map[string][]byte{"2027-01-31T120005Z.agekey": nil, "2027-01-31T120005Z_02.agekey": nil}}
	if got := freeName(s, at); got != "2027-01-31T120005Z_03.agekey" || !entryName.MatchString(got) {
		t.Error(got)
	}
}
