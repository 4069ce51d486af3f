// Package rotate plans, re-seals and proposes a change of recipients.
package rotate

import (
	"context"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/sops"
)

// Sealer re-encrypts one sealed file in memory: with a fresh data key, for the
// recipients that want asks for, and verified before it returns.
type Sealer interface {
	Reseal(ctx context.Context, path string, data []byte, want sops.Rekey) (sops.Resealed, error)
}

// Minter makes a new key for an environment and keeps its private half.
type Minter interface {
	// Mint adds a key beside the ones that are there and returns its recipient.
	Mint(ctx context.Context, env string) (sops.Recipient, error)
}

// Forge is where a repository is read from and a rotation is proposed to.
type Forge interface {
	Snapshot(ctx context.Context, name, branch string) (repo.Snapshot, error)
	Propose(ctx context.Context, p repo.Proposal) (repo.PullRequest, error)
}

// Request asks for a rotation.
type Request struct {
	Repo, Branch string
	Env          string           // "" for Remove and Add over the whole tree
	Force        bool             // replace the key even where the repository already uses the newest
	To           []sops.Recipient // the new recipients, instead of a key of the keyring
	Remove, Add  []sops.Recipient // over the whole tree, when somebody leaves or joins
	By           string           // who asked
	Source       string           // where: the comment's URL, "command line"
}
