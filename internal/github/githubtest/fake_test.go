package githubtest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/github/githubtest"
)

// asker asks the fake as any program would, with a token.
type asker struct {
	t     *testing.T
	base  string
	token string
}

func (a asker) ask(method, path, body string) (int, map[string]any) {
	a.t.Helper()
	r, err := http.NewRequest(method, a.base+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if a.token != "" {
		r.Header.Set("Authorization", "Bearer "+a.token)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	var o map[string]any
	if len(data) > 0 && data[0] == '[' {
		data = []byte(`{"list":` + string(data) + `}`)
	}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &o); err != nil {
			a.t.Fatalf("%s %s: %v in %q", method, path, err, data)
		}
	}
	if to := resp.Header.Get("Location"); to != "" {
		o = map[string]any{"location": to}
	}
	return resp.StatusCode, o
}

func (a asker) want(status int, method, path, body string) map[string]any {
	a.t.Helper()
	got, o := a.ask(method, path, body)
	if got != status {
		a.t.Errorf("%s %s: status %d, want %d: %v", method, path, got, status, o)
	}
	return o
}

// Every operation that the fake works is asked once; the fake itself holds each
// answer to GitHub's description.
func TestEveryOperationFitsTheDescription(t *testing.T) {
	s := githubtest.New(t)
	app := s.NewApp("sealward")
	r := s.NewRepo("octo/shop", githubtest.Files{"a.txt": "one\n", "dir/b.txt": "two\n", "gone.txt": "x\n"})
	in := app.Install(githubtest.AppPermissions(), r)
	r.Grant("alice", "admin")
	s.Team("octo", "platform", "alice")
	head := r.Commit("feature", "Change", githubtest.Files{"a.txt": "one\nmore\n", "gone.txt": githubtest.Removed, "link": githubtest.Symlink("a.txt")})
	n := r.OpenPull("alice", "feature", "A change")
	id := r.Comment("alice", n, "hello")
	me := asker{t, s.URL, s.UserToken("alice")}
	me.base += "/api/v3" // both forms are the same
	p := "/repos/octo/shop"

	me.want(200, "GET", "/user", "")
	me.want(200, "GET", "/meta", "")
	me.want(200, "GET", "/rate_limit", "")
	me.want(200, "GET", p, "")
	me.want(200, "GET", p+"/branches/feature", "")
	me.want(200, "GET", p+"/collaborators/alice/permission", "")
	me.want(200, "GET", "/orgs/octo/teams/platform/memberships/alice", "")
	me.want(404, "GET", "/orgs/octo/teams/platform/memberships/bob", "")
	me.want(200, "GET", p+"/commits?sha=feature", "")
	me.want(200, "GET", p+"/commits/"+head, "")
	cmp := me.want(200, "GET", p+"/compare/main..."+head+"?per_page=100", "")
	if len(cmp["files"].([]any)) != 3 || cmp["total_commits"].(float64) != 1 {
		t.Errorf("comparison: %v", cmp)
	}
	me.want(200, "GET", p+"/contents/a.txt", "")
	me.want(200, "GET", p+"/contents/dir?ref=feature", "")
	tree := me.want(200, "GET", p+"/git/trees/"+head+"?recursive=1", "")
	blob := tree["tree"].([]any)[0].(map[string]any)["sha"].(string)
	me.want(200, "GET", p+"/git/blobs/"+blob, "")
	me.want(200, "GET", p+"/git/commits/"+head, "")
	me.want(200, "GET", p+"/git/ref/heads/feature", "")
	me.want(200, "GET", p+"/git/matching-refs/heads/fea", "")
	to := me.want(302, "GET", p+"/tarball/"+head, "")["location"].(string)
	if resp, err := http.Get(to); err != nil || resp.StatusCode != 200 {
		t.Errorf("tarball: %v %v", resp, err)
	}
	me.want(201, "POST", p+"/git/blobs", `{"content":"aGk=","encoding":"base64"}`)
	made := me.want(201, "POST", p+"/git/trees", fmt.Sprintf(`{"base_tree":%q,"tree":[{"path":"n/new.txt","mode":"100644","type":"blob","content":"new\n"},{"path":"dir/b.txt","mode":"100644","type":"blob","sha":null}]}`, head))
	commit := me.want(201, "POST", p+"/git/commits", fmt.Sprintf(`{"message":"m","tree":%q,"parents":[%q]}`, made["sha"], head))
	me.want(201, "POST", p+"/git/refs", fmt.Sprintf(`{"ref":"refs/heads/made","sha":%q}`, commit["sha"]))
	me.want(422, "POST", p+"/git/refs", fmt.Sprintf(`{"ref":"refs/heads/made","sha":%q}`, commit["sha"]))
	me.want(422, "PATCH", p+"/git/refs/heads/made", fmt.Sprintf(`{"sha":%q}`, head))
	me.want(200, "PATCH", p+"/git/refs/heads/made", fmt.Sprintf(`{"sha":%q,"force":true}`, head))
	me.want(204, "DELETE", p+"/git/refs/heads/made", "")
	if got, _ := r.ReadFile(commit["sha"].(string), "n/new.txt"); got != "new\n" {
		t.Errorf("the new tree holds %q", got)
	}

	pull := fmt.Sprintf("%s/pulls/%d", p, n)
	issue := fmt.Sprintf("%s/issues/%d", p, n)
	me.want(200, "GET", pull, "")
	me.want(200, "GET", p+"/pulls?head=octo:feature&state=all", "")
	me.want(200, "GET", pull+"/files", "")
	me.want(200, "GET", pull+"/commits", "")
	me.want(200, "PATCH", pull, `{"title":"Another title"}`)
	me.want(200, "POST", pull+"/reviews", `{"event":"COMMENT","body":"b","comments":[{"path":"a.txt","line":2,"side":"RIGHT","body":"c"}]}`)
	me.want(422, "POST", pull+"/reviews", `{"event":"COMMENT","body":"b","comments":[{"path":"a.txt","line":200,"side":"RIGHT","body":"c"}]}`)
	me.want(200, "GET", pull+"/reviews", "")
	me.want(200, "GET", pull+"/comments", "")
	me.want(422, "POST", p+"/pulls", `{"title":"t","head":"feature","base":"main"}`)
	r.Commit("second", "Second", githubtest.Files{"c": "c"})
	me.want(201, "POST", p+"/pulls", `{"title":"t","head":"second","base":"main","body":"b"}`)
	me.want(200, "GET", p+"/issues?state=all", "")
	me.want(201, "POST", p+"/issues", `{"title":"t","body":"b","labels":["drift"]}`)
	me.want(200, "PATCH", p+"/issues/3", `{"state":"closed"}`)
	me.want(200, "GET", issue, "")
	me.want(200, "GET", issue+"/comments", "")
	me.want(200, "GET", p+"/issues/comments?since=2020-01-01T00:00:00Z&sort=updated", "")
	me.want(201, "POST", issue+"/comments", `{"body":"x"}`)
	me.want(422, "POST", issue+"/comments", `{"body":"`+strings.Repeat("x", 65537)+`"}`)
	me.want(200, "POST", issue+"/labels", `{"labels":["l"]}`)
	me.want(200, "DELETE", issue+"/labels/l", "")
	c := fmt.Sprintf("%s/issues/comments/%d", p, id)
	me.want(200, "GET", c, "")
	me.want(200, "PATCH", c, `{"body":"y"}`)
	re := me.want(201, "POST", c+"/reactions", `{"content":"eyes"}`)
	me.want(200, "POST", c+"/reactions", `{"content":"eyes"}`)
	me.want(200, "GET", c+"/reactions", "")
	me.want(204, "DELETE", fmt.Sprintf("%s/reactions/%.0f", c, re["id"]), "")
	me.want(204, "DELETE", c, "")
	k := me.want(201, "POST", p+"/check-runs", fmt.Sprintf(`{"name":"n","head_sha":%q}`, head))
	me.want(200, "PATCH", fmt.Sprintf("%s/check-runs/%.0f", p, k["id"]), `{"conclusion":"success"}`)
	me.want(200, "GET", p+"/commits/feature/check-runs", "")
	z := base64.StdEncoding.EncodeToString(gz("{}"))
	me.want(202, "POST", p+"/code-scanning/sarifs", fmt.Sprintf(`{"commit_sha":%q,"ref":"refs/heads/feature","sarif":%q}`, head, z))
	me.want(201, "POST", "/app-manifests/"+s.ManifestCode()+"/conversions", "")
	if err := r.Fsck(); err != nil {
		t.Error(err)
	}
	_ = in
}

func TestTokensAreHeldToTheirPermissions(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	hidden := s.NewRepo("octo/hidden", githubtest.Files{"a": "1"}).Private()
	r.NewIssue("alice", "t", "b")
	read := asker{t, s.URL, s.ActionsToken("octo/shop", map[string]string{"contents": "read", "issues": "read"})}
	read.want(200, "GET", "/repos/octo/shop", "")
	read.want(403, "POST", "/repos/octo/shop/issues/1/comments", `{"body":"x"}`)
	read.want(403, "POST", "/repos/octo/shop/git/blobs", `{"content":"x"}`)
	read.want(404, "GET", "/repos/octo/hidden", "")
	read.want(403, "GET", "/user", "")
	read.want(401, "GET", "/app", "")
	hidden.Grant("alice", "read")
	alice := asker{t, s.URL, s.UserToken("alice")}
	alice.want(200, "GET", "/repos/octo/hidden", "")
	alice.want(403, "POST", "/repos/octo/hidden/git/blobs", `{"content":"x"}`)
	asker{t, s.URL, "ghp_" + "unknown"}.want(401, "GET", "/repos/octo/shop", "")
	s.Advance(2 * time.Hour)
	read.want(401, "GET", "/repos/octo/shop", "")
}

func TestFaultsMeetTheCallsTheyAreFor(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"})
	r.NewIssue("alice", "t", "b")
	r.Grant("alice", "write")
	me := asker{t, s.URL, s.UserToken("alice")}
	s.Arm(githubtest.SecondaryLimit(429, "7").On("repos/get").Repeat(2), githubtest.LostAnswer().On("issues/create-comment"))
	me.want(429, "GET", "/repos/octo/shop", "")
	me.want(429, "GET", "/repos/octo/shop", "")
	me.want(200, "GET", "/repos/octo/shop", "")
	r1, err := http.Post(s.URL+"/repos/octo/shop/issues/1/comments", "application/json", bytes.NewReader([]byte(`{"body":"x"}`)))
	if err != nil || r1.StatusCode != 502 {
		t.Fatalf("%v %v", r1, err)
	}
	if got := len(r.Comments(1)); got != 0 { // nobody may not write: the fault hides the refusal, and no effect is left
		t.Errorf("%d comments", got)
	}
	s.Arm(githubtest.LostAnswer().On("issues/create-comment"))
	r2, err := http.NewRequest("POST", s.URL+"/repos/octo/shop/issues/1/comments", strings.NewReader(`{"body":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	r2.Header.Set("Content-Type", "application/json")
	r2.Header.Set("Authorization", "token "+me.token)
	resp, err := http.DefaultClient.Do(r2)
	if err != nil || resp.StatusCode != 502 {
		t.Fatalf("%v %v", resp, err)
	}
	if got := len(r.Comments(1)); got != 1 {
		t.Errorf("%d comments after an answer lost behind its effect, want 1", got)
	}
	if got := s.Count("repos/get"); got != 3 {
		t.Errorf("%d calls counted, want 3", got)
	}
}

func gz(s string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s)
	_ = w.Close()
	return b.Bytes()
}

// The same objects are served by git itself, and a push is an event.
func TestGitClonesAndPushes(t *testing.T) {
	s := githubtest.New(t)
	r := s.NewRepo("octo/shop", githubtest.Files{"a": "1"}).Private()
	r.Grant("alice", "write")
	r.Grant("bob", "read")
	events := make(chan string, 10)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { events <- r.Header.Get("X-GitHub-Event") }))
	t.Cleanup(hook.Close)
	s.Webhook(hook.URL, "hook-secret")
	dir := t.TempDir()
	git := func(args ...string) error {
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_GLOBAL=/dev/null")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%v: %w: %s", args, err, out)
		}
		return nil
	}
	remote := func(token string) string {
		return strings.Replace(s.URL, "http://", "http://x-access-token:"+token+"@", 1) + "/octo/shop.git"
	}
	if err := git("clone", "-q", s.URL+"/octo/shop.git", "none"); err == nil {
		t.Error("a private repository was cloned by nobody")
	}
	if err := git("clone", "-q", "--depth=1", remote(s.UserToken("bob")), "w"); err != nil {
		t.Fatal(err)
	}
	dir += "/w"
	if err := os.WriteFile(dir+"/a", []byte("2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(git("commit", "-qam", "Change"), git("push", "-q", remote(s.UserToken("alice")), "HEAD:main")); err != nil {
		t.Fatal(err)
	}
	if err := git("push", "-q", remote(s.UserToken("bob")), "HEAD:other"); err == nil {
		t.Error("who may read has pushed")
	}
	s.Settle()
	if got, _ := r.ReadFile("main", "a"); got != "2" || len(events) != 1 || <-events != "push" {
		t.Errorf("a holds %q, %d events", got, len(events))
	}
}
