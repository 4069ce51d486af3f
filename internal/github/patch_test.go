package github

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"os"

	"github.com/google/go-cmp/cmp"
	"github.com/sealward/sealward/internal/repo"
)

// gitPatch is the diff that git makes, as GitHub shows it.
func gitPatch(t *testing.T, was, now []byte) string {
	t.Helper()
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for path, data := range map[string][]byte{a: was, b: now} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("git", "diff", "--no-index", "--no-ext-diff", "--text", a, b)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null"}
	out, _ := cmd.Output() // 1 means that they differ
	if i := bytes.Index(out, []byte("\n@@ ")); i >= 0 {
		return strings.TrimSuffix(string(out[i+1:]), "\n")
	}
	return ""
}

func TestAPatchGivesBothVersions(t *testing.T) {
	long := strings.Repeat("line\n", 30)
	tests := []struct {
		name, was, now string
		added          []repo.Lines
	}{
		{"one line", "a\nb\nc\n", "a\nB\nc\n", []repo.Lines{{First: 2, Last: 2}}},
		{"new file", "", "a\nb\n", []repo.Lines{{First: 1, Last: 2}}},
		{"emptied", "a\nb\n", "", nil},
		{"end without a newline", "a\nb", "a\nb\n", []repo.Lines{{First: 2, Last: 2}}},
		{"newline lost", "a\nb\n", "a\nb", []repo.Lines{{First: 2, Last: 2}}},
		{"neither has one", "a\nb", "a\nc", []repo.Lines{{First: 2, Last: 2}}},
		{"carriage returns", "a\r\nb\r\n", "a\nb\r\n", []repo.Lines{{First: 1, Last: 1}}},
		{"two hunks", long + "x\n" + long, "new\n" + long + long + "end\n", []repo.Lines{{First: 1, Last: 1}, {First: 62, Last: 62}}},
		{"blank lines", "\n\n\n", "\n\n\n\n", []repo.Lines{{First: 4, Last: 4}}},
		{"looks like a patch", "@@ -1 +1 @@\n-a\n+b\n", "@@ -1 +1 @@\n-a\n+c\n\\ No\n", []repo.Lines{{First: 3, Last: 4}}},
		{"only removed in the middle", "a\nb\nc\nd\ne\nf\ng\nh\ni\n", "a\nb\nc\nd\nf\ng\nh\ni\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, ok := parsePatch(gitPatch(t, []byte(tt.was), []byte(tt.now)))
			if !ok {
				t.Fatal("the patch was not understood")
			}
			if got, ok := p.forward([]byte(tt.was)); !ok || string(got) != tt.now {
				t.Errorf("forward: %q %t, want %q", got, ok, tt.now)
			}
			if got, ok := p.reverse([]byte(tt.now)); !ok || string(got) != tt.was {
				t.Errorf("reverse: %q %t, want %q", got, ok, tt.was)
			}
			if d := cmp.Diff(tt.added, p.added()); d != "" {
				t.Errorf("added: %s", d)
			}
			for _, wrong := range []string{"other\n" + tt.now + "more\n", "x"} {
				if got, ok := p.reverse([]byte(wrong)); ok && wrong != tt.now && blobID(got) == blobID([]byte(tt.was)) {
					t.Errorf("%q passed for the new version", wrong)
				}
			}
		})
	}
}

func TestPatchesThatAreNone(t *testing.T) {
	for _, text := range []string{"", "a", "@@ -1 +1\n", "@@ -x +1 @@\n+a", "+a\n", "@@ -1 +1 @@\nz", "@@ -1 +1 @@\n\\ No newline", "@@ -1 +1 @@\n\n+a"} {
		if p, ok := parsePatch(text); ok && len(p[0].lines) > 0 {
			t.Errorf("%q passed for a patch: %+v", text, p)
		}
	}
}

func FuzzPatch(f *testing.F) {
	f.Add("@@ -1,2 +1,2 @@\n-a\n+b\n c", "b\nc\n")
	f.Add("@@ -0,0 +1 @@\n+a\n\\ No newline at end of file", "a")
	f.Add("@@ -3 +9999999999 @@\n+a", "")
	f.Fuzz(func(t *testing.T, text, now string) {
		p, ok := parsePatch(text)
		if !ok {
			return
		}
		if was, ok := p.reverse([]byte(now)); ok {
			if again, ok := p.forward(was); ok && string(again) != now {
				t.Errorf("there and back: %q became %q", now, again)
			}
		}
		for _, l := range p.added() {
			if l.First > l.Last {
				t.Errorf("added %+v", l)
			}
		}
		_ = fmt.Sprint(p.forward([]byte(now)))
	})
}
