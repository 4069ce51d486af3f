// Package sops knows what SOPS writes around a secret: recipients, rules, and
// which values are sealed. It holds no key and decrypts nothing.
package sops

import (
	"regexp"

	"github.com/sealward/sealward/internal/syntax"
)

// Kind is the kind of key that a recipient is.
type Kind string

// The kinds that SOPS 3.13 knows.
const (
	Age     Kind = "age" // X25519, post-quantum, ssh and plugin recipients alike; see Recipient's methods
	PGP     Kind = "pgp"
	KMS     Kind = "kms"
	GCPKMS  Kind = "gcp_kms"
	AzureKV Kind = "azure_kv"
	Vault   Kind = "hc_vault"
	HCKMS   Kind = "hckms"
)

// Recipient is the public half of a key. ID is normalised, so that equal
// recipients are equal values: a PGP fingerprint in capitals without blanks, an
// ssh key without its comment, a KMS key as arn with "+role" and context.
type Recipient struct {
	Kind Kind
	ID   string
}

// Group is a key group: any one of its recipients opens the group's share.
type Group []Recipient

// Wrapped is the data key as one recipient of a file holds it.
type Wrapped struct {
	Recipient Recipient
	Group     int
	ID, Enc   syntax.Span // the tokens of the recipient and of the wrapped key
	Created   string      // RFC 3339, where the kind of key records it
}

// SelectorKind is which of SOPS' six selectors decides what is sealed.
type SelectorKind string

// The selectors. A file or rule that names none has [DefaultSelector], and NoSelector
// behaves like it.
const (
	NoSelector              SelectorKind = ""
	UnencryptedSuffix       SelectorKind = "unencrypted_suffix"
	EncryptedSuffix         SelectorKind = "encrypted_suffix"
	UnencryptedRegex        SelectorKind = "unencrypted_regex"
	EncryptedRegex          SelectorKind = "encrypted_regex"
	UnencryptedCommentRegex SelectorKind = "unencrypted_comment_regex"
	EncryptedCommentRegex   SelectorKind = "encrypted_comment_regex"
)

// Selector says which leaves SOPS seals.
type Selector struct {
	Kind  SelectorKind
	Value string
}

// Document is one sealed document of a file.
type Document struct {
	Index        int // into File.Docs
	Meta         syntax.Span
	Groups       []Group
	Threshold    int // shamir_threshold; 0 where it is not set
	Keys         []Wrapped
	Selector     Selector
	MACOnlyEnc   bool
	MAC          syntax.Leaf // the zero Leaf where there is none, like LastModified
	LastModified syntax.Leaf
	Version      string
	// Sealed holds the leaves whose value is ENC[...]. SOPS makes an element of type
	// comment of a comment in a list: such elements are among them.
	Sealed []syntax.Leaf
	// Clear holds the non-empty leaves in clear that the document's own selector
	// says must be sealed; Open holds those that it leaves in clear on purpose.
	Clear, Open []syntax.Leaf
	Problems    []Problem
}

// Problem is something wrong with metadata or rules.
type Problem struct {
	Span    syntax.Span
	Message string // without any value of the file but key names and recipients
}

// File is a file with at least one sealed document, or with ENC[...] values.
type File struct {
	*syntax.File
	Sealed []Document
	// Orphans are ENC[...] leaves of documents that have no SOPS metadata.
	Orphans []syntax.Leaf
	// Problems are about documents that hold SOPS metadata and do not parse.
	Problems []Problem
}

// CreationRule is one rule of a .sops.yaml.
type CreationRule struct {
	Index      int
	Span       syntax.Span // of the rule as a whole
	PathRegex  string      // "" matches every path
	Regex      syntax.Span // of path_regex's value
	Groups     []Group     // one group for plain age:, pgp: ...; key_groups as they stand, merge resolved
	Recipients []RecipientAt
	Threshold  int
	Selector   Selector // [DefaultSelector] where the rule names none
	MACOnlyEnc bool

	re *regexp.Regexp // nil for every path, or where Broken
	// Broken says that SOPS fails at this rule whatever the path: its regular
	// expression does not compile.
	Broken bool
}

// RecipientAt is a recipient as a rule names it.
type RecipientAt struct {
	Recipient
	Span    syntax.Span // the token that names it: a whole value, or its part of a comma-separated list
	Source  syntax.Span // where the text stands in the end: Span, or the value that an alias names
	Name    string      // the anchor's name, "" without one
	Comment string
	Group   int
}

// Rules is a .sops.yaml.
type Rules struct {
	Name  string // its path in the tree
	File  *syntax.File
	Rules []CreationRule
	// Destinations are the recreation rules of destination_rules, each with the path
	// and position of the destination rule that holds it.
	Destinations []CreationRule
	Indent       Indent
	Problems     []Problem
}

// Indent is how many blanks SOPS indents with when it writes a file; 0 where
// stores: does not say.
type Indent struct{ YAML, JSON, Binary int }

// Rekey is a change of recipients that a file is to go through.
type Rekey struct {
	Remove, Add []Recipient
	// Known are the recipients that may stand in the file beside the removed ones;
	// any other is refused as injected. Nil allows none.
	Known []Recipient
}

// Resealed is a file after a [Rekey].
type Resealed struct {
	Data []byte
	// NotRotated are recipients of a kind that needs credentials that were not
	// there: they keep the file's old data key wrapped, so the data key stayed.
	NotRotated []Recipient
	Way        string // "span" or "library"
}
