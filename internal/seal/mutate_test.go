package seal

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
)

// unharmed re-seals whatever it is given: no panic, no change of its argument, and never
// success with another plaintext.
func unharmed(t *testing.T, s *Sealer, name string, data []byte, want sops.Rekey) (ok bool) {
	t.Helper()
	before := slices.Clone(data)
	got, err := s.Reseal(t.Context(), name, data, want)
	if !slices.Equal(before, data) {
		t.Fatal("the file was changed in place")
	}
	if err != nil {
		return false
	}
	old, err := read(name, data)
	if err != nil {
		t.Fatal(err)
	}
	now, err := read(name, got.Data)
	if err != nil {
		t.Fatal(err)
	}
	for i := range old.trees {
		x, y := &work{tree: old.trees[i], way: got.Way}, &work{tree: now.trees[i]}
		if x.open(s.ids) != nil || y.open(s.ids[1:]) != nil {
			t.Fatal("it does not open for the new key")
		}
		if !x.samePlaces(x.tree.values, y.tree.values) {
			t.Fatalf("its plaintext changed\n%s\n%s", data, got.Data)
		}
	}
	return true
}

// Sealed files of every format, changed in a thousand ways.
func TestMutations(t *testing.T) {
	a, b := newID(t), newID(t)
	s, want := sealer(t, a, b), sops.Rekey{Remove: rs(a), Add: rs(b)}
	r := rand.New(rand.NewPCG(3, 4))
	for _, p := range plainFiles() {
		sealed := string(encrypt(t, p.path, p.text, []keyring.Identity{a}, p.rule...))
		passed := 0
		for range 150 {
			text := sealed
			for range 1 + r.IntN(2) {
				text = mutated(r, text)
			}
			for _, s := range []*Sealer{s, s.ByLibrary()} {
				if unharmed(t, s, p.path, []byte(text), want) {
					passed++
				}
			}
		}
		if passed == 300 {
			t.Errorf("%s: no change at all was refused", p.name)
		}
	}
}

func mutated(r *rand.Rand, s string) string {
	lines := strings.SplitAfter(s, "\n")
	i, j := r.IntN(len(lines)), r.IntN(len(lines))
	at := r.IntN(len(s))
	switch r.IntN(7) {
	case 0:
		return s[:at] + string(rune(32+r.IntN(95))) + s[at+1:]
	case 1:
		return s[:at] + s[min(at+1+r.IntN(4), len(s)):]
	case 2:
		lines[i], lines[j] = lines[j], lines[i]
	case 3:
		lines[i] = ""
	case 4:
		lines[i] += lines[j]
	case 5:
		lines[i] = strings.Replace(lines[i], ": ", ":  # ", 1)
	case 6:
		return s[:at] + []string{"\n", "\r", "\t", "- ", "'", "\"", "#", "&a ", "*a", "{", "\\n", "---\n", "\x00", "ENC["}[r.IntN(14)] + s[at:]
	}
	return strings.Join(lines, "")
}

func FuzzReseal(f *testing.F) {
	a, b := newID(f), newID(f)
	s := sealer(f, a, b)
	want := sops.Rekey{Remove: rs(a), Add: rs(b)}
	sealed := sealedBench(f, 2, a)
	f.Add("a.yaml", sealed, 0, byte(0))
	f.Add("a.env", []byte("A=ENC[AES256_GCM,data:,iv:,tag:,type:str]\nsops_mac=x\n"), 3, byte('='))
	f.Add("a.json", []byte(`{"a": "ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:int]", "sops": {"mac": "x", "age": [{"recipient": "age1", "enc": ""}]}}`), 9, byte('{'))
	f.Add("a.ini", []byte("[sops]\nmac = x\nage__list_0__map_enc = x\n"), 9, byte('\n'))
	f.Fuzz(func(t *testing.T, name string, data []byte, at int, c byte) {
		if at >= 0 && at < len(data) {
			data = slices.Clone(data)
			data[at] = c
		}
		unharmed(t, s, name, data, want)
	})
}
