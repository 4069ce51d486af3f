package leak

import (
	"strings"
	"sync"
)

// vendors are the patterns that need a name.
var vendors = sync.OnceValue(func() []*pattern {
	var out []*pattern
	for _, p := range patterns() {
		if p.isVendor() {
			out = append(out, p)
		}
	}
	return out
})

// vendor finds the pattern that a candidate's name and value fit, or nil.
func vendor(c candidate) *pattern {
	if len(c.value) < 12 || strings.ContainsAny(c.value, " \t") || c.kind == kindDocs {
		return nil
	}
	lower := strings.ToLower(c.name)
	for _, p := range vendors() {
		if (p.Any || c.class != classNone) && containsAny(lower, p.Keywords) && p.fitsVendor(c) {
			return p
		}
	}
	return nil
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// fitsVendor holds a candidate to the pattern: name, shape, entropy, structure,
// and what would make it innocent behind any name.
func (p *pattern) fitsVendor(c candidate) bool {
	r := p.ready()
	if !r.names.MatchString(c.name) || !r.value.MatchString(c.value) {
		return false
	}
	if p.Entropy > 0 && entropy(c.value) <= p.Entropy || !p.passes(c.value) {
		return false
	}
	if p.Any {
		return true
	}
	if Placeholder(c.name, c.value) || isTokenExample(c.value) || p.allowed("", c.value, c.value, c.value) {
		return false
	}
	f := featuresOf(c.value)
	return f.digits > 0 && wordShare(c.value) < 0.5
}
