package leak

import (
	"strings"
	"testing"
)

// What stands so dense that it is passed over is not passed over in silence, in a text
// or in the value of a document.
func TestDenseTextIsNotWhole(t *testing.T) {
	dense := strings.Repeat("a_password:", 4096)
	for _, c := range []struct {
		name, text string
		whole      bool
	}{
		{"empty", "", true},
		{"prose", strings.Repeat("the password is in the vault\n", 1000), true},
		{"armor", strings.Repeat("-----BEGIN PRIVATE KEY-----\n", 3000), true},
		{"a source map's numbers", strings.Repeat("EAAM,CAAC,EAAA;", 3000), true},
		{"names", dense, false},
		{"names behind text", strings.Repeat("all is well here\n", 500) + dense, false},
	} {
		if _, whole := Look("a.yaml", []byte(c.text)); whole != c.whole {
			t.Errorf("%s, %d bytes of text: whole is %v, want %v", c.name, len(c.text), whole, c.whole)
		}
		doc := Document{Name: "a.yaml", Values: []Value{{Keys: []string{"a"}, Text: c.text}, {Keys: []string{"b"}, Text: "x"}}}
		if _, whole := LookAt(doc); whole != c.whole {
			t.Errorf("%s, %d bytes in a value: whole is %v, want %v", c.name, len(c.text), whole, c.whole)
		}
	}
}
