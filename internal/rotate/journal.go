package rotate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Journal lets a work tree be rewritten so that it may be interrupted at any moment: by
// a kill, a full disk, a power cut. New contents are gathered beside the tree first.
// One file, the manifest, then says that all are there; from then on the rotation can
// always be finished, or undone. Every file of the tree is replaced by a rename, so it
// is whole at every moment. Nothing but sealed files and files in clear that were so
// before is ever in the journal.
type Journal struct {
	root, dir string
	lock      *os.File
	staged    manifest
	index     map[string]int // of staged, by path
}

// manifest is the list of what a rotation writes.
type manifest struct {
	Version int
	Title   string // of the rotation, for people
	Key     string // of its request
	Undo    bool   // it is being undone
	Files   []staged
}

// staged is one file: its hashes before and after, both of what is not secret.
type staged struct {
	Path     string
	Old, New string
}

// Pending is a rotation that was interrupted.
type Pending struct {
	Title, Key string
	Undo       bool // while it was being undone
	Files      int
}

// ErrBusy is another process that writes the same tree.
var ErrBusy = errors.New("another rotation is at work in this tree; wait for it to end")

// OpenJournal opens the journal of the tree at root, which is kept in dir, and locks it
// until Close.
func OpenJournal(root, dir string) (*Journal, error) {
	info, err := os.Lstat(dir)
	if err == nil && !info.IsDir() {
		return nil, fmt.Errorf("open the journal: %s is no directory; move it away", dir)
	}
	f, err := lockIn(dir)
	if err != nil {
		return nil, err
	}
	return &Journal{root: root, dir: dir, lock: f, staged: manifest{Version: 1}}, nil
}

// lockIn takes the lock. Whoever closes a journal removes it: a lock on a file that is
// not there any more is none.
func lockIn(dir string) (*os.File, error) {
	name := filepath.Join(dir, "lock")
	for {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("open the journal: %w", err)
		}
		f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it was removed in this very moment
		}
		if err != nil {
			return nil, fmt.Errorf("open the journal: %w", err)
		}
		if err := lockFile(f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		here, err := f.Stat()
		there, err2 := os.Stat(name)
		if err == nil && err2 == nil && os.SameFile(here, there) {
			return f, nil
		}
		if err := f.Close(); err != nil {
			return nil, fmt.Errorf("open the journal: %w", err)
		}
	}
}

// Close gives the lock up. A journal with nothing in it leaves nothing behind.
func (j *Journal) Close() error {
	if _, err := os.Lstat(manifestPath(j.dir)); errors.Is(err, fs.ErrNotExist) {
		_ = j.clear()
		_ = os.Remove(filepath.Join(j.dir, "lock"))
		_ = os.Remove(j.dir) // other runs may have made it theirs
	}
	return j.lock.Close()
}

// PendingIn tells whether the journal in dir holds an interrupted rotation, without
// locking or changing anything. It is nil where there is none.
func PendingIn(dir string) (*Pending, error) {
	m, err := readManifest(dir)
	if m == nil || err != nil {
		return nil, err
	}
	return &Pending{m.Title, m.Key, m.Undo, len(m.Files)}, nil
}

func (j *Journal) path(kind string, i int) string {
	return filepath.Join(j.dir, kind, fmt.Sprintf("%06d", i))
}

func manifestPath(dir string) string { return filepath.Join(dir, "rotation.journal") }

func readManifest(dir string) (*manifest, error) {
	data, err := os.ReadFile(manifestPath(dir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil || m.Version != 1 {
		return nil, fmt.Errorf("read the journal: %s is damaged or of another version; the tree's files are whole, and %s holds the old ones", manifestPath(dir), filepath.Join(dir, "old"))
	}
	for _, f := range m.Files {
		if !fs.ValidPath(f.Path) {
			return nil, fmt.Errorf("read the journal: %s names a path outside of the tree", manifestPath(dir))
		}
	}
	return &m, nil
}

// Begin starts to gather a rotation. What an earlier one left that never got as far as
// its manifest is thrown away.
func (j *Journal) Begin(title, key string) error {
	if err := j.clear(); err != nil {
		return err
	}
	for _, kind := range []string{"old", "new"} {
		if err := os.Mkdir(filepath.Join(j.dir, kind), 0o700); err != nil {
			return fmt.Errorf("write the journal: %w", err)
		}
	}
	j.staged, j.index = manifest{Version: 1, Title: title, Key: key}, map[string]int{}
	return nil
}

func (j *Journal) clear() error {
	for _, kind := range []string{"old", "new"} {
		if err := os.RemoveAll(filepath.Join(j.dir, kind)); err != nil {
			return fmt.Errorf("clear the journal: %w", err)
		}
	}
	return nil
}

// Stage keeps what a file is to become. old is what it must still be then; nil stands
// for a file that does not exist yet.
func (j *Journal) Stage(path string, old, fresh []byte) error {
	i := len(j.staged.Files)
	target, err := j.target(path)
	if err != nil {
		return err
	}
	if err := j.stageNew(i, target, old == nil, fresh); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if old != nil {
		// The old file itself is kept where the file system can: no copy, and its owner,
		// mode and times come back with it.
		if err := os.Link(target, j.path("old", i)); err != nil {
			if err := copyTo(j.path("old", i), target, old); err != nil {
				return fmt.Errorf("write the journal: %w", err)
			}
		}
	}
	s := staged{Path: path, New: hashOf(fresh)}
	if old != nil {
		s.Old = hashOf(old)
	}
	j.index[path] = i
	j.staged.Files = append(j.staged.Files, s)
	return nil
}

func (j *Journal) stageNew(i int, target string, create bool, fresh []byte) error {
	if create {
		return writeFile(j.path("new", i), fresh, 0o644)
	}
	return copyTo(j.path("new", i), target, fresh)
}

// Staged returns what a file is to become, and nil for one that stays.
func (j *Journal) Staged(path string) ([]byte, error) {
	i, ok := j.index[path]
	if !ok {
		return nil, nil
	}
	return os.ReadFile(j.path("new", i))
}

// Commit makes the rotation one that will be finished: everything is on disk.
func (j *Journal) Commit() error {
	for _, kind := range []string{"old", "new"} {
		if err := syncDir(filepath.Join(j.dir, kind)); err != nil {
			return fmt.Errorf("write the journal: %w", err)
		}
	}
	return j.writeManifest(&j.staged)
}

func (j *Journal) writeManifest(m *manifest) error {
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	tmp := manifestPath(j.dir) + ".tmp"
	if err := errors.Join(removeIf(tmp), writeFile(tmp, data, 0o600)); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	if err := os.Rename(tmp, manifestPath(j.dir)); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return syncDir(j.dir)
}

// Check reports the files that are not what they were when they were staged.
func (j *Journal) Check() ([]Skip, error) {
	var out []Skip
	for _, f := range j.staged.Files {
		now, err := j.hashNow(f.Path)
		if err != nil {
			return nil, err
		}
		if now != f.Old {
			out = append(out, Skip{f.Path, changedSince})
		}
	}
	return out, nil
}

// Abandon throws away what was gathered and not committed.
func (j *Journal) Abandon() error { return j.clear() }
