package githubtest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// App is the GitHub App of the fake.
type App struct {
	ID         int64
	Slug       string
	PrivateKey []byte // PEM
	Secret     string // of the webhook

	s             *Server
	public        *rsa.PublicKey
	installations map[int64]*installation
}

type installation struct {
	id          int64
	account     string
	repos       []string
	permissions map[string]string
}

// Login is the App's account.
func (a *App) Login() string { return a.Slug + "[bot]" }

// appKey is made once a process: it takes a while.
var appKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// NewApp registers the App; there is one.
func (s *Server) NewApp(slug string) *App {
	s.t.Helper()
	key, err := appKey()
	if err != nil {
		s.t.Fatalf("%v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.app = &App{
		ID: s.id(), Slug: slug, s: s, Secret: "webhook-secret-" + slug, public: &key.PublicKey, installations: map[int64]*installation{},
		PrivateKey: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
	}
	s.user(s.app.Login())
	return s.app
}

// AppPermissions are what an installation grants where the test does not say.
func AppPermissions() map[string]string {
	return map[string]string{"contents": "write", "pull_requests": "write", "issues": "write", "metadata": "read", "members": "read", "checks": "write"}
}

// Install installs the App on repositories of one owner and returns the installation.
func (a *App) Install(permissions map[string]string, repos ...*Repo) int64 {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	in := &installation{id: a.s.id(), permissions: permissions}
	for _, r := range repos {
		in.account = r.owner()
		in.repos = append(in.repos, strings.ToLower(r.name))
	}
	a.installations[in.id] = in
	return in.id
}

// signed says whether a JSON web token is the App's and in its time.
func (a *App) signed(token string) error {
	parts := strings.Split(token, ".")
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(a.public, crypto.SHA256, sum[:], sig); err != nil {
		return err
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	var claims struct {
		Iss      string
		Iat, Exp int64
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return err
	}
	now := time.Now().Unix()
	if claims.Iss != strconv.FormatInt(a.ID, 10) || claims.Exp < now || claims.Iat > now || claims.Exp-claims.Iat > 600 {
		return errors.New("claims do not hold")
	}
	return nil
}

func (a *App) object() object {
	permissions := object{}
	for k, v := range AppPermissions() {
		permissions[k] = v
	}
	return object{
		"id": a.ID, "slug": a.Slug, "node_id": "A_1", "name": a.Slug, "owner": a.s.user("octo").object(), "description": "", "external_url": "https://github.invalid/app",
		"html_url": "https://github.invalid/apps/" + a.Slug, "created_at": stamp(a.s.clock()), "updated_at": stamp(a.s.clock()),
		"permissions": permissions, "events": []string{"issue_comment", "push"},
	}
}

func (s *Server) installationObject(in *installation) object {
	permissions := object{}
	for k, v := range in.permissions {
		permissions[k] = v
	}
	return object{
		"id": in.id, "account": s.user(in.account).object(), "app_id": s.app.ID, "app_slug": s.app.Slug, "target_id": s.user(in.account).id, "target_type": "Organization",
		"permissions": permissions, "events": []string{}, "repository_selection": "selected", "single_file_name": nil, "suspended_by": nil, "suspended_at": nil,
		"access_tokens_url": s.URL + "/app/installations/" + fmt.Sprint(in.id) + "/access_tokens", "repositories_url": s.URL + "/installation/repositories",
		"html_url": "https://github.invalid/installations/" + fmt.Sprint(in.id), "created_at": stamp(s.clock()), "updated_at": stamp(s.clock()),
	}
}

func getApp(s *Server, c *call) answer { return ok(s.app.object()) }

func listInstallations(s *Server, c *call) answer {
	var list []*installation
	for _, in := range s.app.installations {
		list = append(list, in)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].id < list[j].id })
	return paged(c, list, s.installationObject)
}

func getInstallation(s *Server, c *call) answer {
	in := s.app.installations[c.id("installation_id")]
	if in == nil {
		return notFound()
	}
	return ok(s.installationObject(in))
}

func getRepoInstallation(s *Server, c *call) answer {
	for _, in := range s.app.installations {
		for _, name := range in.repos {
			if name == strings.ToLower(c.repo.name) {
				return ok(s.installationObject(in))
			}
		}
	}
	return notFound()
}

// level orders the levels of a permission.
var level = map[string]int{"": 0, "read": 1, "write": 2, "admin": 3}

func createToken(s *Server, c *call) answer {
	in := s.app.installations[c.id("installation_id")]
	if in == nil {
		return notFound()
	}
	var want struct {
		Repositories []string
		Permissions  map[string]string
	}
	c.decode(&want)
	g := &grant{kind: installed, login: s.app.Login(), permissions: in.permissions, repos: map[string]bool{}, installation: in.id, expires: s.clock().Add(time.Hour)}
	if want.Permissions != nil {
		g.permissions = want.Permissions
		for k, v := range want.Permissions {
			if level[v] > level[in.permissions[k]] && k != "metadata" {
				return fail(http.StatusUnprocessableEntity, "The permissions requested are not granted to this installation.")
			}
		}
	}
	for _, name := range in.repos {
		if len(want.Repositories) == 0 {
			g.repos[name] = true
		}
	}
	for _, short := range want.Repositories {
		name := strings.ToLower(in.account + "/" + short)
		covered := false
		for _, n := range in.repos {
			covered = covered || n == name
		}
		if !covered {
			return fail(http.StatusUnprocessableEntity, "There is at least one repository that does not exist or is not accessible to the parent installation.")
		}
		g.repos[name] = true
	}
	permissions := object{}
	for k, v := range g.permissions {
		permissions[k] = v
	}
	return created(object{"token": s.mint("ghs_", g), "expires_at": stamp(g.expires), "permissions": permissions, "repository_selection": "selected"})
}

func listAccessible(s *Server, c *call) answer {
	var names []string
	for name := range s.repos {
		if c.grant.kind == installed && c.grant.repos[name] {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	from, to, h := c.window(len(names), 30)
	list := []object{}
	for _, name := range names[from:to] {
		list = append(list, s.repos[name].object())
	}
	return answer{status: http.StatusOK, header: h, body: object{"total_count": len(names), "repositories": list}}
}

func revokeToken(s *Server, c *call) answer {
	_, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	delete(s.tokens, token)
	return noContent()
}

// ManifestCode makes a one-time code of the App manifest flow.
func (s *Server) ManifestCode() string {
	app := s.NewApp("made-by-manifest")
	s.mu.Lock()
	defer s.mu.Unlock()
	code := fmt.Sprintf("code%d", s.id())
	o := app.object()
	o["client_id"], o["client_secret"] = "Iv1.0000", "client-secret"
	o["webhook_secret"], o["pem"] = app.Secret, string(app.PrivateKey)
	s.manifest[code] = o
	return code
}

func convertManifest(s *Server, c *call) answer {
	o := s.manifest[c.params["code"]]
	if o == nil {
		return notFound()
	}
	delete(s.manifest, c.params["code"])
	return created(o)
}
