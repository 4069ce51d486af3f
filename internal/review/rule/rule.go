// Package rule is the catalogue: one file per rule, each rule a value with its
// page in it. What several rules share stands in files named after the concept:
// leaks.go, keys.go.
package rule

import "github.com/sealward/sealward/internal/review"

// All returns the catalogue in the order of its documentation.
func All() []*review.Rule {
	return []*review.Rule{
		leakedToken,
		privateKey,
		plaintextSecret,
		unsealedFile,
		partlySealed,
		unsealedAgain,
		trackedDotenv,
		decryptedLeftover,
		orphanCiphertext,
		silencedReview,
		missingRecipient,
		staleRecipient,
		badRule,
		handEdited,
		removedNotRotated,
		brokenMetadata,
		keyDrift,
		duplicateKey,
	}
}
