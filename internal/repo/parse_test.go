package repo

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
	"time"
)

const (
	idA = "78981922613b2afb6025042ff6bd878ac1994e85"
	idB = "61780798228d17af2d34fce4cfbdf35556832472"
)

func FuzzParseTree(f *testing.F) {
	f.Add([]byte("100644 blob " + idA + "      12\ta b.yaml\x00160000 commit " + idB + "       -\tsub\x00"))
	f.Add([]byte("120000 blob " + idA + "\tline\nbreak\x00"))
	f.Add([]byte("100644 blob " + idA + " 1\ta\x00100644 blob " + idB + " 1\ta\x00"))
	f.Fuzz(func(t *testing.T, out []byte) {
		entries, err := parseTree(out)
		if err != nil {
			return
		}
		if len(entries) != bytes.Count(out, []byte{0}) {
			t.Errorf("%d entries of %q", len(entries), out)
		}
		for _, e := range entries {
			if e.Path == "" || strings.Contains(e.Path, "\x00") {
				t.Errorf("the path %q", e.Path)
			}
		}
	})
}

// seenIndex is what git 2.39 prints of two files.
const seenIndex = "100644 " + idA + " 0\ta.yaml\x00  ctime: 1795387923:621108260\n  mtime: 1795387922:5\n  dev: 65024\tino: 9986603\n  uid: 0\tgid: 0\n  size: 6\tflags: 40000000\n" +
	"100755 " + idB + " 2\todd\nname\x00  ctime: 0:0\n  mtime: 0:0\n  dev: 0\tino: 0\n  uid: 0\tgid: 0\n  size: 0\tflags: 0\n"

func TestParseIndex(t *testing.T) {
	got, err := parseIndex([]byte(seenIndex))
	if err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	want := indexEntry{Entry: Entry{Path: "a.yaml", Mode: 0o644, ID: idA}, mtime: time.Unix(1795387922, 5), ctime: time.Unix(1795387923, 621108260), ino: 9986603, size: 6, flags: flagSkip}
	if got[0] != want {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
	if e := got[1]; e.Path != "odd\nname" || e.stage != 2 || e.Mode != 0o755 {
		t.Errorf("got %+v", e)
	}
	// Without what git does not promise, nothing is trusted, and all is listed.
	got, err = parseIndex([]byte("100644 " + idA + " 0\ta.yaml\x00  something: else\n100644 " + idB + " 0\tb.yaml\x00"))
	if err != nil || len(got) != 2 || got[0].size != -1 || got[1].size != -1 {
		t.Errorf("%+v %v", got, err)
	}
}

func FuzzParseIndex(f *testing.F) {
	f.Add([]byte(seenIndex))
	f.Add([]byte("100644 " + idA + " 0\ta\x00  size:"))
	f.Fuzz(func(t *testing.T, out []byte) {
		entries, err := parseIndex(out)
		for _, e := range entries {
			if err == nil && e.Path == "" {
				t.Errorf("an entry without a path in %q", out)
			}
		}
	})
}

func FuzzDiffTree(f *testing.F) {
	f.Add([]byte(idA + "\x00:100644 100644 " + idA + " " + idB + " M\x00a.yaml\x00:000000 100644 " + strings.Repeat("0", 40) + " " + idB + " A\x00:odd\x00"))
	f.Add([]byte(idA + "\x00::100644 100644 100644 " + idA + " " + idA + " " + idB + " MM\x00a.yaml\x00"))
	f.Add([]byte(idB + "\x00"))
	f.Fuzz(func(t *testing.T, out []byte) {
		commits := []Commit{{ID: idA}}
		d := diffTree{commits: commits, byID: map[string]int{idA: 0}, paths: map[string]string{}}
		if d.read(bufio.NewReader(bytes.NewReader(out))) != nil {
			return
		}
		for _, c := range commits[0].Files {
			if c.Path == "" || (c.Kind == Deleted) != (c.ID == "") || (c.Kind == Added) != (c.Old == "") {
				t.Errorf("%+v", c)
			}
		}
	})
}

func FuzzVerdict(f *testing.F) {
	f.Add("warning: x\nfatal: not a git repository\n")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(verdict(text), "\n") {
			t.Errorf("%q has more than one line", verdict(text))
		}
	})
}
