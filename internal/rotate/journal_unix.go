//go:build unix

package rotate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// lockFile keeps every other process out until the file is closed or the process ends.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrBusy
	}
	if err != nil {
		return fmt.Errorf("lock the journal: %w", err)
	}
	return nil
}

func isCrossDevice(err error) bool { return errors.Is(err, syscall.EXDEV) }

// sameOwner gives a file the owner that info has. Another user's file cannot be
// replaced without becoming this user's: that is refused.
func sameOwner(name string, info fs.FileInfo) error {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(st.Uid) == os.Geteuid() && int(st.Gid) == os.Getegid() {
		return nil
	}
	err := os.Lchown(name, int(st.Uid), int(st.Gid))
	if err != nil && int(st.Uid) == os.Geteuid() {
		return nil // a group that this user is not in any more
	}
	return err
}
