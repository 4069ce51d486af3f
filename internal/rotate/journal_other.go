//go:build !unix

package rotate

import (
	"errors"
	"io/fs"
	"os"
)

// lockFile fails: without a lock two rotations could write one tree.
func lockFile(*os.File) error {
	return errors.New("lock the journal: this system has no file locks that are known here")
}

func isCrossDevice(error) bool { return false }

func sameOwner(string, fs.FileInfo) error { return nil }
