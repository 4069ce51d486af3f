package rotate

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"sync"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// look is what one file tells.
type look struct {
	entry  repo.Entry
	err    error
	large  bool
	sealed *Sealed
	file   *syntax.File // of rules and kilter.yaml
	named  []sops.Recipient
	flux   []fluxKustomization
}

// lookAll looks into every file, several at once, and returns what they tell in order.
func lookAll(snap repo.Snapshot, entries []repo.Entry) []look {
	out := make([]look, len(entries))
	var wg sync.WaitGroup
	var mu sync.Mutex
	next := 0
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(entries) {
					return
				}
				out[i] = lookInto(snap.FS, entries[i])
			}
		})
	}
	wg.Wait()
	return out
}

func lookInto(fsys fs.FS, e repo.Entry) look {
	l := look{entry: e}
	if !e.Mode.IsRegular() {
		return l
	}
	if e.Size > maxLooked {
		l.large = true
		return l
	}
	data, err := fs.ReadFile(fsys, e.Path)
	if err != nil {
		l.err = err
		return l
	}
	switch base := path.Base(e.Path); {
	case base == ".sops.yaml", base == "kilter.yaml", base == "kilter.yml", e.Path == config.Name:
		l.file = syntax.Parse(e.Path, data)
		return l
	case bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0:
		l.sealed = sealedInBinary(e, data)
		return l
	}
	if l.sealed = sealedIn(e, data); l.sealed == nil {
		l.named = recipientsIn(data)
		l.flux = fluxIn(e.Path, data)
	}
	return l
}

// sealedIn tells what is sealed in a file, or nil.
func sealedIn(e repo.Entry, data []byte) *Sealed {
	if !bytes.Contains(data, []byte("sops")) || !bytes.Contains(data, []byte("ENC[")) {
		return nil
	}
	s := &Sealed{Path: e.Path, ID: e.ID}
	if len(data) > maxSealed {
		s.Problem = fmt.Sprintf("it has %d bytes, and Flux decrypts no more than %d; split it", len(data), maxSealed)
		return s.byText(data)
	}
	f := sops.Read(syntax.Parse(e.Path, data))
	if f == nil {
		return nil
	}
	for _, d := range f.Sealed {
		s.Docs = append(s.Docs, SealedDoc{Line: d.Meta.Start.Line, Recipients: d.Recipients(), Values: valuesOf(f, d)})
	}
	if len(f.Problems) > 0 {
		s.Problem = fmt.Sprintf("line %d: %s", f.Problems[0].Span.Start.Line, f.Problems[0].Message)
		return s.byText(data)
	}
	if len(s.Docs) == 0 {
		return nil // an ENC[...] value, and no metadata that a key could open
	}
	return s
}

// sealedInBinary tells what is sealed in a file that its name makes text, and that has
// NUL bytes: UTF-16, which SOPS reads, or damage. It is not to be passed over.
func sealedInBinary(e repo.Entry, data []byte) *Sealed {
	switch syntax.FormatOf(e.Path) {
	case syntax.YAML, syntax.JSON, syntax.Dotenv, syntax.INI:
	default:
		return nil
	}
	text := bytes.ReplaceAll(data, []byte{0}, nil)
	if !bytes.Contains(text, []byte("sops")) || !bytes.Contains(text, []byte("ENC[")) {
		return nil
	}
	s := &Sealed{Path: e.Path, ID: e.ID, Problem: "it has NUL bytes, as in UTF-16, and is read in UTF-8 alone; convert it, or restore it"}
	return s.byText(text)
}

// byText takes everybody that the text names for a recipient: what cannot be read as
// SOPS wrote it is not to be passed over.
func (s *Sealed) byText(data []byte) *Sealed {
	s.Docs = append(s.Docs, SealedDoc{Line: 1, Recipients: recipientsIn(data)})
	return s
}

// recipientsIn finds the age recipients in a text, each once.
func recipientsIn(data []byte) []sops.Recipient {
	var out []sops.Recipient
	for rest := data; ; {
		i := bytes.Index(rest, []byte("age1"))
		if i < 0 {
			break
		}
		n := i
		for n < len(rest) && (rest[n] >= 'a' && rest[n] <= 'z' || rest[n] >= '0' && rest[n] <= '9') {
			n++
		}
		if n-i >= 50 {
			if r, err := sops.ParseRecipient(string(rest[i:n])); err == nil && !slices.Contains(out, r) {
				out = append(out, r)
			}
		}
		rest = rest[n:]
	}
	return out
}

// valuesOf names the sealed values of a document.
func valuesOf(f *sops.File, d sops.Document) []Value {
	doc := f.Docs[d.Index]
	if f.Binary(d) {
		return []Value{{Key: "(the whole file)"}}
	}
	object := objectOf(doc.Str("metadata", "namespace"), doc.Str("metadata", "name"))
	items := map[int]string{}
	for _, it := range doc.Items("items") {
		items[it.Index] = objectOf(it.Str("metadata", "namespace"), it.Str("metadata", "name"))
	}
	out := make([]Value, len(d.Sealed))
	for i, l := range d.Sealed {
		out[i] = Value{Object: object, Key: l.Path.String()}
		if len(l.Path) > 2 && l.Path[0].Key == "items" && items[l.Path[1].Index] != "" {
			out[i].Object = items[l.Path[1].Index]
		}
	}
	return out
}

// objectOf is namespace/name, where they can be read.
func objectOf(namespace, name string) string {
	if sops.Sealed(name) || name == "" {
		return ""
	}
	if namespace == "" || sops.Sealed(namespace) {
		return name
	}
	return namespace + "/" + name
}

// cause is an error without the path that whoever reports it has named already.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}
