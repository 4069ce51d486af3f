package kubetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Real starts a kube-apiserver on an etcd of its own, both from tools/kube, which builds
// them at the first time; they end with the test. Authorization is RBAC, and the bot is
// a service account with a role by resourceNames.
func Real(t *testing.T) *Cluster {
	bin, dir := programs(t), t.TempDir()
	etcd, peer, api := freeAddress(t), freeAddress(t), freeAddress(t)
	start(t, filepath.Join(bin, "etcd"), "--data-dir="+filepath.Join(dir, "etcd"), "--unsafe-no-fsync", "--log-level=error",
		"--listen-client-urls=http://"+etcd, "--advertise-client-urls=http://"+etcd,
		"--listen-peer-urls=http://"+peer, "--initial-advertise-peer-urls=http://"+peer, "--initial-cluster=default=http://"+peer)
	cert, key := Certificate(t)
	for name, data := range map[string][]byte{
		"tls.crt": cert, "tls.key": key,
		"tokens": []byte("token-of-the-admin,admin,1,system:masters\ntoken-of-a-stranger,stranger,2\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	host, port, _ := net.SplitHostPort(api)
	log := start(t, filepath.Join(bin, "kube-apiserver"), "--etcd-servers=http://"+etcd, "--bind-address="+host, "--advertise-address="+host, "--secure-port="+port,
		"--tls-cert-file="+filepath.Join(dir, "tls.crt"), "--tls-private-key-file="+filepath.Join(dir, "tls.key"),
		"--token-auth-file="+filepath.Join(dir, "tokens"), "--anonymous-auth=false", "--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file="+filepath.Join(dir, "tls.key"),
		"--service-account-signing-key-file="+filepath.Join(dir, "tls.key"), "--service-cluster-ip-range=10.0.0.0/24", "-v=0")
	c := &Cluster{URL: "https://" + api, CA: cert, Admin: "token-of-the-admin", Stranger: "token-of-a-stranger"}
	c.ready(t, log)
	c.populate(t)
	return c
}

// programs returns the directory of etcd and kube-apiserver.
func programs(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	build := filepath.Join("tools", "kube", "build")
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, build)); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no tools/kube/build above the working directory")
		}
	}
	cmd := exec.Command(filepath.Join(dir, build))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("build the API server: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// start runs a program until the test ends, and returns what it says. It ends too when
// this process is killed: its parent is a shell that reads from here.
func start(t *testing.T, name string, args ...string) (log string) {
	t.Helper()
	log = filepath.Join(t.TempDir(), "log")
	said, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", append([]string{"-c", `"$@" & child=$!; cat; kill "$child"; wait "$child"`, "sh", name}, args...)...)
	cmd.Stdout, cmd.Stderr = said, said
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = in.Close(), cmd.Wait() // it was told to go
		if t.Failed() {
			t.Logf("%s said at its end:\n%s", filepath.Base(name), tail(log))
		}
		_ = said.Close()
	})
	return log
}

func tail(log string) string {
	text, err := os.ReadFile(log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// freeAddress is one that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Certificate makes a self-signed one for loopback, and its key, both in PEM.
func Certificate(t testing.TB) (cert, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	like := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "kube-apiserver"}, NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, like, like, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw})
}

// ready waits until the API server serves, its roles included.
func (c *Cluster) ready(t *testing.T, log string) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if a, err := c.try(c.Admin, http.MethodGet, "/readyz", "", ""); err == nil && a.Code == 200 {
			return
		}
	}
	t.Fatalf("the API server is not ready; it said:\n%s", tail(log))
}

// populate makes the namespace, and the service account that may get and patch the one
// Secret.
func (c *Cluster) populate(t *testing.T) {
	t.Helper()
	in := "/namespaces/" + Namespace
	rbac := "/apis/rbac.authorization.k8s.io/v1" + in
	for _, o := range []struct{ path, body string }{
		{"/api/v1/namespaces", `{"metadata":{"name":"` + Namespace + `"}}`},
		{"/api/v1" + in + "/serviceaccounts", `{"metadata":{"name":"bot"}}`},
		{rbac + "/roles", `{"metadata":{"name":"bot"},"rules":[{"apiGroups":[""],"resources":["secrets"],"resourceNames":["` + Secret + `"],"verbs":["get","patch"]}]}`},
		{rbac + "/rolebindings", `{"metadata":{"name":"bot"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"bot"},"subjects":[{"kind":"ServiceAccount","name":"bot","namespace":"` + Namespace + `"}]}`},
	} {
		if a := c.do(t, c.Admin, http.MethodPost, o.path, plain, o.body); a.Code != 201 {
			t.Fatalf("make %s: %d %s", o.path, a.Code, a.Reason)
		}
	}
	a := c.do(t, c.Admin, http.MethodPost, "/api/v1"+in+"/serviceaccounts/bot/token", plain, `{"spec":{}}`)
	if c.Bot = a.text("status", "token"); c.Bot == "" {
		t.Fatalf("no token for the service account: %d %s", a.Code, a.Reason)
	}
	// A role takes effect once the API server's own watch has seen it.
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if a := c.do(t, c.Bot, http.MethodGet, secretPath(Secret), "", ""); a.Code == 404 {
			return
		}
	}
	t.Fatal("the service account's role takes no effect")
}
