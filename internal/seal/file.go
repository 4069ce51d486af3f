package seal

import (
	"bytes"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// The limits of a file. Flux decrypts nothing above MaxSize, in bytes.
const (
	MaxSize   = 5 << 20
	MaxValues = 50_000
)

// sealedFile is a file taken apart.
type sealedFile struct {
	*sops.File
	path  string
	trees []*tree
}

// tree is what SOPS encrypts with one data key: the documents of a file that share a
// MAC. SOPS writes the same metadata into each of its documents; files that were put
// together from several have one tree for each.
type tree struct {
	file     *sealedFile
	docs     []sops.Document
	modified time.Time
	values   []place // of all documents, in the order of the source
	comments []place // the sealed ones
}

// place is a value or a comment and what SOPS authenticates it with.
type place struct {
	leaf    *syntax.Leaf // nil for a comment
	span    syntax.Span  // of the value's or comment's token
	text    string       // as SOPS reads it
	aad     string       // the keys above it, each followed by a colon
	others  []string     // what aad may be instead, where the format leaves it open
	sealed  bool
	token   token
	opened  []byte // the plaintext, once open
	clearly []byte // what a value in clear adds to the MAC
}

// read takes a file apart and refuses what could be read in two ways.
func read(name string, data []byte) (*sealedFile, error) {
	if len(data) > MaxSize {
		return nil, refuse(TooLarge, "it has %d bytes, and Flux decrypts no more than %d; split it", len(data), MaxSize)
	}
	f := sops.Parse(name, data)
	switch {
	case f.HasAlias:
		return nil, refuse(Aliases, "a YAML alias stands in it, which sops expands without a limit; write the value out")
	case f.Broken != nil:
		return nil, refuse(Unreadable, "it does not parse: %v", f.Broken)
	case len(f.Leaves) > MaxValues:
		return nil, refuse(TooLarge, "it has %d values, and %d are read; split it", len(f.Leaves), MaxValues)
	}
	s := sops.Read(f)
	switch {
	case s == nil || len(s.Sealed) == 0:
		return nil, refuse(NotSealed, "nothing in it is sealed by SOPS")
	case s.Broken != nil:
		return nil, refuse(Unreadable, "it does not parse: %v", s.Broken)
	case len(s.Orphans) > 0:
		return nil, refuse(NotSealed, "line %d is sealed, and its document has no metadata of SOPS; restore the metadata", s.Orphans[0].Span.Start.Line)
	}
	out := &sealedFile{File: s, path: name}
	return out, out.group()
}

// group gathers documents into trees.
func (s *sealedFile) group() error {
	byMAC := map[string]*tree{}
	for _, d := range s.Sealed {
		own := s.own(d)
		if err := s.check(d, own); err != nil {
			return err
		}
		t := byMAC[d.MAC.Value]
		if t == nil {
			at, err := time.Parse(time.RFC3339, d.LastModified.Value)
			if err != nil {
				return refuse(Metadata, "its lastmodified is not a date, so the MAC cannot be read")
			}
			t = &tree{file: s, modified: at}
			byMAC[d.MAC.Value] = t
			s.trees = append(s.trees, t)
		} else if !sameMetadata(t.docs[0], d) {
			return refuse(Metadata, "documents at lines %d and %d share a MAC and differ in their metadata",
				t.docs[0].Meta.Start.Line, d.Meta.Start.Line)
		}
		t.docs = append(t.docs, d)
		if err := t.add(d, own); err != nil {
			return err
		}
	}
	return nil
}

// sameMetadata holds for copies of one metadata.
func sameMetadata(a, b sops.Document) bool {
	return slices.EqualFunc(a.Groups, b.Groups, func(x, y sops.Group) bool { return slices.Equal(x, y) }) &&
		a.Threshold == b.Threshold && a.Selector == b.Selector && a.MACOnlyEnc == b.MACOnlyEnc &&
		a.LastModified.Value == b.LastModified.Value
}

// check refuses metadata that is broken or that says a thing twice.
func (s *sealedFile) check(d sops.Document, own []bool) error {
	at := d.Meta.Start.Line
	var plain, grouped bool
	var meta []*syntax.Leaf
	selectors := 0
	leaves := s.Docs[d.Index].Leaves
	for i := range leaves {
		l := &leaves[i]
		if own[i] {
			continue
		}
		meta = append(meta, l)
		if l.Kind == syntax.Null || l.Kind == syntax.EmptyList || l.Kind == syntax.EmptyMap || l.Value == "" {
			continue
		}
		switch name := s.metaField(l); name {
		case "key_groups":
			grouped = true
		case "age", "pgp", "kms", "gcp_kms", "azure_kv", "hc_vault", "hckms":
			plain = true
		default:
			if strings.HasSuffix(name, "_suffix") || strings.HasSuffix(name, "_regex") {
				selectors++
			}
		}
	}
	if l := twice(meta); l != nil {
		return refuse(Metadata, "its metadata at line %d has %s twice", at, l.Path)
	}
	switch {
	case plain && grouped:
		return refuse(Metadata, "its metadata at line %d has key_groups beside plain lists, of which sops ignores the groups", at)
	case selectors > 1:
		return refuse(Metadata, "its metadata at line %d has more than one selector, and sops refuses such a file", at)
	case d.MAC.Value == "":
		return refuse(NoMAC, "it has no MAC, so nothing tells whether a value was exchanged; if you trust it, seal it anew with sops")
	case len(d.Groups) == 0:
		return refuse(Nobody, "its metadata at line %d names no recipient", at)
	case len(d.Groups) > 1 && (d.Threshold < 2 || d.Threshold > len(d.Groups)):
		return refuse(Metadata, "its shamir_threshold does not fit its %d key groups", len(d.Groups))
	case len(d.Clear) > 0 && strings.HasPrefix(d.Clear[0].Value, "ENC["):
		return refuse(Stray, "%s at line %d is a damaged ENC[...] value; restore it", d.Clear[0].Path, d.Clear[0].Span.Start.Line)
	case len(d.Clear) > 0:
		return refuse(PartlySealed, "%s at line %d stands in clear, and the file's own selector seals it; seal it with sops first",
			d.Clear[0].Path, d.Clear[0].Span.Start.Line)
	}
	return nil
}

// own says of each leaf of a document whether it is a value, sealed or left in clear,
// or else SOPS' own. The document's lists are in the order of the source.
func (s *sealedFile) own(d sops.Document) []bool {
	leaves := s.Docs[d.Index].Leaves
	out := make([]bool, len(leaves))
	for _, list := range [][]syntax.Leaf{d.Sealed, d.Open, d.Clear} {
		at := 0
		for i := range list {
			for at < len(leaves) && leaves[at].Span.Start.Offset < list[i].Span.Start.Offset {
				at++
			}
			if at < len(leaves) && leaves[at].Span.Start.Offset == list[i].Span.Start.Offset {
				out[at] = true
			}
		}
	}
	return out
}

// twice returns a leaf whose path another one has, or nil.
func twice(leaves []*syntax.Leaf) *syntax.Leaf {
	if len(leaves) <= 32 {
		for i, l := range leaves {
			if slices.ContainsFunc(leaves[:i], func(o *syntax.Leaf) bool { return slices.Equal(o.Path, l.Path) }) {
				return l
			}
		}
		return nil
	}
	seen := make(map[string]bool, len(leaves))
	for _, l := range leaves {
		id := l.Path.String()
		if seen[id] {
			return l
		}
		seen[id] = true
	}
	return nil
}

// metaField is the metadata's own field that a leaf belongs to.
func (s *sealedFile) metaField(l *syntax.Leaf) string {
	switch {
	case s.Format == syntax.Dotenv && len(l.Path) > 0:
		name, _, _ := strings.Cut(strings.TrimPrefix(l.Path[0].Key, "sops_"), "__")
		return name
	case len(l.Path) < 2:
		return ""
	}
	name, _, _ := strings.Cut(l.Path[1].Key, "__")
	if s.Format != syntax.INI {
		name = l.Path[1].Key
	}
	return name
}

// add takes in the values and sealed comments of a document.
func (t *tree) add(d sops.Document, own []bool) error {
	leaves := t.file.Docs[d.Index].Leaves
	t.values = slices.Grow(t.values, len(d.Sealed)+len(d.Open))
	for i := range leaves {
		if !own[i] {
			continue
		}
		p, err := t.place(&leaves[i])
		if err != nil {
			return err
		}
		t.values = append(t.values, p)
	}
	return t.addComments(d)
}

func (t *tree) place(l *syntax.Leaf) (place, error) {
	p := place{leaf: l, span: l.Span, text: l.Value}
	p.aad, p.others = t.keysOf(l)
	if t.file.Format == syntax.Dotenv {
		_, raw, _ := strings.Cut(lineAt(t.file.Data, start(l)), "=")
		p.text = strings.ReplaceAll(strings.TrimSuffix(raw, "\r"), `\n`, "\n")
	}
	if !strings.HasPrefix(p.text, tokenHead) {
		p.clearly = clearBytes(t.file.Format, l, p.text)
		return p, nil
	}
	var err error
	if p.token, err = parseToken(p.text); err != nil {
		return p, refuse(Stray, "%s at line %d is a damaged ENC[...] value", l.Path, l.Span.Start.Line)
	}
	p.sealed = true
	return p, nil
}

// keysOf returns what the value at a leaf is bound to. SOPS joins the keys on the path,
// list indexes left out.
func (t *tree) keysOf(l *syntax.Leaf) (aad string, others []string) {
	keys := l.Path.Keys()
	switch t.file.Format {
	case syntax.Dotenv:
		key, _, _ := strings.Cut(lineAt(t.file.Data, start(l)), "=")
		return key + ":", nil
	case syntax.INI:
		if len(keys) == 1 {
			return "DEFAULT:" + keys[0] + ":", nil
		}
		// A dotted section or key is one name to SOPS, and one step for each part here.
		for cut := len(keys) - 2; cut > 0; cut-- {
			others = append(others, strings.Join(keys[:cut], ".")+":"+strings.Join(keys[cut:], ".")+":")
		}
		if len(keys) > 2 {
			others = append(others, "DEFAULT:"+strings.Join(keys, ".")+":")
		}
		return strings.Join(keys[:len(keys)-1], ".") + ":" + keys[len(keys)-1] + ":", others
	}
	return strings.Join(keys, ":") + ":", nil
}

// start is where a leaf begins, its key included.
func start(l *syntax.Leaf) int {
	if !l.Key.IsZero() {
		return l.Key.Start.Offset
	}
	return l.Span.Start.Offset
}

// lineAt returns the line that holds an offset.
func lineAt(data []byte, offset int) string {
	from := bytes.LastIndexByte(data[:offset], '\n') + 1
	to := len(data)
	if i := bytes.IndexByte(data[offset:], '\n'); i >= 0 {
		to = offset + i
	}
	return string(data[from:to])
}

// addComments takes in the sealed comments of a document. SOPS binds a comment to the
// keys of the collection that it stands in; which one that is, depends on its YAML
// reader, so every collection around the comment is a candidate and the one that the
// data key opens is right.
func (t *tree) addComments(d sops.Document) error {
	doc := t.file.Docs[d.Index]
	for _, c := range t.file.Comments {
		if c.Span.Start.Offset < doc.Span.Start.Offset || c.Span.Start.Offset >= doc.Span.End.Offset {
			continue
		}
		text := strings.TrimRight(c.Text, "\r")
		if t.file.Format == syntax.INI {
			text = strings.TrimLeft(text, "; #")
		}
		if !strings.HasPrefix(text, tokenHead) {
			continue
		}
		p := place{span: c.Span, text: text, sealed: true}
		var err error
		if p.token, err = parseToken(strings.TrimRight(text, " \t")); err != nil {
			return refuse(Stray, "the sealed comment at line %d is damaged; remove it", c.Span.Start.Line)
		}
		p.text = strings.TrimRight(text, " \t")
		all := t.around(doc, c)
		p.aad, p.others = all[0], all[1:]
		t.comments = append(t.comments, p)
	}
	return nil
}

// around lists the collections that a comment may stand in, nearest first.
func (t *tree) around(doc syntax.Doc, c syntax.Comment) []string {
	i := sort.Search(len(doc.Leaves), func(i int) bool { return doc.Leaves[i].Span.Start.Offset >= c.Span.Start.Offset })
	var out []string
	add := func(l *syntax.Leaf) {
		keys := l.Path.Keys()
		if t.file.Format == syntax.INI && len(keys) > 1 {
			out = append(out, strings.Join(keys[:len(keys)-1], ".")+":")
		}
		for n := len(keys); n > 0; n-- {
			if aad := strings.Join(keys[:n], ":") + ":"; !slices.Contains(out, aad) {
				out = append(out, aad)
			}
		}
	}
	for _, near := range []int{i, i - 1, i + 1} {
		if near >= 0 && near < len(doc.Leaves) {
			add(&doc.Leaves[near])
		}
	}
	return append(out, ":", "DEFAULT:")
}
