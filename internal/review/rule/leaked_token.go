package rule

import (
	"fmt"

	"github.com/sealward/sealward/internal/review"
)

var leakedToken = &review.Rule{
	ID: "leaked-token", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerFile, History: true,
	Doc: `A credential stands in clear: a token of a known format, or a random value behind a name that says what it is.

Where the file parses, its values are judged, together with their names and neighbours: the finding
points at the value itself. Values of Kubernetes Secrets and base64 in kubeconfigs are decoded.
Elsewhere the text is read line by line. Sealed values, placeholders, templates and references to a
secret are not findings. Every commit of a change is looked at: a token that one commit adds and the
next removes is still in the history.

## Why it matters
Whoever can read the repository, a clone of it, or a log that printed the diff holds the credential, and removing the line does not take it back.

## Example
    env:
      - name: API_TOKEN
        value: <the token itself>

## What to do
Revoke the token where it was issued. Put the new one into a file that SOPS seals, or into a secret store,
and refer to it:

    env:
      - name: API_TOKEN
        valueFrom: {secretKeyRef: {name: api, key: token}}
`,
	Check: func(p *review.Pass) error {
		leaksOf(p.File).report(p, func(l leakAt) review.Finding {
			return review.Finding{Message: fmt.Sprintf("%s in clear%s", l.what(), l.at())}
		})
		return nil
	},
}

// what names the kind of secret, without any of it.
func (l leakAt) what() string {
	if l.What != "" {
		return l.What
	}
	return "a credential"
}

// at says where a leak stands, for the message: " at spec.token" or "".
func (l leakAt) at() string {
	switch {
	case l.object != "" && l.key != "":
		return fmt.Sprintf(" in %s at %s", l.object, l.key)
	case l.key != "":
		return " at " + l.key
	}
	return ""
}
