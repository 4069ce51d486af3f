package keyring

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/sops"
)

// file is an identity file as age-keygen writes it. New identities are appended, so
// the last one in it is the current one. It is written whole, to a temporary file
// that takes its name: at every moment the file holds all of the old or all of the new.
type file struct {
	path string
	opts Options
}

func openFile(u *url.URL, o Options) (Keyring, error) {
	switch {
	case u.Host != "" && u.Host != "localhost", u.RawQuery != "":
		return nil, fmt.Errorf("open keyring: %w", errForms)
	case !filepath.IsAbs(u.Path) || strings.HasSuffix(u.Path, "/"):
		return nil, errors.New("open keyring: a file keyring has an absolute path, file:///path/to/prod.agekey")
	}
	return file{filepath.Clean(u.Path), o}, nil
}

func (f file) Identities(context.Context, string) ([]Identity, error) {
	e, err := f.read()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return e.identities(), err
}

func (f file) Warnings(context.Context, string) ([]string, error) {
	e, err := f.read()
	if errors.Is(err, fs.ErrNotExist) {
		return []string{f.path + " does not exist yet"}, nil
	}
	return e.warnings, err
}

func (f file) Mint(ctx context.Context, env string) (sops.Recipient, error) {
	id, err := Generate(f.opts.PostQuantum)
	if err != nil {
		return sops.Recipient{}, err
	}
	err = f.update(ctx, func(e entry) (string, error) {
		if e.ssh {
			return "", fmt.Errorf("make a key for %q: %s holds an ssh key, and age and sops read no file that holds both; name another file",
				env, f.path)
		}
		return e.appended(id, f.opts.Now().UTC().Format(time.RFC3339)), nil
	})
	if err != nil {
		return sops.Recipient{}, err
	}
	return id.Recipient(), nil
}

func (f file) Retire(ctx context.Context, env string, keep sops.Recipient) (Retired, error) {
	var out Retired
	err := f.update(ctx, func(e entry) (string, error) {
		keep, err := mayKeep(env, e.identities(), keep)
		if err != nil {
			return "", err
		}
		text, gone := e.without(keep)
		for i := len(gone) - 1; i >= 0; i-- {
			out.Removed = append(out.Removed, gone[i])
		}
		out.Warnings = e.warnings
		return text, nil
	})
	if err != nil {
		return Retired{}, err
	}
	return out, nil
}

// read reads the file through any symbolic link and refuses one that others can read.
func (f file) read() (entry, error) {
	// A named pipe would block the open until somebody writes.
	h, err := os.OpenFile(f.path, os.O_RDONLY|nonBlock, 0)
	if err != nil {
		return entry{}, fmt.Errorf("read keyring: %w", err)
	}
	defer h.Close()
	info, err := h.Stat()
	if err != nil {
		return entry{}, fmt.Errorf("read keyring: %w", err)
	}
	if err := private(f.path, info); err != nil {
		return entry{}, err
	}
	data, err := io.ReadAll(io.LimitReader(h, maxText+1))
	if err != nil {
		return entry{}, fmt.Errorf("read keyring: %w", err)
	}
	e, err := parseEntry(string(data), false)
	if err != nil {
		return entry{}, fmt.Errorf("read keyring %s: %w", f.path, err)
	}
	return e, nil
}

// private refuses what is no file of this user's own.
func private(path string, info fs.FileInfo) error {
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("read keyring: %s is not a regular file", path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("read keyring: %s has mode %04o, so others can read or write the key; chmod 600 %s",
			path, info.Mode().Perm(), path)
	case !ours(info):
		return fmt.Errorf("read keyring: %s belongs to another user; chown it to the one who runs this", path)
	}
	return nil
}

// update replaces the file with what change makes of it, alone among all processes
// that do. A file that does not exist is empty. Equal text is not written.
func (f file) update(ctx context.Context, change func(entry) (string, error)) error {
	path, err := f.target()
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := safeDir(dir); err != nil {
		return err
	}
	unlock, err := lock(ctx, dir)
	if err != nil {
		return err
	}
	defer unlock()
	e, err := file{path, f.opts}.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := change(e)
	if err != nil || text == e.text {
		return err
	}
	return replace(path, text)
}

// target follows symbolic links, so that the link stays and its target is replaced.
// It makes the directory where there is none.
func (f file) target() (string, error) {
	path, err := filepath.EvalSymlinks(f.path)
	switch {
	case err == nil:
		return path, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("write keyring: %w", err)
	}
	if _, err := os.Lstat(f.path); err == nil {
		return "", fmt.Errorf("write keyring: %s is a symbolic link to nothing; remove it, or make what it names", f.path)
	}
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return "", fmt.Errorf("write keyring: %w", err)
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(f.path))
	if err != nil {
		return "", fmt.Errorf("write keyring: %w", err)
	}
	return filepath.Join(dir, filepath.Base(f.path)), nil
}

// safeDir refuses a directory where another user could exchange the file.
func safeDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("write keyring: %w", err)
	}
	if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Errorf("write keyring: everybody may write to %s; chmod o-w %s", dir, dir)
	}
	return nil
}

// replace writes text beside path, to disk, and renames it over path.
func replace(path, text string) error {
	dir, base := filepath.Split(path)
	leftovers, err := filepath.Glob(globEscape(dir) + "." + globEscape(base) + ".*.tmp")
	if err != nil {
		return fmt.Errorf("write keyring: %w", err)
	}
	for _, l := range leftovers { // of a process that was killed; the lock is ours
		if err := os.Remove(l); err != nil {
			return fmt.Errorf("write keyring: %w", err)
		}
	}
	tmp, err := os.CreateTemp(dir, "."+base+".*.tmp") // mode 0600
	if err != nil {
		return fmt.Errorf("write keyring: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(text)
	err = errors.Join(err, likeOld(tmp, path), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return fmt.Errorf("write keyring: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func globEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(s)
}
