package repo

import (
	"context"
	"sync"
)

const (
	aheadFiles = 60        // asked for at once, at most: their ids fit into the smallest pipe
	aheadBytes = 1 << 20   // of them together, about
	aheadOne   = 128 << 10 // of each: a larger one is worth a question of its own
	aheadKept  = 1024      // read and not fetched, at most: then they are forgotten
)

// ahead reads the files of a commit. Who reads many of them in order waits for one
// answer of git in a hundred: the others were asked for together.
type ahead struct {
	ctx     context.Context
	blobs   *blobs
	entries []Entry

	mu      sync.Mutex
	last    int // the furthest index of late
	inOrder int // how many questions went on from there
	pending map[int]*batch
}

// batch is what one question to git brings.
type batch struct {
	done chan struct{} // closed when data and errs are there
	data map[int][]byte
	errs map[int]error
}

// read returns the i-th entry's content.
func (a *ahead) read(i int, _ Entry) ([]byte, error) {
	a.mu.Lock()
	if b := a.pending[i]; b != nil {
		delete(a.pending, i)
		a.last = max(a.last, i)
		a.mu.Unlock()
		<-b.done
		return b.data[i], b.errs[i] // the map is not written any more
	}
	more := a.guess(i)
	if len(more) == 1 {
		a.mu.Unlock()
		return a.blobs.one(a.ctx, a.entries[i].ID)
	}
	b := a.promise(more)
	a.mu.Unlock()
	a.fetch(b, more)
	return b.data[i], b.errs[i]
}

// guess returns i and what will probably be asked for next. Readers that work in
// parallel ask nearly in order.
func (a *ahead) guess(i int) []int {
	const near = 16
	if i > a.last-near && i <= a.last+near {
		a.inOrder++
	} else {
		a.inOrder = 0
	}
	a.last = i
	more := []int{i}
	total := a.entries[i].Size
	for j := i + 1; j < len(a.entries) && len(more) < min(a.inOrder, aheadFiles) && total < aheadBytes; j++ {
		e := a.entries[j]
		if !e.Mode.IsRegular() || e.Size > aheadOne || a.pending[j] != nil {
			continue
		}
		total += e.Size
		more = append(more, j)
	}
	return more
}

// promise notes that what is asked for is on its way; the first is for the caller.
func (a *ahead) promise(more []int) *batch {
	b := &batch{done: make(chan struct{}), data: make(map[int][]byte, len(more)), errs: map[int]error{}}
	if a.pending == nil || len(a.pending) > aheadKept {
		a.pending = map[int]*batch{}
	}
	for _, j := range more[1:] {
		a.pending[j] = b
	}
	return b
}

func (a *ahead) fetch(b *batch, more []int) {
	defer close(b.done)
	ids := make([]string, len(more))
	for n, j := range more {
		ids[n] = a.entries[j].ID
	}
	data, errs := a.blobs.read(a.ctx, ids...)
	for n, j := range more {
		b.data[j] = data[n]
		if errs[n] != nil {
			b.errs[j] = errs[n]
		}
	}
}
