//go:build linux || darwin || freebsd || netbsd || openbsd

package store

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// lockFile takes a lock that the system gives up with the process, however it ends.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: its directory has to exist and to be writable", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = fmt.Errorf("another process works on %q: stop it first, or use PostgreSQL, which several processes can share",
			strings.TrimSuffix(name, ".lock"))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
