//go:build unix

package keyring

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

const nonBlock = syscall.O_NONBLOCK

// ours reports whether a file belongs to this user or to root; to root all do.
func ours(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return !ok || st.Uid == 0 || os.Geteuid() == 0 || int(st.Uid) == os.Geteuid()
}

// lock keeps every other keyring out of a directory until unlock is called or the
// process ends. The directory itself is locked: a lock on a file that is replaced
// would be a lock on the old one.
func lock(ctx context.Context, dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("write keyring: %w", err)
	}
	for {
		err = syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = d.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("write keyring: lock %s: %w", dir, err), d.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("write keyring: another process holds the lock of %s: %w", dir, ctx.Err()), d.Close())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// likeOld gives a new file the owner of the one that it replaces, where this process
// may: root must not take a key away from the service that reads it.
func likeOld(tmp *os.File, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil // nothing to replace
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(st.Uid) == os.Geteuid() && int(st.Gid) == os.Getegid() || os.Geteuid() != 0 {
		return nil
	}
	return tmp.Chown(int(st.Uid), int(st.Gid))
}
