package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

var handEdited = &review.Rule{
	ID: "hand-edited", Since: "1.0", Family: review.Sealing, Severity: review.Error, Scope: review.PerChange,
	Doc: `A sealed file was changed without sops.

The MAC is the same as before, but sealed values were added, removed or exchanged, or a ciphertext moved to another
key. SOPS authenticates each value with its key path, and all of them with the MAC. If only values that
are meant to stay in clear changed, it is a notice.

## Why it matters
sops and Flux refuse the file: the next reconciliation of everything in that Kustomization stops.

## Example
    -db_password: ENC[AES256_GCM,data:A...]
    +database_password: ENC[AES256_GCM,data:A...]

## What to do
Take the file back from the base and make the change with sops edit, or sops set.
`,
	Check: func(p *review.Pass) error {
		eachSealedPair(p, func(before, after *review.File, old, now sops.Document) {
			if old.MAC.Value == "" || old.MAC.Value != now.MAC.Value {
				return
			}
			if l, how := editedByHand(old, now); how != "" {
				if l.Span.IsZero() {
					l.Span = now.MAC.Span
				}
				p.Report(review.Finding{Span: l.Span, Key: l.Path.String(), Message: how + ", and the MAC is the old one: sops will refuse the file",
					Hint:    "Take the file back from the base and make the change with: sops edit " + after.Path,
					Related: []review.Related{{Span: now.MAC.Span, Message: "the MAC, unchanged"}}})
				return
			}
			if l, ok := openChanged(old, now); ok && !now.MACOnlyEnc {
				p.Report(review.Finding{Severity: review.Notice, Span: l.Span, Key: l.Path.String(),
					Message: fmt.Sprintf("%s, which stays in clear, was changed without sops: the MAC covers it too", l.Path),
					Hint:    "Run sops edit on the file once, or seal with mac_only_encrypted: true."})
			}
		})
		return nil
	},
}

// eachSealedPair calls f for each sealed document that stands on both sides of a
// changed file: paired by MAC where that is equal, else by its index.
func eachSealedPair(p *review.Pass, f func(before, after *review.File, old, now sops.Document)) {
	for _, c := range p.Change.Files {
		before, after := p.Base.File(c.Old), p.Tree.File(c.Path)
		if c.Kind == repo.Deleted || before == nil || after == nil || before.Sops() == nil || after.Sops() == nil {
			continue
		}
		old := before.Sops().Sealed
		for _, now := range after.Sops().Sealed {
			if i := pairOf(old, now); i >= 0 {
				f(before, after, old[i], now)
			}
		}
	}
}

func pairOf(old []sops.Document, now sops.Document) int {
	for i, d := range old {
		if d.MAC.Value != "" && d.MAC.Value == now.MAC.Value {
			return i
		}
	}
	for i, d := range old {
		if d.Index == now.Index {
			return i
		}
	}
	return -1
}

// editedByHand names the first sealed value that is not what it was.
func editedByHand(old, now sops.Document) (at syntax.Leaf, how string) {
	was, owner := map[string]string{}, map[string]string{}
	for _, l := range old.Sealed {
		was[l.Path.String()] = l.Value
		owner[l.Value] = l.Path.String()
	}
	for _, l := range now.Sealed {
		path := l.Path.String()
		before, ok := was[path]
		delete(was, path)
		from, moved := owner[l.Value]
		switch {
		case ok && before == l.Value:
		case moved && from != path:
			return l, fmt.Sprintf("the ciphertext of %s was moved to %s, where it will not decrypt", from, path)
		case ok:
			return l, fmt.Sprintf("the ciphertext of %s was exchanged by hand", path)
		default:
			return l, fmt.Sprintf("the sealed %s was added by hand", path)
		}
	}
	for _, l := range old.Sealed {
		if _, gone := was[l.Path.String()]; gone {
			return syntax.Leaf{Path: l.Path}, fmt.Sprintf("the sealed %s was removed by hand", l.Path)
		}
	}
	return syntax.Leaf{}, ""
}

func openChanged(old, now sops.Document) (syntax.Leaf, bool) {
	was := map[string]string{}
	for _, l := range old.Open {
		was[l.Path.String()] = l.Value
	}
	for _, l := range now.Open {
		if v, ok := was[l.Path.String()]; !ok || v != l.Value {
			return l, true
		}
	}
	return syntax.Leaf{}, false
}
