package github

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"github.com/sealward/sealward/internal/repo"
)

// The bounds of what is kept in memory of a repository.
const (
	maxFile  = 16 << 20  // bytes; a larger file is not read, as the review would not read it
	maxKept  = 768 << 20 // bytes of all files together
	sniffed  = 8000      // bytes in which a NUL makes a file binary; git's own rule
	maxBytes = 8 << 30   // bytes of a tarball, unpacked
)

// blobID is the name that git gives to a content.
func blobID(data []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// store keeps contents by git's name for them: a content is the same wherever it
// came from, and what does not have that name does not get in.
type store struct {
	mu   sync.RWMutex
	data map[string][]byte
	why  map[string]error // of contents that will not be had
	kept int64
}

func newStore() *store { return &store{data: map[string][]byte{}, why: map[string]error{}} }

// put keeps a content if id is its name. Of a binary file only the part is kept
// that shows it to be binary: nothing reads further.
func (s *store) put(id string, data []byte) bool {
	if blobID(data) != id {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.data[id]; known {
		return true
	}
	if isBinary(data) {
		data = bytes.Clone(data[:min(len(data), sniffed)])
	}
	if s.kept+int64(len(data)) > maxKept {
		s.why[id] = fmt.Errorf("the repository's text is more than the %d MB that are kept of it", maxKept>>20)
		return true
	}
	s.kept += int64(len(data))
	s.data[id] = data
	return true
}

// putBinary keeps the beginning of a content that shows it to be binary.
func (s *store) putBinary(id string, head []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.data[id]; !known {
		s.data[id] = bytes.Clone(head[:min(len(head), sniffed)])
	}
}

// lose notes why a content will not be had.
func (s *store) lose(id string, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.data[id]; !known {
		s.why[id] = why
	}
}

// get returns a content. Nobody may change it.
func (s *store) get(id string) ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if data, ok := s.data[id]; ok {
		return data, nil
	}
	if err := s.why[id]; err != nil {
		return nil, err
	}
	return nil, errNotFetched
}

var errNotFetched = fmt.Errorf("its content was not fetched")

// has says whether the fate of a content is known.
func (s *store) has(id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, there := s.data[id]
	return there || s.why[id] != nil
}

// text returns a content that is whole: there, and not binary.
func (s *store) text(id string) ([]byte, bool) {
	data, err := s.get(id)
	return data, err == nil && !isBinary(data)
}

// snapshotOf is a file system of what a tree names, with contents from a store.
func snapshotOf(entries map[string]repo.Entry, s *store) fs.FS {
	return repo.Tree(slices.Collect(maps.Values(entries)), func(e repo.Entry) ([]byte, error) {
		data, err := s.get(e.ID)
		return bytes.Clone(data), err
	})
}

// isBinary is the review's own test: a NUL early on, unless it is UTF-16.
func isBinary(data []byte) bool {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return false
	}
	return bytes.IndexByte(data[:min(len(data), sniffed)], 0) >= 0
}

// readAll reads at most n bytes and reports false where there are more.
func readAll(r io.Reader, n int64) ([]byte, bool, error) {
	data, err := io.ReadAll(io.LimitReader(r, n+1))
	return data, int64(len(data)) <= n, err
}
