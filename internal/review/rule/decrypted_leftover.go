package rule

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/sealward/sealward/internal/leak"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/syntax"
)

var decryptedLeftover = &review.Rule{
	ID: "decrypted-leftover", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerTree,
	Doc: `A decrypted copy of a sealed file was left behind.

By its name (secrets.dec.yaml, x.decrypted, .decrypted~x), or because a sealed file of the same name with .enc, .sops or
.encrypted in it stands beside and has the same keys.

## Why it matters
Editors' plugins and scripts write such files next to the sealed one; committed, they hand out all that the sealed one protects.

## Example
    secrets.enc.env   sealed
    secrets.env       the same keys, in clear

## What to do
Delete the copy, name its pattern in .gitignore, and replace the values at their providers.
`,
	Check: func(p *review.Pass) error {
		for _, f := range p.Tree.Files() {
			if !decryptedName.MatchString(f.Base()) || isExample(f.Path) || leak.Source(f.Path) || p.Tree.Ignored(f.Path) {
				continue
			}
			if holdsValues(f) {
				p.Report(review.Finding{Span: fileStart(f.Path), Message: f.Base() + " is by its name a decrypted copy, and it is in clear",
					Hint: "Delete the copy, name its pattern in .gitignore, and replace the values at their providers."})
			}
		}
		for _, s := range p.Tree.SealedFiles() {
			for _, name := range plainNames(s.Path) {
				f := p.Tree.File(name)
				if f == nil || decryptedName.MatchString(f.Base()) || p.Tree.Ignored(name) || !holdsValues(f) {
					continue
				}
				if shared := sharedKeys(s, f); shared > 0 {
					p.Report(review.Finding{Span: fileStart(name),
						Message: fmt.Sprintf("%s has %s of the sealed %s, in clear", f.Base(), count(shared, "key"), path.Base(s.Path)),
						Hint:    "Delete the copy, name its pattern in .gitignore, and replace the values at their providers.",
						Related: []review.Related{{Span: fileStart(s.Path), Message: "the sealed file"}}})
				}
			}
		}
		return nil
	},
}

var decryptedName = regexp.MustCompile(`(?i)(\.dec(\.[a-z0-9]+)?$|\.decrypted(\.|$)|^\.decrypted~|[._-]decrypted\.[a-z]+$|\.plain\.[a-z]+$)`)

// plainNames are the names that the decrypted copy of a sealed file goes by.
func plainNames(p string) []string {
	dir, base := path.Split(p)
	var out []string
	for _, mark := range []string{".enc", ".sops", ".encrypted", "-enc", "_enc", ".secret"} {
		if plain := strings.Replace(base, mark, "", 1); plain != base && plain != "" && !strings.HasPrefix(plain, ".") {
			out = append(out, dir+plain)
		}
	}
	return out
}

// holdsValues reports whether a file has anything of its own in clear.
func holdsValues(f *review.File) bool {
	data := strings.TrimSpace(string(f.Data()))
	return data != "" && (f.Sops() == nil || len(f.Sops().Sealed) == 0) && !strings.HasPrefix(data, "$ANSIBLE_VAULT;") && !strings.HasPrefix(data, "-----BEGIN AGE ENCRYPTED")
}

// sharedKeys counts the sealed keys that the other file has too, with text in them.
func sharedKeys(sealed, plain *review.File) int {
	have := map[string]bool{}
	for _, l := range plain.Syntax().Leaves {
		if l.Value != "" && l.Kind != syntax.Null {
			have[l.Path.String()] = true
		}
	}
	n := 0
	for _, d := range sealed.Sops().Sealed {
		for _, l := range d.Sealed {
			if have[l.Path.String()] {
				n++
			}
		}
	}
	return n
}

// fileStart is the first place of a file: for findings about the file as a whole.
func fileStart(p string) syntax.Span {
	at := syntax.Pos{Offset: 0, Line: 1, Col: 1}
	return syntax.Span{File: p, Start: at, End: at}
}
