package rule

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

func TestRedact(t *testing.T) {
	token := expand("{{github-token}}")
	for _, c := range []struct{ text, want string }{
		{"stringData." + token + " is in clear", "stringData.[redacted] is in clear"},
		{token + " and " + token, "[redacted] and [redacted]"},
		{"Add " + token + " to a/prod/app.env", "Add [redacted] to a/prod/app.env"},
		{"DATABASE_CONNECTION_STRING_2 is added to dev", "DATABASE_CONNECTION_STRING_2 is added to dev"},
		{"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p can read", "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p can read"},
		{"", ""},
	} {
		if got := Redact(c.text); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// No page of the catalogue, and no finding of its cases, reads as if a secret had been
// taken out of it.
func TestRedactLeavesProseAlone(t *testing.T) {
	for _, r := range All() {
		if got := Redact(r.Doc); got != r.Doc && !strings.Contains(r.Doc, "PRIVATE KEY") {
			t.Errorf("%s: %s", r.ID, got)
		}
	}
	names, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range names {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range ar.Files {
			if f.Name == "want" && strings.Contains(string(f.Data), "[redacted]") && !strings.HasSuffix(name, "flagged-name.txtar") {
				t.Errorf("%s: %s", name, f.Data)
			}
		}
	}
}
