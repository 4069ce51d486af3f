//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package store

import (
	"errors"
	"os"
)

// lockFile takes a lock that the system gives up with the process, however it ends.
func lockFile(string) (*os.File, error) {
	return nil, errors.New("a sqlite file cannot be locked on this system: use PostgreSQL")
}
