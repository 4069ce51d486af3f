package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/seal"
	"github.com/sealward/sealward/internal/sops"
)

func (a *app) verifyCommand() *cobra.Command {
	var f keysFlags
	cmd := &cobra.Command{
		Use:   "verify [ENV]",
		Short: "Prove that keys, rules and sealed files fit together",
		Long: `Proves, for ENV or for every environment whose keyring holds a key:

  - the current key is the one that the rules of .sops.yaml name;
  - every sealed file of the environment opens with it, each value, and its MAC holds;
  - no key of another environment opens them.

Files are opened in memory, and nothing of them is printed.
` + keyringHelp + `

Exit status: 0 all proven, 1 something failed, 2 the work could not be done.`,
		Example: "  bot keys verify\n  bot keys verify prod --keyring file:///keys/prod.agekey",
		Args:    atMostOneEnv,
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := a.openKeys(cmd.Context(), f)
			if err != nil {
				return err
			}
			defer k.at.close()
			return k.verify(cmd.Context(), args, f.format)
		},
	}
	f.register(cmd, true)
	return cmd
}

// proof is what one environment's verification found.
type proof struct {
	Env       string   `json:"environment"`
	Recipient string   `json:"recipient,omitempty"`
	Files     int      `json:"files"` // opened and proven
	Failed    []string `json:"failed"`
	Skipped   string   `json:"not_verified,omitempty"` // why not
}

func (k *keysRun) verify(ctx context.Context, args []string, format string) error {
	envs := k.at.tree.Environments()
	only := ""
	if len(args) == 1 {
		env, err := k.env(args[0])
		if err != nil {
			return err
		}
		only = env
		if !slices.Contains(envs, env) {
			envs = append(envs, env)
		}
	}
	h, err := k.rings.read(ctx, only, envs)
	if err != nil {
		return err
	}
	proofs := []proof{}
	for _, env := range envs {
		if only != "" && env != only {
			continue
		}
		p, err := k.prove(ctx, env, h, only != "")
		if err != nil {
			return err
		}
		proofs = append(proofs, p)
	}
	return k.showProofs(proofs, format)
}

// prove checks one environment.
func (k *keysRun) prove(ctx context.Context, env string, h held, named bool) (proof, error) {
	p := proof{Env: env, Failed: []string{}}
	own := h.by[env]
	if len(own) == 0 {
		address, _ := k.rings.address(env)
		p.Skipped = fmt.Sprintf("its keyring (%s) holds no key", address)
		if address == "operator" {
			p.Skipped = "the operator keeps its key"
		} else if named {
			p.Failed = append(p.Failed, p.Skipped+"; make one with keys init "+env)
		}
		return p, nil
	}
	p.Recipient = own[0].ID
	p.Failed = append(p.Failed, k.proveRules(env, own)...)
	for _, s := range k.at.tree.Sealed {
		if s.Env != env {
			continue
		}
		failed, err := k.proveFile(ctx, env, s, own, h)
		if err != nil {
			return p, err
		}
		if len(failed) == 0 {
			p.Files++
		}
		p.Failed = append(p.Failed, failed...)
	}
	return p, nil
}

// proveRules checks that the rules of the environment's files name the current key.
func (k *keysRun) proveRules(env string, own []sops.Recipient) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range k.at.tree.Sealed {
		rules, rule := k.at.tree.Rule(s.Path)
		if s.Env != env || rule == nil {
			continue
		}
		at := fmt.Sprintf("rule %d of %s", rule.Index+1, rules.Name)
		if seen[at] {
			continue
		}
		seen[at] = true
		named := sops.Union(rule.Groups)
		switch {
		case slices.Contains(named, own[0]):
		case slices.ContainsFunc(own[1:], func(r sops.Recipient) bool { return slices.Contains(named, r) }):
			out = append(out, fmt.Sprintf("%s names an older key of %s; bot rotate %s", at, env, env))
		default:
			out = append(out, fmt.Sprintf("%s does not name the current key of %s, %s", at, env, own[0].Short()))
		}
	}
	if len(seen) == 0 && len(k.at.tree.Rules) > 0 && !k.at.tree.Named(own[0]) {
		out = append(out, fmt.Sprintf("no rule of .sops.yaml names the current key of %s, %s", env, own[0].Short()))
	}
	return out
}

// proveFile opens one file with every key there is.
func (k *keysRun) proveFile(ctx context.Context, env string, s *rotate.Sealed, own []sops.Recipient, h held) ([]string, error) {
	data, err := fs.ReadFile(k.at.tree.Snapshot.FS, s.Path)
	if err != nil {
		return nil, err
	}
	mine, others := apart(h.ids, own)
	opened, err := seal.Opens(ctx, s.Path, data, mine)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return []string{s.Path + ": " + reason(s.Path, err)}, nil
	}
	var out []string
	for _, o := range opened {
		switch at := fmt.Sprintf("%s:%d", s.Path, o.Line); {
		case o.Err != nil:
			out = append(out, at+": "+reason(s.Path, o.Err))
		case !slices.Contains(o.By, own[0]):
			out = append(out, fmt.Sprintf("%s: it opens with an older key alone; bot rotate %s", at, env))
		}
	}
	foreign, err := seal.Opens(ctx, s.Path, data, others)
	if err != nil {
		return out, nil // said above
	}
	for _, o := range foreign {
		for _, r := range o.By {
			out = append(out, fmt.Sprintf("%s:%d: the key of %s opens it too (%s)", s.Path, o.Line, owner(h.by, r), r.Short()))
		}
	}
	return out, nil
}

// apart tells an environment's identities from all others.
func apart(ids []keyring.Identity, own []sops.Recipient) (mine, others []keyring.Identity) {
	for _, id := range ids {
		if slices.Contains(own, id.Recipient()) {
			mine = append(mine, id)
		} else {
			others = append(others, id)
		}
	}
	return mine, others
}

func owner(by rotate.Held, r sops.Recipient) string {
	for _, env := range slices.Sorted(keysOf(by)) {
		if slices.Contains(by[env], r) {
			return env
		}
	}
	return "another environment"
}

// reason is the sealer's error without the path, which stands before it already.
func reason(path string, err error) string {
	return strings.TrimPrefix(err.Error(), fmt.Sprintf("re-seal %q: ", path))
}

func (k *keysRun) showProofs(proofs []proof, format string) error {
	for _, p := range proofs {
		if len(p.Failed) > 0 {
			k.code = exitRefused
		}
	}
	if len(k.at.tree.Incomplete) > 0 {
		k.code = exitFailed
		for _, s := range k.at.tree.Incomplete {
			k.say("error: %s", s)
		}
	}
	if format == "json" {
		enc := json.NewEncoder(k.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Version int      `json:"version"`
			Proofs  []proof  `json:"environments"`
			Unread  []string `json:"incomplete"`
		}{1, proofs, some(k.at.tree.Incomplete)})
	}
	if len(proofs) == 0 {
		k.tell("no environment was found in this tree; name them under environments: in .sealward.yaml")
	}
	for _, p := range proofs {
		switch {
		case len(p.Failed) > 0:
			k.tell("%s: FAILED", p.Env)
		case p.Skipped != "":
			k.tell("%s: not verified: %s", p.Env, p.Skipped)
		default:
			k.tell("%s: ok, %s opened with %s", p.Env, plural(p.Files, "file"), p.Recipient)
		}
		for _, f := range p.Failed {
			k.tell("  %s", f)
		}
	}
	return nil
}
