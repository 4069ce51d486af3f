package rotate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// hashNow is the hash of what stands at a path, "" where nothing does.
func (j *Journal) hashNow(path string) (string, error) {
	target, err := j.target(path)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(target)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return hashOf(data), nil
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// target is where a path of the tree stands. A symbolic link on the way is refused: it
// would have somebody else's file replaced.
func (j *Journal) target(path string) (string, error) {
	at := j.root
	parts := strings.Split(path, "/")
	for i, part := range parts {
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return filepath.Join(j.root, filepath.FromSlash(path)), nil
		case err != nil:
			return "", err
		case info.Mode()&fs.ModeSymlink != 0:
			return "", fmt.Errorf("%s is a symbolic link, which is not followed", filepath.Join(parts[:i+1]...))
		case i == len(parts)-1 && !info.Mode().IsRegular():
			return "", fmt.Errorf("%s is not a regular file", path)
		}
	}
	return at, nil
}

// copyTo writes a file with the mode and owner of another one.
func copyTo(name, like string, data []byte) error {
	info, err := os.Lstat(like)
	if err != nil {
		return err
	}
	if err := writeFile(name, data, info.Mode().Perm()); err != nil {
		return err
	}
	return sameOwner(name, info)
}

// writeFile writes a new file through to the disk.
func writeFile(name string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func removeIf(name string) error {
	if err := os.Remove(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
