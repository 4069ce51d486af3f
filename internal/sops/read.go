package sops

import "github.com/sealward/sealward/internal/syntax"

// Read returns what SOPS wrote in f, or nil where it wrote nothing.
func Read(f *syntax.File) *File { panic("to be written") }

// ReadRules reads a .sops.yaml. Rules that SOPS would refuse are in Problems.
func ReadRules(f *syntax.File) (*Rules, error) { panic("to be written") }

// Match returns the first rule whose path_regex matches path, or nil. path is
// relative to the repository's root, like r.Name.
func (r *Rules) Match(path string) *CreationRule { panic("to be written") }

// Seals reports whether the selector says that a leaf must be sealed.
func (s Selector) Seals(l syntax.Leaf) bool { panic("to be written") }

// Sealed reports whether a value is ENC[...] of SOPS.
func Sealed(value string) bool { panic("to be written") }

// Enc is what can be read of an ENC[...] token without a key.
type Enc struct {
	Type   string // str, int, float, bool, bytes, comment
	Length int    // of the plaintext, in bytes
}

// ParseEnc reads a token.
func ParseEnc(value string) (Enc, bool) { panic("to be written") }

// Nearest picks the rules that govern path: the ones in its nearest directory
// upwards. The rules' keys are the paths of the .sops.yaml files.
func Nearest(rules map[string]*Rules, path string) *Rules { panic("to be written") }

// ParseRecipient reads a recipient as people write it (age1..., ssh-ed25519 ...,
// arn:aws:kms:..., a fingerprint) or says what is wrong with it.
func ParseRecipient(s string) (Recipient, error) { panic("to be written") }

// SSH, Plugin and PostQuantum tell the age recipients that are not plain X25519.
func (r Recipient) SSH() bool         { panic("to be written") }
func (r Recipient) Plugin() bool      { panic("to be written") }
func (r Recipient) PostQuantum() bool { panic("to be written") }

// String is the recipient for people; Short is its abbreviation for tables.
func (r Recipient) String() string { panic("to be written") }
func (r Recipient) Short() string  { panic("to be written") }
