package report

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

const (
	// sarifResults is how many results GitHub takes in one run.
	sarifResults = 25_000
	// sarifRelated is how many places GitHub shows of one result.
	sarifRelated = 100
	// homepage is where the program and its documentation live.
	homepage = "https://github.com/sealward/sealward"
)

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool                `json:"tool"`
	Automation  sarifAutomation          `json:"automationDetails"`
	Invocations []sarifInvocation        `json:"invocations"`
	URIBases    map[string]sarifArtifact `json:"originalUriBaseIds"`
	ColumnKind  string                   `json:"columnKind"`
	Results     []sarifResult            `json:"results"`
}

type sarifAutomation struct {
	ID string `json:"id"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	Version        string      `json:"version,omitempty"`
	InformationURI string      `json:"informationUri"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Short      sarifText       `json:"shortDescription"`
	Full       sarifText       `json:"fullDescription"`
	Help       sarifText       `json:"help"`
	HelpURI    string          `json:"helpUri"`
	Default    sarifLevel      `json:"defaultConfiguration"`
	Properties sarifProperties `json:"properties"`
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifLevel struct {
	Level string `json:"level"`
}

type sarifProperties struct {
	Tags             []string `json:"tags"`
	Precision        string   `json:"precision"`
	SecuritySeverity string   `json:"security-severity,omitempty"`
	ProblemSeverity  string   `json:"problem.severity"`
}

type sarifInvocation struct {
	Successful    bool                `json:"executionSuccessful"`
	Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Related      []sarifLocation   `json:"relatedLocations,omitempty"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Properties   map[string]string `json:"properties,omitempty"`
}

type sarifLocation struct {
	ID       int           `json:"id,omitempty"`
	Physical sarifPhysical `json:"physicalLocation"`
	Message  *sarifText    `json:"message,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI         string     `json:"uri,omitempty"`
	URIBaseID   string     `json:"uriBaseId,omitempty"`
	Description *sarifText `json:"description,omitempty"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
	EndLine     int `json:"endLine,omitempty"`
	EndColumn   int `json:"endColumn,omitempty"`
}

// writeSARIF writes SARIF 2.1.0 as GitHub's code scanning takes it. Ignored
// findings are left out: GitHub would open an alert for each.
func writeSARIF(w io.Writer, r *review.Report, opt Options) error {
	rules := sortedRules(r)
	run := sarifRun{
		Tool: sarifTool{sarifDriver{Name: "sealward", Version: strings.TrimPrefix(opt.Version, "v"), InformationURI: homepage,
			Rules: make([]sarifRule, 0, len(rules))}},
		Automation:  sarifAutomation{"sealward/"},
		Invocations: []sarifInvocation{invocation(r)},
		URIBases: map[string]sarifArtifact{srcRoot: {
			Description: &sarifText{Text: "The root of the repository."}}},
		ColumnKind: "unicodeCodePoints",
		Results:    make([]sarifResult, 0, min(len(r.Findings), sarifResults)),
	}
	index := map[string]int{}
	for i, rule := range rules {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, describe(rule))
	}
	seen := map[string]int{}
	for i := range r.Findings[:min(len(r.Findings), sarifResults)] {
		f := &r.Findings[i]
		res := result(f, seen)
		res.RuleIndex = index[f.Rule]
		run.Results = append(run.Results, res)
	}
	return encode(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// srcRoot stands for the repository's root, which the reader knows and we do not.
const srcRoot = "%SRCROOT%"

// invocation says what was not read, and what did not fit.
func invocation(r *review.Report) sarifInvocation {
	inv := sarifInvocation{Successful: len(r.Incomplete) == 0}
	for _, s := range r.Incomplete {
		inv.Notifications = append(inv.Notifications, sarifNotification{"error", sarifText{Text: s}})
	}
	if n := len(r.Findings) - sarifResults; n > 0 {
		left := map[string]int{}
		for i := range r.Findings[sarifResults:] {
			left[r.Findings[sarifResults+i].Rule]++
		}
		var names []string
		for _, rule := range sortedRules(r) {
			if left[rule.ID] > 0 {
				names = append(names, fmt.Sprintf("%s %d", rule.ID, left[rule.ID]))
			}
		}
		inv.Notifications = append(inv.Notifications, sarifNotification{"warning", sarifText{Text: fmt.Sprintf(
			"GitHub takes %d results; %d more were left out here and are in --format json: %s.", sarifResults, n, strings.Join(names, ", "))}})
	}
	return inv
}

// sarifLevelOf translates a severity.
func sarifLevelOf(s review.Severity) string {
	if s == review.Notice {
		return "note"
	}
	return cmp.Or(map[review.Severity]string{review.Error: "error", review.Warning: "warning"}[s], "none")
}

// describe turns a rule's page into SARIF's descriptor of it.
func describe(rule *review.Rule) sarifRule {
	summary := rule.Summary()
	out := sarifRule{
		ID:      rule.ID,
		Name:    pascal(rule.ID),
		Short:   sarifText{Text: sentence(cmp.Or(summary, rule.ID))},
		Full:    sarifText{Text: sentence(cmp.Or(summary, rule.ID))},
		Help:    sarifText{Text: sentence(cmp.Or(plain(rule.Doc), rule.ID)), Markdown: cmp.Or(strings.TrimSpace(rule.Doc), rule.ID)},
		HelpURI: homepage + "/blob/main/docs/rules.md#" + rule.ID,
		Default: sarifLevel{sarifLevelOf(rule.Severity)},
		Properties: sarifProperties{
			Tags:            []string{"secrets", "gitops"},
			Precision:       "high",
			ProblemSeverity: strings.Replace(rule.Severity.String(), "notice", "recommendation", 1),
		},
	}
	if rule.Family == review.Leaks || rule.Family == review.Sealing {
		out.Properties.Tags = append(out.Properties.Tags, "security")
		out.Properties.SecuritySeverity = map[review.Severity]string{review.Error: "8.5", review.Warning: "5.0"}[rule.Severity]
		out.Properties.SecuritySeverity = cmp.Or(out.Properties.SecuritySeverity, "2.0")
	}
	return out
}

// plain takes the marks of headings and code blocks out of Markdown.
func plain(doc string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(doc)) {
		if strings.HasPrefix(line, "```") {
			continue
		}
		b.WriteString(strings.TrimLeft(line, "# "))
	}
	return strings.ReplaceAll(b.String(), "`", "")
}

// sentence ends s with a full stop.
func sentence(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "!") || strings.HasSuffix(s, "?") {
		return s
	}
	return s + "."
}

// pascal writes leaked-token as LeakedToken, which is what SARIF calls a name.
func pascal(id string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(id, "-") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// result writes one finding. seen counts the findings of each fingerprint, which
// need not be unique, so that each result has one of its own.
func result(f *review.Finding, seen map[string]int) sarifResult {
	fp := f.Fingerprint()
	seen[fp]++
	text := []string{sentence(f.Message)}
	if f.Commit != "" {
		text = append(text, "It is in commit "+short(f.Commit)+", which history keeps.")
	}
	text = append(text, f.Why, f.Hint)
	res := sarifResult{
		RuleID:    f.Rule,
		Level:     sarifLevelOf(f.Severity),
		Message:   sarifText{Text: noLinks(strings.Join(nonEmpty(text), "\n"))},
		Locations: []sarifLocation{{Physical: physical(f.Span)}},
		// GitHub tells alerts apart by primaryLocationLineHash alone and would
		// else compute it from the line, so that a re-encryption reopens an alert.
		Fingerprints: map[string]string{
			"primaryLocationLineHash": fmt.Sprintf("%x:%d", sha256.Sum256([]byte(fp)), seen[fp]),
			"sealward/v1":             fp,
		},
	}
	if f.Commit != "" {
		res.Properties = map[string]string{"commit": f.Commit}
	}
	for i, rel := range f.Related[:min(len(f.Related), sarifRelated)] {
		res.Related = append(res.Related, sarifLocation{ID: i + 1, Physical: physical(rel.Span),
			Message: &sarifText{Text: noLinks(cmp.Or(rel.Message, "related"))}})
	}
	if n := len(f.Related) - sarifRelated; n > 0 {
		res.Message.Text += fmt.Sprintf("\n%d more places are in --format json.", n)
	}
	return res
}

// noLinks keeps text from being read as one of SARIF's embedded links.
func noLinks(s string) string { return strings.ReplaceAll(s, "](", "] (") }

// physical writes a place, and no snippet of it: that would be the secret.
func physical(s syntax.Span) sarifPhysical {
	p := sarifPhysical{Artifact: sarifArtifact{URI: relativeURI(s.File), URIBaseID: srcRoot}}
	if s.IsZero() {
		p.Region = &sarifRegion{StartLine: 1}
		return p
	}
	p.Region = &sarifRegion{StartLine: s.Start.Line, StartColumn: s.Start.Col, EndLine: max(s.End.Line, s.Start.Line), EndColumn: s.End.Col}
	if p.Region.EndLine == p.Region.StartLine {
		p.Region.EndColumn = max(p.Region.EndColumn, p.Region.StartColumn)
	}
	return p
}

// relativeURI writes a path as a relative reference: percent-encoded, and never
// taken for a scheme or a host.
func relativeURI(path string) string {
	if path == "" {
		return "."
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = strings.ReplaceAll(url.PathEscape(s), ":", "%3A")
	}
	return strings.Join(segments, "/")
}
