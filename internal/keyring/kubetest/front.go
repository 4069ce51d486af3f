package kubetest

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// Front stands between a keyring and an API server, and lets things happen there.
type Front struct {
	Cluster
	mu     sync.Mutex
	before func()
	lose   int
}

// Front puts itself before the cluster.
func (c *Cluster) Front(t testing.TB) *Front {
	to, err := url.Parse(c.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := c.transport()
	t.Cleanup(transport.CloseIdleConnections)
	proxy := httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, Transport: transport}
	f := &Front{Cluster: *c}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before, lose := f.happens(r.Method)
		before()
		if !lose {
			proxy.ServeHTTP(w, r)
			return
		}
		proxy.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	f.URL = server.URL
	f.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return f
}

// Before lets something happen just before the next write arrives.
func (f *Front) Before(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = do
}

// Lose loses the answer to the next write, which takes effect.
func (f *Front) Lose() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lose++
}

func (f *Front) happens(method string) (before func(), lose bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if method == http.MethodGet {
		return func() {}, false
	}
	before, f.before = f.before, nil
	if before == nil {
		before = func() {}
	}
	if f.lose > 0 {
		f.lose--
		return before, true
	}
	return before, false
}
