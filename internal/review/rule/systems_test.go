package rule

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every rule stands by the practice that it enforces, and no rule stands there that
// there is not.
func TestSystemsNameEveryRule(t *testing.T) {
	data, err := os.ReadFile("../../../docs/systems.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		cells := strings.Split(line, " | ")
		if len(cells) != 2 {
			continue
		}
		for _, m := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(cells[1], -1) {
			named[m[1]] = true
		}
	}
	for _, r := range All() {
		if !named[r.ID] {
			t.Errorf("docs/systems.md has no practice for %s", r.ID)
		}
		delete(named, r.ID)
	}
	for id := range named {
		t.Errorf("docs/systems.md names %s, which is no rule", id)
	}
}
