package leak

import (
	"bytes"
	"slices"
	"strings"
)

// isLogin knows what people are called by machines.
func isLogin(user string) bool {
	if user == "" {
		return false
	}
	f := featuresOf(user)
	return f.upper == 0 && f.spaces == 0 && f.hard <= 1 && !isFillIn(user) && !namesOfParts[user]
}

// userBeside returns the user's name that stands beside a password at i, or "":
// user beside password, DB_USERNAME beside DB_PASSWORD.
func (d *document) userBeside(i int) string {
	v := &d.Values[i]
	if v.Scalar || d.classOf(v.last()) != classPassword {
		return ""
	}
	prefix := strings.ToLower(v.last())
	for _, end := range []string{"password", "passwd", "pass", "pwd"} {
		if head, ok := strings.CutSuffix(prefix, end); ok {
			prefix = head
			break
		}
	}
	for k := max(0, i-2); k < min(len(d.Values), i+3); k++ {
		beside := &d.Values[k]
		if k == i || beside.Scalar || !sameParent(beside.Keys, v.Keys) {
			continue
		}
		role, ok := strings.CutPrefix(strings.ToLower(beside.last()), prefix)
		if !ok {
			continue
		}
		switch role {
		case "user", "username", "user_name", "usr", "login", "account":
			return beside.Text
		}
	}
	return ""
}

// maxBefore is how far before a password its user's name stands in a text, in bytes.
const maxBefore = 120

// userBefore reports whether a user's name, another than the value, stands before
// the place at: as the element before this one, or as an attribute of the same.
func (s *scan) userBefore(at int, value string) bool {
	before := s.data[max(0, at-maxBefore):at]
	s.work.names += len(before)
	head, open, shut, brackets := " user", `="`, byte('"'), 0
	if bytes.HasSuffix(before, []byte("<")) {
		head, open, shut, brackets = "<user", ">", '<', 1
	}
	from := bytes.LastIndex(before, []byte(head))
	if from < 0 {
		return false
	}
	rest, ok := bytes.CutPrefix(bytes.TrimPrefix(before[from+len(head):], []byte("name")), []byte(open))
	user, tail, closed := bytes.Cut(rest, []byte{shut})
	return ok && closed && bytes.Count(tail, []byte("<")) == brackets && isLogin(string(user)) && string(user) != value
}

// isKeyHalf knows the secret members of a JSON Web Key: d beside kty, and k where
// the key is symmetric.
func (d *document) isKeyHalf(i int) bool {
	v := &d.Values[i]
	last := v.last()
	if last != "d" && last != "k" || len(v.Text) < 20 || !isBase64(v.Text) {
		return false
	}
	for k := max(0, i-maxMembers); k < min(len(d.Values), i+maxMembers); k++ {
		beside := &d.Values[k]
		if beside.last() == "kty" && sameParent(beside.Keys, v.Keys) && (last == "d" || beside.Text == "oct") {
			return true
		}
	}
	return false
}

// maxMembers is how far from one another the members of one key stand.
const maxMembers = 12

// nameOf is the name that a value goes by: its key, or where the key says only
// "value", the name beside it.
func (d *document) nameOf(i int) string {
	v := &d.Values[i]
	last := v.last()
	switch strings.ToLower(last) {
	case "value", "val", "default", "defaultvalue", "stringvalue", "content":
	default:
		if flag := d.flagBefore(i); flag != "" {
			return flag
		}
		return v.groupOr(last)
	}
	for _, k := range []int{i - 1, i + 1} {
		if k < 0 || k >= len(d.Values) {
			continue
		}
		beside := &d.Values[k]
		switch strings.ToLower(beside.last()) {
		case "name", "key", "id", "variable", "env", "parameter":
			if sameParent(beside.Keys, v.Keys) {
				return beside.Text
			}
		}
	}
	if len(v.Keys) > 1 {
		return v.Keys[len(v.Keys)-2]
	}
	return last
}

// flagBefore returns the option that the value at i belongs to, where the two are
// neighbours in a list of arguments: --token, then its value.
func (d *document) flagBefore(i int) string {
	if i == 0 {
		return ""
	}
	v, before := &d.Values[i], &d.Values[i-1]
	flag, ok := strings.CutPrefix(before.Text, "--")
	if !ok || strings.HasPrefix(v.Text, "-") || !slices.Equal(before.Keys, v.Keys) || classify(flag) == classNone {
		return ""
	}
	return flag
}

// groups are mappings whose members are secrets, called by their owners' names.
var groups = wordSet(`passwords passwds secrets tokens apikeys api_keys`)

// groupOr returns the name of the group that a value is in, where its own name says
// nothing of the value, or else the value's own name.
func (v *Value) groupOr(last string) string {
	if len(v.Keys) < 2 || !groups[strings.ToLower(v.Keys[len(v.Keys)-2])] || classify(last) != classNone {
		return last
	}
	if words := splitName(last); len(words) == 0 || isAside(words) {
		return last
	}
	return v.Keys[len(v.Keys)-2]
}

func sameParent(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) - 1 {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
