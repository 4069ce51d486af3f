package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/sealward/sealward/internal/repo"
)

// maxBlobs is how many contents one change may cost a call each.
const maxBlobs = 400

// fetcher fetches contents of one repository by their names, within a budget of calls.
type fetcher struct {
	c     *Client
	name  Name
	store *store
	left  int
}

// fetch fills the store with the contents of entries, a call each, and notes why
// where it cannot.
func (f *fetcher) fetch(ctx context.Context, entries []repo.Entry) error {
	var todo []repo.Entry
	asked := map[string]bool{}
	for _, e := range entries {
		switch {
		case asked[e.ID] || f.store.has(e.ID):
		case e.Size > maxFile:
			f.store.lose(e.ID, fmt.Errorf("its %d MB are more than the %d MB that are read of one file", e.Size>>20, maxFile>>20))
		default:
			asked[e.ID] = true
			todo = append(todo, e)
		}
	}
	todo = f.packed(ctx, todo)
	slices.SortFunc(todo, func(a, b repo.Entry) int { return int(min(max(a.Size-b.Size, -1), 1)) })
	if len(todo) > f.left {
		for _, e := range todo[f.left:] {
			f.store.lose(e.ID, fmt.Errorf("more than %d files would each have cost a call", maxBlobs))
		}
		todo = todo[:f.left]
	}
	f.left -= len(todo)
	return each(ctx, len(todo), func(ctx context.Context, i int) error {
		err := f.one(ctx, todo[i])
		if err != nil {
			f.store.lose(todo[i].ID, err)
		}
		return ctx.Err()
	})
}

// fewBlobs is how many contents are cheaper to ask for one by one.
const fewBlobs = 8

// packed fetches many contents in one call to git, and returns those that it did
// not bring.
func (f *fetcher) packed(ctx context.Context, todo []repo.Entry) []repo.Entry {
	if len(todo) <= fewBlobs {
		return todo
	}
	for batch := range slices.Chunk(todo, 5000) {
		var wants []string
		for _, e := range batch {
			wants = append(wants, e.ID)
		}
		objects, err := f.c.gitFetch(ctx, f.name, wants, nil)
		if err != nil {
			break // the API has them too, for a number of calls
		}
		for id, o := range objects {
			if o.kind == blobObject {
				f.store.put(id, o.data)
			}
		}
	}
	return slices.DeleteFunc(todo, func(e repo.Entry) bool { return f.store.has(e.ID) })
}

func (f *fetcher) one(ctx context.Context, e repo.Entry) error {
	const op = "git/get-blob"
	req, err := f.c.api.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/git/blobs/%s", f.name.Owner, f.name.Repo, e.ID), nil)
	if err != nil {
		return apiError(op, err)
	}
	req.Header.Set("Accept", "application/vnd.github.raw+json")
	resp, err := f.c.auth.RoundTrip(req.WithContext(named(ctx, op)))
	if err != nil {
		return apiError(op, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, peekLimit))
		return &APIError{op, resp.StatusCode, http.StatusText(resp.StatusCode)}
	}
	head, whole, err := readAll(resp.Body, sniffed-1)
	if err == nil && isBinary(head) {
		f.store.putBinary(e.ID, head) // the rest is not worth its way
		return nil
	}
	data := head
	if err == nil && !whole {
		data, whole, err = readAll(io.MultiReader(bytes.NewReader(head), resp.Body), maxFile)
	}
	switch {
	case err != nil:
		return apiError(op, err)
	case !whole || !f.store.put(e.ID, data):
		return errors.New("what came back is not the content that was asked for")
	}
	return nil
}
