package sops

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// ruleFields are the keys of a creation rule that name recipients, in the order
// that SOPS gathers them.
func ruleFields() []struct {
	name string
	kind Kind
} {
	return []struct {
		name string
		kind Kind
	}{
		{"age", Age}, {"pgp", PGP}, {"kms", KMS}, {"gcp_kms", GCPKMS}, {"hckms", HCKMS},
		{"azure_keyvault", AzureKV}, {"hc_vault_transit_uri", Vault},
	}
}

func ruleField(name string) (Kind, bool) {
	for _, f := range ruleFields() {
		if f.name == name {
			return f.kind, true
		}
	}
	return "", false
}

// groupField is ruleField for an entry of key_groups, where Vault has another name.
func groupField(name string) (Kind, bool) {
	switch name {
	case "hc_vault":
		return Vault, true
	case "hc_vault_transit_uri":
		return "", false
	}
	return ruleField(name)
}

func fieldNames() []string {
	names := []string{"path_regex", "key_groups", "shamir_threshold", "mac_only_encrypted", "aws_profile"}
	for _, f := range ruleFields() {
		names = append(names, f.name)
	}
	for _, k := range selectorKinds() {
		names = append(names, string(k))
	}
	return names
}

func knownField(name string) bool {
	for _, n := range fieldNames() {
		if n == name {
			return true
		}
	}
	return false
}

// nearMiss reports a key that SOPS skips in silence, where it all but is one of
// those that it knows: a misspelt path_regex makes a rule for every file.
func (b *rulesReader) nearMiss(name string, at syntax.Span, known []string, below bool) {
	if below || at.IsZero() {
		return
	}
	plain := strings.ToLower(strings.ReplaceAll(name, "-", "_"))
	for _, k := range known {
		if name != k && distance(plain, k) <= 2 && len(plain) > 4 {
			b.problem(at, "sops skips %q, which it does not know; is it %s?", name, k)
			return
		}
	}
}

// distance is Levenshtein's, of short words.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal, row[j] = row[j], min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// recipients reads one value of a plain list of keys: a string with commas, or one
// element of a list.
func (b *rulesReader) recipients(rule *CreationRule, kind Kind, m field) {
	l := m.leaf
	switch {
	case l.Kind == syntax.Null || l.Kind == syntax.EmptyList || l.Kind == syntax.String && l.Value == "" && len(m.path) == 1:
		return
	case len(m.path) > 2 || len(m.path) == 2 && m.path[1].Index < 0:
		b.problem(l.Span, "%s is a list of strings, or one string with commas; lists in lists and mappings are refused by sops", m.path[0].Key)
		return
	case l.Kind != syntax.String:
		b.problem(l.Span, "%s holds a value that is not a string: sops refuses the rule", m.path[0].Key)
		return
	case len(m.path) == 1 && kind == HCKMS:
		b.problem(l.Span, "hckms is a list of strings: sops refuses the file")
		return
	}
	b.named(rule, kind, l, 0)
}

// named reads the comma-separated recipients of one value.
func (b *rulesReader) named(rule *CreationRule, kind Kind, l syntax.Leaf, group int) {
	from := 0
	for part := range strings.SplitSeq(l.Value, ",") {
		text := strings.TrimSpace(part)
		if text == "" {
			continue
		}
		at, next := b.locate(l, text, from)
		from = next
		r, err := parseKind(kind, text)
		if err != nil {
			b.problem(at.Span, "%s: %s%v", kind, shortened(kind, text), err)
		}
		if err == nil || r.ID != "" {
			at.Recipient, at.Group = r, group
			rule.Recipients = append(rule.Recipients, at)
		}
	}
}

// shortened names an invalid recipient in a message, only where it surely is a
// public key: anything else in its place may be a secret.
func shortened(kind Kind, text string) string {
	if kind == Age && (strings.HasPrefix(text, "age1") || strings.HasPrefix(text, "ssh-")) {
		return Recipient{Age, text}.Short() + ": "
	}
	return ""
}

// locate finds a recipient's text in the source of the value that holds it,
// searching from an offset on, so that equal ones are told apart.
func (b *rulesReader) locate(l syntax.Leaf, text string, from int) (RecipientAt, int) {
	at := RecipientAt{Span: l.Span, Source: l.Span, Comment: l.Comment, Name: b.anchor(l.Span)}
	source := l.Span
	if !l.Anchor.IsZero() {
		source = l.Anchor
		at.Source = source
		at.Comment = b.comment(source)
		at.Name = b.anchor(source)
		if at.Name == "" {
			at.Name = strings.TrimPrefix(string(l.Span.Cut(b.file.Data)), "*")
		}
	}
	raw := source.Cut(b.file.Data)
	from = max(from, 0)
	if from > len(raw) {
		return at, from
	}
	i := bytes.Index(raw[from:], []byte(text))
	if i < 0 {
		return at, from
	}
	start := source.Start.Offset + from + i
	found := syntax.Span{File: source.File, Start: b.file.At(start), End: b.file.At(start + len(text))}
	at.Source = found
	if l.Anchor.IsZero() && len(text) < len(strings.TrimSpace(l.Value)) {
		at.Span = found
	}
	if at.Span == l.Span && l.Anchor.IsZero() {
		at.Source = l.Span
	}
	return at, from + i + len(text)
}

// comment is the comment of the value that an alias names.
func (b *rulesReader) comment(source syntax.Span) string {
	if b.comments == nil {
		b.comments = map[int]string{}
		for _, l := range b.file.Leaves {
			if l.Anchor.IsZero() {
				b.comments[l.Span.Start.Offset] = l.Comment
			}
		}
	}
	return b.comments[source.Start.Offset]
}

var anchorBefore = regexp.MustCompile(`&([^\s,\[\]{}&]+)[ \t]+$`)

// anchor is the name of the anchor that stands before a value, or that its span
// begins with.
func (b *rulesReader) anchor(at syntax.Span) string {
	data := b.file.Data
	if cut := at.Cut(data); bytes.HasPrefix(cut, []byte("&")) {
		name, _, _ := bytes.Cut(cut[1:], []byte(" "))
		return string(name)
	}
	if at.Start.Offset > len(data) {
		return ""
	}
	line := data[max(at.Start.Offset-256, 0):at.Start.Offset] // anchors' names are short
	line = line[bytes.LastIndexByte(line, '\n')+1:]
	if m := anchorBefore.FindSubmatch(line); m != nil {
		return string(m[1])
	}
	return ""
}

// groups builds the rule's key groups in the order that SOPS does.
func (b *rulesReader) groups(rule *CreationRule, fields []field) {
	var grouped []field
	for _, m := range fields {
		if len(m.path) > 1 && m.path[0].Key == "key_groups" {
			grouped = append(grouped, m)
		}
	}
	if len(grouped) == 0 {
		var g Group
		for _, f := range ruleFields() {
			for _, r := range rule.Recipients {
				if r.Kind == f.kind {
					g = append(g, r.Recipient)
				}
			}
		}
		if len(g) > 0 {
			rule.Groups = []Group{g}
		}
		return
	}
	if len(rule.Recipients) > 0 {
		b.problem(rule.Recipients[0].Span, "recipients beside key_groups: sops ignores all but the groups")
		rule.Recipients = nil
	}
	b.keyGroups(rule, grouped)
	if rule.Threshold > len(rule.Groups) {
		b.problem(rule.Span, "shamir_threshold is %d, and there are %d key groups", rule.Threshold, len(rule.Groups))
	}
}
