// Package config reads .sealward.yaml: what a repository says of its environments,
// of its review and of its rotations.
package config

import (
	"time"

	"github.com/sealward/sealward/internal/syntax"
)

// Name is the file's name, at the root of a repository.
const Name = ".sealward.yaml"

// Config is the whole file. The zero Config is a repository without one.
type Config struct {
	Environments map[string]Environment `json:"environments,omitempty"`
	Review       Review                 `json:"review,omitempty"`
	Ignore       []Ignore               `json:"ignore,omitempty"`
	Rotation     Rotation               `json:"rotation,omitempty"`
	Recipients   []Recipient            `json:"recipients,omitempty"`
	Drift        Drift                  `json:"drift,omitempty"`
}

// Environment says what belongs to an environment.
type Environment struct {
	Paths   []string `json:"paths,omitempty"`   // globs, ** crosses directories
	Keyring string   `json:"keyring,omitempty"` // file:///..., kubernetes://namespace/secret?context=..., operator
}

// Review says how a change is judged.
type Review struct {
	FailOn      string            `json:"fail-on,omitempty"`      // error (default), warning, notice, never
	Rules       map[string]string `json:"rules,omitempty"`        // rule id -> error, warning, notice, off
	Profile     string            `json:"profile,omitempty"`      // flux-sops, kilter, localops, eso-central; detected where it is empty
	PathsIgnore []string          `json:"paths-ignore,omitempty"` // globs that are not reviewed at all
	Guarded     []string          `json:"guarded,omitempty"`      // globs where only sealed files may stand; default flux/secrets/**
	EnvFiles    []string          `json:"env-files,omitempty"`    // plaintext env files that must be ignored by git
}

// Ignore takes findings out of a report, with a reason.
type Ignore struct {
	Rule   string      `json:"rule,omitempty"` // "" is every rule
	Path   string      `json:"path,omitempty"` // a glob; "" is every path
	Key    string      `json:"key,omitempty"`  // a key path; "" is every key
	Reason string      `json:"reason"`         // required
	Until  Date        `json:"until,omitempty"`
	Span   syntax.Span `json:"-"`
}

// Date is a day, 2027-01-01; the zero Date is none.
type Date struct{ time.Time }

// Recipient says what a recipient is for.
type Recipient struct {
	ID           string   `json:"id"`
	Name         string   `json:"name,omitempty"`
	Role         string   `json:"role"` // cluster, person, ci
	Environments []string `json:"environments,omitempty"`
}

// Rotation says who may rotate and where a copy of a new key goes.
type Rotation struct {
	Allow  []string `json:"allow,omitempty"`   // logins, org/team
	CopyTo []string `json:"copy-to,omitempty"` // age or ssh-ed25519 recipients
	Copy   string   `json:"copy,omitempty"`    // where the sealed copy of a new key is written
}

// Drift says when and how drift is reported.
type Drift struct {
	Schedule string            `json:"schedule,omitempty"` // cron, UTC
	Only     map[string]string `json:"only,omitempty"`     // glob of unit/KEY -> the environments it is meant for, comma-separated
}

// Parse reads the file. Every error names line, column and the way out; several
// are joined.
func Parse(name string, data []byte) (*Config, error) { panic("to be written") }

// Schema is the JSON schema of the file.
func Schema() []byte { panic("to be written") }
