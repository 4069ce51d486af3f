package rule

import (
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

// keySecret is the name of the Secret that Flux' own documentation gives the keys.
const keySecret = "sops-age"

// decryptionFix gives a Kustomization the decryption that the others have.
func decryptionFix(t *review.Tree, k wiring.FluxKustomization) []review.Fix {
	name := usualKey(t)
	return below(t.File(k.File), k.Span, []string{"spec"}, name, "decryption:", "  provider: sops", "  secretRef:", "    name: "+name)
}

// keyFix gives a decryption the key that the others have.
func keyFix(t *review.Tree, k wiring.FluxKustomization) []review.Fix {
	name := usualKey(t)
	return below(t.File(k.File), k.KeySpan, []string{"spec", "decryption"}, name, "secretRef:", "  name: "+name)
}

// usualKey is the Secret that most Kustomizations take their key from.
func usualKey(t *review.Tree) string {
	best, count := keySecret, map[string]int{}
	for _, k := range t.Wiring().FluxKustomizations() {
		if !plainName.MatchString(k.KeySecret) {
			continue
		}
		count[k.KeySecret]++
		if n := count[k.KeySecret]; n > count[best] || n == count[best] && k.KeySecret < best {
			best = k.KeySecret
		}
	}
	return best
}

// below puts lines right below the mapping key at the end of path, in the document
// that holds the span; at is the indent of what stands there.
func below(f *review.File, in syntax.Span, path []string, secret string, with ...string) []review.Fix {
	if f == nil {
		return nil
	}
	for _, d := range f.Syntax().Docs {
		leaves := d.Under(path...)
		if len(leaves) == 0 || !holds(d, in) {
			continue
		}
		want := path[len(path)-1] + ":"
		for n := leaves[0].Span.Start.Line; n > 1; n-- {
			if strings.TrimSpace(textOf(f, n-1)) != want {
				continue
			}
			indent := indentOf(f, n)
			if len(indent) <= len(indentOf(f, n-1)) || strings.TrimSpace(textOf(f, n)) == "" {
				return nil
			}
			lines := make([]string, len(with))
			for i, text := range with {
				lines[i] = indent + text
			}
			fix := insert(f.Path, n, lines...)
			fix.Note = fmt.Sprintf("`%s` is the Secret that holds the key: put its name there if it has another.", secret)
			return []review.Fix{fix}
		}
	}
	return nil
}

// holds reports whether a document has a leaf at the span.
func holds(d syntax.Doc, at syntax.Span) bool {
	for _, l := range d.Leaves {
		if l.Span == at {
			return true
		}
	}
	return false
}
