package github

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	gh "github.com/google/go-github/v62/github"
	"github.com/sealward/sealward/internal/repo"
)

// treeBytes is how much text one call for a tree carries.
const treeBytes = 10 << 20

// makeTree writes the tree of the base with the edits in it, text inline.
func (p *publishing) makeTree(ctx context.Context) (string, error) {
	c, _, err := p.c.api.Git.GetCommit(named(ctx, "git/get-commit"), p.name.Owner, p.name.Repo, p.p.Base)
	if err != nil {
		return "", apiError("git/get-commit", err)
	}
	tree := c.GetTree().GetSHA()
	base, err := p.c.newLister(p.name).list(ctx, tree)
	if err != nil {
		return "", err
	}
	if missing := base.incomplete(); len(missing) > 0 {
		return "", errors.New(missing[0])
	}
	var entries []*gh.TreeEntry
	for _, e := range p.p.Edits {
		entry, err := p.entry(ctx, e, base.files)
		if err != nil {
			return "", err
		}
		if entry != nil {
			entries = append(entries, entry)
		}
	}
	if len(entries) == 0 {
		return "", ErrNoChange
	}
	const op = "git/create-tree"
	for chunk := range chunks(entries) {
		t, _, err := p.c.api.Git.CreateTree(repeatable(ctx, op), p.name.Owner, p.name.Repo, tree, chunk)
		if err != nil {
			return "", apiError(op, err)
		}
		tree = t.GetSHA()
	}
	return tree, nil
}

// entry is one edit as an entry of a tree; nil where the base has it already.
func (p *publishing) entry(ctx context.Context, e repo.Edit, base map[string]repo.Entry) (*gh.TreeEntry, error) {
	was, exists := base[e.Path]
	mode := "100644"
	switch {
	case exists && !was.Mode.IsRegular():
		return nil, fmt.Errorf("%q is a symbolic link or a submodule, which is not edited", e.Path)
	case exists && was.Mode.Perm()&0o100 != 0:
		mode = "100755"
	}
	entry := &gh.TreeEntry{Path: &e.Path, Mode: &mode, Type: gh.String("blob")}
	switch {
	case e.Data == nil && !exists, e.Data != nil && exists && blobID(e.Data) == was.ID:
		return nil, nil
	case e.Data == nil:
		return entry, nil
	case utf8.Valid(e.Data):
		entry.Content = gh.String(string(e.Data))
		return entry, nil
	}
	const op = "git/create-blob"
	b, _, err := p.c.api.Git.CreateBlob(repeatable(ctx, op), p.name.Owner, p.name.Repo, &gh.Blob{
		Content: gh.String(base64.StdEncoding.EncodeToString(e.Data)), Encoding: gh.String("base64"),
	})
	entry.SHA = gh.String(b.GetSHA())
	return entry, apiError(op, err)
}

// chunks cuts entries into calls of a size that GitHub takes.
func chunks(entries []*gh.TreeEntry) func(func([]*gh.TreeEntry) bool) {
	return func(yield func([]*gh.TreeEntry) bool) {
		size, from := 0, 0
		for i, e := range entries {
			n := len(e.GetContent())
			if i > from && size+n > treeBytes {
				if !yield(slices.Clip(entries[from:i])) {
					return
				}
				size, from = 0, i
			}
			size += n
		}
		yield(slices.Clip(entries[from:]))
	}
}
