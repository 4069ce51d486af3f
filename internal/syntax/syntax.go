// Package syntax reads configuration files as leaves that know where they stand.
//
// A [File] is the outcome of [Parse]: one or more documents, and in them every
// scalar value (a [Leaf]) with its key path, its decoded text and the exact span
// of key and value in the file's own bytes. The package reads no file itself,
// knows no Kubernetes and no SOPS; those stand on top of it.
package syntax

import "strings"

// Format is how a file is written. TOML and Java properties are told as INI: tables
// are sections, and a dotted name is one step for each part.
type Format string

// The formats that [Parse] tells apart. Text is everything else, and what a file
// falls back to when it does not parse (then [File.Broken] says why).
const (
	YAML   Format = "yaml"
	JSON   Format = "json"
	Dotenv Format = "dotenv"
	INI    Format = "ini"
	Text   Format = "text"
)

// Pos is a place in a file. Offset counts bytes from 0; Line and Col count from
// 1, Col in code points. The zero Pos is no place.
type Pos struct {
	Offset, Line, Col int
}

// Span is a half-open stretch of a file: End is the first place behind it.
type Span struct {
	File       string // slash-separated, relative to the repository's root
	Start, End Pos
}

// IsZero reports whether s is no place at all.
func (s Span) IsZero() bool { return s.Start.Line == 0 }

// Cut returns the bytes of data that s covers, or nil if it does not fit.
func (s Span) Cut(data []byte) []byte {
	if s.Start.Offset < 0 || s.End.Offset < s.Start.Offset || s.End.Offset > len(data) {
		return nil
	}
	return data[s.Start.Offset:s.End.Offset]
}

// Step is one step of a [Path]: a mapping's key, or a list's index.
type Step struct {
	Key   string
	Index int // from 0; -1 for a mapping's key
}

// K is the step to a mapping's key, I the step to a list's index.
func K(key string) Step { return Step{Key: key, Index: -1} }

// I is the step to the element at index i of a list.
func I(i int) Step { return Step{Index: i} }

// Path leads from a document's root to a leaf.
type Path []Step

// Keys returns the mapping keys on the path, list indexes left out: what SOPS
// authenticates a value with, and what its selectors look at.
func (p Path) Keys() []string {
	keys := make([]string, 0, len(p))
	for _, s := range p {
		if s.Index < 0 {
			keys = append(keys, s.Key)
		}
	}
	return keys
}

// Last returns the last mapping key on the path, or "".
func (p Path) Last() string {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i].Index < 0 {
			return p[i].Key
		}
	}
	return ""
}

// String writes the path as people do: spec.values.env[0].name. A key that
// holds a dot, a bracket, a quote, white space or a control character is quoted.
func (p Path) String() string {
	var b strings.Builder
	for i, s := range p {
		s.write(&b, i == 0)
	}
	return b.String()
}

// Kind is a leaf's type as the format itself resolves it.
type Kind uint8

// The kinds of leaves. EmptyMap and EmptyList stand for {} and [], so that a
// collection with nothing in it is seen at all.
const (
	String Kind = iota
	Int
	Float
	Bool
	Null
	EmptyMap
	EmptyList
)

// Style is how a value is written.
type Style uint8

// The styles. Formats other than YAML use Plain and DoubleQuoted (dotenv also SingleQuoted).
const (
	Plain Style = iota
	SingleQuoted
	DoubleQuoted
	Literal // |
	Folded  // >
)

// Leaf is one scalar of a document.
type Leaf struct {
	Doc   int    // index into File.Docs
	Path  Path   // never empty but for a document that is a lone scalar, or text
	Value string // decoded: quotes, escapes, folding and aliases resolved
	Kind  Kind
	Style Style
	// Key and Span are the source tokens, quotes included; a block scalar's span
	// begins at its indicator and ends behind the line break of its last line. Tags
	// and anchors are not part of it. A value that is not written at all has an
	// empty span where it would stand. Key is zero for a list's element. Where the
	// value comes through an alias, Span is the alias and Anchor the value it names.
	Key, Span, Anchor Span
	// Comment is the text of the comments that belong to the leaf: the lines right
	// above its key, none of them indented deeper than its line, and the one behind its
	// value; the mark cut, joined by newlines.
	Comment string
}

// Doc is one document of a file. YAML has as many as its markers make, a document
// with nothing in it counted; JSON one for each value in a row (JSON Lines); the
// other formats have exactly one.
type Doc struct {
	Index  int
	Span   Span   // all of it, comments included, between the markers
	Leaves []Leaf // a window into File.Leaves
	// Broken says why this document was read line by line, or is nil. A document of
	// YAML breaks alone: the others of its file keep their structure.
	Broken error

	runs []run
}

// Comment is a comment of the source, in the formats that have them.
type Comment struct {
	Span Span   // from its mark to the end of its line
	Text string // what is behind the mark, white space kept
}

// Anchor is a name that a YAML document gives to a value (&name).
type Anchor struct {
	Name string
	Span Span // of the token &name
	Doc  int  // index into File.Docs
	Path Path // of the value
}

// File is a parsed file.
type File struct {
	Name   string
	Format Format
	Data   []byte // as read; must not be changed
	Docs   []Doc
	Leaves []Leaf // of all documents, in the order of the source
	// Comments are all comments of YAML, JSON, dotenv and INI, in the order of the
	// source.
	Comments []Comment
	Anchors  []Anchor // of YAML, in the order of the source
	HasAlias bool     // a YAML alias (*name) stands in it, as value, key or merge
	// Broken says why a file that should be structured was read line by line
	// instead (a Helm template, a syntax error, a limit), or is nil; Format is then
	// Text. Of several YAML documents it is the first broken one's reason, what
	// [Refused] reports before a plain error of syntax.
	Broken error

	index *posIndex
}
