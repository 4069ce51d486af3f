package repo_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/repo"
)

func TestAddedLines(t *testing.T) {
	for name, tt := range map[string]struct {
		before, after string
		want          []repo.Lines
	}{
		"nothing":                    {"", "", nil},
		"equal":                      {"a\nb\n", "a\nb\n", nil},
		"all new":                    {"", "a\nb\n", []repo.Lines{{1, 2}}},
		"all new, no line break":     {"", "a\nb", []repo.Lines{{1, 2}}},
		"all gone":                   {"a\nb\n", "", nil},
		"one gone":                   {"a\nb\nc\n", "a\nc\n", nil},
		"first":                      {"b\n", "a\nb\n", []repo.Lines{{1, 1}}},
		"last":                       {"a\n", "a\nb\n", []repo.Lines{{2, 2}}},
		"middle":                     {"a\nc\n", "a\nb\nc\n", []repo.Lines{{2, 2}}},
		"two runs":                   {"a\nb\nc\n", "x\na\nb\ny\nz\nc\n", []repo.Lines{{1, 1}, {4, 5}}},
		"line break added":           {"a", "a\n", []repo.Lines{{1, 1}}},
		"line break removed":         {"a\nb\n", "a\nb", []repo.Lines{{2, 2}}},
		"same end, not a whole line": {"key: prod\n", "key: nonprod\n", []repo.Lines{{1, 1}}},
		"same beginning":             {"key: prod\n", "key: production\n", []repo.Lines{{1, 1}}},
		"duplicated line":            {"a\na\n", "a\na\na\n", []repo.Lines{{3, 3}}},
		"to CRLF":                    {"a\nb\n", "a\r\nb\r\n", []repo.Lines{{1, 2}}},
		"blank lines":                {"\n\n\n", "\n\nx\n\n", []repo.Lines{{3, 3}}},
		"swapped":                    {"a\nb\n", "b\na\n", nil}, // either of them
	} {
		t.Run(name, func(t *testing.T) {
			got := repo.AddedLines([]byte(tt.before), []byte(tt.after))
			if name == "swapped" {
				if len(got) != 1 || got[0].First != got[0].Last {
					t.Errorf("got %v, want one of the lines", got)
				}
			} else if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			checkLines(t, []byte(tt.before), []byte(tt.after))
		})
	}
}

// checkLines holds the lines to what they must be: ascending, apart, within the text,
// and what is left of the text without them is all in the older one, in that order.
func checkLines(t *testing.T, before, after []byte) {
	t.Helper()
	added := repo.AddedLines(before, after)
	old := slices.Collect(bytes.Lines(before))
	now := slices.Collect(bytes.Lines(after))
	last := 0
	isNew := make([]bool, len(now)+1)
	for _, l := range added {
		if l.First <= last || l.Last < l.First || l.Last > len(now) {
			t.Fatalf("%v of %d lines", added, len(now))
		}
		last = l.Last + 1 // runs that touch are one run
		for n := l.First; n <= l.Last; n++ {
			isNew[n] = true
		}
	}
	for i, line := range now {
		if isNew[i+1] {
			continue
		}
		at := slices.IndexFunc(old, func(o []byte) bool { return bytes.Equal(o, line) })
		if at < 0 {
			t.Fatalf("line %d is new and not told: %v", i+1, added)
		}
		old = old[at+1:]
	}
}

// The work is bounded, and where the texts differ much the lines are still exact
// where unique lines hold them together.
func TestAddedLinesOfLargeFiles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var before, after bytes.Buffer
	var want []repo.Lines
	n := 0
	for i := range 60_000 {
		fmt.Fprintf(&before, "key-%d: value\n", i)
		n++
		if i%10 == 5 { // far more than any bound on edits
			fmt.Fprintf(&after, "key-%d: changed\n", i)
			want = append(want, repo.Lines{First: n, Last: n})
		} else {
			fmt.Fprintf(&after, "key-%d: value\n", i)
		}
	}
	start := time.Now()
	if got := repo.AddedLines(before.Bytes(), after.Bytes()); !slices.Equal(got, want) {
		t.Errorf("%d runs, want %d", len(got), len(want))
	}
	// Nothing holds these together: few different lines, in any order.
	before.Reset()
	after.Reset()
	for range 200_000 {
		fmt.Fprintf(&before, "%d\n", random.IntN(3))
		fmt.Fprintf(&after, "%d\n", random.IntN(3))
	}
	checkLines(t, before.Bytes(), after.Bytes())
	// Larger than what is compared: from the first difference to the last.
	large := strings.Repeat("0123456789\n", 1_000_000)
	got := repo.AddedLines([]byte("a\n"+large+"b\n"+large), []byte("a\n"+large+"c\nd\n"+large))
	if !slices.Equal(got, []repo.Lines{{First: 1_000_002, Last: 1_000_003}}) {
		t.Errorf("got %v", got)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func FuzzAddedLines(f *testing.F) {
	f.Add([]byte("a\nb\nc\n"), []byte("a\nx\nc\n"))
	f.Add([]byte("a\na\nb"), []byte("a\nb\na\n"))
	f.Add([]byte("\n\n\r\n"), []byte("\r\n\n"))
	f.Add([]byte(""), []byte("x"))
	f.Fuzz(func(t *testing.T, before, after []byte) { checkLines(t, before, after) })
}

// Texts of a small alphabet of lines try the comparison more than bytes do.
func FuzzAddedLinesOfFewKinds(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, []byte{1, 3, 2, 4}, 3)
	f.Add([]byte{0, 0, 0}, []byte{0, 1, 0, 1}, 200)
	f.Fuzz(func(t *testing.T, before, after []byte, times int) {
		times = max(1, min(times, 300))
		text := func(list []byte) []byte {
			var out bytes.Buffer
			for n := range times {
				for _, b := range list {
					fmt.Fprintf(&out, "%d\n", int(b)*(1+n%(1+int(b)%3)))
				}
			}
			return out.Bytes()
		}
		if len(before)+len(after) < 2000 {
			checkLines(t, text(before), text(after))
		}
	})
}

// The shortest edit is what people expect to see.
func TestAddedLinesIsShortest(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		var a, b []string
		for range random.IntN(12) {
			a = append(a, fmt.Sprint(random.IntN(4), "\n"))
		}
		for range random.IntN(12) {
			b = append(b, fmt.Sprint(random.IntN(4), "\n"))
		}
		n := 0
		for _, l := range repo.AddedLines([]byte(strings.Join(a, "")), []byte(strings.Join(b, ""))) {
			n += l.Last - l.First + 1
		}
		if want := len(b) - common(a, b); n != want {
			t.Errorf("%q to %q: %d lines, want %d", a, b, n, want)
		}
	}
}

// common is the length of the longest common subsequence, by the book.
func common(a, b []string) int {
	best := make([][]int, len(a)+1)
	for i := range best {
		best[i] = make([]int, len(b)+1)
	}
	for i := range a {
		for j := range b {
			if a[i] == b[j] {
				best[i+1][j+1] = best[i][j] + 1
			} else {
				best[i+1][j+1] = max(best[i][j+1], best[i+1][j])
			}
		}
	}
	return best[len(a)][len(b)]
}
