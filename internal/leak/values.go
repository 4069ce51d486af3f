package leak

import (
	"strings"
)

// Values scans a parsed document, value by value. Hits are in the order of the
// values.
func Values(doc Document) []Hit {
	hits, _ := LookAt(doc)
	return hits
}

// LookAt is [Values], and says whether all was read, as [Look] does.
func LookAt(doc Document) (hits []Hit, whole bool) {
	d := openDocument(doc)
	defer d.close()
	for i := range doc.Values {
		for _, m := range d.value(i) {
			hits = append(hits, Hit{Index: i, Match: m})
		}
	}
	return withoutVectors(hits, func(h Hit) string { return h.Rule }), !d.passed
}

// document is a parsed document on its way through the judge.
type document struct {
	Document
	kinds   []string // of the Kubernetes object that each value is in, or ""
	items   bool     // the objects are the items of a List
	purpose purpose
	logins  bool // one of credentialFiles
	texts   bool // a translation
	sops    bool // the document holds SOPS' metadata
	api     bool // the document describes an API

	base    string           // of the name, in lower case
	classes map[string]class // of the names so far: they come again and again
	scan    scan             // of one value after the other
	text    []byte           // of that value
	passed  bool             // of any value's scan
}

// classOf is classify, once for each name.
func (d *document) classOf(name string) class {
	c, known := d.classes[name]
	if !known {
		c = classify(name)
		d.classes[strings.Clone(name)] = c // the name is a part of the file's text
	}
	return c
}

// keptNames is how many names' classes are kept from one document to the next.
const keptNames = 4096

// openDocument begins with a document, in the memory of one that is closed.
func openDocument(doc Document) *document {
	d, ok := theMatcher().documents.Get().(*document)
	if !ok || len(d.classes) > keptNames {
		d = &document{classes: map[string]class{}}
	}
	*d = document{Document: doc, kinds: append(d.kinds[:0], make([]string, len(doc.Values))...), purpose: purposeOf(doc.Name), logins: isCredentialFile(doc.Name),
		texts: isTranslation(doc.Name), base: baseOf(doc.Name), classes: d.classes, scan: scan{found: d.scan.found[:0]}, text: d.text}
	for _, v := range doc.Values {
		if len(v.Keys) == 2 && v.Keys[0] == "sops" && v.Keys[1] == "mac" {
			d.sops = true
		}
		if len(v.Keys) == 1 && (v.Keys[0] == "swagger" || v.Keys[0] == "openapi") {
			d.api = true
		}
	}
	d.sortObjects()
	d.texts = d.texts || d.isPhrases()
	return d
}

// close gives the document's memory back, without what is a part of the file's text.
func (d *document) close() {
	clear(d.kinds)
	if cap(d.text) > keptText {
		d.text = nil
	}
	*d = document{kinds: d.kinds, classes: d.classes, scan: scan{found: d.scan.found[:0]}, text: d.text[:0]}
	theMatcher().documents.Put(d)
}

// keptText is how large a value's memory is kept, in bytes.
const keptText = 64 << 10

// isPhrases knows a document whose root is a language alone: what an application
// says to people, in whatever file.
func (d *document) isPhrases() bool {
	if len(d.Values) < 3 || len(d.Values[0].Keys) < 2 || !isLanguage(strings.ToLower(d.Values[0].Keys[0])) {
		return false
	}
	for i := range d.Values {
		if keys := d.Values[i].Keys; len(keys) < 2 || keys[0] != d.Values[0].Keys[0] {
			return false
		}
	}
	return true
}

// sortObjects finds the kind of each object: the document is one, or the items
// of a List are. An item ends where a key of an object's root comes again.
func (d *document) sortObjects() {
	start, kind := 0, ""
	seen := map[string]bool{}
	for i, v := range d.Values {
		root := v.Keys
		if len(root) > 1 && root[0] == "items" {
			root = root[1:]
			d.items = true
		}
		if len(root) != 1 || root[0] != "kind" && root[0] != "apiVersion" {
			continue
		}
		if d.items && seen[root[0]] {
			d.setKind(start, i, kind)
			start, kind = i, ""
			clear(seen)
		}
		seen[root[0]] = true
		if root[0] == "kind" {
			kind = v.Text
		}
	}
	d.setKind(start, len(d.Values), kind)
}

func (d *document) setKind(start, end int, kind string) {
	for i := start; i < end; i++ {
		d.kinds[i] = kind
	}
}

// value scans the value at i.
func (d *document) value(i int) []Match {
	v := &d.Values[i]
	if v.Text == "" || d.sops && len(v.Keys) > 0 && v.Keys[0] == "sops" || isSealed(v.Text) {
		return nil
	}
	if d.api && v.isExample() {
		return nil
	}
	inert := d.isInert(i) || isType(v.last())
	d.text = append(d.text[:0], v.Text...)
	d.scan = scan{name: d.Name, base: d.base, purpose: d.purpose, data: d.text, only: inert || !isComposed(v.Text), found: d.scan.found[:0]}
	s := &d.scan
	if isNested(v.Text) {
		s.name, s.kind = v.last(), kindOf(v.last())
		s.base = baseOf(s.name)
	}
	s.run()
	d.passed = d.passed || s.passed
	if len(s.found) == 0 && !inert {
		if len(v.Keys) > 1 && v.Keys[len(v.Keys)-2] == "chpasswd" {
			s.readUserList()
		}
		d.judgeValue(s, i)
	}
	if len(s.found) == 0 {
		return nil
	}
	return settle(s.found)
}

// isType knows the name of a type: AWS::IAM::AccessKey. What begins in lower case
// is a setting of a module: profile::db::password.
func isType(name string) bool {
	at := strings.LastIndex(name, "::")
	return at >= 0 && at+2 < len(name) && isUpper(name[at+2])
}

// isExample reports whether a value is, or is part of, what an API's description
// shows as an example.
func (v *Value) isExample() bool {
	for _, k := range v.Keys {
		if k == "example" || k == "examples" || k == "x-example" {
			return true
		}
	}
	return false
}

func (v *Value) last() string {
	if len(v.Keys) == 0 {
		return ""
	}
	return v.Keys[len(v.Keys)-1]
}

// isComposed reports whether a value may hold names with values of their own:
// DB_PASSWORD=x in a list, --password x in a command, a connection string.
func isComposed(text string) bool { return strings.ContainsAny(text, "=: \n") }

// isNested reports whether a value is a text with lines or a document of its own.
func isNested(text string) bool {
	return strings.Contains(strings.TrimSpace(text), "\n") || strings.HasPrefix(text, "{\"") || strings.HasPrefix(text, "[{")
}

// inertKinds are Kubernetes objects that hold references and schemas only.
var inertKinds = wordSet(`ExternalSecret ClusterExternalSecret PushSecret SecretStore ClusterSecretStore SealedSecret SecretProviderClass VaultStaticSecret
	VaultDynamicSecret CustomResourceDefinition OnePasswordItem InfisicalSecret BitwardenSecret Role ClusterRole RoleBinding ClusterRoleBinding
	PrometheusRule ServiceMonitor PodMonitor AWSSecret`)

// inertKeys are mappings whose values name things.
var inertKeys = wordSet(`remoteRef secretKeyRef configMapKeyRef secretRef configMapRef valueFrom secretStoreRef labels matchLabels selector nodeSelector annotations
	creation_rules dataFrom tokenSecretRef secretAccessKeySecretRef accessKeyIDSecretRef apiTokenSecretRef privateKeySecretRef passwordSecretRef
	credentialsRef valuesFrom existingSecretKeys secretKeys ownerReferences openAPIV3Schema sourceRef`)

// proseKeys are keys of texts for people.
var proseKeys = wordSet(`description help doc docs documentation readme summary message title comment comments notes example examples externalDocs`)

// isInert reports whether a value cannot hold a secret by its place, whatever
// its name; known formats are looked for even there.
func (d *document) isInert(i int) bool {
	v := &d.Values[i]
	if d.texts || inertKinds[d.kinds[i]] {
		return true
	}
	if proseKeys[v.last()] || strings.HasPrefix(v.last(), "checksum/") || strings.HasPrefix(v.Text, "^") && strings.HasSuffix(v.Text, "$") {
		return true
	}
	for _, k := range v.Keys[:max(len(v.Keys)-1, 0)] {
		if inertKeys[k] || proseKeys[k] || strings.HasSuffix(k, "SecretRef") || strings.HasSuffix(k, "KeyRef") {
			return true
		}
	}
	return false
}

// judgeValue has the value at i judged by its name and its neighbours.
func (d *document) judgeValue(s *scan, i int) {
	v := &d.Values[i]
	text := v.Text
	if part := d.secretData(i); part != "" {
		d.judgeSecret(s, v, part == "data")
		return
	}
	if d.isKeyHalf(i) {
		s.report(found{Match{Rule: "private-key", Start: 0, End: len(text), Severity: d.purpose.lowered(Error), What: "private half of a JSON Web Key"}, byPlace})
		return
	}
	c := candidate{name: d.nameOf(i), value: text, quoted: v.Quoted, kind: kindConfig}
	c.class, c.classified = d.classOf(c.name), true
	c.sure = d.logins && c.class == classPassword
	if c.user = d.userBeside(i); c.user != "" && strings.EqualFold(c.user, text) {
		return // what comes with an installation
	}
	c.login = d.purpose == forUse && isLogin(c.user) && !(featuresOf(text).upper == 1 && isUpper(text[0])) // nor a label: User, Word
	if f, ok := assess(c); ok && !(v.Scalar && len(text) < 6) {
		f.End = len(text)
		s.report(f)
	}
}
