package rotate

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// editKilter puts the new key where a kilter.yaml names the old one.
func (t *Tree) editKilter(p *Plan, f *syntax.File, target []sops.Recipient) error {
	var edits []syntax.Replace
	var changes []Change
	for _, k := range t.kilterRecipients() {
		if k.file != f || !slices.Contains(p.Old, k.recipient) {
			continue
		}
		if len(target) == 0 {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s:%d names %s as the sopsRecipient of %s, and nobody takes its place: replace that environment's key with bot rotate %s --force",
				f.Name, k.leaf.Span.Start.Line, k.recipient.Short(), k.env, k.env))
			continue
		}
		edit, err := overwrite(f, k.leaf, target[0])
		if err != nil {
			return err
		}
		edits = append(edits, edit)
		e := rulesEdit{}
		changes = append(changes, Change{f.Name, k.leaf.Span.Start.Line, fmt.Sprintf("the sopsRecipient of %s becomes %s", k.env, e.named(target[:1]))})
	}
	data, err := syntax.Apply(f.Data, edits)
	if err != nil {
		return fmt.Errorf("edit %s: %w", f.Name, errByHand)
	}
	p.edited(f, data, changes)
	return nil
}

// overwrite puts a recipient in the place of a value, or of what an alias there names.
func overwrite(f *syntax.File, l syntax.Leaf, with sops.Recipient) (syntax.Replace, error) {
	if !l.Anchor.IsZero() {
		l.Span, l.Anchor = l.Anchor, syntax.Span{}
	}
	token, err := f.Encode(with.ID, l)
	if err != nil {
		return syntax.Replace{}, fmt.Errorf("edit %s:%d: %w", f.Name, l.Span.Start.Line, errByHand)
	}
	return syntax.Over(l.Span, token), nil
}

// editConfig keeps .sealward.yaml true: what it says of an old key it says of the new
// one, and no copy of a later key is sealed to somebody who has left.
func (t *Tree) editConfig(p *Plan, target []sops.Recipient) error {
	f := t.content[".sealward.yaml"]
	if f == nil {
		return nil
	}
	var edits []syntax.Replace
	var changes []Change
	for _, l := range f.Leaves {
		r, err := sops.ParseRecipient(l.Value)
		isID := len(l.Path) == 3 && l.Path[0].Key == "recipients" && l.Path[2].Key == "id"
		isCopy := len(l.Path) == 3 && l.Path[0].Key == "rotation" && l.Path[1].Key == "copy-to"
		if err != nil || !isID && !isCopy || !slices.Contains(p.Old, r) {
			continue
		}
		edit, what, err := configEdit(f, l, r, target, isCopy)
		if errors.Is(err, errByHand) {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s:%d still names %s; take it out by hand", f.Name, l.Span.Start.Line, r.Short()))
			continue
		}
		if err != nil {
			return err
		}
		edits = append(edits, edit)
		changes = append(changes, Change{f.Name, l.Span.Start.Line, what})
	}
	data, err := syntax.Apply(f.Data, edits)
	if err != nil {
		return fmt.Errorf("edit %s: %w", f.Name, errByHand)
	}
	p.edited(f, data, changes)
	return nil
}

func configEdit(f *syntax.File, l syntax.Leaf, r sops.Recipient, target []sops.Recipient, isCopy bool) (syntax.Replace, string, error) {
	e := rulesEdit{}
	switch {
	case len(target) > 0:
		edit, err := overwrite(f, l, target[0])
		return edit, fmt.Sprintf("%s becomes %s", r.Short(), e.named(target[:1])), err
	case isCopy:
		edit, err := dropItem(f, extentOf(l.Span))
		return edit, r.Short() + " goes", err
	}
	return syntax.Replace{}, "", errByHand
}
