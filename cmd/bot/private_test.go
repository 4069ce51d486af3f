package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
)

// page looks at the private listener, as who has the token and as who has not.
func (w *served) page() {
	w.t.Helper()
	for path, want := range map[string]int{"/": 401, "/healthz": 200, "/readyz": 200, "/metrics": 200, "/page.css": 200, "/nothing": 404} {
		status, body, header := w.get(nil, path, "")
		if status != want || header.Get("X-Content-Type-Options") != "nosniff" && want == 401 {
			w.t.Errorf("%s: %d, want %d", path, status, want)
		}
		if path == "/" && strings.Contains(body, "octo/shop") {
			w.t.Error("the page is open")
		}
		w.clean(body)
	}
	for _, given := range []string{"Bearer wrong", "Bearer ", "Basic Og=="} {
		if status, _, _ := w.get(nil, "/", given); status != 401 {
			w.t.Errorf("%s: %d", given, status)
		}
	}
	status, body, header := w.get(nil, "/", "Bearer "+adminToken)
	if status != 200 || !strings.Contains(body, "octo/shop") || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		w.t.Errorf("with the token: %d %s", status, body)
	}
	w.clean(body)
	w.login()
}

// login goes through the form, and retries what cannot be retried.
func (w *served) login() {
	w.t.Helper()
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	_, body, _ := w.get(client, "/", "")
	post := func(path string, form url.Values, origin string) (int, string) {
		req, err := http.NewRequest(http.MethodPost, w.private+path, strings.NewReader(form.Encode()))
		if err != nil {
			w.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Origin", origin)
		resp, err := client.Do(req)
		if err != nil {
			w.t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	csrf := regexp.MustCompile(`name="csrf" value="([^"]+)"`)
	form := func(body string, more ...string) url.Values {
		v := url.Values{}
		if m := csrf.FindStringSubmatch(body); m != nil {
			v.Set("csrf", m[1])
		} else {
			w.t.Errorf("no form in %s", body)
		}
		for i := 0; i < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return v
	}
	if status, _ := post("/login", form(body, "token", "not it"), w.private); status != 401 {
		w.t.Errorf("a wrong token: %d", status)
	}
	if status, _ := post("/login", url.Values{"token": {adminToken}}, w.private); status != 403 {
		w.t.Errorf("no form's mark: %d", status)
	}
	status, inside := post("/login", form(body, "token", adminToken), w.private)
	if status != 200 || !strings.Contains(inside, "octo/shop") {
		w.t.Fatalf("the token: %d %s", status, inside)
	}
	if status, _ := post("/jobs/retry", url.Values{"job": {"1"}}, w.private); status != 403 {
		w.t.Errorf("a retry without the form's mark: %d", status)
	}
	if status, _ := post("/jobs/retry", form(inside, "job", "1"), "https://evil.example"); status != 403 {
		w.t.Errorf("a retry from elsewhere: %d", status)
	}
	if status, text := post("/jobs/retry", form(inside, "job", "999999"), w.private); status != 409 || !strings.Contains(text, "was not retried") {
		w.t.Errorf("a retry of no job: %d", status)
	}
	if status, text := post("/logout", form(inside), w.private); status != 401 || strings.Contains(text, "octo/shop") {
		w.t.Errorf("signed out: %d", status)
	}
}

func (w *served) get(client *http.Client, path, auth string) (int, string, http.Header) {
	w.t.Helper()
	if client == nil {
		client = http.DefaultClient
	}
	req, err := http.NewRequest(http.MethodGet, w.private+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	resp, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}
