package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/bot"
	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/keyring"
)

// serverRings are the keyrings of a server: what the operator says of them.
type serverRings struct {
	getenv   func(string) string
	template string      // SEALWARD_KEYRING
	allowed  []allowance // SEALWARD_KEYRINGS
	dir      string      // SEALWARD_KEYS_DIR
	// claim gives a keyring to the account that names it first, and returns the account
	// that has it. nil gives none.
	claim func(ctx context.Context, keyring, account string) (string, error)
}

// repoRings are the keyrings that one repository may use.
type repoRings struct {
	serverRings
	name    github.Name
	cfg     *config.Config
	claimed map[string]bool // by environment: its account has the keyring that it names
}

func (s serverRings) of(ctx context.Context, repository string, cfg *config.Config) (repoRings, error) {
	n, err := github.ParseName(repository)
	if err != nil {
		return repoRings{}, err
	}
	if strings.Trim(n.Owner, ".") == "" || strings.Trim(n.Repo, ".") == "" {
		return repoRings{}, fmt.Errorf("%q is no repository's name", repository)
	}
	r := repoRings{s, n, cfg, map[string]bool{}}
	return r, r.claimAll(ctx)
}

// claimAll claims the keyrings that the configuration names, where the operator has said
// nothing of who may use which.
func (r repoRings) claimAll(ctx context.Context) error {
	if r.claim == nil || r.template != "" || len(r.allowed) > 0 {
		return nil
	}
	account := strings.ToLower(r.name.Owner)
	for env, e := range r.cfg.Environments {
		thing, ok := r.claimable(env, e.Keyring)
		if !ok {
			continue
		}
		holder, err := r.claim(ctx, thing, account)
		if err != nil {
			return err
		}
		r.claimed[env] = holder == account
	}
	return nil
}

// claimable is a keyring's address with the links in it followed, so that one keyring has
// one name. ok is false for what no account may claim: what is said in another way, or
// lies where the bot keeps the keys of each repository apart.
func (r repoRings) claimable(env, address string) (thing string, ok bool) {
	path, file := strings.CutPrefix(address, "file://")
	switch {
	case strings.HasPrefix(address, "kubernetes://"):
		return address, true
	case !file || !filepath.IsAbs(path) || plainPath(address, path) != nil || !envName(env):
		return "", false
	}
	path = followed(path)
	if r.dir != "" && strings.HasPrefix(path, followed(r.dir)+"/") {
		return "", false
	}
	return "file://" + path, true
}

// followed is a path with its links followed, as far as it exists.
func followed(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if dir := filepath.Dir(path); dir != path {
		return filepath.Join(followed(dir), filepath.Base(path))
	}
	return path
}

// ownDir is where a repository's keys are kept if nothing says otherwise.
func (s serverRings) ownDir() allowance {
	return allowance{owner: "*", repo: "*", address: "file://" + s.dir + "/{owner}/{repo}/*", own: true}
}

// address returns where an environment's keys are kept, and whether another repository
// may keep its keys there too. What the repository names and may not use is a
// [*bot.UserError].
func (r repoRings) address(env string) (address string, shared bool, err error) {
	if !envName(env) {
		return "", false, &bot.UserError{Err: fmt.Errorf("%q is no environment's name: want letters, digits, and . _ - inside", env)}
	}
	if r.template != "" {
		own, err := checkTemplate(r.template)
		return expand(r.template, r.name, env), !own, err
	}
	said := r.cfg.Environments[env].Keyring
	if said == "operator" {
		return said, false, nil
	}
	own := r.ownDir()
	if said == "" {
		if r.dir == "" {
			return "", false, &bot.UserError{Err: errors.New("nothing says where the bot keeps private keys: its operator sets SEALWARD_KEYRING or SEALWARD_KEYS_DIR")}
		}
		address = strings.TrimSuffix(expand(own.address, r.name, env), "*") + env + ".agekey"
		if err := plainPath(address, own.fixed()); err != nil {
			return "", false, err
		}
		return address, false, nil
	}
	for _, a := range append(slices.Clone(r.allowed), own) {
		if a == own && (len(r.allowed) > 0 || r.dir == "") || !a.allows(r.name, env, said) {
			continue
		}
		if err := plainPath(said, a.fixed()); err != nil {
			return "", false, &bot.UserError{Err: err}
		}
		return said, !a.own, nil
	}
	if r.claimed[env] {
		return said, true, nil
	}
	return "", false, &bot.UserError{Err: fmt.Errorf("`.sealward.yaml` names a keyring for %s that the bot's operator has not allowed for this repository: the operator adds it to SEALWARD_KEYRINGS, as %s=%s", env, r.name, said)}
}

// open opens an environment's keyring.
func (r repoRings) open(env string) (ring keyring.Keyring, address string, shared bool, err error) {
	if address, shared, err = r.address(env); err != nil {
		return nil, "", false, err
	}
	ring, err = keyring.Open(address, keyring.Options{Getenv: r.getenv})
	return ring, address, shared, err
}

// makeDir makes the directory of a repository's own keys. Any other is the operator's to make.
func (r repoRings) makeDir(address string) error {
	root := strings.TrimSuffix(expand(r.ownDir().address, r.name, ""), "*")
	if r.dir == "" || !strings.HasPrefix(address, root) {
		return nil
	}
	return os.MkdirAll(filepath.Dir(strings.TrimPrefix(address, "file://")), 0o700)
}

// public is an address without what is private about it: which cluster, and through what.
func public(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	return u.String()
}

// read reads the keyring of each environment. A failure of one that is not env's is only
// noted: files that it alone would open are refused, and named.
func (r repoRings) read(ctx context.Context, env string, all []string) (held, []string, error) {
	var h held
	var notes []string
	for _, e := range all {
		ring, _, _, err := r.open(e)
		var ids []keyring.Identity
		if err == nil {
			ids, err = ring.Identities(ctx, e)
		}
		switch {
		case err == nil:
			h.add(e, ids)
		case ctx.Err() != nil:
			return h, nil, context.Cause(ctx)
		case e == env:
			return h, nil, err
		default:
			notes = append(notes, "the keyring of "+e+" could not be read, so files that it alone opens are refused")
		}
	}
	return h, notes, nil
}
