package syntax_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/syntax"
)

// pieces are what YAML is made of; strings of them come nearer to its corners than
// random bytes do.
var pieces = []string{
	"a", "b c", "- ", "-", "? ", ": ", ":", "\n", "\n", "\n", "\n  ", "\n    ", "\n ", "  ", " ", "\t", "'x'", "\"y\"", "'", "\"", "\\n", "\\\n", "\\",
	"|", ">", "|-\n", ">+\n", "|2\n", "|", "[", "]", "{", "}", ",", ", ", "#", " # c", "&a ", "*a", "!!str ", "! ", "!t ", "<<", "---", "\n---\n", "\n...\n", "é", "\r\n",
	"1", "true", "~", "key: value\n", "- item\n", "k: ", "%", "@", "\u2028", "\u0085", "...", "a: b", "  - ", "=", "0x1", "1.5", ".inf", "\n\n", "text text\n  more",
}

// TestYAMLPieces compares random strings of pieces with yaml.v3. PIECES sets how
// many, for a long run.
func TestYAMLPieces(t *testing.T) {
	n := 20_000
	if s := os.Getenv("PIECES"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	seed := uint64(7)
	if s := os.Getenv("SEED"); s != "" {
		k, _ := strconv.Atoi(s)
		seed = uint64(k)
	}
	rnd := rand.New(rand.NewPCG(seed, 1))
	for range n {
		var b strings.Builder
		for range 1 + rnd.IntN(14) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		checkLaws(t, syntax.ParseAs("f.yaml", []byte(b.String()), syntax.YAML))
		if !strings.Contains(b.String(), "{{") {
			sameAsReference(t, b.String())
		}
	}
}
