// Package leak finds secrets in text and says where, not what: only offsets
// leave it, never a secret.
package leak

// Severity is how much a match matters by what it opens.
type Severity uint8

// The severities, in ascending order.
const (
	Notice Severity = iota + 1
	Warning
	Error
)

// Match is a secret's place in the text that was scanned.
type Match struct {
	Rule       string // a pattern's id, as in Patterns
	Start, End int    // byte offsets into the text; End exclusive
	Severity   Severity
	Issuer     string // who issued it, for people: "GitHub", "AWS"; "" where the format does not tell
	Revoke     string // where and how to revoke it, one sentence; "" where the issuer is not known
	What       string // what was found, for people, without the value: "GitHub personal access token"
}

// Value is one value of a parsed file, with all that helps to judge it.
type Value struct {
	Keys   []string // mapping keys from the document's root, the value's own last
	Text   string   // decoded
	Quoted bool     // the source quotes it
	Scalar bool     // a number, boolean or null, by the format's own rules
}

// Document is a parsed document: its values stand together.
type Document struct {
	Name   string  // the file's path
	Values []Value // in source order
}

// Hit is a match in the value at Index of the document.
type Hit struct {
	Index int
	Match // Start and End are offsets into Value.Text
}

// Text scans raw bytes.
func Text(name string, data []byte) []Match { panic("to be written") }

// Values scans a parsed document, value by value.
func Values(doc Document) []Hit { panic("to be written") }

// Placeholder reports whether a value stands for a secret instead of being one:
// a template, a reference, an example, a sealed value.
func Placeholder(key, value string) bool { panic("to be written") }
