// Package page is the operator's page: what the bot knows, rendered on the server. It is
// pure: a [View] goes in, HTML comes out, and nothing else is needed, no script and no
// network. Everything in a View is taken for untrusted and is escaped.
package page

import (
	_ "embed"
	"html/template"
	"io"
	"time"
)

// View is what the page shows.
type View struct {
	Version string
	Now     time.Time // required: ages are counted to here
	App     string    // the App's name, "" where it is not known
	AppURL  string    // where its installations are managed
	// CSRF goes along with every form, as [FieldCSRF].
	CSRF string
	// Notice is what came of the form that was sent last; NoticeBad says that it failed.
	Notice    string
	NoticeBad bool
	// Open says that the page asks for no token: there is nothing to sign out of.
	Open         bool
	Query        Query
	Repositories []Repository // all of them, by name
	Rotations    []Rotation   // all of them, the newest first
	Queue        []Depth
	Oldest       time.Time // since when the job that waits longest could have run; zero: none waits
	Failed       []Job     // the newest first
	FailedMore   int       // further failed jobs that Failed leaves out
}

// Repository is one that the App is installed on.
type Repository struct {
	Name         string // owner/name
	URL          string
	Branch       string
	Environments []Environment
	Checked      time.Time // when Environments was read; zero: not yet
	Problem      string    // why Environments could not be read, or the configuration's fault
}

// Environment is the key of one environment.
type Environment struct {
	Name     string
	Keyring  string   // its address, without what is private about it
	Held     []string // public halves that the keyring holds, the current one first
	InUse    []string // public halves that files are sealed for
	Since    time.Time
	Files    int
	Problem  string
	Warnings []string
}

// Rotation is one that was asked for.
type Rotation struct {
	Repo, Env string
	State     string // begun, planned, open, merged, retired, closed, nothing, refused, failed
	By        string
	Comment   string // URL of the comment that asked for it, "" where none did
	Pull      int
	PullURL   string
	Old, New  []string // recipients
	Files     int
	Waits     string // for what, "" is what the state says
	Problem   string
	Created   time.Time
	Updated   time.Time
}

// Depth is how many jobs of a kind are in a state.
type Depth struct {
	Kind, State string
	Count       int
}

// Job is one that ended without being done.
type Job struct {
	ID                          int64
	Kind, State, Repo, Delivery string
	Attempt                     int
	Ended                       time.Time
	Error                       string
}

// What the page's links and forms ask for. Forms are sent by POST.
const (
	Path      = "/"
	LoginPath = "/login" // with FieldToken and FieldCSRF
	// LogoutPath and RetryPath want FieldCSRF; RetryPath wants FieldJob too.
	LogoutPath = "/logout"
	RetryPath  = "/jobs/retry"

	FieldToken = "token"
	FieldCSRF  = "csrf"
	FieldJob   = "job"
)

// Policy is the Content-Security-Policy that the page works under.
const Policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Asset is a file that the page refers to.
type Asset struct{ Path, Type, Body string }

// Assets are the files to serve beside the page, to everybody.
func Assets() []Asset {
	return []Asset{
		{"/page.css", "text/css; charset=utf-8", style},
		{"/icon.svg", "image/svg+xml", icon},
	}
}

var (
	//go:embed page.css
	style string
	//go:embed icon.svg
	icon string
	//go:embed page.html
	pageSource string
	//go:embed login.html
	loginSource string

	pageTemplate  = template.Must(template.New("page").Parse(pageSource))
	loginTemplate = template.Must(template.New("login").Parse(loginSource))
)

// Render writes the page.
func Render(w io.Writer, v View) error { return pageTemplate.Execute(w, prepare(v)) }

// LoginView is what the page shows to whoever has given no token yet.
type LoginView struct {
	CSRF    string
	Problem string // what was wrong with the token that was given
}

// Login writes the page that asks for the admin token.
func Login(w io.Writer, v LoginView) error {
	return loginTemplate.Execute(w, LoginView{CSRF: v.CSRF, Problem: clean(v.Problem)})
}
