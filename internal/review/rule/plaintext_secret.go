package rule

import (
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sealward/sealward/internal/leak"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

var plaintextSecret = &review.Rule{
	ID: "plaintext-secret", Since: "1.0", Family: review.Leaks, Severity: review.Error, Scope: review.PerFile, History: true,
	Doc: `A Kubernetes Secret holds a value in clear; base64 is an encoding and seals nothing.

Looked at are data and stringData of every v1 Secret, in any YAML or JSON document and in Lists. A value is
a finding by its name, as a PEM key, or by its randomness; sealed values, placeholders, substitutions
such as ${VAR}, references to a vault, password hashes of bcrypt and public certificates are not. One
default that a vendor ships under one key in many files is one finding.

## Why it matters
Everybody who can read the repository can read the secret, now and in every clone of its history.

## Example
    apiVersion: v1
    kind: Secret
    metadata: {name: db}
    stringData:
      password: correct-horse

## What to do
Replace the value at its provider. Seal the file before it is committed:

    sops encrypt --in-place secret.yaml

or let the External Secrets Operator make the Secret.
`,
	Check: func(p *review.Pass) error {
		found := leaksOf(p.File)
		seen := map[syntax.Pos]bool{}
		for _, l := range found {
			if l.leaf != nil {
				seen[l.leaf.Span.Start] = true
			}
		}
		found.report(p, func(l leakAt) review.Finding {
			return review.Finding{Message: fmt.Sprintf("%s is in clear in %s", l.key, l.object), Class: l.key + " " + l.value}
		})
		sealed := p.File.Sops()
		for _, o := range wiring.Objects(p.File.Syntax()) {
			for _, l := range clearValues(&o) {
				if seen[l.Span.Start] || clearInSealed(sealed, leakAt{leaf: &l}) {
					continue
				}
				p.Report(review.Finding{Span: l.Span, Key: l.Path.String(), Subject: l.Value, Class: l.Path.String() + " " + l.Value,
					Message: fmt.Sprintf("%s is in clear in Secret %s", l.Path, objectName(&o)),
					Hint:    leakAt{}.plan()})
			}
		}
		return nil
	},
}

// clearValues returns the values of a Secret that look like secrets by their
// randomness alone; what the leak engine knows by name or format it finds itself.
func clearValues(o *wiring.Object) []syntax.Leaf {
	if !o.Is("", "Secret") {
		return nil
	}
	var out []syntax.Leaf
	for _, l := range o.Leaves {
		if !secretLeaf(o, &l) || sops.Sealed(l.Value) || l.Kind != syntax.String {
			continue
		}
		value := l.Value
		if o.Rel(l)[0].Key == "data" {
			decoded, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
			if err != nil || !utf8.Valid(decoded) {
				continue
			}
			value = string(decoded)
		}
		if random(l.Path.Last(), value) {
			out = append(out, l)
		}
	}
	return out
}

// random reports whether a Secret's value is a lone word as random as a password.
func random(key, value string) bool {
	value = strings.TrimSpace(value)
	if len(value) < 8 || len(value) > 512 || strings.ContainsAny(value, " \n\t<>{}") || leak.Placeholder(key, value) || leak.Identifier(value) || plain(value) || hashed(value) {
		return false
	}
	return entropy(value) >= 3.0 && mixed(value)
}

// hashed reports whether a value is a password's hash in the form of crypt or LDAP.
func hashed(v string) bool {
	return strings.HasPrefix(v, "{S") || strings.Count(v, "$") >= 3 && v[0] == '$'
}

// plain reports whether a value is of a kind that people put into Secrets beside the
// secret itself: a host, an address, a path, a list of names.
func plain(v string) bool {
	lower := strings.ToLower(v)
	if _, err := time.Parse(time.RFC3339, v); err == nil {
		return true
	}
	return strings.Contains(v, "://") || strings.HasPrefix(v, "/") || strings.HasPrefix(v, "./") || strings.Contains(v, "@") ||
		strings.HasSuffix(lower, ".local") || strings.HasSuffix(lower, ".com") || strings.Contains(lower, ".svc") || strings.Count(v, ".") >= 2 || strings.Contains(v, ",")
}

// mixed reports whether a value has letters and digits, and they alternate as they
// do not in names such as my-app-v2.
func mixed(v string) bool {
	changes, digits, letters := 0, 0, 0
	var last byte
	for i := range len(v) {
		var kind byte
		switch c := v[i]; {
		case c >= '0' && c <= '9':
			kind, digits = 'd', digits+1
		case c >= 'a' && c <= 'z':
			kind, letters = 'l', letters+1
		case c >= 'A' && c <= 'Z':
			kind, letters = 'u', letters+1
		default:
			kind = 'o'
		}
		if last != 0 && kind != last {
			changes++
		}
		last = kind
	}
	return digits > 0 && letters > 0 && changes*4 >= len(v)
}

// entropy is Shannon's, in bits per byte.
func entropy(v string) float64 {
	var n [256]int
	for i := range len(v) {
		n[v[i]]++
	}
	h := 0.0
	for _, c := range n {
		if c > 0 {
			p := float64(c) / float64(len(v))
			h -= p * math.Log2(p)
		}
	}
	return h
}
