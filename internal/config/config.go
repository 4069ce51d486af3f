// Package config reads .sealward.yaml: what a repository says of its environments,
// of its review and of its rotations.
//
// The types below are the one place that says what the file may hold: their tags
// drive the strict reader ([Parse]) and the JSON schema ([Schema]) alike.
package config

import (
	"time"

	"github.com/sealward/sealward/internal/syntax"
)

// Name is the file's name, at the root of a repository.
const Name = ".sealward.yaml"

// MaxSize is how large the file may be, in bytes.
const MaxSize = 1 << 20

// Config is the whole file. The zero Config is a repository without one.
//
// The tags: json names the key; doc describes it in the schema; enum lists the values
// that are allowed; check names the check of the value (see checks.go); required
// makes an empty value an error.
type Config struct {
	Environments map[string]Environment `json:"environments,omitempty" doc:"What belongs to each environment. Environments are detected where this is not set." check:"name"`
	Review       Review                 `json:"review,omitempty" doc:"How a change is judged."`
	Ignore       []Ignore               `json:"ignore,omitempty" doc:"Findings to take out of reports, each with a reason."`
	Rotation     Rotation               `json:"rotation,omitempty" doc:"Who may rotate a key, and where a copy of a new key goes."`
	Recipients   []Recipient            `json:"recipients,omitempty" doc:"What the recipients of sealed files are for."`
	Drift        Drift                  `json:"drift,omitempty" doc:"When and how drift between environments is reported."`

	source syntax.Span // of the file, zero without one
	rules  map[string]syntax.Span
	ignore []syntax.Span // of each ignore's rule
}

// Environment says what belongs to an environment.
type Environment struct {
	Paths   []string `json:"paths,omitempty" doc:"Globs of the environment's files; ** crosses directories." check:"glob"`
	Keyring string   `json:"keyring,omitempty" doc:"Where the environment's private key is kept: file:///keys/prod.agekey, kubernetes://namespace/secret?context=NAME, or operator." check:"keyring"`
}

// Review says how a change is judged.
type Review struct {
	FailOn      string            `json:"fail-on,omitempty" enum:"error,warning,notice,never" doc:"The least severity that fails a review; error where it is not set."`
	Rules       map[string]string `json:"rules,omitempty" enum:"error,warning,notice,off" doc:"The severity of rules by id, or off."`
	Profile     string            `json:"profile,omitempty" enum:"flux-sops,kilter,localops,eso-central" doc:"The platform whose practices are enforced; detected where it is not set."`
	PathsIgnore []string          `json:"paths-ignore,omitempty" doc:"Globs of files that are not reviewed at all." check:"glob"`
	Guarded     []string          `json:"guarded,omitempty" doc:"Globs under which only sealed files may stand; flux/secrets/** where it is not set." check:"glob"`
	EnvFiles    []string          `json:"env-files,omitempty" doc:"Globs of plaintext env files that git must ignore." check:"glob"`
}

// Ignore takes findings out of a report, with a reason.
type Ignore struct {
	Rule   string      `json:"rule,omitempty" doc:"The rule's id; every rule where it is not set."`
	Path   string      `json:"path,omitempty" doc:"A glob of files; every file where it is not set." check:"glob"`
	Key    string      `json:"key,omitempty" doc:"A key path such as stringData.TOKEN; every key where it is not set."`
	Reason string      `json:"reason" doc:"Why the finding is no danger." required:"say why the finding is no danger"`
	Until  Date        `json:"until,omitempty" doc:"The last day on which the finding is ignored, 2027-01-31."`
	Span   syntax.Span `json:"-"`
}

// Date is a day, 2027-01-01; the zero Date is none.
type Date struct{ time.Time }

// Recipient says what a recipient is for.
type Recipient struct {
	ID           string   `json:"id" doc:"The recipient as it stands in sealed files: age1..., ssh-ed25519 ..., a fingerprint, an arn." check:"recipient" required:"name the recipient as it stands in sealed files"`
	Name         string   `json:"name,omitempty" doc:"A name for people."`
	Role         string   `json:"role" enum:"cluster,person,ci" doc:"Who holds the private half." required:"say cluster, person or ci"`
	Environments []string `json:"environments,omitempty" doc:"The environments whose files it may open." check:"name"`
}

// Rotation says who may rotate and where a copy of a new key goes.
type Rotation struct {
	Allow  []string `json:"allow,omitempty" doc:"Logins, and teams as org/team, that may rotate keys; people with write access where it is not set." check:"login"`
	CopyTo []string `json:"copy-to,omitempty" doc:"age or ssh-ed25519 recipients that a copy of each new key is sealed to." check:"recipient"`
	Copy   string   `json:"copy,omitempty" doc:"Where the sealed copy of a new key is written."`
}

// Drift says when and how drift is reported.
type Drift struct {
	Schedule string            `json:"schedule,omitempty" doc:"When drift is reported: five fields of cron, in UTC." check:"cron"`
	Only     map[string]string `json:"only,omitempty" doc:"Keys that belong to some environments only: a glob of unit/KEY, and the environments, separated by commas." check:"only"`
}
