package rotate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/sops"
)

// The bounds of what is read of a history: a search through all of a large one takes
// minutes, and a rotation must not wait for it.
const (
	maxHistory  = 30 * time.Second
	maxVersions = 20_000
)

// Past finds the values that any version of any file held, on any branch, while it was
// sealed for one of the keys. The note says why that may not be all, or is "".
func (t *Tree) Past(ctx context.Context, g *repo.Git, keys []sops.Recipient) (found []Exposed, note string, err error) {
	search, cancel := context.WithTimeout(ctx, maxHistory)
	defer cancel()
	found, note, err = t.past(search, g, keys)
	switch {
	case ctx.Err() != nil:
		return nil, "", context.Cause(ctx)
	case search.Err() != nil:
		return found, fmt.Sprintf("the history is long and was searched for %v only: more values than these may be exposed", maxHistory), nil
	case errors.Is(err, repo.ErrShallow):
		return found, "the clone is shallow: what older commits held is not among the exposed values (git fetch --unshallow)", nil
	}
	return found, note, err
}

func (t *Tree) past(ctx context.Context, g *repo.Git, keys []sops.Recipient) ([]Exposed, string, error) {
	paths, err := everHeld(ctx, g, keys)
	if err != nil && !errors.Is(err, repo.ErrShallow) {
		return nil, "", err
	}
	versions, more, err2 := g.Versions(ctx, paths, maxVersions)
	if err2 != nil {
		return nil, "", err2
	}
	note := ""
	if more {
		note = fmt.Sprintf("the history has more than %d versions of these files: more values than these may be exposed", maxVersions)
	}
	here := map[repo.Version]bool{} // what the tree itself holds, which is read already
	for _, s := range t.Sealed {
		here[repo.Version{Path: s.Path, ID: s.ID}] = true
	}
	versions = slices.DeleteFunc(versions, func(v repo.Version) bool { return here[v] })
	seen := map[Exposed]bool{}
	var found []Exposed
	err2 = g.Contents(ctx, versions, func(v repo.Version, data []byte, err error) error {
		if err != nil {
			note = fmt.Sprintf("a version of %s could not be read: more values than these may be exposed", v.Path)
			return ctx.Err()
		}
		if !bytes.Contains(data, []byte("ENC[")) {
			return nil
		}
		for _, e := range ExposedIn(v.Path, data, keys) {
			if !seen[e] {
				seen[e] = true
				found = append(found, e)
			}
		}
		return nil
	})
	return found, note, errors.Join(err, err2)
}

// everHeld are the paths that named any of the keys in any commit.
func everHeld(ctx context.Context, g *repo.Git, keys []sops.Recipient) ([]string, error) {
	var all []string
	var shallow error
	for _, r := range keys {
		text := r.ID
		if i := strings.IndexAny(text, "|+"); i > 0 && r.Kind == sops.KMS {
			text = text[:i] // a file has the parts of a KMS key apart
		}
		paths, err := g.EverHeld(ctx, text)
		if errors.Is(err, repo.ErrShallow) {
			shallow = err
		} else if err != nil {
			return nil, err
		}
		all = append(all, paths...)
	}
	slices.Sort(all)
	return slices.Compact(all), shallow
}
