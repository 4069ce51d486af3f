package keyring

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// kubeClient speaks to the Secrets of an API server: three calls of plain REST, which
// cost nothing beside the fifteen megabytes of a client library. No answer's text ever
// reaches an error, because an answer may hold a key.
type kubeClient struct {
	cluster *cluster
	http    *http.Client
}

// secret is as much of a v1/Secret as the keyring reads and writes.
type secret struct {
	APIVersion string            `json:"apiVersion,omitempty"`
	Kind       string            `json:"kind,omitempty"`
	Metadata   secretMeta        `json:"metadata"`
	Type       string            `json:"type,omitempty"`
	Immutable  bool              `json:"immutable,omitempty"`
	Data       map[string][]byte `json:"data,omitempty"`
}

type secretMeta struct {
	Name            string            `json:"name,omitempty"`
	Namespace       string            `json:"namespace,omitempty"`
	ResourceVersion string            `json:"resourceVersion,omitempty"`
	UID             string            `json:"uid,omitempty"`
	Labels          map[string]string `json:"labels,omitempty"`
}

// secretPatch is a JSON merge patch: a nil entry is removed. The resource version
// makes it a compare-and-swap, and the UID keeps it from a Secret that was deleted
// and made anew.
type secretPatch struct {
	Metadata secretMeta         `json:"metadata"`
	Data     map[string]*[]byte `json:"data,omitempty"`
}

var (
	errConflict = errors.New("somebody else changed the Secret at the same moment")
	errMissing  = errors.New("there is no such Secret")
	errUnsure   = errors.New("the API server did not answer")
)

// maxAnswer bounds what is read of an answer; etcd stores at most 1.5 MB of an object.
const maxAnswer = 8 << 20

func newKubeClient(c *cluster) (*kubeClient, error) {
	t, err := c.transport()
	if err != nil {
		return nil, err
	}
	return &kubeClient{c, &http.Client{
		Transport: t,
		Timeout:   30 * time.Second,
		// A redirect would take the credentials to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func (k *kubeClient) get(ctx context.Context, namespace, name string) (*secret, error) {
	var out secret
	err := k.call(ctx, http.MethodGet, secretPath(namespace, name), "", nil, &out)
	return &out, err
}

func (k *kubeClient) create(ctx context.Context, namespace string, s *secret) error {
	body, err := json.Marshal(s)
	if err != nil {
		return errors.New("write the Secret: it does not become JSON")
	}
	return k.call(ctx, http.MethodPost, secretPath(namespace, ""), "application/json", body, nil)
}

func (k *kubeClient) patch(ctx context.Context, namespace, name string, p secretPatch) error {
	body, err := json.Marshal(p)
	if err != nil {
		return errors.New("write the Secret: it does not become JSON")
	}
	return k.call(ctx, http.MethodPatch, secretPath(namespace, name), "application/merge-patch+json", body, nil)
}

// secretPath needs no escaping: both names were checked to be DNS names.
func secretPath(namespace, name string) string {
	return strings.TrimSuffix("/api/v1/namespaces/"+namespace+"/secrets/"+name, "/")
}

func (k *kubeClient) call(ctx context.Context, method, path, contentType string, body []byte, into *secret) error {
	req, err := http.NewRequestWithContext(ctx, method, k.cluster.server+path, bytes.NewReader(body))
	if err != nil {
		return errors.New("the API server's address is not one")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "sealward")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if err := k.signIn(req); err != nil {
		return err
	}
	resp, err := k.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", errUnsure, ctx.Err())
		}
		return fmt.Errorf("%w: %w", errUnsure, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	defer clear(data)
	if err != nil {
		return errUnsure
	}
	if resp.StatusCode >= 300 {
		return statusError(resp.StatusCode, method, data)
	}
	if into == nil {
		return nil
	}
	if len(data) > maxAnswer || json.Unmarshal(data, into) != nil || into.Metadata.ResourceVersion == "" {
		return errors.New("the answer is not a Secret: is this an API server?")
	}
	return nil
}

func (k *kubeClient) signIn(req *http.Request) error {
	token := k.cluster.token
	if k.cluster.tokenFile != "" {
		data, err := readLimited(k.cluster.tokenFile)
		if err != nil {
			return fmt.Errorf("read the token: %w", err)
		}
		token = strings.TrimSpace(string(data))
	}
	switch {
	case strings.ContainsAny(token, "\r\n"):
		return errors.New("the token is more than one line")
	case token != "":
		req.Header.Set("Authorization", "Bearer "+token)
	case k.cluster.user != "":
		req.SetBasicAuth(k.cluster.user, k.cluster.password)
	}
	return nil
}

// statusError says what an answer means by its status and by the reason that the API
// server gives in one word; never by its message.
func statusError(status int, method string, data []byte) error {
	var answer struct {
		Reason string `json:"reason"`
	}
	_ = json.Unmarshal(data, &answer)
	switch {
	case status == http.StatusConflict:
		return errConflict
	case status == http.StatusNotFound && method == http.MethodPost:
		return errors.New("there is no such namespace; make it first")
	case status == http.StatusNotFound:
		return errMissing
	case status == http.StatusUnauthorized:
		return errors.New("the API server does not know these credentials (401)")
	case status == http.StatusForbidden:
		return errors.New("these credentials may not " + verb(method) + " it (403); grant get and patch on this Secret by resourceNames, " +
			"and create where it does not exist yet")
	case status == http.StatusUnprocessableEntity:
		return errors.New("the API server refuses the content (422); is the Secret immutable, or too large?")
	case status >= 300 && status < 400:
		return fmt.Errorf("the API server redirects (%d), and credentials are not sent elsewhere", status)
	case status >= 500 || status == http.StatusTooManyRequests:
		return fmt.Errorf("%w as it should (%d)", errUnsure, status)
	}
	if !plainWord(answer.Reason) {
		return fmt.Errorf("the API server answers %d", status)
	}
	return fmt.Errorf("the API server answers %d %s", status, answer.Reason)
}

func verb(method string) string {
	switch method {
	case http.MethodPost:
		return "create"
	case http.MethodPatch:
		return "patch"
	}
	return "get"
}

func plainWord(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return s != "" && len(s) < 64
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
