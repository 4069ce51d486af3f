package report

// Prose writes a sentence that holds untrusted names as Markdown of one line: code
// spans stay, and nothing else in it is markup, a mention or a link.
func Prose(s string) string { return prose(s) }
