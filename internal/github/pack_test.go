package github

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// gitIn runs git in a repository of the test's own.
func gitIn(t testing.TB, dir string, stdin []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=T", "GIT_AUTHOR_EMAIL=t@example.com",
		"GIT_COMMITTER_NAME=T", "GIT_COMMITTER_EMAIL=t@example.com",
	}
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %v: %v: %s", args, err, stderr.Bytes())
	}
	return out
}

// aPack is a real pack with deltas, and the names of its objects.
func aPack(t testing.TB, args ...string) ([]byte, []string) {
	t.Helper()
	dir := t.TempDir()
	gitIn(t, dir, nil, "init", "-q", "-b", "main", ".")
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "line %d of a file that changes a little\n", i*i)
	}
	for i := range 6 {
		if err := os.WriteFile(dir+"/a", []byte(text.String()+fmt.Sprint(i)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/empty", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		gitIn(t, dir, nil, "add", ".")
		gitIn(t, dir, nil, "commit", "-q", "-m", fmt.Sprint(i))
	}
	var ids []string
	var list bytes.Buffer
	for _, line := range strings.Split(strings.TrimSpace(string(gitIn(t, dir, nil, "rev-list", "--objects", "HEAD"))), "\n") {
		id := strings.Fields(line)[0]
		ids = append(ids, id)
		list.WriteString(id + "\n")
	}
	return gitIn(t, dir, list.Bytes(), append([]string{"pack-objects", "-q", "--stdout"}, args...)...), ids
}

func TestPacksOfGit(t *testing.T) {
	for name, args := range map[string][]string{"offset deltas": {"--delta-base-offset"}, "deltas by name": nil, "no deltas": {"--window=0"}} {
		t.Run(name, func(t *testing.T) {
			data, ids := aPack(t, args...)
			objects, err := readPack(bytes.NewReader(data))
			if err != nil || len(objects) != len(ids) {
				t.Fatalf("%d objects of %d, %v", len(objects), len(ids), err)
			}
			for _, id := range ids {
				o, ok := objects[id]
				if !ok || o.id() != id {
					t.Errorf("%s is not there", id)
				}
				if _, ok := parseTree(o.data); o.kind == treeObject && !ok {
					t.Errorf("tree %s was not understood", id)
				}
			}
			for _, n := range []int{0, 4, 11, 12, 13, 40, len(data) / 2, len(data) - 21} {
				if _, err := readPack(bytes.NewReader(data[:n])); err == nil {
					t.Errorf("a pack cut at %d passed", n)
				}
			}
		})
	}
}

func FuzzPack(f *testing.F) {
	data, _ := aPack(f, "--delta-base-offset")
	f.Add(data)
	f.Add(data[:200])
	f.Add([]byte("PACK\x00\x00\x00\x02\x00\x00\x00\x01\x6f\x80\x80"))
	f.Add([]byte("PACK\x00\x00\x00\x02\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		objects, err := readPack(bytes.NewReader(data))
		if err != nil {
			return
		}
		for id, o := range objects {
			if o.id() != id {
				t.Errorf("%s has another name", id)
			}
			parseTree(o.data)
		}
	})
}

func TestDeltasThatLie(t *testing.T) {
	base := gitObject{blobObject, []byte("0123456789")}
	for name, d := range map[string]string{
		"empty": "", "no size": "\x80", "other base": "\x0b\x01\x01x", "beyond the base": "\x0a\x05\x91\x08\x05", "nothing to copy": "\x0a\x01\x00",
		"cut": "\x0a\x05\x05ab", "too short": "\x0a\x05\x01a", "too long": "\x0a\x01\x03abc", "huge": "\x0a\xff\xff\xff\xff\x7f\x01a",
	} {
		p := &packReader{}
		if o, err := p.delta(base, []byte(d)); err == nil {
			t.Errorf("%s: %q", name, o.data)
		}
	}
	p := &packReader{}
	if o, err := p.delta(base, []byte("\x0a\x06\x91\x02\x03\x03abc")); err != nil || string(o.data) != "234abc" {
		t.Errorf("%q %v", o.data, err)
	}
}
