package github

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/sealward/sealward/internal/repo"
)

// tarballURL asks where a commit's tarball is. The answer holds a token of its own.
func (c *Client) tarballURL(ctx context.Context, n Name, commit string) (string, error) {
	const op = "repos/download-tarball-archive"
	req, err := c.api.NewRequest(http.MethodGet, fmt.Sprintf("repos/%s/%s/tarball/%s", n.Owner, n.Repo, commit), nil)
	if err != nil {
		return "", apiError(op, err)
	}
	for range 3 { // a renamed repository answers with another address of the API first
		resp, err := c.auth.RoundTrip(req.WithContext(named(ctx, op)))
		if err != nil {
			return "", apiError(op, err)
		}
		drain(resp)
		to, err := resp.Location()
		switch {
		case resp.StatusCode == http.StatusFound && err == nil:
			return to.String(), nil
		case resp.StatusCode/100 == 3 && err == nil && to.Host == c.base.Host:
			req.URL = to
		default:
			return "", &APIError{op, resp.StatusCode, http.StatusText(resp.StatusCode)}
		}
	}
	return "", &APIError{op, http.StatusLoopDetected, "too many redirects"}
}

// errTarball is a tarball that could not be read to its end.
var errTarball = errors.New("the tarball could not be read")

// readTarball streams a tarball and keeps of it the files that want names, by path.
// It is a source of contents and nothing more: the tree says what there is, and a
// content that is not the tree's is dropped (export-subst in .gitattributes changes
// files on their way into a tarball, and export-ignore leaves them out).
func (c *Client) readTarball(ctx context.Context, url string, want map[string]repo.Entry, into *store) error {
	ctx = context.WithValue(named(ctx, "codeload"), slowKey{}, true)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return errTarball
	}
	resp, err := c.plain.RoundTrip(req)
	if err != nil {
		return apiError("codeload", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &APIError{"codeload", resp.StatusCode, http.StatusText(resp.StatusCode)}
	}
	zr, err := gzip.NewReader(resp.Body)
	if err != nil {
		return errTarball
	}
	return unpack(io.LimitReader(zr, maxBytes), want, into)
}

func unpack(r io.Reader, want map[string]repo.Entry, into *store) error {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return errTarball
		}
		_, path, _ := strings.Cut(h.Name, "/")
		e, ok := want[path]
		if !ok || h.Typeflag != tar.TypeReg || h.Size != e.Size || into.has(e.ID) {
			continue
		}
		if data, err := content(tr, h.Size); err != nil {
			return errTarball
		} else if h.Size <= maxFile {
			into.put(e.ID, data)
		} else if isBinary(data) {
			into.putBinary(e.ID, data)
		}
	}
}

// content reads a file, or of one that is too large what tells whether it is binary.
func content(r io.Reader, size int64) ([]byte, error) {
	if size > maxFile {
		size = sniffed
	}
	data := make([]byte, size)
	_, err := io.ReadFull(r, data)
	return data, err
}
