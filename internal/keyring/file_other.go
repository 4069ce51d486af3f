//go:build !unix

package keyring

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

const nonBlock = 0

func ours(fs.FileInfo) bool { return true }

// lock fails: without it two programs could each write a key and one would be lost.
func lock(context.Context, string) (unlock func(), err error) {
	return nil, errors.New("write keyring: this system has no file locks that the keyring knows; use kubernetes:// or operator")
}

func likeOld(*os.File, string) error { return nil }
