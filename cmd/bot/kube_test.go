package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/sealward/sealward/internal/keyring/kubetest"
)

// TestKubeScripts runs the program with a key in a cluster: on the small API server of
// the tests, and on a real one where SEALWARD_TEST_KUBE=1 asks for it. Its scripts have,
// beside the commands of [TestScripts]:
//
//	entries N           wants so many entries in the Secret
//	identities FILE     writes all of them into an identity file
//	put ENTRY [TEXT]    sets an entry, or removes it
func TestKubeScripts(t *testing.T) {
	program := needSops(t)
	kubetest.Each(t, func(t *testing.T, c *kubetest.Cluster) {
		configs := map[string]string{"ADMIN": c.Kubeconfig(t, c.Admin), "BOT": c.Kubeconfig(t, c.Bot), "STRANGER": c.Kubeconfig(t, c.Stranger)}
		// The scripts run beside each other, and have one Secret: there is one of them.
		p := scriptParams("testdata/kube", program)
		setup := p.Setup
		p.Setup = func(e *testscript.Env) error {
			for name, path := range configs {
				e.Setenv(name, path)
			}
			return setup(e)
		}
		maps.Copy(p.Cmds, map[string]func(*testscript.TestScript, bool, []string){
			"entries": func(ts *testscript.TestScript, _ bool, args []string) {
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				if got := c.Entries(t); len(got) != want {
					ts.Fatalf("%d entries in the Secret, want %d", len(got), want)
				}
			},
			"identities": func(ts *testscript.TestScript, _ bool, args []string) {
				held := c.Entries(t)
				var all strings.Builder
				for _, name := range slices.Sorted(maps.Keys(held)) {
					all.WriteString(held[name])
				}
				ts.Check(os.WriteFile(filepath.Clean(ts.MkAbs(args[0])), []byte(all.String()), 0o600))
			},
			"put": func(ts *testscript.TestScript, _ bool, args []string) {
				if len(args) == 1 {
					c.Patch(t, `{"data":{"`+args[0]+`":null}}`)
					return
				}
				c.Put(t, args[0], args[1])
			},
		})
		testscript.Run(t, p)
	})
}
