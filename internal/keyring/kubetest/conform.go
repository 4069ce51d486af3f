package kubetest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Conform holds an API server to what a keyring relies on.
func Conform(t *testing.T, c *Cluster) {
	for name, test := range map[string]func(*testing.T, *Cluster){
		"who may do what":        conformRoles,
		"making a Secret":        conformCreate,
		"compare and swap":       conformSwap,
		"an entry goes":          conformMerge,
		"what is refused":        conformRefusals,
		"what cannot be changed": conformImmutable,
	} {
		t.Run(name, func(t *testing.T) {
			c.Clear(t)
			test(t, c)
		})
	}
}

// want checks the status and the reason of an answer.
func want(t *testing.T, what string, a Answer, code int, reason string) {
	t.Helper()
	if a.Code != code || a.Reason != reason {
		t.Errorf("%s: %d %s, want %d %s", what, a.Code, a.Reason, code, reason)
	}
}

func conformRoles(t *testing.T, c *Cluster) {
	c.Put(t, "a.agekey", "text")
	one, other, all := secretPath(Secret), secretPath("another"), secretPath("")
	patch := `{"data":{"b.agekey":"eA=="}}`
	want(t, "no credentials", c.do(t, "", http.MethodGet, one, "", ""), 401, "Unauthorized")
	want(t, "a wrong token", c.do(t, "wrong", http.MethodGet, one, "", ""), 401, "Unauthorized")
	want(t, "its own Secret", c.do(t, c.Bot, http.MethodGet, one, "", ""), 200, "")
	want(t, "its own Secret, patched", c.do(t, c.Bot, http.MethodPatch, one, merge, patch), 200, "")
	want(t, "another Secret", c.do(t, c.Bot, http.MethodGet, other, "", ""), 403, "Forbidden")
	want(t, "another Secret, patched", c.do(t, c.Bot, http.MethodPatch, other, merge, patch), 403, "Forbidden")
	want(t, "all of them", c.do(t, c.Bot, http.MethodGet, all, "", ""), 403, "Forbidden")
	want(t, "a new one", c.do(t, c.Bot, http.MethodPost, all, plain, secretOf(Secret, `"data":{}`)), 403, "Forbidden")
	want(t, "none any more", c.do(t, c.Bot, http.MethodDelete, one, "", ""), 403, "Forbidden")
	want(t, "a stranger", c.do(t, c.Stranger, http.MethodGet, one, "", ""), 403, "Forbidden")
	if got := c.Entries(t); len(got) != 2 || got["a.agekey"] != "text" || got["b.agekey"] != "x" {
		t.Errorf("entries %q", got)
	}
}

func conformCreate(t *testing.T, c *Cluster) {
	text := secretOf(Secret, `"data":{"a.agekey":"eA=="}`)
	want(t, "a missing Secret", c.do(t, c.Admin, http.MethodGet, secretPath(Secret), "", ""), 404, "NotFound")
	want(t, "a missing Secret, patched", c.do(t, c.Admin, http.MethodPatch, secretPath(Secret), merge, `{}`), 404, "NotFound")
	nowhere := strings.Replace(secretPath(""), Namespace, "nowhere", 1)
	want(t, "in a missing namespace", c.do(t, c.Admin, http.MethodPost, nowhere, plain, text), 404, "NotFound")
	want(t, "from a missing namespace", c.do(t, c.Admin, http.MethodGet, nowhere+"/"+Secret, "", ""), 404, "NotFound")
	made := c.do(t, c.Admin, http.MethodPost, secretPath(""), plain, text)
	want(t, "made", made, 201, "")
	for _, field := range []string{"resourceVersion", "uid", "creationTimestamp"} {
		if made.text("metadata", field) == "" {
			t.Errorf("it has no %s", field)
		}
	}
	if made.text("type") != "Opaque" || made.text("metadata", "namespace") != Namespace {
		t.Errorf("made %v", made.Body)
	}
	want(t, "made twice", c.do(t, c.Admin, http.MethodPost, secretPath(""), plain, text), 409, "AlreadyExists")
}

func conformSwap(t *testing.T, c *Cluster) {
	c.Put(t, "a.agekey", "one")
	first := c.do(t, c.Bot, http.MethodGet, secretPath(Secret), "", "")
	patch := func(version, uid, text string) Answer {
		return c.do(t, c.Bot, http.MethodPatch, secretPath(Secret), merge,
			fmt.Sprintf(`{"metadata":{"resourceVersion":%q,"uid":%q},"data":{"b.agekey":%q}}`, version, uid, base64.StdEncoding.EncodeToString([]byte(text))))
	}
	version, uid := first.text("metadata", "resourceVersion"), first.text("metadata", "uid")
	second := patch(version, uid, "two")
	want(t, "the version that was read", second, 200, "")
	now := second.text("metadata", "resourceVersion")
	if now == version || second.text("metadata", "uid") != uid {
		t.Error("a change has no version of its own")
	}
	want(t, "a version that is gone", patch(version, uid, "three"), 409, "Conflict")
	want(t, "another Secret of that name", patch(now, "0000", "three"), 422, "Invalid")
	want(t, "another Secret, at another version", patch(version, "0000", "three"), 409, "Conflict")
	same := patch(now, uid, "two")
	want(t, "the same again", same, 200, "")
	if same.text("metadata", "resourceVersion") != now {
		t.Error("what changes nothing has a new version")
	}
	if got := c.Entries(t); len(got) != 2 || got["b.agekey"] != "two" {
		t.Errorf("entries %q", got)
	}
}

func conformMerge(t *testing.T, c *Cluster) {
	c.Put(t, "a.agekey", "one")
	c.Put(t, "b.agekey", "two")
	c.Patch(t, `{"metadata":{"labels":{"x":"y"}},"data":{"a.agekey":null}}`)
	if got := c.Entries(t); len(got) != 1 || got["b.agekey"] != "two" || c.Labels(t)["x"] != "y" {
		t.Errorf("entries %q", got)
	}
}

func conformRefusals(t *testing.T, c *Cluster) {
	c.Put(t, "a.agekey", "one")
	patch := func(contentType, body string) Answer {
		return c.do(t, c.Admin, http.MethodPatch, secretPath(Secret), contentType, body)
	}
	for _, name := range []string{"a/b", "a b", "", ".", "..", "..a", "ä", strings.Repeat("a", 254), "a\\n"} {
		want(t, "entry "+name, patch(merge, `{"data":{"`+name+`":"eA=="}}`), 422, "Invalid")
	}
	for _, name := range []string{"A_b-c.d", strings.Repeat("a", 253), "2027-01-31T120005Z_02.agekey"} {
		want(t, "entry "+name, patch(merge, `{"data":{"`+name+`":"eA=="}}`), 200, "")
	}
	want(t, "no base64", patch(merge, `{"data":{"b":"@@"}}`), 422, "Invalid")
	want(t, "no text", patch(merge, `{"data":{"b":{"c":1}}}`), 422, "Invalid")
	want(t, "made of no base64", c.do(t, c.Admin, http.MethodPost, secretPath(""), plain, secretOf("b", `"data":{"b":"@@"}`)), 400, "BadRequest")
	want(t, "no JSON", patch(merge, `{"data":`), 400, "BadRequest")
	want(t, "no kind of patch", patch(plain, `{}`), 415, "UnsupportedMediaType")
	large := base64.StdEncoding.EncodeToString(make([]byte, 1<<20+1))
	want(t, "too large", patch(merge, `{"data":{"b":"`+large+`"}}`), 422, "Invalid")
	want(t, "no name", c.do(t, c.Admin, http.MethodPost, secretPath(""), plain, secretOf("A_b", `"data":{}`)), 422, "Invalid")
	if got := c.Entries(t); len(got) != 4 {
		t.Errorf("%d entries, want 4", len(got))
	}
}

func conformImmutable(t *testing.T, c *Cluster) {
	c.Put(t, "a.agekey", "one")
	c.Patch(t, `{"immutable":true}`)
	want(t, "changed", c.do(t, c.Admin, http.MethodPatch, secretPath(Secret), merge, `{"data":{"b":"eA=="}}`), 422, "Invalid")
	if got := c.Entries(t); len(got) != 1 {
		t.Errorf("entries %q", got)
	}
}
