package sops

import (
	"bytes"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// Read returns what SOPS wrote in f, or nil where it wrote nothing. SOPS may write
// its envelope under any name: a file that the name alone made text is read again
// as what it holds, and File.File is then that other reading.
func Read(f *syntax.File) *File {
	if !bytes.Contains(f.Data, []byte("ENC[")) && !bytes.Contains(f.Data, []byte("sops")) {
		return nil
	}
	f = reread(f)
	out := &File{File: f}
	for _, d := range f.Docs {
		if d.Broken != nil {
			if raw := d.Span.Cut(f.Data); bytes.Contains(raw, []byte("lastmodified")) && bytes.Contains(raw, []byte("sops")) {
				out.Problems = append(out.Problems, Problem{d.Span, "a sealed document that does not parse, so SOPS cannot open it: " + d.Broken.Error()})
				continue
			}
		}
		meta, rest := split(f.Format, d)
		if meta == nil {
			for _, l := range rest {
				if Sealed(l.Value) {
					out.Orphans = append(out.Orphans, l)
				}
			}
			continue
		}
		out.Sealed = append(out.Sealed, readDocument(f, d, meta, rest))
	}
	if len(out.Sealed)+len(out.Orphans)+len(out.Problems) == 0 {
		return nil
	}
	return out
}

// Parse reads a file as SOPS does: an envelope is JSON, whatever the file is called.
func Parse(name string, data []byte) *syntax.File { return reread(syntax.Parse(name, data)) }

// reread tells an envelope under a name that says nothing of it, or another thing:
// SOPS goes by four extensions, and writes JSON into all other files, .env.prod too.
func reread(f *syntax.File) *syntax.File {
	if f.Format != syntax.JSON && !strings.HasSuffix(f.Name, ".yaml") && !strings.HasSuffix(f.Name, ".yml") && envelope(f.Data) {
		if as := syntax.ParseAs(f.Name, f.Data, syntax.JSON); as.Broken == nil {
			return as
		}
	}
	if f.Format != syntax.Text || f.Broken != nil {
		return f
	}
	as := syntax.Text
	switch data := f.Data; {
	case envelope(data):
		as = syntax.JSON
	case hasLine(data, "sops:") && bytes.Contains(data, []byte("mac:")):
		as = syntax.YAML
	case hasLine(data, "[sops]"):
		as = syntax.INI
	case hasLine(data, "sops_mac="):
		as = syntax.Dotenv
	default:
		return f
	}
	if again := syntax.ParseAs(f.Name, f.Data, as); again.Broken == nil && !program(again) {
		return again
	}
	return f
}

// program tells a program's text, with a sealed file in one of its strings, from lines
// of keys and values.
func program(f *syntax.File) bool {
	if f.Format != syntax.Dotenv && f.Format != syntax.INI {
		return false
	}
	return slices.ContainsFunc(f.Leaves, func(l syntax.Leaf) bool {
		return len(l.Path) > 0 && strings.ContainsAny(l.Path.Last(), "\t\"'`(){}<>;!:")
	})
}

func hasLine(data []byte, start string) bool {
	return bytes.HasPrefix(data, []byte(start)) || bytes.Contains(data, []byte("\n"+start))
}

// Binary reports whether a document is the envelope that SOPS puts around a file of
// no format it knows: selectors do not apply to it.
func (f *File) Binary(d Document) bool {
	doc := f.Docs[d.Index]
	_, rest := split(f.Format, doc)
	return f.Format == syntax.JSON && len(rest) == 1 && len(rest[0].Path) == 1 && rest[0].Path[0].Key == "data" &&
		Sealed(rest[0].Value)
}

// Recipients returns everybody that the document's groups name, sorted, each once.
func (d Document) Recipients() []Recipient { return Union(d.Groups) }

// Recipients returns everybody that any document of the file names.
func (f *File) Recipients() []Recipient {
	var groups []Group
	for _, d := range f.Sealed {
		groups = append(groups, d.Groups...)
	}
	return Union(groups)
}

func readDocument(f *syntax.File, d syntax.Doc, meta []field, rest []syntax.Leaf) Document {
	doc := Document{Index: d.Index, Meta: metaSpan(f, d, meta)}
	c := checker{doc: &doc, listed: map[listed]bool{}}
	c.fields(meta)
	c.keys(meta)
	c.leaves(f, rest)
	c.mac()
	slices.SortStableFunc(doc.Problems, func(a, b Problem) int { return a.Span.Start.Offset - b.Span.Start.Offset })
	return doc
}

// checker fills a document in and gathers what is wrong with it.
type checker struct {
	doc    *Document
	listed map[listed]bool
}

// listed is a recipient in its group.
type listed struct {
	group int
	who   Recipient
}

func (c *checker) problem(at syntax.Span, message string) {
	if at.IsZero() {
		at = c.doc.Meta
	}
	c.doc.Problems = append(c.doc.Problems, Problem{at, message})
}

// leaves sorts what is not metadata into sealed, clear and left open on purpose.
func (c *checker) leaves(f *syntax.File, rest []syntax.Leaf) {
	must := c.doc.Selector.In(f)
	if f.Format == syntax.JSON && binaryEnvelope(rest) {
		must = func(l syntax.Leaf) bool { return !emptyLeaf(l) }
	}
	manifest := isManifest(rest)
	c.doc.Sealed = make([]syntax.Leaf, 0, len(rest))
	var bare, veiled syntax.Leaf // the first structural fields found in clear and sealed, against all reason
	for _, l := range rest {
		structural := manifest && structure(l.Path)
		token, sealed := cutToken(l.Value)
		switch {
		case sealed:
			c.doc.Sealed = append(c.doc.Sealed, l)
			if structural && len(veiled.Path) == 0 {
				veiled = l
			}
			if !token.sound() {
				c.problem(l.Span, l.Path.String()+" will not decrypt: its ENC[...] token is damaged")
			}
		case structural && must(l):
			if len(bare.Path) == 0 {
				bare = l
			}
		case must(l):
			c.doc.Clear = append(c.doc.Clear, l)
		default:
			c.doc.Open = append(c.doc.Open, l)
		}
	}
	c.structure(bare, veiled)
}

// structure reports the fields of a Kubernetes object that sealing got wrong.
func (c *checker) structure(bare, veiled syntax.Leaf) {
	if len(bare.Path) > 0 {
		c.problem(bare.Key, "the selector ("+c.doc.Selector.String()+") says that "+bare.Path.String()+
			" is sealed, and it stands in clear: the metadata lost the selector that the file was sealed with, and SOPS will not decrypt it")
	}
	if len(veiled.Path) > 0 {
		c.problem(veiled.Key, veiled.Path.String()+" is sealed: Kubernetes and Flux must be able to read it; "+
			"seal data and stringData alone (encrypted_regex: ^(data|stringData)$)")
	}
}

func binaryEnvelope(rest []syntax.Leaf) bool {
	return len(rest) == 1 && len(rest[0].Path) == 1 && rest[0].Path[0].Key == "data"
}

// isManifest reports whether a document is a Kubernetes object.
func isManifest(leaves []syntax.Leaf) bool {
	var version, kind bool
	for _, l := range leaves {
		if len(l.Path) == 1 {
			version = version || l.Path[0].Key == "apiVersion"
			kind = kind || l.Path[0].Key == "kind"
		}
	}
	return version && kind
}

// structure holds for the fields of an object that must stay readable.
func structure(p syntax.Path) bool {
	switch p[0].Key {
	case "apiVersion", "kind":
		return len(p) == 1
	case "metadata":
		return len(p) > 1
	}
	return false
}

// contextOf is a KMS key's encryption context as SOPS prints it.
func contextOf(pairs []string) string {
	slices.Sort(pairs)
	return strings.Join(pairs, ",")
}

// envelope holds for what begins as the JSON that SOPS writes.
func envelope(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) && bytes.Contains(data, []byte(`"sops"`))
}
