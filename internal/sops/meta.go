package sops

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// field is a leaf of the metadata, at its path below the metadata's root however
// the format flattens it.
type field struct {
	path syntax.Path
	leaf syntax.Leaf
}

// split parts a document's leaves into SOPS' own and the rest. Where what looks
// like metadata is none (a chart's own values named "sops"), all leaves are rest.
func split(format syntax.Format, d syntax.Doc) (meta []field, rest []syntax.Leaf) {
	first, last := -1, -1
	for i, l := range d.Leaves {
		if p, ok := below(format, l.Path); ok {
			if first < 0 {
				first = i
			}
			last = i
			meta = append(meta, field{p, l})
		}
	}
	switch {
	case len(meta) == 0 || !isMetadata(meta):
		return nil, d.Leaves
	case len(meta) == last-first+1 && last == len(d.Leaves)-1: // at the end, as SOPS writes it: no copy
		return meta, d.Leaves[:first:first]
	}
	rest = make([]syntax.Leaf, 0, len(d.Leaves)-len(meta))
	for _, l := range d.Leaves {
		if _, ok := below(format, l.Path); !ok {
			rest = append(rest, l)
		}
	}
	return meta, rest
}

// below returns the part of a path that is below the metadata's root.
func below(format syntax.Format, p syntax.Path) (syntax.Path, bool) {
	switch {
	case len(p) == 0 || p[0].Index >= 0:
		return nil, false
	case format == syntax.Dotenv:
		flat, ok := strings.CutPrefix(p[0].Key, "sops_")
		if !ok || len(p) != 1 {
			return nil, false
		}
		return unflatten(flat), true
	case p[0].Key != "sops":
		return nil, false
	case format == syntax.INI && len(p) == 2:
		return unflatten(p[1].Key), true
	}
	return p[1:], true
}

// maxSteps is how deep metadata may nest; SOPS goes to six.
const maxSteps = 8

// unflatten reads a flattened key: age__list_0__map_recipient is age[0].recipient.
func unflatten(key string) syntax.Path {
	p := syntax.Path{}
	list := false
	for {
		m, l := strings.Index(key, "__map_"), strings.Index(key, "__list_")
		cut, width, next := m, len("__map_"), false
		if m < 0 || l >= 0 && l < m {
			cut, width, next = l, len("__list_"), true
		}
		part := key
		if cut >= 0 {
			part = key[:cut]
		}
		p = append(p, flatStep(part, list))
		if cut < 0 || len(p) == maxSteps {
			return p
		}
		key, list = key[cut+width:], next
	}
}

func flatStep(part string, list bool) syntax.Step {
	if n, err := strconv.Atoi(part); list && err == nil && n >= 0 {
		return syntax.I(n)
	}
	return syntax.K(part)
}

// isMetadata holds where SOPS itself must have written the fields: they have a MAC,
// the time of sealing, or a data key wrapped for a recipient.
func isMetadata(meta []field) bool {
	for _, f := range meta {
		switch f.path.Last() {
		case "mac", "lastmodified":
			if len(f.path) == 1 {
				return true
			}
		case "enc":
			if len(f.path) >= 3 {
				return true
			}
		}
	}
	return false
}

// metaSpan covers the metadata from its root key to its last value.
func metaSpan(f *syntax.File, d syntax.Doc, meta []field) syntax.Span {
	span := syntax.Span{File: f.Name}
	for _, m := range meta {
		start := m.leaf.Span.Start
		if !m.leaf.Key.IsZero() {
			start = m.leaf.Key.Start
		}
		if span.IsZero() || start.Offset < span.Start.Offset {
			span.Start = start
		}
		if m.leaf.Span.End.Offset > span.End.Offset {
			span.End = m.leaf.Span.End
		}
	}
	from := max(d.Span.Start.Offset, 0)
	if f.Format == syntax.Dotenv || from > span.Start.Offset || span.Start.Offset > len(f.Data) {
		return span
	}
	if i := bytes.LastIndex(f.Data[from:span.Start.Offset], []byte("sops")); i >= 0 {
		i += from
		if i > 0 && (f.Data[i-1] == '"' || f.Data[i-1] == '\'' || f.Data[i-1] == '[') {
			i--
		}
		span.Start = f.At(i)
	}
	return span
}

// entry is one recipient of the metadata, as its fields come in.
type entry struct {
	kind    Kind
	group   int
	index   int
	fields  map[string]syntax.Leaf
	context []string // of a KMS key, "name:value", in the source's order
}

// entries gathers the recipients: of the plain lists, or of key_groups where there
// is no plain list, which is what SOPS does with a file that has both.
func entries(meta []field) (plain, grouped []*entry, unknown []syntax.Leaf) {
	type at struct {
		name         string
		group, index int
	}
	seen := map[at]*entry{}
	for _, m := range meta {
		p, group := m.path, -1
		if len(p) > 2 && p[0].Key == "key_groups" && p[1].Index >= 0 {
			p, group = p[2:], p[1].Index
		}
		if len(p) < 3 || p[0].Index >= 0 || p[1].Index < 0 {
			continue
		}
		kind, ok := metaKind(p[0].Key)
		if !ok {
			if p.Last() == "enc" {
				unknown = append(unknown, m.leaf)
			}
			continue
		}
		key := at{p[0].Key, group, p[1].Index}
		e := seen[key]
		if e == nil {
			e = &entry{kind: kind, group: max(group, 0), index: p[1].Index, fields: map[string]syntax.Leaf{}}
			seen[key] = e
			if group < 0 {
				plain = append(plain, e)
			} else {
				grouped = append(grouped, e)
			}
		}
		e.add(p[2:], m.leaf)
	}
	return plain, grouped, unknown
}

func (e *entry) add(p syntax.Path, l syntax.Leaf) {
	switch {
	case len(p) == 1 && p[0].Index < 0:
		if _, twice := e.fields[p[0].Key]; !twice {
			e.fields[p[0].Key] = l
		}
	case len(p) == 2 && p[0].Key == "context":
		e.context = append(e.context, p[1].Key+":"+l.Value)
	}
}

func metaKind(name string) (Kind, bool) {
	switch k := Kind(name); k {
	case Age, PGP, KMS, GCPKMS, AzureKV, Vault, HCKMS:
		return k, true
	}
	return "", false
}

// recipient reads who the entry is for; the error says what is wrong with it, and
// the recipient stands for it all the same where it has any name.
func (e *entry) recipient() (r Recipient, id syntax.Leaf, err error) {
	text := func(name string) string { return strings.TrimSpace(e.fields[name].Value) }
	switch e.kind {
	case Age:
		id = e.fields["recipient"]
	case PGP:
		id = e.fields["fp"]
	case GCPKMS:
		id = e.fields["resource_id"]
	case HCKMS:
		id = e.fields["key_id"]
	case KMS:
		r, err = kmsRecipient(text("arn"), text("role"), contextOf(e.context))
		return r, e.fields["arn"], err
	case AzureKV:
		return azureRecipient(text("vault_url"), text("name")), e.fields["vault_url"], nil
	case Vault:
		return vaultRecipient(text("vault_address"), text("engine_path"), text("key_name")), e.fields["vault_address"], nil
	}
	if r, err = parseKind(e.kind, id.Value); err != nil {
		r = Recipient{e.kind, strings.TrimSpace(id.Value)}
	}
	return r, id, err
}
