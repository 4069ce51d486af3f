// Generate writes docs/rules.md from the catalogue:
//
//	go run ./internal/review/rule/generate
package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/rule"
)

// target is where the document stands, from the root of the repository.
const target = "docs/rules.md"

func main() {
	if err := os.WriteFile(target, []byte(document(rule.All())), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// document is the whole of docs/rules.md.
func document(rules []*review.Rule) string {
	var b strings.Builder
	b.WriteString("# Rules\n\n<!-- Written by go run ./internal/review/rule/generate. -->\n\n" +
		"What the reviewer knows. A rule is switched with `review: {rules: {ID: error|warning|notice|off}}` in `.sealward.yaml`; one\n" +
		"finding is taken out with an `ignore:` entry, or with a comment `sealward:allow ID reason` on its line or the line above.\n")
	var family review.Family
	for _, r := range rules {
		if r.Family != family {
			family = r.Family
			fmt.Fprintf(&b, "\n**%s**\n\n| rule | severity | finds |\n|---|---|---|\n", family)
		}
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", r.ID, r.ID, r.Severity, strings.ReplaceAll(r.Summary(), "|", `\|`))
	}
	for _, r := range rules {
		fmt.Fprintf(&b, "\n## %s\n\n%s. Severity %s; speaks %s; since %s.\n\n%s\n", r.ID, r.Family, r.Severity, r.Speaks(), r.Since, demoted(r.Doc))
	}
	return b.String()
}

// demoted puts a page's headings one level below the rule's own.
func demoted(doc string) string {
	var b strings.Builder
	code := false
	for line := range strings.Lines(strings.TrimSpace(doc)) {
		if strings.HasPrefix(line, "```") {
			code = !code
		}
		if strings.HasPrefix(line, "#") && !code {
			b.WriteByte('#')
		}
		b.WriteString(line)
	}
	return b.String()
}
