package syntax_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sealward/sealward/internal/syntax"
)

// TestCorpus holds every file below CORPUS, which may be any tree, to the laws, and
// its YAML to yaml.v3.
func TestCorpus(t *testing.T) {
	root := os.Getenv("CORPUS")
	if root == "" {
		t.Skip("CORPUS names no directory")
	}
	count := map[string]int{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil || len(data) > 200_000 {
			return nil
		}
		f := syntax.Parse(path, data)
		key := string(f.Format)
		if f.Broken != nil {
			key = "broken " + string(syntax.FormatOf(path))
			if os.Getenv("CORPUS_BROKEN") != "" {
				t.Logf("%s: %v", path, f.Broken)
			}
		}
		count[key]++
		if f.Format == syntax.Text && f.Broken == nil {
			return nil
		}
		t.Run(path, func(t *testing.T) {
			checkLaws(t, f)
			if f.Format == syntax.JSON {
				sameAsJSON(t, data)
			}
			if syntax.FormatOf(path) == syntax.YAML && utf8.Valid(data) && !strings.Contains(string(data), "{{") {
				sameAsReference(t, string(data))
			}
		})
		return nil
	})
	t.Logf("%v %v", count, err)
}
