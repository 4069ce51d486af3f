// Package rule is the catalogue: one file per rule, each rule a value with its
// page in it. What several rules share stands in files named after the concept:
// leaks.go, keys.go, units.go, kilter.go, roles.go.
package rule

import "github.com/sealward/sealward/internal/review"

// All returns the catalogue in the order of its documentation.
func All() []*review.Rule {
	return []*review.Rule{
		// Leaks
		leakedToken, privateKey, plaintextSecret, unsealedFile, partlySealed, unsealedAgain, trackedDotenv, envFileNotIgnored,
		decryptedLeftover, orphanCiphertext, guardedPath, renderedChartKey, generatorLiteral, inlineSecret, silencedReview,
		// Sealing
		missingRecipient, staleRecipient, noRule, selectorDiffers, badRule, handEdited, removedNotRotated, brokenMetadata,
		sharedRecipient, personalKeyOnly, clusterCannotDecrypt, weakValue, appliedEncrypted,
		// Drift
		keyDrift, standingDrift, missingEnvFile, duplicateKey, emptyValue, nearTypo, tooManyPairs, exampleDrift,
		// Kilter
		kilterUnmapped, kilterMissingFile, kilterEnvBlock, kilterNoSecrets, kilterRecipient, kilterUnknownName, kilterSharedFile,
		// References and rollout
		danglingKey, danglingSecret, removedProvider, rollmeAnnotation, noRestart, randomRollme,
		// Flux and kustomize
		fluxNoDecryption, fluxNoKey, unlistedFile, danglingResource, fluxKeyOutlier, neverDecrypted, sopsConfigApplied,
		// External Secrets
		unknownStore, selectorWithoutNamespace, labelWithoutSecret, manualSecret, duplicateTarget, undefinedTemplateKey, oldAPIVersion, neverRefreshed,
	}
}
