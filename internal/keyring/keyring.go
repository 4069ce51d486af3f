// Package keyring keeps the private halves: in a file, in a Kubernetes Secret that
// Flux reads, or nowhere, where the operator keeps them. An [Identity] prints as
// [redacted] wherever it ends up; only the keyring itself, and the command that hands
// a key to a child process, ask for its text.
//
// Every keyring may hold several identities, so that a key is replaced without
// downtime: [Keyring.Mint] adds beside the old one, files move, [Keyring.Retire]
// removes what is no longer used. The newest identity is the current one.
package keyring

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/sops"
)

// Keyring keeps the identities of one environment. env is its name, for messages
// alone. No error and no warning holds any part of an identity.
type Keyring interface {
	// Identities returns all identities, the current one first; none where the file or
	// Secret does not exist yet. One malformed entry fails it, and the error names it.
	Identities(ctx context.Context, env string) ([]Identity, error)
	// Mint makes a new identity, adds it beside the ones that are there and returns
	// its recipient. From then on it is the current one.
	Mint(ctx context.Context, env string) (sops.Recipient, error)
	// Retire removes every identity but keep, which must be the current one; the zero
	// Recipient means just that one. It changes nothing where nothing else is held.
	Retire(ctx context.Context, env string, keep sops.Recipient) (Retired, error)
	// Warnings says what is wrong with what the keyring holds, short of an error: an
	// entry that Flux ignores, a comment that names another key.
	Warnings(ctx context.Context, env string) ([]string, error)
}

// Retired is what [Keyring.Retire] did.
type Retired struct {
	Removed  []sops.Recipient // newest first
	Warnings []string         // what it left in place, and why
}

// Options are what a keyring needs of its surroundings.
type Options struct {
	Getenv      func(string) string // os.Getenv where nil
	Now         func() time.Time    // time.Now where nil
	PostQuantum bool                // Mint makes age's hybrid keys (age1pq1...)
}

// ErrOperator is wrapped where only the operator has the private half.
var ErrOperator = errors.New("its private half is kept by the operator")

// maxText bounds an identity file and an entry of a Secret, in bytes.
const maxText = 1 << 20

var errForms = errors.New("want file:///path/to/prod.agekey, kubernetes://namespace/secret?context=NAME, or operator")

// Open returns the keyring that an address of the configuration names:
// file:///keys/prod.agekey, kubernetes://namespace/secret?context=NAME, or operator.
// It reads nothing yet but, for Kubernetes, the kubeconfig.
func Open(address string, o Options) (Keyring, error) {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if address == "operator" {
		return operator{}, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("open keyring: not the address of a keyring; %w", errForms)
	}
	switch u.Scheme {
	case "file":
		return openFile(u, o)
	case "kubernetes":
		return openKube(u, o)
	}
	return nil, fmt.Errorf("open keyring: no such kind of keyring; %w", errForms)
}

// recipients lists the public halves.
func recipients(ids []Identity) []sops.Recipient {
	out := make([]sops.Recipient, len(ids))
	for i, id := range ids {
		out[i] = id.Recipient()
	}
	return out
}

// mayKeep checks what [Keyring.Retire] is asked for and returns the recipient to keep.
func mayKeep(env string, ids []Identity, keep sops.Recipient) (sops.Recipient, error) {
	if len(ids) == 0 {
		return keep, fmt.Errorf("retire keys of %q: the keyring holds none; make one with keys init", env)
	}
	current := ids[0].Recipient()
	if keep == (sops.Recipient{}) || keep == current {
		return current, nil
	}
	for _, id := range ids {
		if id.Recipient() == keep {
			return keep, fmt.Errorf("retire keys of %q: the current key is %s, and it may not be retired for the older %s; "+
				"rotate the files to the current key first", env, current.Short(), keep.Short())
		}
	}
	return keep, fmt.Errorf("retire keys of %q: the keyring does not hold %s; it holds %s",
		env, keep.Short(), shorts(recipients(ids)))
}

func shorts(list []sops.Recipient) string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = r.Short()
	}
	return strings.Join(out, ", ")
}
