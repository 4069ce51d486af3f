package githubtest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cgi"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// besideAPI serves what is GitHub and not its API: tarballs and git itself. It
// reports false for a request that it is not for.
func (s *Server) besideAPI(w http.ResponseWriter, r *http.Request, body []byte) bool {
	if rest, ok := strings.CutPrefix(r.URL.Path, "/codeload/"); ok {
		s.codeload(w, r, rest)
		return true
	}
	if name, rest, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), ".git/"); ok && strings.Count(name, "/") == 1 {
		s.gitHTTP(w, r, name, "/"+rest, body)
		return true
	}
	return false
}

// begin counts, delays and faults a request beside the API; false means it is answered.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, op string) bool {
	at := s.record(op, r, "")
	s.mu.Lock()
	wait, fault := s.latency, s.take(op, r)
	s.log[at].Status = http.StatusOK
	s.mu.Unlock()
	time.Sleep(wait)
	if fault != nil && !fault.After {
		status := fault.apply(w, &call{s: s, r: r})
		s.mu.Lock()
		s.log[at].Status = status
		s.mu.Unlock()
		return false
	}
	return true
}

func (s *Server) codeload(w http.ResponseWriter, r *http.Request, rest string) {
	if !s.begin(w, r, "codeload") {
		return
	}
	if r.Header.Get("Authorization") != "" {
		s.t.Errorf("a token was sent to the host that serves tarballs")
	}
	part := strings.Split(rest, "/")
	s.mu.Lock()
	known := s.tokens[r.URL.Query().Get("token")] != nil
	var repo *Repo
	if len(part) == 4 {
		repo = s.repos[strings.ToLower(part[0]+"/"+part[1])]
	}
	s.mu.Unlock()
	if repo == nil || !known {
		http.NotFound(w, r)
		return
	}
	prefix := strings.ReplaceAll(repo.name, "/", "-") + "-" + part[3][:7] + "/"
	out, err := repo.git.git(nil, "archive", "--format=tar.gz", "--prefix="+prefix, part[3])
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-gzip")
	_, _ = w.Write(out)
}

var gitExecPath = sync.OnceValue(func() string {
	out, _ := exec.Command("git", "--exec-path").Output()
	return strings.TrimSpace(string(out))
})

// gitHTTP is git's own smart HTTP server over the same objects.
func (s *Server) gitHTTP(w http.ResponseWriter, r *http.Request, name, rest string, body []byte) {
	if !s.begin(w, r, "git") {
		return
	}
	s.mu.Lock()
	repo := s.repos[strings.ToLower(name)]
	g, valid := s.grantOf(r)
	write := strings.Contains(r.URL.RawQuery, "receive-pack") || strings.HasSuffix(rest, "receive-pack")
	allowed := repo != nil && valid && s.sees(g, repo) && (!write || s.may(g, &call{repo: repo}, "contents", "write"))
	s.mu.Unlock()
	if repo == nil || !allowed {
		w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		http.Error(w, "Repository not found.", http.StatusUnauthorized)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	h := &cgi.Handler{
		Path: gitExecPath() + "/git-http-backend",
		Root: "/" + name + ".git",
		Dir:  repo.git.dir,
		Env: append([]string{
			"GIT_PROJECT_ROOT=" + repo.git.dir, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=" + g.login, "GIT_PROTOCOL=" + r.Header.Get("Git-Protocol"),
		}, gitEnv...),
	}
	before, _ := repo.git.refs("refs/heads/")
	h.ServeHTTP(w, r)
	if write {
		after, _ := repo.git.refs("refs/heads/")
		s.tellMoved(repo, before, after, g.login)
	}
}

// tellMoved tells the webhook of the branches that a push moved.
func (s *Server) tellMoved(r *Repo, before, after [][2]string, login string) {
	was := map[string]string{}
	for _, ref := range before {
		was[ref[0]] = ref[1]
	}
	for _, ref := range after {
		if name, old, id := ref[0], was[ref[0]], ref[1]; old != id {
			s.mu.Lock()
			s.later(func() { s.emitPush(r, name, old, id, login) })
			s.mu.Unlock()
		}
	}
}
