package review

import "strings"

// Summary is the first sentence of the rule's page.
func (r *Rule) Summary() string {
	first, _, _ := strings.Cut(strings.TrimSpace(r.Doc), "\n\n")
	return strings.Join(strings.Fields(first), " ")
}

// why is the first paragraph of the page's section "Why it matters".
func (r *Rule) why() string {
	_, section, ok := strings.Cut(r.Doc, "## Why it matters\n")
	if !ok {
		return ""
	}
	first, _, _ := strings.Cut(strings.TrimSpace(section), "\n\n")
	return strings.Join(strings.Fields(first), " ")
}
