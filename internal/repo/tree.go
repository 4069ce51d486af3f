package repo

import "io/fs"

// Tree is a file system made of a listing and a way to read one regular file of it.
// read may be called from many goroutines, and what it returns belongs to the caller.
func Tree(entries []Entry, read func(Entry) ([]byte, error)) fs.FS {
	return newTreeFS(entries, func(_ int, e Entry) ([]byte, error) { return read(e) })
}
