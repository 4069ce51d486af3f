package githubtest

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// user is an account: a person, a bot or an organisation.
type user struct {
	id    int64
	login string
	kind  string // User, Bot or Organization
}

func (u *user) object() object {
	return object{
		"login": u.login, "id": u.id, "node_id": fmt.Sprintf("U_%d", u.id), "type": u.kind, "site_admin": false, "gravatar_id": "",
		"avatar_url": "https://avatars.invalid/" + fmt.Sprint(u.id), "html_url": "https://github.invalid/" + u.login,
	}
}

// user returns the account of that name, which is made when it is first named.
func (s *Server) user(login string) *user {
	key := strings.ToLower(login)
	if s.users[key] == nil {
		kind := "User"
		if strings.HasSuffix(login, "[bot]") {
			kind = "Bot"
		}
		s.users[key] = &user{id: s.id(), login: login, kind: kind}
	}
	return s.users[key]
}

// grantKind is what a token stands for.
type grantKind uint8

const (
	anonymous grantKind = iota
	person_
	installed
	appItself
)

// grant is what a token permits.
type grant struct {
	kind         grantKind
	login        string
	permissions  map[string]string // nil for a person: the role decides
	repos        map[string]bool   // nil means all
	installation int64
	expires      time.Time
}

// UserToken makes a token of a person, who may do what the person may.
func (s *Server) UserToken(login string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user(login)
	return s.mint("ghp_", &grant{kind: person_, login: login, expires: s.clock().Add(24 * time.Hour)})
}

// ActionsToken makes a GITHUB_TOKEN of a workflow of one repository.
func (s *Server) ActionsToken(repo string, permissions map[string]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user("github-actions[bot]")
	return s.mint("ghs_", &grant{
		kind: installed, login: "github-actions[bot]", permissions: permissions,
		repos: map[string]bool{strings.ToLower(repo): true}, expires: s.clock().Add(time.Hour),
	})
}

func (s *Server) mint(prefix string, g *grant) string {
	token := fmt.Sprintf("%sfake%d%s", prefix, s.id(), strings.Repeat("x", 24))
	s.tokens[token] = g
	return token
}

// Revoke ends a token.
func (s *Server) Revoke(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tokens, token)
}

// needs names the permission and the level that an operation asks for.
var needs = map[string][2]string{
	"repos/get": {"metadata", "read"},
	"repos/get-collaborator-permission-level": {"metadata", "read"},
	"repos/get-branch":                        {"contents", "read"},
	"repos/get-commit":                        {"contents", "read"},
	"repos/get-content":                       {"contents", "read"},
	"repos/list-commits":                      {"contents", "read"},
	"repos/compare-commits-with-basehead":     {"contents", "read"},
	"repos/download-tarball-archive":          {"contents", "read"},
	"git/get-blob":                            {"contents", "read"},
	"git/get-commit":                          {"contents", "read"},
	"git/get-ref":                             {"contents", "read"},
	"git/get-tree":                            {"contents", "read"},
	"git/list-matching-refs":                  {"contents", "read"},
	"git/create-blob":                         {"contents", "write"},
	"git/create-commit":                       {"contents", "write"},
	"git/create-ref":                          {"contents", "write"},
	"git/create-tree":                         {"contents", "write"},
	"git/delete-ref":                          {"contents", "write"},
	"git/update-ref":                          {"contents", "write"},
	"pulls/get":                               {"pull_requests", "read"},
	"pulls/list":                              {"pull_requests", "read"},
	"pulls/list-commits":                      {"pull_requests", "read"},
	"pulls/list-files":                        {"pull_requests", "read"},
	"pulls/list-review-comments":              {"pull_requests", "read"},
	"pulls/list-reviews":                      {"pull_requests", "read"},
	"pulls/create":                            {"pull_requests", "write"},
	"pulls/create-review":                     {"pull_requests", "write"},
	"pulls/update":                            {"pull_requests", "write"},
	"issues/get":                              {"issues", "read"},
	"issues/get-comment":                      {"issues", "read"},
	"issues/list-comments":                    {"issues", "read"},
	"issues/list-comments-for-repo":           {"issues", "read"},
	"issues/list-for-repo":                    {"issues", "read"},
	"reactions/list-for-issue-comment":        {"issues", "read"},
	"issues/add-labels":                       {"issues", "write"},
	"issues/create":                           {"issues", "write"},
	"issues/create-comment":                   {"issues", "write"},
	"issues/delete-comment":                   {"issues", "write"},
	"issues/remove-label":                     {"issues", "write"},
	"issues/update":                           {"issues", "write"},
	"issues/update-comment":                   {"issues", "write"},
	"reactions/create-for-issue-comment":      {"issues", "write"},
	"reactions/delete-for-issue-comment":      {"issues", "write"},
	"checks/list-for-ref":                     {"checks", "read"},
	"checks/create":                           {"checks", "write"},
	"checks/update":                           {"checks", "write"},
	"code-scanning/upload-sarif":              {"security_events", "write"},
	"teams/get-membership-for-user-in-org":    {"members", "read"},
}

// permit finds the repository and the token of a call, and says no as GitHub does:
// 401 for a bad token, 404 for what it may not see, 403 for what it may not do.
func (s *Server) permit(c *call) (answer, bool) {
	g, known := s.grantOf(c.r)
	c.grant = g
	if !known {
		return fail(http.StatusUnauthorized, "Bad credentials"), false
	}
	if a, ok := s.permitKind(c); !ok {
		return a, false
	}
	need, limited := needs[c.op]
	if owner := c.params["owner"]; owner != "" {
		name := strings.ToLower(owner + "/" + c.params["repo"])
		c.repo = s.repos[name]
		if c.repo == nil || !s.sees(g, c.repo) {
			return notFound(), false
		}
	}
	if !limited || s.may(g, c, need[0], need[1]) {
		return answer{}, true
	}
	if g.kind == anonymous {
		return fail(http.StatusUnauthorized, "Requires authentication"), false
	}
	return fail(http.StatusForbidden, "Resource not accessible by integration"), false
}

func (s *Server) permitKind(c *call) (answer, bool) {
	forApp := strings.HasPrefix(c.r.URL.Path, "/app/") || c.op == "apps/get-authenticated" || c.op == "apps/get-repo-installation" ||
		strings.HasPrefix(c.r.URL.Path, "/api/v3/app/")
	switch {
	case forApp && c.grant.kind != appItself:
		return fail(http.StatusUnauthorized, "A JSON web token could not be decoded"), false
	case !forApp && c.grant.kind == appItself:
		return fail(http.StatusForbidden, "This endpoint requires you to be authenticated as an installation."), false
	case c.op == "users/get-authenticated" && c.grant.kind == anonymous:
		return fail(http.StatusUnauthorized, "Requires authentication"), false
	case c.op == "users/get-authenticated" && c.grant.kind == installed:
		return fail(http.StatusForbidden, "Resource not accessible by integration"), false
	}
	return answer{}, true
}

func (s *Server) grantOf(r *http.Request) (*grant, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case scheme == "" && token == "":
		return &grant{}, true
	case strings.EqualFold(scheme, "Basic"):
		_, token, _ = r.BasicAuth()
	case strings.Count(token, ".") == 2:
		return &grant{kind: appItself}, s.app != nil && s.app.signed(token) == nil
	}
	g := s.tokens[token]
	if g == nil || g.expires.Before(s.clock()) {
		return &grant{}, false
	}
	return g, true
}

func (s *Server) sees(g *grant, r *Repo) bool {
	if !r.private || g.kind == appItself {
		return true
	}
	if g.kind == person_ {
		return r.roles[strings.ToLower(g.login)] != ""
	}
	return g.kind == installed && g.covers(r)
}

func (g *grant) covers(r *Repo) bool { return g.repos == nil || g.repos[strings.ToLower(r.name)] }

// may says whether a token has a permission at a level, here.
func (s *Server) may(g *grant, c *call, permission, level string) bool {
	if c.repo == nil { // of an organisation
		return g.kind == person_ || g.permissions[permission] != ""
	}
	if level == "read" && !c.repo.private {
		return g.kind != installed || !c.repo.strict || g.has(permission, level) || s.asPull(g, c, permission, level)
	}
	switch g.kind {
	case person_:
		role := c.repo.roles[strings.ToLower(g.login)]
		return level == "read" && role != "" || role == "write" || role == "maintain" || role == "admin" || permission == "issues" && c.op != "issues/update"
	case installed:
		return g.covers(c.repo) && (g.has(permission, level) || s.asPull(g, c, permission, level))
	}
	return false
}

func (g *grant) has(permission, level string) bool {
	have := g.permissions[permission]
	if permission == "metadata" {
		return true
	}
	return have == "write" || have == "admin" || have != "" && level == "read"
}

// asPull says whether a call about issues concerns a pull request, for which the
// permission on pull requests is enough.
func (s *Server) asPull(g *grant, c *call, permission, level string) bool {
	if permission != "issues" || !g.has("pull_requests", level) {
		return false
	}
	if n := c.number("issue_number"); n != 0 {
		return c.repo.pulls[n] != nil
	}
	if id := c.id("comment_id"); id != 0 {
		cm := c.repo.comment(id)
		return cm != nil && c.repo.pulls[cm.issue] != nil
	}
	return c.op == "issues/list-comments-for-repo"
}
