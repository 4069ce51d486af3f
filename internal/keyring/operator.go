package keyring

import (
	"context"
	"fmt"

	"github.com/sealward/sealward/internal/sops"
)

// operator is the keyring of an environment whose private half this program never
// sees: a person makes and keeps it, and says the recipient.
type operator struct{}

func (operator) Identities(context.Context, string) ([]Identity, error) { return nil, nil }

func (operator) Mint(_ context.Context, env string) (sops.Recipient, error) {
	return sops.Recipient{}, fmt.Errorf("make a key for %q: %w; make one there (age-keygen) and give its recipient with --to",
		env, ErrOperator)
}

func (operator) Retire(_ context.Context, env string, _ sops.Recipient) (Retired, error) {
	return Retired{Warnings: []string{
		fmt.Sprintf("the private half of %q is kept by the operator: remove the old one there", env),
	}}, nil
}

func (operator) Warnings(context.Context, string) ([]string, error) { return nil, nil }
