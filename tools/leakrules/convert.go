package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// rule is what we read of one of gitleaks' rules.
type rule struct {
	ID          string
	Description string
	Regex       string
	Entropy     float64
	SecretGroup int
	Path        string
	Keywords    []string
	Allowlists  []allowlist
}

type allowlist struct {
	Condition   string
	RegexTarget string
	Regexes     []string
	Paths       []string
	StopWords   []string
}

// pattern is one entry of the file that internal/leak reads; its twin there
// documents the fields.
type pattern struct {
	ID       string   `json:"id"`
	What     string   `json:"what"`
	Keywords []string `json:"keywords,omitempty"`
	Regex    string   `json:"regex,omitempty"`
	Word     bool     `json:"word,omitempty"`
	Back     int      `json:"back,omitempty"`
	Length   int      `json:"length,omitempty"`
	Names    string   `json:"names,omitempty"`
	Entropy  float64  `json:"entropy,omitempty"`
	Group    int      `json:"group,omitempty"`
	Path     string   `json:"path,omitempty"`
	Allow    []allow  `json:"allow,omitempty"`
}

type allow struct {
	All     bool     `json:"all,omitempty"`
	Target  string   `json:"target,omitempty"`
	Regexes []string `json:"regexes,omitempty"`
	Paths   []string `json:"paths,omitempty"`
	Words   []string `json:"words,omitempty"`
}

func readRules(name string) ([]rule, error) {
	var file struct{ Rules []rule }
	if _, err := toml.DecodeFile(name, &file); err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	return file.Rules, nil
}

// ours are rules for which internal/leak has code or patterns of its own:
// formats with a checksum or structure to verify, and whatever needs a name, a
// file or a neighbour to be judged.
var ours = map[string]string{
	"age-secret-key": "own pattern", "private-key": "own reader", "generic-api-key": "own judge",
	"kubernetes-secret-yaml": "own judge", "hashicorp-tf-password": "own judge", "nuget-config-password": "own judge",
	"curl-auth-header": "own reader", "curl-auth-user": "own reader", "jwt": "own check", "jwt-base64": "own check",
	"github-app-token": "own check", "github-fine-grained-pat": "own check", "github-oauth": "own check",
	"github-pat": "own check", "github-refresh-token": "own check", "gitlab-pat": "own check",
	"gitlab-pat-routable": "own check", "gitlab-runner-authentication-token": "own check",
	"gitlab-runner-authentication-token-routable": "own check", "npm-access-token": "own check",
	"pypi-upload-token": "own check", "aws-access-token": "own check", "slack-webhook-url": "own check",
	"slack-bot-token": "own check", "slack-user-token": "own check", "slack-app-token": "own check",
	"slack-legacy-token": "own check", "slack-legacy-bot-token": "own check", "slack-legacy-workspace-token": "own check",
	"stripe-access-token": "own pattern", "twilio-api-key": "own pattern", "vault-service-token": "own pattern",
	"sourcegraph-access-token": "own pattern", "pkcs12-file": "binary, named as not read",
	"aws-amazon-bedrock-api-key-short-lived": "own pattern", "azure-ad-client-secret": "own pattern",
	"microsoft-teams-webhook": "own pattern", "atlassian-api-token": "own pattern", "gitlab-ptt": "own pattern",
	"airtable-personnal-access-token": "own pattern", "facebook-access-token": "own pattern",
	"freemius-secret-key": "own judge", "octopus-deploy-api-key": "own pattern", "sidekiq-sensitive-url": "own reader",
}

// public are identifiers and publishable keys: not secrets at all.
var public = []string{
	"adobe-client-id", "asana-client-id", "bitbucket-client-id", "discord-client-id", "flutterwave-public-key",
	"linkedin-client-id", "lob-pub-api-key", "looker-client-id", "mailgun-pub-key", "messagebird-client-id",
	"plaid-client-id", "sendbird-access-id", "sumologic-access-id", "new-relic-user-api-id", "new-relic-browser-api-token",
	"mapbox-api-token",
}

// convert returns the patterns, and why each rule that has none was left out.
func convert(rules []rule) (patterns []pattern, left []string) {
	for _, r := range rules {
		switch why, own := ours[r.ID]; {
		case own:
			left = append(left, r.ID+" ("+why+")")
		case slices.Contains(public, r.ID):
			left = append(left, r.ID+" (public)")
		default:
			patterns = append(patterns, convertRule(r))
		}
	}
	return patterns, left
}

func convertRule(r rule) pattern {
	p := pattern{
		ID: r.ID, What: title(r.ID), Entropy: r.Entropy, Group: r.SecretGroup, Path: r.Path,
	}
	for _, a := range r.Allowlists {
		p.Allow = append(p.Allow, allow{
			All: a.Condition == "AND", Target: a.RegexTarget, Regexes: a.Regexes, Paths: a.Paths, Words: a.StopWords,
		})
	}
	if names, value, ok := splitAssignment(r.Regex); ok {
		p.Names, p.Regex = names, value
		p.Keywords = lower(r.Keywords)
		return p
	}
	p.Regex, p.Word = strings.CutPrefix(r.Regex, `\b`)
	p.Keywords = lower(r.Keywords)
	p.Back, p.Length = reach(p.Regex, p.Keywords)
	return p
}

func lower(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strings.ToLower(w)
	}
	return out
}

// The frame that gitleaks puts around `name = value` rules. We cut it off: our
// own reader finds names and values in many more notations than it knows.
var frames = []struct {
	head, mid, tail string
	fold            bool // (?i) reaches over the value too
}{
	{`(?i)[\w.-]{0,50}?(?:`, `)(?:[ \t\w.-]{0,20})[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}(`, `)(?:[\x60'"\s;]|\\[nr]|$)`, true},
	{`[\w.-]{0,50}?(?i:[\w.-]{0,50}?(?:`, `)(?:[ \t\w.-]{0,20})[\s'"]{0,3})(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}(`, `)(?:[\x60'"\s;]|\\[nr]|$)`, false},
}

// splitAssignment takes `name = value` rules apart; the result is a regex that a
// name must contain and one that a value must equal.
func splitAssignment(expr string) (names, value string, ok bool) {
	for _, f := range frames {
		rest, isFramed := strings.CutPrefix(expr, f.head)
		if !isFramed {
			continue
		}
		names, value, found := strings.Cut(rest, f.mid)
		value, whole := strings.CutSuffix(value, f.tail)
		if !found || !whole || strings.Contains(value, f.tail) {
			continue
		}
		if f.fold {
			value = `(?i)` + value
		}
		regexp.MustCompile(value)
		return `(?i)` + names, value, true
	}
	return "", "", false
}

// title makes a name for people out of a rule's id.
func title(id string) string {
	words := strings.Split(id, "-")
	for i, w := range words {
		if t, ok := spelled[w]; ok {
			words[i] = t
		}
	}
	if len(words[0]) > 0 && spelled[strings.Split(id, "-")[0]] == "" {
		words[0] = strings.ToUpper(words[0][:1]) + words[0][1:]
	}
	return strings.Join(words, " ")
}

var spelled = map[string]string{
	"api": "API", "aws": "AWS", "gcp": "GCP", "jwt": "JWT", "github": "GitHub", "gitlab": "GitLab", "npm": "npm",
	"id": "ID", "oauth": "OAuth", "pat": "personal access token", "url": "URL", "ptt": "pipeline trigger token",
	"rrt": "runner registration token", "scim": "SCIM", "cicd": "CI/CD", "digitalocean": "DigitalOcean",
	"huggingface": "Hugging Face", "openai": "OpenAI", "planetscale": "PlanetScale", "jfrog": "JFrog",
	"sendgrid": "SendGrid", "rubygems": "RubyGems", "newrelic": "New Relic", "launchdarkly": "LaunchDarkly",
	"cloudflare": "Cloudflare", "ca": "CA", "pypi": "PyPI", "hashicorp": "HashiCorp", "tf": "Terraform",
	"personnal": "personal", "flyio": "Fly.io", "droneci": "Drone CI", "easypost": "EasyPost",
}
