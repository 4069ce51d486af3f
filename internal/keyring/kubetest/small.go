package kubetest

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// small is as much of an API server as a keyring speaks to: Secrets of one namespace
// with resource versions, roles, and the checks of names and sizes.
type small struct {
	Cluster
	mu      sync.Mutex
	version int
	secrets map[string]map[string]any
}

// Small starts the small server.
func Small(t testing.TB) *Cluster {
	s := &small{Cluster: Cluster{Admin: "token-of-the-admin", Bot: "token-of-the-bot", Stranger: "token-of-a-stranger"}, secrets: map[string]map[string]any{}}
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	s.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	return &s.Cluster
}

// refusal is an answer that says no.
type refusal struct {
	code   int
	reason string
}

func (s *small) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	code, body, no := s.answer(r)
	w.Header().Set("Content-Type", plain)
	if no != nil {
		// The real one's messages quote what was sent: nothing of them may be repeated.
		code, body = no.code, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": no.reason, "code": no.code,
			"message": "AGE-SECRET-" + "KEY-in-a-message"}
	}
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

func (s *small) answer(r *http.Request) (int, any, *refusal) {
	rest, inside := strings.CutPrefix(r.URL.Path, "/api/v1/namespaces/")
	namespace, name, _ := strings.Cut(rest, "/secrets")
	name = strings.TrimPrefix(name, "/")
	if no := s.allowed(r, namespace, name); no != nil {
		return 0, nil, no
	}
	body, err := io.ReadAll(r.Body)
	have := s.secrets[name]
	switch {
	case err != nil || !inside:
		return 0, nil, &refusal{404, "NotFound"}
	case r.Method == http.MethodPost && name == "":
		return s.create(namespace, body)
	case have == nil || namespace != Namespace:
		return 0, nil, &refusal{404, "NotFound"}
	case r.Method == http.MethodGet:
		return 200, have, nil
	case r.Method == http.MethodDelete:
		delete(s.secrets, name)
		return 200, map[string]any{"kind": "Status", "status": "Success"}, nil
	case r.Method == http.MethodPatch && r.Header.Get("Content-Type") == merge:
		return s.patch(name, have, body)
	case r.Method == http.MethodPatch:
		return 0, nil, &refusal{415, "UnsupportedMediaType"}
	}
	return 0, nil, &refusal{405, "MethodNotAllowed"}
}

func (s *small) allowed(r *http.Request, namespace, name string) *refusal {
	switch r.Header.Get("Authorization") {
	case "Bearer " + s.Admin:
		return nil
	case "Bearer " + s.Bot:
		if namespace == Namespace && name == Secret && (r.Method == http.MethodGet || r.Method == http.MethodPatch) {
			return nil
		}
	case "Bearer " + s.Stranger:
	default:
		return &refusal{401, "Unauthorized"}
	}
	return &refusal{403, "Forbidden"}
}

func (s *small) create(namespace string, body []byte) (int, any, *refusal) {
	var in map[string]any
	if json.Unmarshal(body, &in) != nil {
		return 0, nil, &refusal{400, "BadRequest"}
	}
	meta, _ := in["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	if no := valid(in); no != nil {
		return 0, nil, no
	}
	switch {
	case namespace != Namespace:
		return 0, nil, &refusal{404, "NotFound"}
	case s.secrets[name] != nil:
		return 0, nil, &refusal{409, "AlreadyExists"}
	}
	s.version++
	meta["namespace"], meta["uid"], meta["creationTimestamp"] = namespace, fmt.Sprintf("uid-%d", s.version), "2027-01-31T12:00:00Z"
	meta["resourceVersion"] = strconv.Itoa(s.version)
	if in["type"] == nil {
		in["type"] = "Opaque"
	}
	s.secrets[name] = in
	return 201, in, nil
}

func (s *small) patch(name string, have map[string]any, body []byte) (int, any, *refusal) {
	var patch map[string]any
	if json.Unmarshal(body, &patch) != nil {
		return 0, nil, &refusal{400, "BadRequest"}
	}
	now := merged(have, patch)
	meta, was := now["metadata"].(map[string]any), have["metadata"].(map[string]any)
	switch {
	case meta["resourceVersion"] != was["resourceVersion"]:
		return 0, nil, &refusal{409, "Conflict"}
	case meta["uid"] != was["uid"], valid(now) != nil:
		return 0, nil, &refusal{422, "Invalid"}
	case have["immutable"] == true && !reflect.DeepEqual(now["data"], have["data"]):
		return 0, nil, &refusal{422, "Invalid"}
	case !reflect.DeepEqual(now, have): // what changes nothing has no new version
		s.version++
		meta["resourceVersion"] = strconv.Itoa(s.version)
	}
	s.secrets[name] = now
	return 200, now, nil
}

var (
	entryName  = regexp.MustCompile(`^[-._a-zA-Z0-9]{1,253}$`)
	objectName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)
)

// valid is what the API server checks of a Secret.
func valid(in map[string]any) *refusal {
	meta, _ := in["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	data, _ := in["data"].(map[string]any)
	size := 0
	bad := !objectName.MatchString(name)
	for entry, v := range data {
		text, isText := v.(string)
		raw, err := base64.StdEncoding.DecodeString(text)
		if !isText || err != nil {
			return &refusal{400, "BadRequest"}
		}
		size += len(raw)
		bad = bad || !entryName.MatchString(entry) || entry == "." || strings.HasPrefix(entry, "..")
	}
	if bad || size > 1<<20 {
		return &refusal{422, "Invalid"}
	}
	return nil
}

// merged applies a JSON merge patch.
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
