package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sealward/sealward/internal/bot"
	"github.com/sealward/sealward/internal/bot/page"
	"github.com/sealward/sealward/internal/bot/store"
)

// desk is the operator's page on the private listener.
type desk struct {
	bot   *bot.Bot
	store *store.Store
	log   *slog.Logger
	web   string // where repositories are looked at
	token string // "" asks for none, and then only on loopback
	local bool   // the listener is on loopback
	key   []byte // of cookies and forms: changes with the token

	mu sync.Mutex // held while a wrong token is answered, so that they come one at a time
}

// newDesk makes the desk. Its key is made of the token, so that several processes take
// each other's cookies, and a new token ends all of them.
func newDesk(b *bot.Bot, s *store.Store, set settings, local bool, log *slog.Logger) *desk {
	d := &desk{bot: b, store: s, log: log, web: webOf(set.api), token: set.adminToken, local: local}
	secret := set.adminToken
	if secret == "" {
		secret = rand.Text()
	}
	sum := sha256.Sum256([]byte("sealward desk\x00" + secret))
	d.key = sum[:]
	return d
}

func (d *desk) sign(what string) string {
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(what))
	return hex.EncodeToString(mac.Sum(nil))
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// The session's cookie holds when it ends, and the desk's signature under that.
const (
	cookieName  = "sealward"
	sessionTime = 12 * time.Hour
	wrongPause  = 500 * time.Millisecond
	maxForm     = 8 << 10
)

func (d *desk) register(mux *http.ServeMux) {
	for _, a := range page.Assets() {
		mux.HandleFunc("GET "+a.Path, func(w http.ResponseWriter, _ *http.Request) {
			secure(w.Header())
			w.Header().Set("Content-Type", a.Type)
			_, _ = w.Write([]byte(a.Body))
		})
	}
	// Requests that another site has a browser send are refused before a form is read.
	cross := http.NewCrossOriginProtection()
	on := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, cross.Handler(d.guarded(h))) }
	on("GET "+page.Path+"{$}", d.show)
	on("POST "+page.RetryPath, d.retry)
	on("POST "+page.LogoutPath, d.logout)
	mux.Handle("POST "+page.LoginPath, cross.Handler(http.HandlerFunc(d.login)))
	mux.HandleFunc("GET "+page.LoginPath, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, page.Path, http.StatusSeeOther) })
}

// guarded lets in who has given the token; on loopback without one, who asks loopback: a
// name that leads here from elsewhere is not for us.
func (d *desk) guarded(h http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case d.token == "" && !d.local:
			secure(w.Header())
			http.Error(w, "the operator's page needs a token here: set ADMIN_TOKEN, or listen on loopback (ADMIN_ADDRESS)", http.StatusForbidden)
		case d.token == "" && loopback(r.Host), d.token != "" && d.allowed(r):
			h(w, r)
		case d.token == "":
			secure(w.Header())
			http.Error(w, "ask for this page at localhost", http.StatusForbidden)
		default:
			d.ask(w, http.StatusUnauthorized, "")
		}
	})
}

// allowed says whether a request has the token, or a cookie that was given for it.
func (d *desk) allowed(r *http.Request) bool {
	if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return same(given, d.token)
	}
	if _, given, ok := r.BasicAuth(); ok {
		return same(given, d.token)
	}
	return d.session(r) != ""
}

// session returns the cookie of a request, if it is a good one.
func (d *desk) session(r *http.Request) string {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return ""
	}
	until, mac, _ := strings.Cut(c.Value, ".")
	n, err := strconv.ParseInt(until, 10, 64)
	if err != nil || !same(mac, d.sign("session "+until)) || time.Now().Unix() > n {
		return ""
	}
	return c.Value
}

// csrf goes along with every form of a session.
func (d *desk) csrf(r *http.Request) string { return d.sign("form " + d.session(r)) }

func (d *desk) ask(w http.ResponseWriter, status int, problem string) {
	var b bytes.Buffer
	if err := page.Login(&b, page.LoginView{CSRF: d.sign("login"), Problem: problem}); err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sealward"`)
	}
	d.write(w, status, b.Bytes())
}

func (d *desk) write(w http.ResponseWriter, status int, body []byte) {
	secure(w.Header())
	w.Header().Set("Content-Security-Policy", page.Policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// login takes the token. Wrong ones are answered slowly, one at a time.
func (d *desk) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	switch {
	case d.token == "":
		http.Redirect(w, r, page.Path, http.StatusSeeOther)
		return
	case !same(r.PostFormValue(page.FieldCSRF), d.sign("login")):
		d.ask(w, http.StatusForbidden, "The form was too old. Try again.")
		return
	case !same(strings.TrimSpace(r.PostFormValue(page.FieldToken)), d.token):
		d.mu.Lock()
		time.Sleep(wrongPause)
		d.mu.Unlock()
		d.log.WarnContext(r.Context(), "a wrong admin token was given", "from", r.RemoteAddr)
		d.ask(w, http.StatusUnauthorized, "That is not the token.")
		return
	}
	until := strconv.FormatInt(time.Now().Add(sessionTime).Unix(), 10)
	http.SetCookie(w, d.cookie(r, until+"."+d.sign("session "+until), int(sessionTime.Seconds())))
	http.Redirect(w, r, page.Path, http.StatusSeeOther)
}

func (d *desk) cookie(r *http.Request, value string, age int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"),
	}
}

func (d *desk) logout(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if same(r.PostFormValue(page.FieldCSRF), d.csrf(r)) {
		http.SetCookie(w, d.cookie(r, "", -1))
	}
	http.Redirect(w, r, page.Path, http.StatusSeeOther)
}

// retry has a job tried again.
func (d *desk) retry(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if !same(r.PostFormValue(page.FieldCSRF), d.csrf(r)) {
		d.render(w, r, http.StatusForbidden, "The form was too old: nothing was done. Try again.", true)
		return
	}
	id, err := strconv.ParseInt(r.PostFormValue(page.FieldJob), 10, 64)
	if err != nil {
		d.render(w, r, http.StatusBadRequest, "That is no job's number.", true)
		return
	}
	if err := d.store.Retry(r.Context(), id); err != nil {
		d.log.WarnContext(r.Context(), "a job could not be retried", "job", id, "error", err)
		d.render(w, r, http.StatusConflict, "Job "+strconv.FormatInt(id, 10)+" was not retried: "+err.Error(), true)
		return
	}
	d.log.InfoContext(r.Context(), "a job is retried by the operator", "job", id)
	d.render(w, r, http.StatusOK, "Job "+strconv.FormatInt(id, 10)+" is tried again.", false)
}

func (d *desk) show(w http.ResponseWriter, r *http.Request) { d.render(w, r, http.StatusOK, "", false) }

func (d *desk) render(w http.ResponseWriter, r *http.Request, status int, notice string, bad bool) {
	v, err := d.bot.View(r.Context())
	if err != nil {
		d.log.ErrorContext(r.Context(), "the page could not be made", "error", err)
		secure(w.Header())
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	v.Version, v.CSRF, v.Notice, v.NoticeBad, v.Open = version(), d.csrf(r), notice, bad, d.token == ""
	v.Query = page.ParseQuery(r.URL.Query())
	for i, repo := range v.Repositories {
		v.Repositories[i].URL = d.web + "/" + repo.Name
	}
	for i, rot := range v.Rotations {
		if rot.Pull != 0 {
			v.Rotations[i].PullURL = d.web + "/" + rot.Repo + "/pull/" + strconv.Itoa(rot.Pull)
		}
	}
	var b bytes.Buffer
	if err := page.Render(&b, v); err != nil {
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	d.write(w, status, b.Bytes())
}

// secure sets what every page has.
func secure(h http.Header) {
	for name, value := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		h.Set(name, value)
	}
}

// loopback says whether a host, perhaps with a port, is this machine alone.
func loopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = strings.Trim(hostport, "[]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
