package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/sops"
)

// copies writes the operator's copy of a new key: sealed to rotation.copy-to, where
// rotation.copy says.
type copies struct {
	to   []sops.Recipient
	path string
}

// newCopies reads what the configuration says of copies, before any key is made.
func newCopies(at *local, env string) (copies, error) {
	said := at.tree.Config.Rotation
	if len(said.CopyTo) == 0 {
		return copies{}, nil
	}
	if said.Copy == "" {
		return copies{}, errors.New(".sealward.yaml: rotation.copy-to says who gets a copy of a new key, and nothing says where it is written: set rotation.copy, such as keys/{env}.agekey.age")
	}
	c := copies{path: strings.ReplaceAll(filepath.FromSlash(said.Copy), "{env}", env)}
	if strings.HasSuffix(said.Copy, "/") {
		c.path = filepath.Join(c.path, env+".agekey.age")
	}
	if !filepath.IsAbs(c.path) {
		c.path = filepath.Join(at.root, c.path)
	}
	for _, text := range said.CopyTo {
		r, err := sops.ParseRecipient(text)
		if err == nil {
			_, err = keyring.Encrypter(r)
		}
		if err != nil {
			return copies{}, fmt.Errorf(".sealward.yaml: rotation.copy-to: %w", err)
		}
		c.to = append(c.to, r)
	}
	return c, nil
}

// write seals and writes the copy, and returns where; "" where none is asked for. An
// earlier copy stays: the name then has the day in it.
func (c copies) write(ctx context.Context, ring keyring.Keyring, env string, now time.Time) (string, error) {
	if len(c.to) == 0 {
		return "", nil
	}
	ids, err := ring.Identities(ctx, env)
	if err != nil || len(ids) == 0 {
		return "", err
	}
	var sealed bytes.Buffer
	if err := keyring.SealCopy(&sealed, ids[0], c.to); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(c.path), 0o755); err != nil {
		return "", err
	}
	name := c.path
	for n := 1; ; n++ {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if errors.Is(err, fs.ErrExist) && n < 1000 {
			ext := ".agekey.age"
			if !strings.HasSuffix(c.path, ext) {
				ext = filepath.Ext(c.path)
			}
			name = fmt.Sprintf("%s-%s-%d%s", strings.TrimSuffix(c.path, ext), now.Format(time.DateOnly), n, ext)
			continue
		}
		if err != nil {
			return "", err
		}
		_, err = f.Write(sealed.Bytes())
		return name, errors.Join(err, f.Sync(), f.Close())
	}
}
