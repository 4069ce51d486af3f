package rotate

import (
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// join lets a recipient into a rule.
func (e *rulesEdit) join(rule sops.CreationRule, who sops.Recipient) ([]syntax.Replace, error) {
	e.changed(rule.Span.Start.Line, fmt.Sprintf("%s is let into rule %d", who.Short(), rule.Index+1))
	var last *sops.RecipientAt
	for i := range rule.Recipients {
		if rule.Recipients[i].Kind == sops.Age {
			last = &rule.Recipients[i]
		}
	}
	if last == nil {
		return e.joinAnew(rule, who)
	}
	if e.isAlias(*last) {
		if leaf, ok := e.leafAt(last.Span, false); ok && leaf.Key.IsZero() {
			ins, err := addItem(e.data, extentOf(last.Span), who.ID)
			return []syntax.Replace{ins}, err
		}
	}
	leaf, ok := e.leafAt(last.Source, true)
	if !ok {
		return nil, errByHand
	}
	if leaf.Key.IsZero() {
		ins, err := addItem(e.data, extentOf(leaf.Span), who.ID)
		return []syntax.Replace{ins}, err
	}
	part, ok := within(e.data, extentOf(last.Source), last.Recipient)
	if !ok {
		return nil, errByHand
	}
	return []syntax.Replace{{Start: part.end, End: part.end, Text: e.comma(part) + who.ID}}, nil
}

// comma is what parts the recipients of the list that part stands in.
func (e *rulesEdit) comma(part extent) string {
	line := lineOf(e.data, part.start)
	head := string(e.data[line.start:part.start])
	switch {
	case strings.TrimSpace(head) == "": // a line of a block scalar
		return "," + newline(e.data) + head
	case strings.HasSuffix(head, ", "):
		return ", "
	}
	return ","
}

// joinAnew gives a rule a key of its own for age recipients.
func (e *rulesEdit) joinAnew(rule sops.CreationRule, who sops.Recipient) ([]syntax.Replace, error) {
	for _, l := range e.now.File.Leaves {
		p := l.Path
		if len(p) != 3 || p[0].Key != "creation_rules" || p[1].Index != rule.Index || !l.Anchor.IsZero() || l.Key.IsZero() {
			continue
		}
		line := lineOf(e.data, max(l.Span.End.Offset-1, l.Key.Start.Offset))
		at := syntax.Replace{Start: line.end, End: line.end, Text: strings.Repeat(" ", l.Key.Start.Col-1) + "age: " + who.ID + newline(e.data)}
		if line.end == len(e.data) && !strings.HasSuffix(string(e.data), "\n") {
			at.Text = newline(e.data) + strings.TrimRight(at.Text, "\r\n")
		}
		return []syntax.Replace{at}, nil
	}
	return nil, errByHand
}
