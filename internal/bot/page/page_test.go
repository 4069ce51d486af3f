package page

import (
	"bytes"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the golden pages")

func now() time.Time { return time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC) }

func recipient(n int) string {
	const letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	b := []byte("age1")
	for i := range 58 {
		b = append(b, letters[(n*7+i*i*3+i*(n+5))%len(letters)])
	}
	return string(b)
}

func ago(d time.Duration) time.Time { return now().Add(-d) }

// full is a page with one of everything.
func full() View {
	const day = 24 * time.Hour
	rotation := func(env, state string, pull int, d time.Duration) Rotation {
		r := Rotation{
			Repo: "acme/platform", Env: env, State: state, By: "olga", Comment: "https://github.example/acme/platform/issues/7#issuecomment-12",
			Old: []string{recipient(1)}, New: []string{recipient(2)}, Files: 14, Created: ago(d), Updated: ago(d / 2),
		}
		if pull > 0 {
			r.Pull, r.PullURL = pull, fmt.Sprintf("https://github.example/acme/platform/pull/%d", pull)
		}
		return r
	}
	refused := rotation("dev", "refused", 0, 3*day)
	refused.New, refused.Problem = nil, "secrets/dev/app.yaml: a recipient that no rule explains; remove it or name it in .sops.yaml"
	planned := rotation("qa", "planned", 0, time.Hour)
	planned.New = nil
	byPush := rotation("staging", "merged", 31, 5*time.Hour)
	byPush.By, byPush.Comment, byPush.Waits = "", "", "files of the default branch that are still sealed for the old key: secrets/staging/db.yaml"
	return View{
		Version: "v1.2.3 (go1.26)", Now: now(), App: "sealward-acme", AppURL: "https://github.example/apps/sealward-acme", CSRF: "csrf-of-the-test",
		Repositories: []Repository{
			{
				Name: "acme/platform", URL: "https://github.example/acme/platform", Branch: "main", Checked: ago(4 * time.Minute),
				Environments: []Environment{
					{Name: "dev", Keyring: "file:///keys/dev.agekey", Held: []string{recipient(3)}, InUse: []string{recipient(3)}, Since: ago(90 * day), Files: 9},
					{Name: "prod", Keyring: "kubernetes://flux-system/sops-age", Held: []string{recipient(2), recipient(1)}, InUse: []string{recipient(1)}, Since: ago(2 * time.Hour), Files: 14, Warnings: []string{"the Secret has an entry age.key, which Flux does not read; name it old.agekey"}},
					{Name: "staging", Keyring: "kubernetes://flux-system/sops-age-staging", Files: 3, InUse: []string{recipient(5)}, Problem: "read Secret flux-system/sops-age-staging: forbidden; give the Role its name"},
					{Name: "vault", Keyring: "operator", InUse: []string{recipient(6)}, Files: 1},
				},
			},
			{Name: "acme/empty", URL: "https://github.example/acme/empty", Branch: "trunk", Checked: ago(9 * time.Minute)},
			{Name: "acme/new", URL: "https://github.example/acme/new"},
		},
		Rotations: []Rotation{rotation("prod", "open", 34, 2*time.Hour), planned, byPush, rotation("prod", "begun", 0, 20*time.Second), refused, rotation("prod", "retired", 12, 40*day), rotation("prod", "closed", 11, 41*day), rotation("prod", "nothing", 0, 400*day), rotation("prod", "failed", 0, 800*day)},
		Queue:     []Depth{{"rotate", "running", 1}, {"rotate", "completed", 12}, {"reply", "available", 3}, {"sweep", "scheduled", 2}, {"drift", "discarded", 1}, {"rotate", "discarded", 1}},
		Oldest:    ago(3 * time.Minute),
		Failed: []Job{
			{ID: 4711, Kind: "rotate", State: "discarded", Repo: "acme/platform", Delivery: "0b989ba4-242f-11e5-81e1-c7b6966d2516", Attempt: 12, Ended: ago(25 * time.Minute), Error: "propose: POST /repos/acme/platform/git/trees: 403 Resource not accessible by integration; give the App Contents: write"},
			{ID: 4242, Kind: "drift", State: "discarded", Repo: "acme/empty", Attempt: 1, Ended: ago(26 * time.Hour), Error: "read .sealward.yaml: line 3: unknown key \"reveiw\"; did you mean \"review\"?"},
		},
	}
}

func many() View {
	v := View{Version: "v1.2.3", Now: now(), CSRF: "csrf-of-the-test", Open: true}
	all := []string{"retired", "closed", "nothing", "refused", "open", "retired", "retired", "failed"}
	for i := range 500 {
		v.Rotations = append(v.Rotations, Rotation{
			Repo: fmt.Sprintf("acme/service-%03d", i%200), Env: []string{"dev", "staging", "prod"}[i%3], State: all[i%len(all)], By: "olga", Pull: i + 1,
			PullURL: fmt.Sprintf("https://github.example/acme/service-%03d/pull/%d", i%200, i+1), Old: []string{recipient(i)}, New: []string{recipient(i + 1)}, Files: i % 90,
			Created: ago(time.Duration(i) * 7 * time.Hour), Updated: ago(time.Duration(i) * 6 * time.Hour),
		})
	}
	for i := range 200 {
		r := Repository{Name: fmt.Sprintf("acme/service-%03d", i), Branch: "main", Checked: ago(time.Duration(i) * time.Minute)}
		for j, env := range []string{"dev", "staging", "prod"} {
			r.Environments = append(r.Environments, Environment{Name: env, Keyring: "file:///keys/" + env + ".agekey", Held: []string{recipient(j)}, InUse: []string{recipient(j)}, Files: i, Since: ago(time.Duration(i) * 30 * time.Hour)})
		}
		v.Repositories = append(v.Repositories, r)
	}
	for i := range 100 {
		v.Failed = append(v.Failed, Job{ID: int64(i), Kind: "rotate", State: "discarded", Repo: "acme/service", Attempt: 12, Ended: ago(time.Hour), Error: "error"})
	}
	v.FailedMore = 7
	return v
}

// nasty is text that breaks out of whatever does not escape it.
const nasty = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;{{.CSRF}}\u202egnp.exe\x00\x1b[31m\n</textarea></style>--><!--"

// hostile is full with nasty text wherever there is text.
func hostile() View {
	const script = "javascript:alert(document.domain)//"
	list := []string{nasty, script}
	return View{
		Version: nasty, Now: now(), App: nasty, AppURL: script, CSRF: `"><script>alert(4)</script>`, Notice: nasty, NoticeBad: true,
		Query:        Query{Repo: "", State: nasty},
		Repositories: []Repository{{Name: nasty, URL: script, Branch: nasty, Checked: now(), Problem: nasty, Environments: []Environment{{Name: nasty, Keyring: nasty, Held: list, InUse: list, Problem: nasty, Warnings: list}}}},
		Rotations:    []Rotation{{Repo: nasty, Env: nasty, State: nasty, By: nasty, Comment: script, Pull: 1, PullURL: "data:text/html,<script>alert(3)</script>", Old: list, New: list, Waits: nasty, Problem: nasty + strings.Repeat("long ", 10_000), Created: now()}},
		Queue:        []Depth{{nasty, nasty, 1}},
		Failed:       []Job{{ID: 1, Kind: nasty, State: nasty, Repo: nasty, Delivery: nasty, Error: nasty}},
	}
}

func pages() map[string]View {
	h := hostile()
	h.Query.State = ""
	return map[string]View{"full": full(), "empty": {Version: "v1.2.3", Now: now(), Open: true}, "many": many(), "hostile": h}
}

func render(t *testing.T, v View) string {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The golden pages are what the browser's tests open.
func TestPagesAreGolden(t *testing.T) {
	got := map[string]string{}
	for name, v := range pages() {
		got[name] = render(t, v)
	}
	for name, v := range map[string]LoginView{"login": {CSRF: "csrf-of-the-test"}, "login-wrong": {CSRF: "csrf-of-the-test", Problem: "That is not the admin token."}} {
		var b bytes.Buffer
		if err := Login(&b, v); err != nil {
			t.Fatal(err)
		}
		got[name] = b.String()
	}
	for name, html := range got {
		file := filepath.Join("testdata", name+".html")
		if *update {
			if err := os.WriteFile(file, []byte(html), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if html != string(want) {
			t.Errorf("%s is stale: go test ./internal/bot/page -update, and look at the difference", file)
		}
	}
}

func TestUntrustedTextIsEscaped(t *testing.T) {
	html := render(t, hostile())
	for _, bad := range []string{"<script", "<img", "onerror=alert(2)>", "href=\"javascript", "href=\"data", "\u202e", "\x00", "\x1b", "<!--", "ZgotmplZ"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if len(html) > 60_000 {
		t.Errorf("an error of 50,000 characters makes a page of %d", len(html))
	}
	// What is shown of it is all there.
	for _, want := range []string{"&lt;script&gt;alert(1)&lt;/script&gt;", `\u202egnp.exe`} {
		if strings.Count(html, want) < 15 {
			t.Errorf("%q stands %d times", want, strings.Count(html, want))
		}
	}
}

// The page must work under its own policy: no style or script in it, nothing from elsewhere.
func TestPagesKeepToTheirPolicy(t *testing.T) {
	inline := regexp.MustCompile(`(?i)<script|<style|\sstyle=|\son[a-z]+=["']|<base|<iframe|@import|url\(`)
	for name, v := range pages() {
		html := render(t, v)
		if found := inline.FindString(html); found != "" && name != "hostile" {
			t.Errorf("%s has %q", name, found)
		}
	}
	for _, a := range Assets() {
		if found := inline.FindString(a.Body); found != "" || !strings.HasPrefix(a.Path, "/") || a.Body == "" {
			t.Errorf("%s: %q", a.Path, found)
		}
		if !strings.Contains(pageSource, a.Path) || !strings.Contains(loginSource, a.Path) {
			t.Errorf("no page refers to %s", a.Path)
		}
	}
}

func TestListsAreBounded(t *testing.T) {
	v := many()
	html := render(t, v)
	if len(html) > 300_000 {
		t.Errorf("the page has %d bytes", len(html))
	}
	for _, want := range []string{"1 to 40 of 500 rotations, page 1 of 13", "1 to 25 of 200 repositories, page 1 of 8", "97 more:", `href="/?rotations=2#rotations"`, `href="/?repositories=2#repositories"`, "200 repositories", "600 environments", "107 jobs"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	v.Query = ParseQuery(url.Values{"repo": {"SERVICE-01"}, "state": {"under-way"}, "rotations": {"99"}, "repositories": {"-3"}})
	html = render(t, v)
	for _, want := range []string{"acme/service-012", "Rotations <small>3 that fit", "Repositories and keys <small>10 that fit", `value="SERVICE-01"`, "Everything again"} {
		if !strings.Contains(html, want) {
			t.Errorf("the filtered page does not say %q", want)
		}
	}
	if strings.Contains(html, "acme/service-020") {
		t.Error("the filter lets others through")
	}
}

// Every list's last page has its last row, and no row stands on two pages.
func TestPagesPartitionTheList(t *testing.T) {
	v, seen := many(), map[string]int{}
	row := regexp.MustCompile(`Pull request #(\d+)`)
	for n := 1; n <= 13; n++ {
		v.Query.Rotations = n
		for _, m := range row.FindAllStringSubmatch(render(t, v), -1) {
			seen[m[1]]++
		}
	}
	if len(seen) != 500 {
		t.Errorf("%d rotations on all pages", len(seen))
	}
	for pull, n := range seen {
		if n != 1 {
			t.Errorf("pull request %s stands %d times", pull, n)
		}
	}
}

func TestQueryIsReadStrictly(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Query
	}{
		{"", Query{Rotations: 1, Repositories: 1}},
		{"repo=+acme+&state=open&rotations=3&repositories=2", Query{"acme", "open", 3, 2}},
		{"state=nonsense&rotations=99999999999999999999&repositories=x", Query{Rotations: 1, Repositories: 1}},
		{"state=under-way", Query{State: "under-way", Rotations: 1, Repositories: 1}},
	} {
		values, err := url.ParseQuery(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		got := ParseQuery(values)
		if got != tt.want {
			t.Errorf("%q: %+v", tt.in, got)
		}
		back, err := url.Parse(got.address("x"))
		if err != nil || ParseQuery(back.Query()) != got {
			t.Errorf("%q: %s reads as something else", tt.in, got.address("x"))
		}
	}
}

func TestSpansHaveOneUnit(t *testing.T) {
	for d, want := range map[time.Duration]string{-time.Second: "0 s", 89 * time.Second: "89 s", 5 * time.Minute: "5 min", 47 * time.Hour: "47 h", 48 * time.Hour: "2 days", 59 * 24 * time.Hour: "59 days", 100 * 24 * time.Hour: "3 months", 800 * 24 * time.Hour: "2 years"} {
		if got := span(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}

func TestStandingOfAnEnvironment(t *testing.T) {
	one, two := []string{"age1one"}, []string{"age1two", "age1one"}
	for _, tt := range []struct {
		e    Environment
		want string
	}{
		{Environment{Problem: "x", Held: one, InUse: one}, "needs you"},
		{Environment{Keyring: "operator", InUse: one}, "operator keeps it"},
		{Environment{Keyring: "file:///x"}, "no key"},
		{Environment{Held: two, InUse: one}, "files behind the key"},
		{Environment{Held: two, InUse: two[:1]}, "old key still held"},
		{Environment{Held: one}, "in no file"},
		{Environment{Held: one, InUse: one, Warnings: one}, "look at it"},
		{Environment{Held: one, InUse: append(one[:1:1], "age1person")}, "in step"},
	} {
		if _, got, _ := tt.e.standing(); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.e, got, tt.want)
		}
	}
}

func FuzzRender(f *testing.F) {
	f.Add(nasty, "open", int64(1))
	f.Add("javascript:alert(1)", "\xff", int64(-1))
	f.Fuzz(func(t *testing.T, text, state string, at int64) {
		v := hostile()
		v.Notice, v.Rotations[0].State, v.Rotations[0].PullURL, v.Repositories[0].Name, v.Failed[0].Error = text, state, text, text, text
		v.Rotations[0].Created = time.Unix(at, 0)
		html := render(t, v)
		if strings.Contains(html, "<script") || strings.Contains(html, `href="javascript:`) {
			t.Errorf("%q breaks out", text)
		}
	})
}
