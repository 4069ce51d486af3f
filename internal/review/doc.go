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

// Speaks says for people in which reviews the rule speaks.
func (r *Rule) Speaks() string {
	when := [...]string{
		Always:         "in every review",
		OnlyChange:     "in the review of a change",
		OnlyReport:     "in the review of a whole tree",
		ChangeTouching: "in the review of a whole tree, and of a change that touches it",
	}[r.When]
	if r.History {
		when += ", and of every commit in it"
	}
	if len(r.Profiles) > 0 {
		when += ", for " + strings.Join(r.Profiles, " and ")
	}
	if r.OptIn {
		when += ", once the configuration turns it on"
	}
	return when
}
