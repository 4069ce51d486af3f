package leak

import (
	"math"
	"strings"
	"unicode/utf8"
)

// secretData returns which part of a Secret the value at i is in, "data" or
// "stringData", or "".
func (d *document) secretData(i int) string {
	keys := d.Values[i].Keys
	if len(keys) > 0 && keys[0] == "items" && d.items {
		keys = keys[1:]
	}
	if d.kinds[i] == "Secret" && len(keys) == 2 && (keys[0] == "data" || keys[0] == "stringData") {
		return keys[0]
	}
	return ""
}

// judgeSecret judges a value of a Kubernetes Secret, decoded if it stands in data.
func (d *document) judgeSecret(s *scan, v *Value, encoded bool) {
	text := v.Text
	if encoded {
		raw, ok := decodeBase64(text)
		if !ok {
			return
		}
		text = strings.TrimRight(string(raw), "\r\n") // echo x | base64
	}
	whole := found{Match{Rule: "kubernetes-secret", Start: 0, End: len(v.Text), Severity: Error}, byPlace}
	if isNested(text) {
		inner := newScan(v.last(), []byte(text))
		inner.purpose = d.purpose
		inner.run()
		d.passed = d.passed || inner.passed
		if best := settle(inner.found); len(best) > 0 {
			whole.Match = best[0]
			whole.Start, whole.End = 0, len(v.Text)
			s.report(whole)
		}
		return
	}
	inner := newScan("value", []byte(text))
	inner.run()
	d.passed = d.passed || inner.passed
	if best := settle(inner.found); len(best) > 0 {
		whole.Match = best[0]
		whole.Start, whole.End = 0, len(v.Text)
		s.report(whole)
		return
	}
	c := candidate{name: v.last(), value: text, quoted: true, kind: kindConfig}
	// Behind the name of a password in a Secret stands one, be it a plain word.
	c.sure = classify(c.name) == classPassword && !strings.Contains(text, " ") && !c.isHarmless() && !isExample(text)
	if encoded && !isText(text) {
		if c.isBinarySecret() {
			s.report(whole)
		}
		return
	}
	if verdict := judge(c); verdict.rule != "" || c.isSecretData() {
		s.report(whole)
	}
}

// isText reports whether decoded data is text and no key in bytes.
func isText(v string) bool {
	return utf8.ValidString(v) && !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f })
}

// isBinarySecret judges bytes in a Secret that are no text by their name: keys
// made at random are kept that way. Key stores and archives say what they are.
func (c *candidate) isBinarySecret() bool {
	if len(c.value) < 5 || len(c.value) > maxValue || strings.HasPrefix(c.value, "\x1f\x8b") {
		return false
	}
	class := classify(c.name)
	return class != classNone && entropy(c.value) >= min(floor(len(c.value)), math.Log2(float64(len(c.value)))-0.5)
}

// isSecretData judges a value of a Secret whose name says nothing.
func (c *candidate) isSecretData() bool {
	if c.isHarmless() || len(c.value) < 8 || isAside(append(splitName(c.name), "")) {
		return false
	}
	words := splitName(c.name)
	if len(words) > 0 && aside[words[len(words)-1]] {
		return false
	}
	f := featuresOf(c.value)
	return f.spaces == 0 && f.digits > 0 && f.letters > 0 && !isIdentifier(c.value) && wordShare(c.value) < 0.5 && entropy(c.value) >= 3
}
