package sops

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/syntax"
)

func load(t testing.TB, path ...string) *syntax.File {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return syntax.Parse(filepath.Join(path...), data)
}

func sealedFiles(t testing.TB) []string {
	t.Helper()
	entries, err := fs.ReadDir(os.DirFS("testdata"), "sealed")
	if err != nil || len(entries) < 50 {
		t.Fatalf("%d sealed files, %v: run testdata/generate.sh", len(entries), err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// What the real sops sealed and what it left must be exactly what the selector in the
// metadata says, in every format: nothing clear, nothing wrong.
func TestReadWhatSopsSealed(t *testing.T) {
	for _, name := range sealedFiles(t) {
		t.Run(name, func(t *testing.T) {
			f := Read(load(t, "sealed", name))
			if f == nil || len(f.Sealed) == 0 {
				t.Fatal("no sealed document")
			}
			if len(f.Orphans) > 0 {
				t.Errorf("orphans: %v", f.Orphans)
			}
			for _, d := range f.Sealed {
				checkClean(t, f, d)
				checkGroups(t, f, d, strings.Contains(name, "groups"))
				must := d.Selector.In(f.File)
				for _, l := range d.Sealed {
					if e, _ := ParseEnc(l.Value); e.Type != "comment" && !f.Binary(d) && !must(l) {
						t.Errorf("%s is sealed, and by %s it would not be", l.Path, d.Selector)
					}
				}
			}
		})
	}
}

func checkClean(t *testing.T, f *File, d Document) {
	t.Helper()
	for _, l := range d.Clear {
		t.Errorf("%s is clear, and by %s it would be sealed", l.Path, d.Selector)
	}
	for _, p := range d.Problems {
		if strings.HasPrefix(p.Message, "apiVersion is sealed") {
			continue // it is, by the selectors that these files were sealed with
		}
		t.Errorf("problem at line %d: %s", p.Span.Start.Line, p.Message)
	}
	for _, l := range append(d.Open, d.Sealed...) {
		if key := l.Path[0].Key; key == "sops" || strings.HasPrefix(key, "sops_") {
			t.Errorf("metadata among the values: %s", l.Path)
		}
	}
	if d.Version != "3.13.3" && !strings.HasPrefix(d.Version, "3.") || !Sealed(d.MAC.Value) || len(d.LastModified.Value) != 20 {
		t.Errorf("version %q, mac %v, lastmodified %q", d.Version, d.MAC.Path, d.LastModified.Value)
	}
	if cut := d.Meta.Cut(f.Data); !strings.Contains(string(cut), "version") || !strings.Contains(string(cut), "mac") {
		t.Errorf("the metadata's span is %q", cut)
	}
}

func checkGroups(t *testing.T, f *File, d Document, groups bool) {
	t.Helper()
	if groups && (len(d.Groups) != 2 || len(d.Groups[0]) != 1 || len(d.Groups[1]) != 2 || d.Threshold != 2) ||
		!groups && (len(d.Groups) != 1 || d.Threshold != 0) {
		t.Errorf("groups %v, threshold %d", d.Groups, d.Threshold)
	}
	for _, w := range d.Keys {
		if id := string(w.ID.Cut(f.Data)); !strings.Contains(id, strings.Fields(w.Recipient.ID)[0]) {
			t.Errorf("the recipient's token is %q", id)
		}
		if enc := string(w.Enc.Cut(f.Data)); !strings.Contains(enc, "BEGIN AGE ENCRYPTED FILE") {
			t.Errorf("the data key's token is %.40q", enc)
		}
		if _, err := ParseRecipient(w.Recipient.ID); err != nil {
			t.Errorf("%s: %v", w.Recipient, err)
		}
	}
}

// Asked about the plaintext, the selector foretells what sops seals in it.
func TestSelectorForetells(t *testing.T) {
	for _, name := range sealedFiles(t) {
		ext := filepath.Ext(name)
		stem, _, _ := strings.Cut(strings.TrimSuffix(name, ext), "-")
		if _, err := os.Stat(filepath.Join("testdata", "plain", stem+ext)); err != nil || ext == ".txt" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			plain, sealed := load(t, "plain", stem+ext), Read(load(t, "sealed", name))
			is := inOrder(sealed)
			must := sealed.Sealed[0].Selector.In(plain)
			if len(is) != len(plain.Leaves) {
				t.Fatalf("%d values sealed from %d", len(is), len(plain.Leaves))
			}
			for i, l := range plain.Leaves {
				if must(l) != Sealed(is[i].Value) {
					t.Errorf("%s line %d: foretold %v, and it became %s", l.Path, l.Span.Start.Line, must(l), is[i].Path)
				}
			}
		})
	}
}

// inOrder returns the values of a file, in the order of the source. sops turns a
// comment in a list into an element of the list when it seals it: those are left out.
func inOrder(f *File) []syntax.Leaf {
	var out []syntax.Leaf
	for _, d := range f.Sealed {
		for _, l := range slices.Concat(d.Sealed, d.Clear, d.Open) {
			if e, _ := ParseEnc(l.Value); e.Type != "comment" {
				out = append(out, l)
			}
		}
	}
	slices.SortFunc(out, func(a, b syntax.Leaf) int { return a.Span.Start.Offset - b.Span.Start.Offset })
	return out
}

// SOPS tells four extensions apart and writes JSON into every other file.
func TestReadEnvelopesUnderAnyName(t *testing.T) {
	data := load(t, "sealed", "blob-default.txt").Data
	for _, name := range []string{".env.prod", "prod.ENV", "app.INI", ".npmrc", "kubeconfig", "a.toml", "a.properties", "a.YAML", "noext", "a.tfvars"} {
		f := Read(syntax.Parse(name, data))
		if f == nil || len(f.Sealed) != 1 || len(f.Sealed[0].Recipients()) == 0 || !f.Binary(f.Sealed[0]) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if f := Read(syntax.Parse(".env.prod", []byte("{ \"sops\" lastmodified\nA=ENC[\n"))); f != nil && len(f.Sealed) > 0 {
		t.Errorf("what is no JSON is read as %s", f.Format)
	}
}

// A program that has a sealed file in one of its strings is a program.
func TestReadNoProgramAsSealed(t *testing.T) {
	for name, ext := range map[string]string{"dotenv": ".env", "ini": ".ini"} {
		sealed := string(load(t, "sealed", "app-default"+ext).Data)
		program := "package a\n\nconst file = `" + sealed + "`\n\nfunc f() (x int) {\n\tfor i := range 3 {\n\t\tx = i\n\t}\n\treturn x\n}\n"
		if f := Read(syntax.Parse("a_test.go", []byte(program))); f != nil && len(f.Sealed) > 0 {
			t.Errorf("%s in a program: %d sealed documents", name, len(f.Sealed))
		}
		if f := Read(syntax.Parse("copy.of", []byte(sealed))); f == nil || len(f.Sealed) != 1 {
			t.Errorf("%s under another name is not read", name)
		}
	}
}
