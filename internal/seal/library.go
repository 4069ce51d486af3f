package seal

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"time"

	upstream "github.com/getsops/sops/v3"
	"github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/age"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/keys"
	"github.com/getsops/sops/v3/logging"
	"github.com/getsops/sops/v3/stores/dotenv"
	"github.com/getsops/sops/v3/stores/ini"
	"github.com/getsops/sops/v3/stores/json"
	"github.com/getsops/sops/v3/stores/yaml"

	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// hush silences the library's loggers, which print comments in clear.
func hush() {
	for _, l := range logging.Loggers {
		l.SetOutput(io.Discard)
	}
}

// store returns the library's reader and writer of a tree's format, which writes with
// the indentation that the file has.
func (t *tree) store() upstream.Store {
	switch t.file.Format {
	case syntax.YAML:
		return yaml.NewStore(&config.YAMLStoreConfig{Indent: indentOf(t.file.Data, 4)})
	case syntax.JSON:
		indent := indentOf(t.file.Data, 0)
		if bytes.Contains(t.file.Data, []byte("\n\t")) {
			indent = -1
		}
		return json.NewStore(&config.JSONStoreConfig{Indent: indent})
	case syntax.Dotenv:
		return dotenv.NewStore(&config.DotenvStoreConfig{})
	}
	return ini.NewStore(&config.INIStoreConfig{})
}

// indentOf is the first indentation with blanks that a file has.
func indentOf(data []byte, otherwise int) int {
	for line := range bytes.Lines(data) {
		rest := bytes.TrimLeft(line, " ")
		if n := len(line) - len(rest); n > 1 && n <= 8 && len(rest) > 1 && rest[0] != '#' && rest[0] != '-' {
			return n
		}
	}
	return otherwise
}

// region is the stretch of the file that the tree's documents take up.
func (t *tree) region() (from, to int, ok bool) {
	first, last := t.docs[0].Index, t.docs[len(t.docs)-1].Index
	if len(t.docs) == len(t.file.Docs) {
		return 0, len(t.file.Data), true
	}
	from, to = t.file.Docs[first].Span.Start.Offset, t.file.Docs[last].Span.End.Offset
	if from > 0 { // the rest of the line that the marker stands on stays with it
		i := bytes.IndexByte(t.file.Data[from:to], '\n')
		if i < 0 || len(bytes.TrimSpace(t.file.Data[from:from+i])) > 0 {
			return 0, 0, false
		}
		from += i + 1
	}
	return from, to, last-first == len(t.docs)-1
}

// load reads the tree with the library. Whatever the library says of a file that it
// cannot read stays here, for it may quote the file.
func (t *tree) load() (loaded upstream.Tree, err error) {
	defer func() {
		if recover() != nil {
			err = refuse(Unreadable, "sops' own reader fails at it")
		}
	}()
	from, to, ok := t.region()
	if !ok {
		return loaded, refuse(Unreadable, "other documents stand between those that were sealed together; split the file")
	}
	loaded, err = t.store().LoadEncryptedFile(t.file.Data[from:to])
	if err != nil {
		return loaded, refuse(Unreadable, "sops' own reader does not take it")
	}
	return loaded, nil
}

// flat is a value as the library has it decrypted.
type flat struct {
	path, kind, text string
}

// reference opens the tree with the library alone and returns its values and the MAC
// that it computes: what decides where this package's own model of the MAC does not.
func (t *tree) reference(key []byte) (values []flat, mac string, err error) {
	loaded, err := t.load()
	if err != nil {
		return nil, "", err
	}
	defer func() {
		if recover() != nil {
			err = refuse(Unreadable, "sops' own reader fails at it")
		}
	}()
	mac, err = loaded.Decrypt(key, aes.NewCipher())
	if err != nil {
		return nil, "", refuse(BadMAC, "sops itself does not decrypt it")
	}
	w := walker{leaf: func(path string, v any) any {
		text, err := upstream.ToBytes(v)
		if err == nil {
			values = append(values, flat{path, kindOf(v), string(text)})
		}
		return v
	}}
	w.branches(loaded.Branches)
	return values, mac, nil
}

func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "str"
	case int:
		return "int"
	case float64:
		return "float"
	case bool:
		return "bool"
	case time.Time:
		return "time"
	}
	return "bytes"
}

// walker goes through a tree of the library. leaf sees each value but comments, and
// comment each comment; both return what takes its place.
type walker struct {
	leaf    func(path string, v any) any
	comment func(path, text string) string
}

func (w walker) branches(list upstream.TreeBranches) {
	for _, b := range list {
		w.branch(b, "")
	}
}

func (w walker) branch(b upstream.TreeBranch, path string) {
	for i := range b {
		if c, ok := b[i].Key.(upstream.Comment); ok {
			b[i].Key = w.remark(c, path)
			continue
		}
		if key, ok := b[i].Key.(string); ok {
			b[i].Value = w.value(b[i].Value, path+key+":")
		}
	}
}

func (w walker) value(v any, path string) any {
	switch v := v.(type) {
	case upstream.TreeBranch:
		w.branch(v, path)
	case []any:
		for i := range v {
			v[i] = w.value(v[i], path)
		}
	case upstream.Comment:
		return w.remark(v, path)
	case nil:
	default:
		return w.leaf(path, v)
	}
	return v
}

func (w walker) remark(c upstream.Comment, path string) upstream.Comment {
	if w.comment != nil {
		if path == "" {
			path = ":"
		}
		c.Value = w.comment(path, c.Value)
	}
	return c
}

// byLibrary writes the tree anew through the library: everything that is sealed is
// sealed with the new data key, and all the rest is as the library writes it.
func (t *tree) byLibrary(r *rekey, from, to *box, mac []byte, now time.Time) (out edit, err error) {
	loaded, err := t.load()
	if err != nil {
		return edit{}, err
	}
	defer func() {
		if recover() != nil {
			err = refuse(Unreadable, "sops' own writer fails at it")
		}
	}()
	if len(r.notRotated) == 0 {
		if lost := t.reseal(loaded, from, to); lost {
			return edit{}, refuse(Stray, "a sealed value does not open where sops sees it")
		}
		loaded.Metadata.LastModified = now.UTC()
		loaded.Metadata.MessageAuthenticationCode = to.seal(mac, "str", now.UTC().Format(rfc3339))
	}
	if err := t.regroup(&loaded.Metadata, r); err != nil {
		return edit{}, err
	}
	text, err := t.store().EmitEncryptedFile(loaded)
	if err != nil {
		return edit{}, refuse(Unreadable, "sops' own writer does not take it")
	}
	if whole := t.file.Data; bytes.Count(whole, []byte("\r\n")) == bytes.Count(whole, []byte("\n")) {
		text = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	}
	start, end, _ := t.region()
	return edit{start, end, string(text)}, nil
}

// reseal exchanges every token of a loaded tree; it reports whether one did not open.
func (t *tree) reseal(loaded upstream.Tree, from, to *box) (lost bool) {
	again := func(path, text string) string {
		tok, err := parseToken(text)
		if err != nil {
			lost = true
			return text
		}
		plain, ok := from.open(tok, path)
		lost = lost || !ok
		return to.seal(plain, tok.kind, path)
	}
	w := walker{
		leaf: func(path string, v any) any {
			if text, ok := v.(string); ok && strings.HasPrefix(text, tokenHead) {
				return again(path, text)
			}
			return v
		},
		comment: func(path, text string) string {
			if strings.HasPrefix(text, tokenHead) {
				return again(path, text)
			}
			return text
		},
	}
	w.branches(loaded.Branches)
	return lost
}

// regroup gives the metadata the recipients of the plan. What is not age's keeps the
// library's own representation, enc and dates included.
func (t *tree) regroup(meta *upstream.Metadata, r *rekey) error {
	d := t.docs[0]
	if len(meta.KeyGroups) != len(d.Groups) {
		return refuse(Metadata, "sops counts %d key groups in it, and it lists %d", len(meta.KeyGroups), len(d.Groups))
	}
	masters := make([]keys.MasterKey, len(d.Keys))
	for g, group := range meta.KeyGroups {
		byKind := map[sops.Kind][]keys.MasterKey{}
		for _, k := range group {
			kind := sops.Kind(k.TypeToIdentifier())
			byKind[kind] = append(byKind[kind], k)
		}
		for i, w := range d.Keys {
			if w.Group != g {
				continue
			}
			list := byKind[w.Recipient.Kind]
			if len(list) == 0 {
				return refuse(Metadata, "sops does not see the recipient %s", w.Recipient.Short())
			}
			masters[i], byKind[w.Recipient.Kind] = list[0], list[1:]
		}
	}
	for g := range meta.KeyGroups {
		var group upstream.KeyGroup
		for _, s := range r.slots {
			if s.group == g {
				group = append(group, master(s, d, masters))
			}
		}
		meta.KeyGroups[g] = group
	}
	return nil
}

func master(s slot, d sops.Document, masters []keys.MasterKey) keys.MasterKey {
	stays := s.old >= 0 && d.Keys[s.old].Recipient == s.to
	if stays && s.enc == "" {
		return masters[s.old]
	}
	id := s.to.ID
	if old, ok := masters[max(s.old, 0)].(*age.MasterKey); ok && stays {
		id = old.Recipient // with the comment that an ssh key may carry
	}
	return &age.MasterKey{Recipient: id, EncryptedKey: s.enc}
}

// sameFlat compares what the library reads before and after.
func sameFlat(a, b []flat) bool { return slices.Equal(a, b) }
