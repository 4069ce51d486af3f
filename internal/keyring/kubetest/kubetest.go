// Package kubetest is an API server of Kubernetes for the tests of keyrings: a small
// one in memory for every day, and the real one, kube-apiserver on etcd, where
// SEALWARD_TEST_KUBE=1 asks for it. [Conform] holds both to the same behaviour, so that
// what the small one teaches is true.
package kubetest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The Secret that the tests keep keys in.
const (
	Namespace = "flux-system"
	Secret    = "sops-age"
)

// The content types of requests.
const (
	plain = "application/json"
	merge = "application/merge-patch+json"
)

// Cluster is an API server. Its tokens are those of an administrator, of a service
// account that may get and patch the one [Secret] and nothing else, and of somebody who
// may do nothing.
type Cluster struct {
	URL                  string
	CA                   []byte // PEM
	Admin, Bot, Stranger string
}

// Each runs a test on the small cluster, and on the real one where that is asked for.
func Each(t *testing.T, test func(*testing.T, *Cluster)) {
	t.Run("small", func(t *testing.T) { test(t, Small(t)) })
	t.Run("real", func(t *testing.T) {
		if os.Getenv("SEALWARD_TEST_KUBE") != "1" {
			t.Skip("SEALWARD_TEST_KUBE=1 runs it on a real kube-apiserver; see CONTRIBUTING.md")
		}
		test(t, Real(t))
	})
}

// Answer is what the API server says.
type Answer struct {
	Code   int
	Reason string // of a failure: one word
	Body   map[string]any
}

// at reads a field by its path; nil where it is not there.
func (a Answer) at(path ...string) any {
	var v any = a.Body
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func (a Answer) text(path ...string) string {
	s, _ := a.at(path...).(string)
	return s
}

// do sends one request.
func (c *Cluster) do(t testing.TB, token, method, path, contentType, body string) Answer {
	t.Helper()
	a, err := c.try(token, method, path, contentType, body)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (c *Cluster) try(token, method, path, contentType, body string) (Answer, error) {
	req, err := http.NewRequest(method, c.URL+path, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	transport := c.transport()
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	a := Answer{Code: resp.StatusCode}
	if err != nil || json.Unmarshal(data, &a.Body) != nil {
		return a, err // a server that is not ready answers in words
	}
	if resp.StatusCode >= 300 {
		a.Reason = a.text("reason")
	}
	return a, nil
}

func (c *Cluster) transport() *http.Transport {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.CA)
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
}

// Kubeconfig writes a kubeconfig for a token, and returns its path. Its contexts are eu,
// which is the current one, other, whose user signs in with a program, and lost, whose
// cluster is not in it.
func (c *Cluster) Kubeconfig(t testing.TB, token string) string {
	t.Helper()
	text := "apiVersion: v1\nkind: Config\ncurrent-context: eu\n" +
		"clusters:\n- name: eu\n  cluster: {server: '" + c.URL + "', certificate-authority-data: " + base64.StdEncoding.EncodeToString(c.CA) + "}\n" +
		"contexts:\n- name: eu\n  context: {cluster: eu, user: bot}\n- name: other\n  context: {cluster: eu, user: runs}\n- name: lost\n  context: {cluster: gone, user: bot}\n" +
		"users:\n- name: bot\n  user: {token: " + token + "}\n- name: runs\n  user:\n    exec: {command: aws, apiVersion: v1}\n"
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func secretPath(name string) string {
	return strings.TrimSuffix("/api/v1/namespaces/"+Namespace+"/secrets/"+name, "/")
}

// Clear removes the Secret.
func (c *Cluster) Clear(t testing.TB) {
	t.Helper()
	if a := c.do(t, c.Admin, http.MethodDelete, secretPath(Secret), "", ""); a.Code != 200 && a.Code != 404 {
		t.Fatalf("delete the Secret: %d %s", a.Code, a.Reason)
	}
}

// Put sets an entry of the Secret as somebody else would, and makes the Secret where
// there is none.
func (c *Cluster) Put(t testing.TB, entry, text string) {
	t.Helper()
	data := fmt.Sprintf(`{"data":{%q:%q}}`, entry, base64.StdEncoding.EncodeToString([]byte(text)))
	a := c.do(t, c.Admin, http.MethodPatch, secretPath(Secret), merge, data)
	if a.Code == 404 {
		a = c.do(t, c.Admin, http.MethodPost, secretPath(""), plain, secretOf(Secret, data[1:len(data)-1]))
	}
	if a.Code >= 300 {
		t.Fatalf("write an entry: %d %s", a.Code, a.Reason)
	}
}

// Patch changes the Secret by a merge patch.
func (c *Cluster) Patch(t testing.TB, patch string) {
	t.Helper()
	if a := c.do(t, c.Admin, http.MethodPatch, secretPath(Secret), merge, patch); a.Code != 200 {
		t.Fatalf("patch the Secret: %d %s", a.Code, a.Reason)
	}
}

// secretOf is a Secret as JSON.
func secretOf(name, more string) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":%q},%s}`, name, more)
}

// Entries returns what the Secret holds, decoded; nil where there is none.
func (c *Cluster) Entries(t testing.TB) map[string]string {
	t.Helper()
	a := c.do(t, c.Admin, http.MethodGet, secretPath(Secret), "", "")
	data, _ := a.at("data").(map[string]any)
	out := map[string]string{}
	for name, v := range data {
		text, err := base64.StdEncoding.DecodeString(v.(string))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(text)
	}
	return out
}

// Labels returns the labels of the Secret.
func (c *Cluster) Labels(t testing.TB) map[string]any {
	t.Helper()
	labels, _ := c.do(t, c.Admin, http.MethodGet, secretPath(Secret), "", "").at("metadata", "labels").(map[string]any)
	return labels
}
