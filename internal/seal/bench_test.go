package seal

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
)

// sealedBench is a hand-formatted Secret with n values, sealed without the program.
func sealedBench(tb testing.TB, n int, to ...keyring.Identity) []byte {
	tb.Helper()
	key := make([]byte, keySize)
	b, err := newBox(key)
	if err != nil {
		tb.Fatal(err)
	}
	var out strings.Builder
	out.WriteString("# the shop\napiVersion: v1\nkind: Secret\nmetadata: {name: shop, namespace: \"prod\"}\n\nstringData:\n")
	h := newMAC(true)
	for i := range n {
		value := fmt.Sprintf("value %d of the shop", i)
		name := fmt.Sprintf("KEY_%d", i)
		h.Write([]byte(value))
		fmt.Fprintf(&out, "  %s: %s\n", name, b.seal([]byte(value), "str", "stringData:"+name+":"))
	}
	out.WriteString("sops:\n    age:\n")
	for _, id := range to {
		enc, err := wrap(key, id.Recipient())
		if err != nil {
			tb.Fatal(err)
		}
		fmt.Fprintf(&out, "        - recipient: %s\n          enc: |\n            %s\n", id.Recipient().ID,
			strings.ReplaceAll(strings.TrimSpace(enc), "\n", "\n            "))
	}
	const at = "2027-01-31T12:00:00Z"
	fmt.Fprintf(&out, "    lastmodified: \"%s\"\n    mac: %s\n    encrypted_regex: ^(data|stringData)$\n    mac_only_encrypted: true\n    version: 3.13.3\n",
		at, b.seal([]byte(strings.ToUpper(fmt.Sprintf("%x", h.Sum(nil)))), "str", at))
	return []byte(out.String())
}

func BenchmarkReseal(b *testing.B) {
	old, fresh := newID(b), newID(b)
	data := sealedBench(b, 20, old)
	want := sops.Rekey{Remove: rs(old), Add: rs(fresh)}
	for _, way := range []string{bySpan, byLibrary} {
		s := sealer(b, fresh, old)
		if way == byLibrary {
			s = s.ByLibrary()
		}
		b.Run(way, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				got, err := s.Reseal(context.Background(), "secrets/shop.yaml", data, want)
				if err != nil || got.Way != way {
					b.Fatal(got.Way, err)
				}
			}
		})
	}
}
