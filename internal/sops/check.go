package sops

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/syntax"
)

var semver = regexp.MustCompile(`^[0-9]+\.[0-9]+(\.[0-9]+)?([-+][0-9A-Za-z.+-]+)?$`)

// fields reads what the metadata says of the document as a whole.
func (c *checker) fields(meta []field) {
	d := c.doc
	var selectors []field
	var version syntax.Leaf
	for _, m := range meta {
		if len(m.path) != 1 {
			continue
		}
		name, l := m.path[0].Key, m.leaf
		switch name {
		case "mac":
			d.MAC = l
		case "lastmodified":
			d.LastModified = l
		case "version":
			d.Version, version = l.Value, l
		case "shamir_threshold":
			n, err := strconv.Atoi(l.Value)
			if err != nil || n < 0 {
				c.problem(l.Span, "shamir_threshold is not a number")
			}
			d.Threshold = max(n, 0)
		case "mac_only_encrypted":
			d.MACOnlyEnc = l.Value == "true" || l.Value == "1"
		default:
			if isSelector(name) && l.Value != "" {
				selectors = append(selectors, m)
			}
		}
	}
	c.selector(selectors)
	c.times(version)
}

func isSelector(name string) bool {
	for _, k := range selectorKinds() {
		if string(k) == name {
			return true
		}
	}
	return false
}

func (c *checker) selector(found []field) {
	c.doc.Selector = DefaultSelector()
	for i, m := range found {
		if i > 0 {
			c.problem(m.leaf.Span, fmt.Sprintf("%s beside %s: SOPS refuses a file with more than one selector",
				m.path[0].Key, found[0].path[0].Key))
			continue
		}
		c.doc.Selector = Selector{SelectorKind(m.path[0].Key), m.leaf.Value}
		if _, words := alternatives(m.leaf.Value); !words && strings.HasSuffix(m.path[0].Key, "regex") {
			if _, err := regexp.Compile(m.leaf.Value); err != nil {
				c.problem(m.leaf.Span, m.path[0].Key+" does not compile, so it matches nothing: "+regexReason(err))
			}
		}
	}
}

func (c *checker) times(version syntax.Leaf) {
	d := c.doc
	switch _, err := time.Parse(time.RFC3339, d.LastModified.Value); {
	case len(d.LastModified.Path) == 0:
		c.problem(d.Meta, "no lastmodified: SOPS refuses the file")
	case err != nil:
		c.problem(d.LastModified.Span, "lastmodified is not a date (2027-01-31T12:00:00Z): SOPS refuses the file")
	}
	switch {
	case len(version.Path) == 0:
		c.problem(d.Meta, "no version of SOPS in the metadata")
	case !semver.MatchString(d.Version):
		c.problem(version.Span, "version is no version of SOPS")
	}
}

func (c *checker) mac() {
	d := c.doc
	if len(d.MAC.Path) == 0 || d.MAC.Value == "" {
		c.problem(d.MAC.Span, "no mac: nothing tells whether a value was exchanged or moved, and SOPS refuses the file")
		return
	}
	if t, ok := cutToken(d.MAC.Value); !ok || t.kind != "str" || !t.sound() {
		c.problem(d.MAC.Span, "mac is not a sealed value: SOPS refuses the file")
	}
}

// keys reads the recipients and the data key that is wrapped for each.
func (c *checker) keys(meta []field) {
	plain, grouped, unknown := entries(meta)
	for _, l := range unknown {
		c.problem(l.Key, "a key of a kind that SOPS 3.13 does not know")
	}
	use := plain
	if len(use) == 0 {
		use = grouped
	} else if len(grouped) > 0 {
		c.problem(grouped[0].anyLeaf().Span, "key_groups beside plain lists of keys: SOPS ignores the groups")
	}
	if len(use) == 0 {
		c.problem(c.doc.Meta, "no recipient at all: nobody can decrypt the file")
	}
	compact(use)
	for _, e := range use {
		c.key(e)
	}
	if n := len(c.doc.Groups); c.doc.Threshold > n {
		c.problem(c.doc.Meta, fmt.Sprintf("shamir_threshold is %d, and there are %d key groups: nobody can decrypt the file", c.doc.Threshold, n))
	}
}

// compact renumbers groups from 0 without gaps, whatever a hostile file says.
func compact(use []*entry) {
	number := map[int]int{}
	for _, e := range use {
		n, ok := number[e.group]
		if !ok {
			n = len(number)
			number[e.group] = n
		}
		e.group = n
	}
}

func (c *checker) key(e *entry) {
	d := c.doc
	for len(d.Groups) <= e.group {
		d.Groups = append(d.Groups, nil)
	}
	r, id, err := e.recipient()
	if err != nil {
		at := id.Span
		if at.IsZero() {
			at = e.anyLeaf().Span
		}
		c.problem(at, fmt.Sprintf("%s recipient %d: %v", e.kind, e.index+1, err))
	}
	if c.listed[listed{e.group, r}] {
		c.problem(id.Span, fmt.Sprintf("recipient %s is listed twice", r.Short()))
	}
	c.listed[listed{e.group, r}] = true
	enc := e.fields["enc"]
	c.wrapped(e, r, enc)
	d.Groups[e.group] = append(d.Groups[e.group], r)
	d.Keys = append(d.Keys, Wrapped{r, e.group, id.Span, enc.Span, e.fields["created_at"].Value})
}

// wrapped checks the data key's wrapping as far as its form goes.
func (c *checker) wrapped(e *entry, r Recipient, enc syntax.Leaf) {
	if strings.TrimSpace(enc.Value) == "" {
		c.problem(e.anyLeaf().Span, fmt.Sprintf("no data key is wrapped for %s: it cannot decrypt the file", r.Short()))
		return
	}
	if e.kind == Age && !ageArmor(enc.Value) {
		c.problem(enc.Span, fmt.Sprintf("the data key for %s is no age block: it cannot decrypt the file", r.Short()))
	}
	if e.kind == PGP && !strings.Contains(enc.Value, "-----BEGIN PGP MESSAGE-----") {
		c.problem(enc.Span, fmt.Sprintf("the data key for %s is no PGP message: it cannot decrypt the file", r.Short()))
	}
	if created := e.fields["created_at"]; e.kind != Age {
		if _, err := time.Parse(time.RFC3339, created.Value); err != nil {
			c.problem(created.Span, "created_at is not a date (2027-01-31T12:00:00Z): SOPS refuses the file")
		}
	}
}

// ageArmor checks the frame of an armored age file. A dotenv file holds it in one
// line, newlines as \n.
func ageArmor(s string) bool {
	s = strings.TrimSpace(strings.ReplaceAll(s, `\n`, "\n"))
	return strings.HasPrefix(s, "-----BEGIN AGE ENCRYPTED FILE-----\n") &&
		strings.HasSuffix(s, "\n-----END AGE ENCRYPTED FILE-----") &&
		strings.Count(s, "-----BEGIN") == 1
}

// anyLeaf is the entry's first leaf in the source, to point at.
func (e *entry) anyLeaf() syntax.Leaf {
	var first syntax.Leaf
	for _, l := range e.fields {
		if first.Span.IsZero() || l.Span.Start.Offset < first.Span.Start.Offset {
			first = l
		}
	}
	return first
}

// regexReason is the compiler's complaint without the expression around it.
func regexReason(err error) string {
	return strings.TrimPrefix(err.Error(), "error parsing regexp: ")
}
