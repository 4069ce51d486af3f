package rotate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Written is what a journal did to the tree.
type Written struct {
	Files int
	Left  []Skip // changed by somebody else in between, and left alone
}

const changedSince = "it was changed by somebody else in between, and is left as it is; rotate again"

// Finish brings a committed rotation to its end, or an interrupted one; undo brings back
// what was there before it. What somebody else has changed in between stays.
func (j *Journal) Finish(undo bool) (Written, error) {
	m, err := readManifest(j.dir)
	if m == nil || err != nil {
		return Written{}, err
	}
	if undo && !m.Undo {
		m.Undo = true // whoever comes after a kill goes on undoing
		if err := j.writeManifest(m); err != nil {
			return Written{}, err
		}
	}
	var w Written
	dirs := map[string]bool{}
	for i, f := range m.Files {
		changed, err := j.move(m, i)
		switch {
		case errors.Is(err, errChanged):
			w.Left = append(w.Left, Skip{f.Path, changedSince})
		case err != nil:
			return w, fmt.Errorf("write %q: %w; mend that and run the command again, which goes on from here, or undo with --undo", f.Path, err)
		case changed:
			w.Files++
			dirs[filepath.Dir(filepath.Join(j.root, filepath.FromSlash(f.Path)))] = true
		}
	}
	for dir := range dirs {
		if err := syncDir(dir); err != nil {
			return w, fmt.Errorf("write %q: %w", dir, err)
		}
	}
	if err := os.Remove(manifestPath(j.dir)); err != nil {
		return w, fmt.Errorf("close the journal: %w", err)
	}
	return w, errors.Join(syncDir(j.dir), j.clear())
}

var errChanged = errors.New("changed in between")

// move gives one file the content that the manifest wants; it is false where the file
// has it already.
func (j *Journal) move(m *manifest, i int) (bool, error) {
	f := m.Files[i]
	from, want, source := f.Old, f.New, j.path("new", i)
	if m.Undo {
		from, want, source = f.New, f.Old, j.path("old", i)
	}
	now, err := j.hashNow(f.Path)
	switch {
	case err != nil:
		return false, err
	case now == want:
		return false, nil
	case now != from:
		return false, errChanged
	}
	target, err := j.target(f.Path)
	if err != nil {
		return false, err
	}
	if want == "" {
		return true, os.Remove(target)
	}
	if from == "" {
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return false, err
		}
	}
	return true, rename(source, target)
}

// rename puts source in target's place. Where they are on different file systems it
// goes by a copy beside the target.
func rename(source, target string) error {
	err := os.Rename(source, target)
	if err == nil || !isCrossDevice(err) {
		return err
	}
	data, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	tmp := filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".rotation.tmp")
	if err := removeIf(tmp); err != nil {
		return err
	}
	if err := errors.Join(copyTo(tmp, source, data), os.Rename(tmp, target)); err != nil {
		return errors.Join(err, removeIf(tmp))
	}
	return nil
}
