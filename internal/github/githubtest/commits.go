package githubtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// person is an author or a committer.
type person struct {
	name, email string
	when        time.Time
}

func (p person) String() string {
	return fmt.Sprintf("%s <%s> %d +0000", p.name, p.email, p.when.Unix())
}

func (p person) object() object {
	return object{"name": p.name, "email": p.email, "date": stamp(p.when)}
}

// commitObject is a commit as git keeps it.
type commitObject struct {
	id, tree          string
	parents           []string
	author, committer person
	message           string
}

func (o *objects) commit(name string) (*commitObject, error) {
	id, kind, data, err := o.read(name + "^{commit}")
	if err != nil {
		return nil, err
	}
	if kind != "commit" {
		return nil, errNoObject
	}
	c := &commitObject{id: id}
	head, message, _ := strings.Cut(string(data), "\n\n")
	c.message = strings.TrimSuffix(message, "\n")
	for _, line := range strings.Split(head, "\n") {
		key, value, _ := strings.Cut(line, " ")
		switch key {
		case "tree":
			c.tree = value
		case "parent":
			c.parents = append(c.parents, value)
		case "author":
			c.author = parsePerson(value)
		case "committer":
			c.committer = parsePerson(value)
		}
	}
	return c, nil
}

func parsePerson(s string) person {
	name, rest, _ := strings.Cut(s, " <")
	email, when, _ := strings.Cut(rest, "> ")
	sec, _, _ := strings.Cut(when, " ")
	n, _ := strconv.ParseInt(sec, 10, 64)
	return person{name, email, time.Unix(n, 0).UTC()}
}

func (o *objects) writeCommit(c *commitObject) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", c.tree)
	for _, p := range c.parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	fmt.Fprintf(&b, "author %s\ncommitter %s\n\n%s\n", c.author, c.committer, c.message)
	return o.write("commit", []byte(b.String()))
}

// ref returns what a full reference name points to.
func (o *objects) ref(name string) (string, bool) {
	out, err := o.git(nil, "rev-parse", "--verify", "-q", name)
	return strings.TrimSpace(string(out)), err == nil
}

// setRef moves a reference. old is what it must point to now; "" creates it only.
func (o *objects) setRef(name, id, old string) error {
	if old == "" {
		old = strings.Repeat("0", 40)
	}
	_, err := o.git(nil, "update-ref", name, id, old)
	return err
}

func (o *objects) deleteRef(name string) error {
	_, err := o.git(nil, "update-ref", "-d", name)
	return err
}

// refs lists references below a prefix, in order.
func (o *objects) refs(prefix string) ([][2]string, error) {
	out, err := o.git(nil, "for-each-ref", "--format=%(refname) %(objectname)")
	if err != nil {
		return nil, err
	}
	var list [][2]string
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		if name, id, ok := strings.Cut(line, " "); ok && strings.HasPrefix(name, prefix) {
			list = append(list, [2]string{name, id})
		}
	}
	return list, nil
}

// mergeBase is the best common ancestor, or "" where histories are unrelated.
func (o *objects) mergeBase(a, b string) string {
	out, err := o.git(nil, "merge-base", a, b)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// between lists the commits that head has and base has not, oldest first.
func (o *objects) between(base, head string) ([]string, error) {
	out, err := o.git(nil, "rev-list", "--reverse", "--topo-order", head, "^"+base)
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(out)), nil
}
