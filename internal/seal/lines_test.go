package seal

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
)

// Dotenv and INI have no lists: recipients that come and go are lines, and all others
// stay as a person has written them.
func TestLinesOfRecipients(t *testing.T) {
	a, b, c, d := newID(t), newID(t), newID(t), newID(t)
	recipient := regexp.MustCompile(`(?m)^.*__list_.*\n`)
	for name, plain := range map[string]string{
		"a.env": "# open\nA=hunter2\nB=x y\n",
		"a.ini": "; open\n[s]\nA = hunter2\n[t]\nB = x y\n",
	} {
		sealed := string(encrypt(t, name, plain, []keyring.Identity{a, b}))
		byHand := strings.ReplaceAll(sealed, "\n[t]", "\n\n\n[t]")
		byHand = regexp.MustCompile(`(?m)^(B\s*=)`).ReplaceAllString(byHand, "\n\n$1")
		byHand = strings.Replace(byHand, "sops_version", "\n# of sops\nsops_version", 1)
		for change, want := range map[string]struct {
			sops.Rekey
			in, out []keyring.Identity
		}{
			"one comes":                {sops.Rekey{Add: rs(c), Known: rs(a, b)}, []keyring.Identity{a, b, c}, nil},
			"two come":                 {sops.Rekey{Add: rs(c, d), Known: rs(a, b)}, []keyring.Identity{a, b, c, d}, nil},
			"the first goes":           {sops.Rekey{Remove: rs(a), Known: rs(b)}, []keyring.Identity{b}, []keyring.Identity{a}},
			"the last goes":            {sops.Rekey{Remove: rs(b), Known: rs(a)}, []keyring.Identity{a}, []keyring.Identity{b}},
			"two for one":              {sops.Rekey{Remove: rs(a), Add: rs(c, d), Known: rs(b)}, []keyring.Identity{b, c, d}, []keyring.Identity{a}},
			"one for two":              {sops.Rekey{Remove: rs(a, b), Add: rs(c)}, []keyring.Identity{c}, []keyring.Identity{a, b}},
			"three for two, all other": {sops.Rekey{Remove: rs(a, b), Add: rs(c, d, newID(t))}, []keyring.Identity{c, d}, []keyring.Identity{a, b}},
		} {
			t.Run(name+" "+change, func(t *testing.T) {
				got, err := sealer(t, a, b, c, d).Reseal(context.Background(), name, []byte(byHand), want.Rekey)
				if err != nil || got.Way != bySpan {
					t.Fatal(got.Way, err)
				}
				if x, y := recipient.ReplaceAllString(frame(got.Data), ""), recipient.ReplaceAllString(frame([]byte(byHand)), ""); x != y {
					t.Errorf("other lines changed:\n%s\nwant\n%s", x, y)
				}
				for _, id := range want.in {
					if out, err := runSops(t, name, got.Data, []keyring.Identity{id}, "decrypt"); err != nil || !bytes.Contains(out, []byte("hunter2")) {
						t.Errorf("%s does not open it: %v", id.Recipient().Short(), err)
					}
				}
				for _, id := range want.out {
					if _, err := runSops(t, name, got.Data, []keyring.Identity{id}, "decrypt"); err == nil {
						t.Errorf("%s still opens it", id.Recipient().Short())
					}
				}
			})
		}
	}
}

// With key groups, each has a list of its own; with a key that needs credentials, the
// wrapped data keys of those who stay move to other entries unchanged.
func TestLinesOfGroups(t *testing.T) {
	a, b, c, d := newID(t), newID(t), newID(t), newID(t)
	rule := "shamir_threshold: 2\n    key_groups: [{age: [" + a.Recipient().ID + ", " + b.Recipient().ID + "]}, {age: [" + c.Recipient().ID + "]}]"
	for _, name := range []string{"a.env", "a.ini"} {
		plain := "A=hunter2\n"
		if name == "a.ini" {
			plain = "[s]\n" + plain
		}
		sealed := encrypt(t, name, plain, nil, rule)
		got, err := sealer(t, a, c).Reseal(context.Background(), name, sealed, sops.Rekey{Remove: rs(a), Known: rs(b, c)})
		if err != nil || got.Way != bySpan {
			t.Fatal(name, got.Way, err)
		}
		if out, err := runSops(t, name, got.Data, []keyring.Identity{b, c}, "decrypt"); err != nil || !bytes.Contains(out, []byte("hunter2")) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := runSops(t, name, got.Data, []keyring.Identity{a, c}, "decrypt"); err == nil {
			t.Errorf("%s: the removed key still opens it", name)
		}
		got, err = sealer(t, a, c).Reseal(context.Background(), name, sealed, sops.Rekey{Remove: rs(c), Add: rs(d), Known: rs(a, b)})
		if err != nil || got.Way != bySpan {
			t.Fatal(name, got.Way, err)
		}
		if _, err := runSops(t, name, got.Data, []keyring.Identity{b, d}, "decrypt"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
