package main

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/sethvargo/go-githubactions"
)

// mode is what is done in a workflow.
type mode string

// The modes.
const (
	modeAuto   mode = "auto"   // what the event asks for
	modeReview mode = "review" // the change
	modeDrift  mode = "drift"  // where environments have drifted apart
	modeFull   mode = "full"   // the whole tree
)

// commentPolicy is when the comment on a pull request is made.
type commentPolicy string

// The policies.
const (
	commentNever      commentPolicy = "never"
	commentOnFindings commentPolicy = "on-findings"
	commentAlways     commentPolicy = "always"
)

// inputs are what a workflow says in "with:".
type inputs struct {
	token                         string
	mode                          mode
	config                        string
	paths, pathsIgnore            []string // globs
	failOn                        string   // "" is the configuration's
	failOnDrift                   bool
	annotations, summary          bool
	comment                       commentPolicy
	suggestions                   bool
	sarifFile, jsonFile, htmlFile string // paths; "" writes none
	driftIssue, dryRun            bool
	base, head                    string // revisions; "" is the event's
	apiURL                        string
}

// input describes one input, as action.yml and the README tell it.
type input struct {
	name, fallback, doc string
	values              []string // those that are valid; nil takes any text
	set                 func(string)
}

// all lists the inputs in the order of action.yml, each with the field it sets.
func (in *inputs) all() []input {
	return []input{
		{"github-token", "${{ github.token }}", "The token that the API is asked with. It needs `contents: read`; with `pull-requests: write` there is a comment, with `issues: write` the issue of drift.", nil, text(&in.token)},
		{"mode", "auto", "What to do: `review` the change, report `drift`, review the `full` tree. `auto` reviews where the event is about a change, and reports drift where it is a schedule or a dispatch.", words(modeAuto, modeReview, modeDrift, modeFull), text(&in.mode)},
		{"config", "", "The configuration's path in the repository, instead of `.sealward.yaml`. It is read from the base of a change, never from its head.", nil, text(&in.config)},
		{"paths", "", "Globs, separated by commas or line ends: findings that name no place there are left out. All files are read all the same.", nil, list(&in.paths)},
		{"paths-ignore", "", "Globs of files that are not read at all, beside those of the configuration.", nil, list(&in.pathsIgnore)},
		{"fail-on", "", "The least severity that fails the step: `error`, `warning`, `notice` or `never`. Without it the configuration decides, and without that it is `error`.", append([]string{""}, failOnValues[:]...), text(&in.failOn)},
		{"fail-on-drift", "false", "Fail the step where a key has drifted.", booleans(), boolean(&in.failOnDrift)},
		{"annotations", "true", "Show findings in the diff, at most ten of each severity.", booleans(), boolean(&in.annotations)},
		{"summary", "true", "Write the report into the job's summary.", booleans(), boolean(&in.summary)},
		{"comment", "on-findings", "Keep one comment on the pull request: `never`, `on-findings` (and when they are fixed), `always`.", words(commentNever, commentOnFindings, commentAlways), text(&in.comment)},
		{"suggestions", "true", "Suggest the edit on the pull request where a finding has one.", booleans(), boolean(&in.suggestions)},
		{"sarif-file", "", "Write the findings as SARIF to this path, for code scanning.", nil, text(&in.sarifFile)},
		{"json-file", "", "Write the report as JSON to this path.", nil, text(&in.jsonFile)},
		{"html-file", "", "Write the tables of drift as a page of HTML to this path.", nil, text(&in.htmlFile)},
		{"drift-issue", "false", "Keep one issue that lists the drift of the default branch: closed when there is none, reopened when there is again.", booleans(), boolean(&in.driftIssue)},
		{"dry-run", "false", "Write nothing to GitHub, and say what would be written.", booleans(), boolean(&in.dryRun)},
		{"base", "", "The commit or branch to compare with, instead of the event's.", nil, text(&in.base)},
		{"head", "", "The commit or branch to review, instead of the event's.", nil, text(&in.head)},
		{"api-url", "", "The URL of the API, instead of the runner's. An Enterprise Server's ends in `/api/v3`.", nil, text(&in.apiURL)},
	}
}

func words[T ~string](list ...T) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = string(w)
	}
	return out
}

func booleans() []string { return []string{"true", "false"} }

func text[T ~string](to *T) func(string) { return func(s string) { *to = T(s) } }

func boolean(to *bool) func(string) { return func(s string) { *to = s == "true" } }

func list(to *[]string) func(string) {
	return func(s string) { *to = fieldsOf(s) }
}

// readInputs reads the inputs from INPUT_* of the environment, dashes included. An
// input that is not set, or set to nothing, has its default. All unknown values are
// told at once, each with the valid ones.
func readInputs(getenv func(string) string) (inputs, error) {
	act := githubactions.New(githubactions.WithGetenv(getenv), githubactions.WithWriter(io.Discard))
	var in inputs
	var wrong []error
	for _, i := range in.all() {
		value := act.GetInput(i.name)
		if value == "" && !strings.Contains(i.fallback, "${{") {
			value = i.fallback
		}
		if i.values != nil {
			value = strings.ToLower(value)
		}
		if i.values != nil && !slices.Contains(i.values, value) {
			wrong = append(wrong, badValue("input "+i.name+":", value, slices.DeleteFunc(slices.Clone(i.values), func(s string) bool { return s == "" })))
			continue
		}
		i.set(value)
	}
	wrong = append(wrong, checkGlobs("paths", in.paths), checkGlobs("paths-ignore", in.pathsIgnore))
	return in, errors.Join(wrong...)
}

// output describes one output.
type output struct{ name, doc string }

// outputList lists the outputs in the order of action.yml.
func outputList() []output {
	return []output{
		{"result", "`clean`, `findings`, or `error` where the work could not be done."},
		{"findings-count", "How many findings there are."},
		{"new-count", "How many of them the change brought; 0 where a whole tree is reviewed."},
		{"error-count", "How many of them are errors."},
		{"drift-count", "How many keys have drifted apart, or of a change: how many findings are about drift."},
		{"ignored-count", "How many findings somebody took out, with a reason."},
		{"findings", "The findings as a JSON array; the first ones, where all would be too long."},
		{"scanned-files", "How many files were read."},
		{"skipped-files", "How many files were looked at and not read: binary, generated, symbolic links."},
		{"sarif-file", "Where the SARIF was written."},
		{"json-file", "Where the JSON was written."},
		{"html-file", "Where the page was written."},
		{"comment-id", "The id of the comment on the pull request."},
		{"issue-number", "The number of the issue of drift."},
	}
}
