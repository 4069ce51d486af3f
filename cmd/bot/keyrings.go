package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

// keyringHelp says where private keys are kept; every command that uses one has it in
// its help.
const keyringHelp = `
The keyring of an environment is, in this order: --keyring, $SEALWARD_KEYRING, keyring:
of the environment in .sealward.yaml, else a file below the user's configuration
directory (~/.config/sealward/keys/REPOSITORY/ENV.agekey). It is one of

  file:///keys/prod.agekey                          mode 0600, outside of the repository
  kubernetes://flux-system/sops-age?context=prod    the Secret that Flux decrypts with
  operator                                          a person keeps it; this program never sees it

{env} in --keyring and $SEALWARD_KEYRING stands for the environment's name.`

// keyrings opens the keyring of each environment.
type keyrings struct {
	app  *app
	at   *local
	flag string // --keyring
}

// address returns where an environment's private keys are kept.
func (k keyrings) address(env string) (string, error) {
	for _, said := range []string{k.flag, k.app.getenv("SEALWARD_KEYRING")} {
		if said != "" {
			return strings.ReplaceAll(said, "{env}", env), nil
		}
	}
	if said := k.at.tree.Config.Environments[env].Keyring; said != "" {
		return said, nil
	}
	dir := k.app.getenv("XDG_CONFIG_HOME")
	if home := k.app.getenv("HOME"); !filepath.IsAbs(dir) && home != "" {
		dir = filepath.Join(home, ".config")
	}
	if !filepath.IsAbs(dir) {
		return "", errors.New("nothing says where the private key is kept: set --keyring, $SEALWARD_KEYRING or $HOME")
	}
	// Two repositories of one name must not share keys.
	sum := sha256.Sum256([]byte(k.at.root))
	repository := filepath.Base(k.at.root) + "-" + hex.EncodeToString(sum[:4])
	return (&url.URL{Scheme: "file", Path: filepath.Join(dir, "sealward", "keys", repository, env+".agekey")}).String(), nil
}

// open opens an environment's keyring, and returns its address.
func (k keyrings) open(ctx context.Context, env string) (keyring.Keyring, string, error) {
	if !envName(env) {
		return nil, "", cli.Usagef("%q is no environment's name: want letters, digits, and . _ - inside", env)
	}
	address, err := k.address(env)
	if err != nil {
		return nil, "", err
	}
	if err := k.outside(ctx, address); err != nil {
		return nil, "", err
	}
	ring, err := keyring.Open(address, keyring.Options{Getenv: k.app.getenv})
	return ring, address, err
}

func envName(s string) bool {
	ok := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-'
	}
	return s != "" && len(s) <= 63 && s[0] != '.' && s[0] != '-' && !strings.ContainsFunc(s, func(r rune) bool { return !ok(r) })
}

// outside refuses a key file that would be committed by the next git add.
func (k keyrings) outside(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "file" || k.at.git == nil {
		return nil // the keyring itself says what is wrong with an address
	}
	path := filepath.Clean(u.Path)
	if real, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(real, filepath.Base(path))
	}
	rel, err := filepath.Rel(k.at.root, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") || strings.HasPrefix(rel, ".git/") {
		return nil
	}
	rel = filepath.ToSlash(rel)
	ignored, err := k.at.git.Ignored(ctx, []string{rel})
	if err != nil {
		return err
	}
	if !ignored[rel] {
		return fmt.Errorf("the keyring file %s lies in the repository, and git does not ignore it: the private key would be committed; keep it elsewhere, or name it in .gitignore", rel)
	}
	return nil
}

// held is what keyrings hold.
type held struct {
	by  rotate.Held
	ids []keyring.Identity // all of them, each once
}

func (h *held) add(env string, ids []keyring.Identity) {
	if h.by == nil {
		h.by = rotate.Held{}
	}
	h.by[env] = nil
	for _, id := range ids {
		h.by[env] = append(h.by[env], id.Recipient())
		if !slices.ContainsFunc(h.ids, func(have keyring.Identity) bool { return have.Recipient() == id.Recipient() }) {
			h.ids = append(h.ids, id)
		}
	}
}

// read reads the keyring of each environment. A failure of one that is not env's is only
// noted: the files that it alone would open are refused, and named.
func (k keyrings) read(ctx context.Context, env string, all []string) (held, error) {
	var h held
	for _, e := range all {
		ring, address, err := k.open(ctx, e)
		var ids []keyring.Identity
		if err == nil && (e == env || env == "" || strings.HasPrefix(address, "file:")) {
			ids, err = ring.Identities(ctx, e)
		}
		switch {
		case err == nil:
			h.add(e, ids)
		case e == env:
			return h, err
		case ctx.Err() != nil:
			return h, context.Cause(ctx)
		default:
			k.app.say("note: the keyring of %s: %v", e, err)
		}
	}
	return h, nil
}

// minter makes keys in a keyring, for [rotate.Minter].
type minter struct{ ring keyring.Keyring }

func (m minter) Mint(ctx context.Context, env string) (sops.Recipient, error) {
	return m.ring.Mint(ctx, env)
}
