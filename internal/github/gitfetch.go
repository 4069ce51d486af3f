package github

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// gitURL is where a repository is cloned from: github.com beside api.github.com,
// and the host itself of an Enterprise Server.
func (c *Client) gitURL(n Name) string {
	host := strings.TrimPrefix(c.base.Host, "api.")
	return c.base.Scheme + "://" + host + "/" + n.String() + ".git"
}

// gitFetch gets objects as git does, by the wanted ones' names, without those that
// haves reach: one call for any number, where the API would take one for each. A
// content that is too large to be read is left out.
func (c *Client) gitFetch(ctx context.Context, n Name, wants, haves []string) (map[string]gitObject, error) {
	var body bytes.Buffer
	line := func(format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		fmt.Fprintf(&body, "%04x%s", len(text)+4, text)
	}
	line("command=fetch\n")
	line("agent=%s\n", c.opt.UserAgent)
	line("object-format=sha1\n")
	body.WriteString("0001") // what follows are the command's arguments
	line("no-progress\n")
	line("ofs-delta\n")
	line("filter blob:limit=%d\n", maxFile+1)
	for _, id := range wants {
		line("want %s\n", id)
	}
	for _, id := range haves {
		line("have %s\n", id)
	}
	line("done\n")
	body.WriteString("0000")

	const op = opGit
	ctx = context.WithValue(repeatable(ctx, op), slowKey{}, true)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.gitURL(n)+"/git-upload-pack", &body)
	if err != nil {
		return nil, apiError(op, err)
	}
	req.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	req.Header.Set("Accept", "application/x-git-upload-pack-result")
	req.Header.Set("Git-Protocol", "version=2")
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.SetBasicAuth("x-access-token", token)
	}
	resp, err := c.plain.RoundTrip(req)
	if err != nil {
		return nil, apiError(op, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		drain(resp)
		return nil, &APIError{op, resp.StatusCode, http.StatusText(resp.StatusCode)}
	}
	side := &sideband{r: bufio.NewReader(resp.Body)}
	if err := side.begin(); err != nil {
		return nil, err
	}
	return readPack(side)
}

var errGit = errors.New("git's answer is not well formed")

// sideband reads the pack out of git's answer, which mixes it with messages.
type sideband struct {
	r    *bufio.Reader
	rest []byte
}

// packet reads one packet; nil is one of the marks between sections.
func (s *sideband) packet() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(s.r, head[:]); err != nil {
		return nil, err
	}
	n, err := strconv.ParseUint(string(head[:]), 16, 32)
	switch {
	case err != nil || n == 3 || n > 65520:
		return nil, errGit
	case n < 4:
		return nil, nil
	}
	data := make([]byte, n-4)
	_, err = io.ReadFull(s.r, data)
	return data, err
}

// begin goes to where the pack begins.
func (s *sideband) begin() error {
	for {
		p, err := s.packet()
		switch {
		case err != nil:
			return errGit
		case bytes.HasPrefix(p, []byte("ERR ")):
			return errors.New("git refused to send the objects")
		case string(p) == "packfile\n":
			return nil
		}
	}
}

// Read reads of the pack.
func (s *sideband) Read(b []byte) (int, error) {
	for len(s.rest) == 0 {
		p, err := s.packet()
		switch {
		case err != nil:
			return 0, err
		case p == nil:
			return 0, io.EOF
		case len(p) > 0 && p[0] == 1:
			s.rest = p[1:]
		case len(p) > 0 && p[0] == 3:
			return 0, errors.New("git stopped sending the objects")
		}
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
