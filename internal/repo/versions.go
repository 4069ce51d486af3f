package repo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Dir is the repository's own directory: .git, or what a linked work tree has instead.
func (g *Git) Dir() string { return g.gitDir }

// Version is a file's content at some time.
type Version struct {
	Path string
	ID   string // names the content
}

// The bounds of what is asked of git at once.
const (
	maxPathspecs     = 1000
	maxPathspecBytes = 100_000
)

// Versions returns every content that the paths had in any commit of any branch, each
// once, sorted by path: at most limit of them, and then more is true.
func (g *Git) Versions(ctx context.Context, paths []string, limit int) (versions []Version, more bool, err error) {
	if len(paths) == 0 {
		return nil, false, nil
	}
	specs := pathspecs(paths)
	ids, err := g.run(ctx, nil, slices.Concat([]string{"rev-list", "--all", "--full-history", "--"}, specs)...)
	if err != nil || len(ids) == 0 {
		return nil, false, err
	}
	wanted := make(map[string]bool, len(paths))
	for _, p := range paths {
		wanted[p] = true
	}
	v := versionReader{wanted: wanted, limit: limit, seen: map[Version]bool{}}
	args := []string{"diff-tree", "--stdin", "-r", "-z", "-m", "--root", "--no-commit-id", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--"}
	if err := g.stream(ctx, string(ids), v.read, append(args, specs...)...); err != nil {
		return nil, false, err
	}
	slices.SortFunc(v.versions, func(a, b Version) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return v.versions, v.more, nil
}

// pathspecs are the paths as git takes them literally; none where they are too many for
// a command line, which then is told everything.
func pathspecs(paths []string) []string {
	size := 0
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = ":(top,literal)" + p
		size += len(out[i])
	}
	if len(paths) > maxPathspecs || size > maxPathspecBytes {
		return nil
	}
	return out
}

type versionReader struct {
	wanted   map[string]bool
	limit    int
	seen     map[Version]bool
	versions []Version
	more     bool
}

func (v *versionReader) read(r *bufio.Reader) error {
	for {
		head, err := r.ReadString(0)
		if errors.Is(err, io.EOF) && head == "" {
			return nil
		}
		p, err2 := r.ReadString(0)
		if err != nil || err2 != nil || !strings.HasPrefix(head, ":") {
			return fmt.Errorf("git diff-tree: %w", errAnswer)
		}
		c, isFile, err := rawChange(strings.TrimSuffix(head, "\x00"), strings.TrimSuffix(p, "\x00"))
		if err != nil {
			return err
		}
		at := Version{c.Path, c.ID}
		switch {
		case !isFile, c.ID == "", !v.wanted[c.Path], v.seen[at]:
		case len(v.versions) == v.limit:
			v.more = true
		default:
			v.seen[at] = true
			v.versions = append(v.versions, at)
		}
	}
}

// Contents calls visit with the content of each version, in order; err says why one
// cannot be read. It stops at the first error of visit.
func (g *Git) Contents(ctx context.Context, versions []Version, visit func(v Version, data []byte, err error) error) error {
	for batch := range slices.Chunk(versions, aheadFiles) {
		ids := make([]string, len(batch))
		for i, v := range batch {
			ids[i] = v.ID
		}
		data, errs := g.blobs.read(ctx, ids...)
		for i, v := range batch {
			if err := visit(v, data[i], errs[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
