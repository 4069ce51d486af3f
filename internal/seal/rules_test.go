package seal

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	upstream "github.com/getsops/sops/v3"
	upaes "github.com/getsops/sops/v3/aes"
	"github.com/getsops/sops/v3/config"
	"github.com/getsops/sops/v3/stores/yaml"

	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
)

// internal/sops reads creation rules as SOPS itself does: random configurations and
// paths, each asked of both.
func TestRulesAreReadAsUpstream(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var ids []string
	for range 6 {
		ids = append(ids, newID(t).Recipient().ID)
	}
	pgp := []string{"FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4", "85d77543b3d624b63cea9e6dbc17301b491b3f21"}
	regexes := []string{`\.yaml$`, `^secrets/`, `prod`, `(dev|prod)/.*`, `.*`, ``, `a[`, `\.enc\.`, `^$`}
	selectors := []string{"", "", "encrypted_regex: ^(data|stringData)$", "unencrypted_suffix: _clear", "encrypted_suffix: _enc",
		"unencrypted_regex: ^kind$", "encrypted_comment_regex: seal", "unencrypted_comment_regex: clear", "mac_only_encrypted: true"}
	words := []string{"secrets", "prod", "dev", "a", "x.enc.yaml", "b.yaml", "c.json", "d.env"}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	dir := t.TempDir()
	path := filepath.Join(dir, ".sops.yaml")
	compared, matched, failed := 0, 0, 0
	for range 700 {
		var b strings.Builder
		b.WriteString("creation_rules:\n")
		for range 1 + r.IntN(4) {
			fmt.Fprintf(&b, "  - path_regex: '%s'\n", pick(regexes))
			switch r.IntN(4) {
			case 0:
				fmt.Fprintf(&b, "    age: '%s'\n", pick(ids))
			case 1:
				fmt.Fprintf(&b, "    age: '%s,%s'\n    pgp: %s\n", pick(ids), pick(ids), pick(pgp))
			case 2:
				fmt.Fprintf(&b, "    key_groups:\n      - age: [%s, %s]\n      - pgp: [%s]\n        age: [%s]\n    shamir_threshold: %d\n",
					pick(ids), pick(ids), pick(pgp), pick(ids), 1+r.IntN(3))
			case 3:
				fmt.Fprintf(&b, "    age:\n      - %s\n      - %s\n", pick(ids), pick(ids))
			}
			if s := pick(selectors); s != "" {
				b.WriteString("    " + s + "\n")
			}
		}
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		rules, err := sops.ReadRules(syntax.Parse(".sops.yaml", []byte(b.String())))
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			file := pick(words)
			for range r.IntN(3) {
				file = pick(words) + "/" + file
			}
			compared++
			theirs, err := config.LoadCreationRuleForFile(path, filepath.Join(dir, file), nil)
			ours := rules.Match(file)
			if err != nil || theirs == nil {
				failed++
				if ours != nil {
					t.Fatalf("%s: SOPS has no rule (%v), and rule %d is said to match\n%s", file, err, ours.Index, b.String())
				}
				continue
			}
			matched++
			if ours == nil {
				t.Fatalf("%s: SOPS has a rule, and none is said to match\n%s", file, b.String())
			}
			if a, b2 := upstreamRule(theirs), ourRule(ours); a != b2 {
				t.Fatalf("%s: SOPS reads\n%s\nand here it is\n%s\nof\n%s", file, a, b2, b.String())
			}
		}
	}
	if compared < 3000 || matched < 1000 || failed < 100 {
		t.Errorf("%d comparisons, %d with a rule, %d without", compared, matched, failed)
	}
}

func upstreamRule(c *config.Config) string {
	var groups []string
	for _, g := range c.KeyGroups {
		var list []string
		for _, k := range g {
			list = append(list, strings.ToUpper(k.TypeToIdentifier()+" "+k.ToString()))
		}
		slices.Sort(list)
		groups = append(groups, strings.Join(slices.Compact(list), ","))
	}
	var sel []string
	for _, s := range [][2]string{{"unencrypted_suffix", c.UnencryptedSuffix}, {"encrypted_suffix", c.EncryptedSuffix}, {"unencrypted_regex", c.UnencryptedRegex},
		{"encrypted_regex", c.EncryptedRegex}, {"unencrypted_comment_regex", c.UnencryptedCommentRegex}, {"encrypted_comment_regex", c.EncryptedCommentRegex}} {
		if s[1] != "" {
			sel = append(sel, s[0]+": "+s[1])
		}
	}
	if len(sel) == 0 {
		sel = []string{"unencrypted_suffix: _unencrypted"}
	}
	return fmt.Sprint(groups, c.ShamirThreshold, sel, c.MACOnlyEncrypted)
}

func ourRule(c *sops.CreationRule) string {
	var groups []string
	for _, g := range c.Groups {
		var list []string
		for _, k := range g {
			list = append(list, strings.ToUpper(string(k.Kind)+" "+k.ID))
		}
		slices.Sort(list)
		groups = append(groups, strings.Join(slices.Compact(list), ","))
	}
	return fmt.Sprint(groups, c.Threshold, []string{c.Selector.String()}, c.MACOnlyEnc)
}

// The library seals exactly the leaves that a selector is said to seal.
func TestSelectorsSealAsUpstream(t *testing.T) {
	const text = `kind: Secret
name_clear: a
data:
    key: a
    other_enc: b
    list:
        - x
        # seal
        - y: z
          kind: k
# seal this
top: one
# leave it clear
under:
    n: 1
    e: ""
    t: true # clear
last: {a: b, data: c}
`
	key := make([]byte, keySize)
	for _, s := range []sops.Selector{sops.DefaultSelector(), {Kind: sops.EncryptedRegex, Value: "^(data|top)$"}, {Kind: sops.EncryptedRegex, Value: "^a|y$"},
		{Kind: sops.UnencryptedRegex, Value: "^(kind|under)$"}, {Kind: sops.EncryptedSuffix, Value: "_enc"}, {Kind: sops.UnencryptedSuffix, Value: "_clear"},
		{Kind: sops.EncryptedCommentRegex, Value: "seal"}, {Kind: sops.UnencryptedCommentRegex, Value: "clear"}} {
		store := yaml.NewStore(&config.YAMLStoreConfig{})
		branches, err := store.LoadPlainFile([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		meta := upstream.Metadata{}
		for kind, field := range map[sops.SelectorKind]*string{sops.UnencryptedSuffix: &meta.UnencryptedSuffix, sops.EncryptedSuffix: &meta.EncryptedSuffix,
			sops.UnencryptedRegex: &meta.UnencryptedRegex, sops.EncryptedRegex: &meta.EncryptedRegex,
			sops.UnencryptedCommentRegex: &meta.UnencryptedCommentRegex, sops.EncryptedCommentRegex: &meta.EncryptedCommentRegex} {
			if kind == s.Kind {
				*field = s.Value
			}
		}
		tree := upstream.Tree{Branches: branches, Metadata: meta}
		if _, err := tree.Encrypt(key, upaes.NewCipher()); err != nil {
			t.Fatal(err)
		}
		var theirs, ours []string
		w := walker{leaf: func(path string, v any) any {
			if text, ok := v.(string); ok && sops.Sealed(text) && !strings.HasSuffix(text, "type:comment]") {
				theirs = append(theirs, path)
			}
			return v
		}}
		w.branches(tree.Branches)
		f := syntax.Parse("a.yaml", []byte(text))
		seals := s.In(f)
		for _, l := range f.Leaves {
			if seals(l) {
				ours = append(ours, strings.Join(l.Path.Keys(), ":")+":")
			}
		}
		slices.Sort(theirs)
		slices.Sort(ours)
		if !slices.Equal(theirs, ours) {
			t.Errorf("%s: SOPS seals %v, and here it is %v", s, theirs, ours)
		}
	}
}
