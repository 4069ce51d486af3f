package repo

import (
	"errors"
	"io/fs"
	"syscall"
	"time"
)

// sameInode reports whether a file is the one that git saw: the change time, unlike
// the modification time, is set by nobody. A file system without inodes has 0.
func sameInode(info fs.FileInfo, ctime time.Time, ino uint32) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	sec, nsec := st.Ctim.Unix()
	return ctime.Equal(time.Unix(sec, nsec)) && (ino == 0 || ino == uint32(st.Ino))
}

func isNotDir(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
