package leak

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Every keyword is found wherever it stands, once, as a search for each alone finds it.
func TestMatcherFindsAll(t *testing.T) {
	m := theMatcher()
	r := rand.New(rand.NewPCG(1, 2))
	for i := range m.words {
		for pad := range 19 {
			noise := make([]byte, pad+r.IntN(12))
			for k := range noise {
				noise[k] = "ab._-=:\" \nKTsp\x00\xff"[r.IntN(16)]
			}
			word := m.words[i].text
			if pad%2 == 1 {
				word = strings.ToUpper(word)
			}
			text := string(noise[:pad]) + word + string(noise[pad:])
			var got, want []string
			m.scan([]byte(text), func(start int, w *keyword) { got = append(got, fmt.Sprint(start, w.role, w.text)) })
			for k := range m.words {
				w := &m.words[k]
				for at := range len(text) - len(w.text) + 1 {
					if equalFold([]byte(text[at:at+len(w.text)]), w.text) {
						want = append(want, fmt.Sprint(at, w.role, w.text))
					}
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("in %q: found %q, want %q", text, got, want)
			}
		}
	}
}
