package sops

import (
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// maxMerge bounds how deep merge: may nest.
const maxMerge = 20

// node is a mapping of key_groups: an entry, or one that it merges.
type node struct {
	merge []*node
	// keys hold, by kind, one field list for each key: a string, or the mapping that
	// says what a KMS, GCP or Azure key is.
	keys map[Kind][][]field
}

// keyGroups reads key_groups: a list of mappings, each a list of keys by kind.
func (b *rulesReader) keyGroups(rule *CreationRule, fields []field) {
	var roots []*node
	last := -1
	for _, m := range fields {
		i := m.path[1].Index
		if i < 0 || len(m.path) < 3 {
			if m.leaf.Kind != syntax.EmptyMap && m.leaf.Kind != syntax.Null {
				b.problem(m.leaf.Span, "key_groups is a list of mappings: sops refuses the file")
			}
			continue
		}
		if i != last {
			roots, last = append(roots, &node{}), i
		}
		b.place(roots[len(roots)-1], field{m.path[2:], m.leaf}, 0)
	}
	for g, n := range roots {
		from := len(rule.Recipients)
		b.collect(rule, n, g)
		var group Group
		seen := map[Recipient]bool{}
		for _, r := range rule.Recipients[from:] {
			if !seen[r.Recipient] {
				seen[r.Recipient] = true
				group = append(group, r.Recipient)
			}
		}
		if len(group) == 0 {
			b.problem(rule.Span, "key group %d has no recipients: sops can seal nothing by the rule", g+1)
		}
		rule.Groups = append(rule.Groups, group)
	}
}

// place puts one leaf where it belongs in a group.
func (b *rulesReader) place(n *node, m field, depth int) {
	p := m.path
	if depth > maxMerge || p[0].Index >= 0 {
		return
	}
	if p[0].Key == "merge" {
		if len(p) < 3 || p[1].Index < 0 {
			return
		}
		for len(n.merge) <= p[1].Index && len(n.merge) < maxRules {
			n.merge = append(n.merge, &node{})
		}
		b.place(n.merge[len(n.merge)-1], field{p[2:], m.leaf}, depth+1)
		return
	}
	kind, ok := groupField(p[0].Key)
	switch {
	case !ok:
		b.nearMiss(p[0].Key, m.leaf.Key, []string{"hc_vault", "azure_keyvault", "gcp_kms", "merge"}, len(p) > 1)
		return
	case len(p) < 2 || p[1].Index < 0:
		if m.leaf.Kind != syntax.Null && m.leaf.Kind != syntax.EmptyList {
			b.problem(m.leaf.Span, "%s in key_groups is a list: sops refuses the file", p[0].Key)
		}
		return
	}
	if n.keys == nil {
		n.keys = map[Kind][][]field{}
	}
	for len(n.keys[kind]) <= p[1].Index && len(n.keys[kind]) < maxRules {
		n.keys[kind] = append(n.keys[kind], nil)
	}
	at := len(n.keys[kind]) - 1
	n.keys[kind][at] = append(n.keys[kind][at], field{p[2:], m.leaf})
}

// collect reads a group's keys, what it merges first.
func (b *rulesReader) collect(rule *CreationRule, n *node, group int) {
	for _, m := range n.merge {
		b.collect(rule, m, group)
	}
	for _, f := range ruleFields() {
		for _, key := range n.keys[f.kind] {
			b.groupKey(rule, f.kind, key, group)
		}
	}
}

func (b *rulesReader) groupKey(rule *CreationRule, kind Kind, key []field, group int) {
	if len(key) == 0 {
		return
	}
	if len(key[0].path) == 0 {
		b.scalarKey(rule, kind, key[0].leaf, group)
		return
	}
	get := map[string]syntax.Leaf{}
	var context []string
	for _, m := range key {
		switch {
		case len(m.path) == 1:
			get[m.path[0].Key] = m.leaf
		case len(m.path) == 2 && m.path[0].Key == "context":
			context = append(context, m.path[1].Key+":"+m.leaf.Value)
		}
	}
	var r Recipient
	var err error
	id := key[0].leaf
	switch kind {
	case KMS:
		id = get["arn"]
		r, err = kmsRecipient(id.Value, get["role"].Value, contextOf(context))
	case GCPKMS:
		id = get["resource_id"]
		r, err = parseKind(GCPKMS, id.Value)
	case HCKMS:
		id = get["key_id"]
		r, err = parseKind(HCKMS, id.Value)
	case AzureKV:
		id = get["vaultUrl"]
		r = azureRecipient(id.Value, get["key"].Value)
	default:
		b.problem(id.Span, "%s in key_groups is a list of strings: sops refuses the file", kind)
		return
	}
	if len(id.Path) == 0 {
		id = key[0].leaf
	}
	if err != nil {
		b.problem(id.Span, "%s: %v", kind, err)
	}
	if r.ID != "" {
		at, _ := b.locate(id, strings.TrimSpace(id.Value), 0)
		at.Recipient, at.Group = r, group
		rule.Recipients = append(rule.Recipients, at)
	}
}

func (b *rulesReader) scalarKey(rule *CreationRule, kind Kind, l syntax.Leaf, group int) {
	switch {
	case l.Kind == syntax.Null || l.Kind == syntax.EmptyMap:
	case kind == KMS || kind == GCPKMS || kind == HCKMS || kind == AzureKV:
		b.problem(l.Span, "%s in key_groups is a list of mappings: sops refuses the file", kind)
	case kind != Age && strings.Contains(l.Value, ","):
		b.problem(l.Span, "%s in key_groups holds one key per element: sops does not split it at commas", kind)
	default:
		b.named(rule, kind, l, group)
	}
}
