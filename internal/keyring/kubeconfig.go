package keyring

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// cluster is an API server and how to speak to it.
type cluster struct {
	server    string // https://host:port, without a slash at the end
	name      string // of the context, or "in-cluster", for messages
	token     string
	tokenFile string // read at each request: tokens of service accounts rotate
	user      string // of basic authentication
	password  string
	proxy     string
	tls       *tls.Config
	warnings  []string
}

// serviceAccount is where a pod finds its own credentials.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// findCluster looks where kubectl does: KUBECONFIG, the pod's own service account,
// ~/.kube/config. A context that is asked for by name never means the pod's own.
func findCluster(context string, getenv func(string) string) (*cluster, error) {
	if list := getenv("KUBECONFIG"); list != "" {
		return readKubeconfigs(filepath.SplitList(list), context)
	}
	if host := getenv("KUBERNETES_SERVICE_HOST"); host != "" && context == "" {
		return inCluster(host, getenv("KUBERNETES_SERVICE_PORT"))
	}
	if home := getenv("HOME"); home != "" {
		return readKubeconfigs([]string{filepath.Join(home, ".kube", "config")}, context)
	}
	return nil, errors.New("no cluster: set KUBECONFIG, or run in a pod with a service account")
}

func inCluster(host, port string) (*cluster, error) {
	if port == "" {
		port = "443"
	}
	pool, err := poolOf(filepath.Join(serviceAccount, "ca.crt"), nil)
	if err != nil {
		return nil, fmt.Errorf("the pod's service account: %w", err)
	}
	return &cluster{
		server: "https://" + net.JoinHostPort(host, port), name: "in-cluster",
		tokenFile: filepath.Join(serviceAccount, "token"),
		tls:       &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}, nil
}

// kubeEntry is a named entry of clusters, users or contexts: its fields by their
// path below the entry, and the directory that relative paths start at.
type kubeEntry struct {
	fields map[string]string
	dir    string
}

// kubeconfigs is the union of several files; what is named first wins.
type kubeconfigs struct {
	current                  string
	clusters, users, context map[string]kubeEntry
}

func readKubeconfigs(paths []string, context string) (*cluster, error) {
	all := kubeconfigs{clusters: map[string]kubeEntry{}, users: map[string]kubeEntry{}, context: map[string]kubeEntry{}}
	read := 0
	for _, p := range paths {
		if p == "" {
			continue
		}
		data, err := readLimited(p)
		if errors.Is(err, os.ErrNotExist) && len(paths) > 1 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read kubeconfig: %w", err)
		}
		if err := all.add(p, data); err != nil {
			return nil, err
		}
		read++
	}
	if read == 0 {
		return nil, errors.New("read kubeconfig: KUBECONFIG names no file that exists")
	}
	if context == "" {
		context = all.current
	}
	return all.cluster(context)
}

func (k *kubeconfigs) add(path string, data []byte) error {
	f := syntax.ParseAs(path, data, syntax.YAML)
	if f.Broken != nil || len(f.Docs) == 0 {
		return fmt.Errorf("read kubeconfig %s: it is not YAML", path)
	}
	doc := f.Docs[0]
	if k.current == "" {
		k.current = doc.Str("current-context")
	}
	dir := filepath.Dir(path)
	for list, into := range map[string]map[string]kubeEntry{"clusters": k.clusters, "users": k.users, "contexts": k.context} {
		for _, item := range doc.Items(list) {
			name := item.Str("name")
			if _, taken := into[name]; taken {
				continue
			}
			e := kubeEntry{map[string]string{}, dir}
			for _, l := range item.Under(strings.TrimSuffix(list, "s")) {
				keys := l.Path.Keys()[2:]
				if len(keys) > 0 {
					e.fields[strings.Join(keys, ".")] = l.Value
				}
			}
			into[name] = e
		}
	}
	return nil
}

// cluster resolves a context.
func (k *kubeconfigs) cluster(context string) (*cluster, error) {
	if context == "" {
		return nil, errors.New("the kubeconfig has no current-context; name one with ?context=NAME")
	}
	ctx, ok := k.context[context]
	if !ok {
		return nil, fmt.Errorf("the kubeconfig has no context %q; it has %s", context, names(k.context))
	}
	srv, ok := k.clusters[ctx.fields["cluster"]]
	if !ok {
		return nil, fmt.Errorf("context %q: no cluster %q in the kubeconfig", context, ctx.fields["cluster"])
	}
	user, ok := k.users[ctx.fields["user"]]
	if !ok && ctx.fields["user"] != "" {
		return nil, fmt.Errorf("context %q: no user %q in the kubeconfig", context, ctx.fields["user"])
	}
	c := &cluster{name: context, proxy: srv.fields["proxy-url"]}
	if err := errors.Join(c.serverOf(srv), c.userOf(user)); err != nil {
		return nil, fmt.Errorf("context %q: %w", context, err)
	}
	return c, nil
}

func (c *cluster) serverOf(e kubeEntry) error {
	u, err := url.Parse(e.fields["server"])
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("its server is not an https:// address")
	}
	c.server = strings.TrimSuffix(u.String(), "/")
	ip := net.ParseIP(u.Hostname())
	if u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("its server is http://, which would send keys in clear; use https://")
	}
	c.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: e.fields["tls-server-name"]}
	if e.fields["insecure-skip-tls-verify"] == "true" {
		if e.fields["certificate-authority"] != "" || e.fields["certificate-authority-data"] != "" {
			return errors.New("insecure-skip-tls-verify beside a certificate authority: remove one of them")
		}
		c.tls.InsecureSkipVerify = true
		c.warnings = append(c.warnings, fmt.Sprintf("context %q does not verify the API server's certificate (insecure-skip-tls-verify): "+
			"whoever stands between can read the keys", c.name))
		return nil
	}
	file, data, err := e.blob("certificate-authority")
	if err != nil || file == "" && data == nil {
		return err
	}
	c.tls.RootCAs, err = poolOf(file, data)
	return err
}

func (c *cluster) userOf(e kubeEntry) error {
	for field := range e.fields {
		switch name, _, _ := strings.Cut(field, "."); name {
		case "exec":
			return errors.New("its user signs in with an exec plugin, which runs a program that the kubeconfig names; " +
				"give the keyring a service account's token or a client certificate")
		case "auth-provider":
			return errors.New("its user signs in with an auth-provider, which kubectl itself dropped; use a token or a client certificate")
		case "as", "as-uid", "as-groups", "as-user-extra":
			return errors.New("its user impersonates another; name that other's own credentials")
		}
	}
	c.token, c.user, c.password = e.fields["token"], e.fields["username"], e.fields["password"]
	if f := e.fields["tokenFile"]; f != "" && c.token == "" {
		c.tokenFile = e.path(f)
	}
	certFile, cert, err := e.blob("client-certificate")
	if err != nil {
		return err
	}
	keyFile, key, err := e.blob("client-key")
	if err != nil {
		return err
	}
	if certFile != "" {
		if cert, err = readLimited(certFile); err != nil {
			return fmt.Errorf("its client-certificate: %w", err)
		}
	}
	if keyFile != "" {
		if key, err = readLimited(keyFile); err != nil {
			return fmt.Errorf("its client-key: %w", err)
		}
	}
	if len(cert) == 0 && len(key) == 0 {
		return nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return errors.New("its client-certificate and client-key do not fit each other")
	}
	if c.tls != nil {
		c.tls.Certificates = []tls.Certificate{pair}
	}
	return nil
}

// blob returns a field that is a file's name, or base64 under NAME-data, which wins.
func (e kubeEntry) blob(name string) (file string, data []byte, err error) {
	if text := e.fields[name+"-data"]; text != "" {
		data, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return "", nil, fmt.Errorf("its %s-data is not base64", name)
		}
		return "", data, nil
	}
	return e.path(e.fields[name]), nil, nil
}

func (e kubeEntry) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(e.dir, p)
}

// poolOf reads certificate authorities from a file, or from data where it is not nil.
func poolOf(file string, data []byte) (*x509.CertPool, error) {
	if data == nil {
		var err error
		if data, err = readLimited(file); err != nil {
			return nil, err
		}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, errors.New("its certificate authority holds no certificate")
	}
	return pool, nil
}

// readLimited reads a small file.
func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err == nil && len(data) > maxText {
		err = fmt.Errorf("%s has more than %d bytes", path, maxText)
	}
	return data, err
}

func names(m map[string]kubeEntry) string {
	if len(m) == 0 {
		return "none"
	}
	list := make([]string, 0, len(m))
	for name := range m {
		list = append(list, name)
	}
	return strings.Join(sorted(list), ", ")
}

// transport is the HTTP client's side of the cluster.
func (c *cluster) transport() (*http.Transport, error) {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: c.tls, ForceAttemptHTTP2: true, MaxIdleConns: 2}
	if c.proxy != "" {
		u, err := url.Parse(c.proxy)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("context %q: its proxy-url is not an address", c.name)
		}
		t.Proxy = http.ProxyURL(u)
	}
	return t, nil
}
