package repo

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1" // for the ids of git, which secure nothing here
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

var (
	errNoBlob = errors.New("the object is missing or damaged in this clone: git fsck tells more; a partial clone lacks objects, clone without --filter")
	errClosed = errors.New("the repository was closed")
)

// blobID is git's id of a content, in the format that like has.
func blobID(data []byte, like string) string {
	head := "blob " + strconv.Itoa(len(data)) + "\x00"
	h := sha1.New()
	if len(like) == hex.EncodedLen(sha256.Size) {
		h = sha256.New()
	}
	h.Write([]byte(head))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// maxReaders bounds the git processes that read blobs at the same time.
const maxReaders = 8

// blobs reads blobs by a pool of git processes.
type blobs struct {
	git *Git

	once   sync.Once
	turn   chan struct{} // one per reader in use
	mu     sync.Mutex
	idle   []*blobReader
	closed bool
}

// read returns the contents of blobs, in order, with the error of each. They are asked
// for all at once; where git gives up at one of them, those behind it are asked for
// again.
func (b *blobs) read(ctx context.Context, ids ...string) ([][]byte, []error) {
	data, errs := make([][]byte, len(ids)), make([]error, len(ids))
	for at := 0; at < len(ids); {
		n, err := b.readSome(ctx, ids[at:], data[at:], errs[at:])
		at += n
		if err == nil {
			continue
		}
		for ; at < len(ids); at++ {
			errs[at] = err
		}
	}
	return data, errs
}

// readSome reads blobs until git gives up, and returns how many it dealt with. It
// errors where there is no sense in going on.
func (b *blobs) readSome(ctx context.Context, ids []string, data [][]byte, errs []error) (int, error) {
	r, err := b.take(ctx)
	if err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, r.kill)
	n, broken := r.readAll(ids, data, errs)
	if !stop() || ctx.Err() != nil {
		b.give(r, false)
		return max(0, n-1), context.Cause(ctx)
	}
	b.give(r, !broken)
	return n, nil
}

// one reads one blob.
func (b *blobs) one(ctx context.Context, id string) ([]byte, error) {
	data, errs := b.read(ctx, id)
	return data[0], errs[0]
}

func (b *blobs) take(ctx context.Context) (*blobReader, error) {
	b.once.Do(func() { b.turn = make(chan struct{}, maxReaders) })
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		<-b.turn
		return nil, errClosed
	}
	if n := len(b.idle); n > 0 {
		r := b.idle[n-1]
		b.idle = b.idle[:n-1]
		b.mu.Unlock()
		return r, nil
	}
	b.mu.Unlock()
	r, err := b.git.startReader(ctx)
	if err != nil {
		<-b.turn
	}
	return r, err
}

func (b *blobs) give(r *blobReader, sound bool) {
	b.mu.Lock()
	if sound && !b.closed {
		b.idle = append(b.idle, r)
		r = nil
	}
	b.mu.Unlock()
	if r != nil {
		r.stop()
	}
	<-b.turn
}

// rest ends the processes that are idle; others are started when they are needed.
func (b *blobs) rest() {
	b.mu.Lock()
	idle := b.idle
	b.idle = nil
	b.mu.Unlock()
	for _, r := range idle {
		r.stop()
	}
}

func (b *blobs) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.rest()
}

// blobReader is one "git cat-file --batch". It is used by one caller at a time.
type blobReader struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	errs firstBytes
}

// startReader starts a reader that outlives ctx: another caller may take it over.
func (g *Git) startReader(ctx context.Context) (*blobReader, error) {
	r := &blobReader{cmd: g.command(context.WithoutCancel(ctx), "cat-file", "--batch")}
	r.cmd.Stderr = &r.errs
	var err error
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("git cat-file: %w", err)
	}
	r.out = bufio.NewReaderSize(out, 64<<10)
	if err := r.cmd.Start(); err != nil {
		return nil, gitError(ctx, "cat-file", err, "")
	}
	return r, nil
}

// brokenError is a reader that cannot be asked again.
type brokenError struct{ err error }

func (e *brokenError) Error() string { return "git cat-file: " + e.err.Error() }
func (e *brokenError) Unwrap() error { return e.err }

// readAll asks for blobs and reads the answers, in order. It returns how many it has,
// the one that broke the reader included. All ids of one call must fit into a pipe, or
// both sides wait for each other.
func (r *blobReader) readAll(ids []string, data [][]byte, errs []error) (n int, broken bool) {
	_, err := io.WriteString(r.in, strings.Join(ids, "\n")+"\n")
	if err != nil {
		errs[0] = r.broken(err)
		return 1, true
	}
	for i := range ids {
		data[i], errs[i] = r.answer()
		var b *brokenError
		if errors.As(errs[i], &b) {
			return i + 1, true
		}
	}
	return len(ids), false
}

// answer reads the next blob.
func (r *blobReader) answer() ([]byte, error) {
	head, err := r.out.ReadSlice('\n')
	if err != nil {
		return nil, r.broken(err)
	}
	f := bytes.Fields(head) // id type size, or id missing
	if len(f) != 3 {
		return nil, errNoBlob
	}
	size, err := strconv.Atoi(string(f[2]))
	kind := string(f[1])
	if err != nil || size < 0 {
		return nil, r.broken(errors.New("its answer was not understood"))
	}
	if size > maxRead || kind != "blob" {
		if _, err := io.CopyN(io.Discard, r.out, int64(size)+1); err != nil {
			return nil, r.broken(err)
		}
		if kind != "blob" {
			return nil, fmt.Errorf("it is a %s and no file", kind)
		}
		return nil, errTooBig
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(r.out, data); err != nil {
		return nil, r.broken(err)
	}
	if _, err := r.out.Discard(1); err != nil { // the line break behind it
		return nil, r.broken(err)
	}
	return data, nil
}

// broken ends the process, and tells what it said before it ended by itself.
func (r *blobReader) broken(err error) error {
	r.stop()
	switch said := verdict(r.errs.String()); {
	case strings.Contains(said, "promisor remote"):
		err = errNoBlob
	case said != "":
		err = errors.New(said)
	}
	return &brokenError{err}
}

func (r *blobReader) kill() { _ = r.cmd.Process.Kill() } // it may have ended by itself

// stop ends the process, whatever it is writing. It may be called twice.
func (r *blobReader) stop() {
	r.in.Close()
	r.kill()
	_ = r.cmd.Wait() // which says that it was killed
}
