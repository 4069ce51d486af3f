package rotate_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/sealward/sealward/internal/repo/repotest"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

var update = flag.Bool("update", false, "rewrite what the cases want")

// Each case is a tree, requests, and what the plans of these say. In it {name} is a
// recipient of that name, and a file that is one line of the form
//
//	sealed yaml OBJECT KEY,KEY for NAME,NAME
//	sealed env KEY,KEY for NAME,NAME
//
// is sealed so. A request is one line of words: rotate ENV force to=NAME remove=NAME
// add=NAME held:ENV=NAME,NAME, or admit ENV NAME replacing=NAME.
func TestPlans(t *testing.T) {
	cases, err := filepath.Glob("testdata/plan/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, name := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) { runCase(t, name) })
	}
}

func runCase(t *testing.T, name string) {
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	c := planCase{t: t, files: map[string]string{}, names: map[string]string{}}
	for _, f := range a.Files {
		if p, ok := strings.CutPrefix(f.Name, "tree/"); ok {
			c.files[p] = c.expand(string(f.Data))
		}
	}
	for i, f := range a.Files {
		if !strings.HasPrefix(f.Name, "request") {
			continue
		}
		got := c.run(strings.Fields(string(f.Data)))
		want := ""
		if i+1 < len(a.Files) && strings.HasPrefix(a.Files[i+1].Name, "want") {
			want = string(a.Files[i+1].Data)
		}
		if got == want {
			continue
		}
		if !*update {
			t.Errorf("%s: got\n%s\nwant\n%s", f.Name, got, want)
			continue
		}
		a.Files[i+1].Data = []byte(got)
		if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// planCase is one case: its tree, and the names of its recipients.
type planCase struct {
	t     testing.TB
	files map[string]string
	names map[string]string // recipient -> name
}

// recipient is the public half of no key at all: its bytes are a name.
func (c *planCase) recipient(name string) sops.Recipient {
	var key [32]byte
	copy(key[:], strings.Repeat(name+" ", 32))
	text := age32(key)
	if name == "ssh" {
		text = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	}
	if name == "pgp" {
		text = strings.Repeat("ABCDEF0123", 4)
	}
	if name == "kms" {
		text = "arn:aws:kms:eu-west-1:000000000000:key/00000000-0000-0000-0000-000000000000"
	}
	r, err := sops.ParseRecipient(text)
	if err != nil {
		c.t.Fatal(name, err)
	}
	c.names[r.ID], c.names[r.Short()] = name, name
	return r
}

func (c *planCase) recipients(list string) []sops.Recipient {
	var out []sops.Recipient
	for name := range strings.SplitSeq(list, ",") {
		out = append(out, c.recipient(name))
	}
	return out
}

var named = regexp.MustCompile(`\{([a-z0-9]+)\}`)

func (c *planCase) expand(text string) string {
	if words := strings.Fields(text); len(words) > 4 && words[0] == "sealed" && strings.Count(text, "\n") == 1 {
		return c.sealed(words[1:])
	}
	return named.ReplaceAllStringFunc(text, func(s string) string { return c.recipient(s[1 : len(s)-1]).ID })
}

const enc = "ENC[AES256_GCM,data:AAAA,iv:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]"

// sealed writes a file that SOPS could have written.
func (c *planCase) sealed(words []string) string {
	kind, object := words[0], ""
	if kind == "yaml" {
		object, words = words[1], words[1:]
	}
	keys, to := strings.Split(words[1], ","), c.recipients(words[3])
	var b strings.Builder
	if kind == "env" {
		for _, k := range keys {
			fmt.Fprintf(&b, "%s=%s\n", k, enc)
		}
		for i, r := range to {
			fmt.Fprintf(&b, "sops_age__list_%d__map_enc=x\nsops_age__list_%d__map_recipient=%s\n", i, i, r.ID)
		}
		fmt.Fprintf(&b, "sops_lastmodified=2027-01-31T12:00:00Z\nsops_mac=%s\nsops_version=3.13.3\n", enc)
		return b.String()
	}
	namespace, name, _ := strings.Cut(object, "/")
	fmt.Fprintf(&b, "apiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: %s\nstringData:\n", name, namespace)
	for _, k := range keys {
		fmt.Fprintf(&b, "  %s: %s\n", k, enc)
	}
	b.WriteString("sops:\n")
	for _, r := range to {
		switch r.Kind {
		case sops.PGP:
			fmt.Fprintf(&b, "  pgp:\n  - fp: %s\n    created_at: 2027-01-31T12:00:00Z\n    enc: x\n", r.ID)
		case sops.KMS:
			fmt.Fprintf(&b, "  kms:\n  - arn: %s\n    created_at: 2027-01-31T12:00:00Z\n    enc: x\n", r.ID)
		}
	}
	b.WriteString("  age:\n")
	for _, r := range to {
		if r.Kind == sops.Age {
			fmt.Fprintf(&b, "  - recipient: %s\n    enc: x\n", r.ID)
		}
	}
	fmt.Fprintf(&b, "  lastmodified: \"2027-01-31T12:00:00Z\"\n  mac: %s\n  encrypted_regex: ^(data|stringData)$\n  version: 3.13.3\n", enc)
	return b.String()
}

// run makes the plan of a request and tells what it says, with names for recipients.
func (c *planCase) run(words []string) string {
	tree, err := rotate.ReadTree(repotest.Files(c.files), nil)
	if err != nil {
		return c.clear("error: " + err.Error() + "\n")
	}
	if words[0] == "admit" {
		return c.clear(c.admit(tree, words[1:]))
	}
	in := rotate.Input{Held: rotate.Held{}}
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		switch env, isHeld := strings.CutPrefix(key, "held:"); {
		case isHeld:
			in.Held[env] = c.recipients(value)
		case key == "force":
			in.Request.Force = true
		case key == "minted":
			in.Minted = true
		case key == "to":
			in.Request.To = c.recipients(value)
		case key == "remove":
			in.Request.Remove = c.recipients(value)
		case key == "add":
			in.Request.Add = c.recipients(value)
		case key == "keyring":
			in.Keyring = value
		default:
			in.Request.Env = key
		}
	}
	p, err := tree.Make(in)
	if err != nil {
		return c.clear("error: " + err.Error() + "\n")
	}
	return c.clear(tell(p))
}

func (c *planCase) admit(tree *rotate.Tree, words []string) string {
	var replaced []sops.Recipient
	if len(words) > 2 {
		replaced = c.recipients(strings.TrimPrefix(words[2], "replacing="))
	}
	a, err := tree.Admit(words[0], c.recipient(words[1]), replaced)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	for _, e := range a.Changes {
		fmt.Fprintf(&b, "change %s:%d: %s\n", e.Path, e.Line, e.What)
	}
	for _, n := range a.Notes {
		fmt.Fprintf(&b, "note %s\n", n)
	}
	for _, e := range a.Edits {
		fmt.Fprintf(&b, "== %s\n%s", e.Path, e.Data)
	}
	return b.String()
}

// clear puts names in the place of recipients.
func (c *planCase) clear(text string) string {
	ids := slices.SortedFunc(func(yield func(string) bool) {
		for id := range c.names {
			if !yield(id) {
				return
			}
		}
	}, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, id := range ids {
		text = strings.ReplaceAll(text, id, "{"+c.names[id]+"}")
	}
	return text
}

func tell(p *rotate.Plan) string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("old %s new %s (%s)", listed(p.Old), listed(p.New), p.How)
	if p.Mint || p.Idle || p.Nothing() {
		line("mint %v idle %v nothing %v", p.Mint, p.Idle, p.Nothing())
	}
	for _, f := range p.Files {
		line("file %s: %s -> %s known %s: %d documents, %d values: %s", f.Path, listed(f.From), listed(f.To), listed(f.Known), f.Docs, f.Values, f.Why)
	}
	for _, s := range p.Skipped {
		line("skip %s: %s", s.Path, s.Why)
	}
	for _, x := range p.Exposed {
		line("exposed %s %s %s", x.Path, x.Object, x.Key)
	}
	for _, w := range p.Warnings {
		line("mind %s", w)
	}
	for _, w := range p.Incomplete {
		line("incomplete %s", w)
	}
	for _, c := range p.Changes {
		line("change %s:%d: %s", c.Path, c.Line, c.What)
	}
	for _, s := range p.Steps {
		line("next %s", s)
	}
	for _, e := range p.Rules {
		fmt.Fprintf(&b, "== %s\n%s", e.Path, e.Data)
		if !bytes.HasSuffix(e.Data, []byte("\n")) {
			b.WriteString("(no line break)\n")
		}
	}
	return b.String()
}

func listed(rs []sops.Recipient) string {
	if len(rs) == 0 {
		return "-"
	}
	out := make([]string, len(rs))
	for i, r := range rs {
		out[i] = r.ID
	}
	return strings.Join(out, ",")
}

// age32 writes 32 bytes as age writes a recipient.
func age32(key [32]byte) string {
	const letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	var groups []byte
	acc, bits := 0, 0
	for _, b := range key {
		acc, bits = acc<<8|int(b), bits+8
		for bits >= 5 {
			bits -= 5
			groups = append(groups, byte(acc>>bits&31))
		}
	}
	if bits > 0 {
		groups = append(groups, byte(acc<<(5-bits)&31))
	}
	const head = "age"
	var sum []byte
	for i := range len(head) {
		sum = append(sum, head[i]>>5)
	}
	sum = append(sum, 0)
	for i := range len(head) {
		sum = append(sum, head[i]&31)
	}
	check := uint32(1)
	for _, v := range slices.Concat(sum, groups, make([]byte, 6)) {
		top := check >> 25
		check = (check&0x1ffffff)<<5 ^ uint32(v)
		for i, g := range [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				check ^= g
			}
		}
	}
	check ^= 1
	for i := range 6 {
		groups = append(groups, byte(check>>(5*(5-i))&31))
	}
	out := []byte(head + "1")
	for _, g := range groups {
		out = append(out, letters[g])
	}
	return string(out)
}
