package rotate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/sealward/sealward/internal/sops"
)

// Result is a file that was sealed anew.
type Result struct {
	Path     string
	Old, New []byte // both sealed
	Way      string // how it was written; see [sops.Resealed]
}

// Outcome is what came of sealing a plan's files.
type Outcome struct {
	Sealed     []string // paths, sorted
	Refused    []Skip   // sorted by path
	NotRotated []NotRotated
	Ways       map[string]int // files by the way in which they were written
}

// Seal sends the plan's files through the sealer, several at once, and hands each result
// to keep, one at a time. A file that the sealer refuses is no error: it is in the
// outcome, and keep never sees it. progress may be nil.
func (p *Plan) Seal(ctx context.Context, fsys fs.FS, s Sealer, keep func(Result) error, progress func(done, total int)) (*Outcome, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &sealing{plan: p, fsys: fsys, sealer: s, keep: keep, progress: progress, out: &Outcome{Ways: map[string]int{}}}
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), max(1, len(p.Files))) {
		wg.Go(func() {
			for ctx.Err() == nil && w.one(ctx, cancel) {
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	slices.Sort(w.out.Sealed)
	slices.SortFunc(w.out.Refused, func(a, b Skip) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(w.out.NotRotated, func(a, b NotRotated) int { return strings.Compare(a.Path, b.Path) })
	return w.out, nil
}

// sealing is the state that the workers share.
type sealing struct {
	plan     *Plan
	fsys     fs.FS
	sealer   Sealer
	keep     func(Result) error
	progress func(done, total int)

	mu         sync.Mutex
	next, done int
	out        *Outcome
}

// one deals with the next file; it is false where there is none.
func (w *sealing) one(ctx context.Context, cancel context.CancelCauseFunc) bool {
	w.mu.Lock()
	i := w.next
	w.next++
	w.mu.Unlock()
	if i >= len(w.plan.Files) {
		return false
	}
	f := w.plan.Files[i]
	old, err := fs.ReadFile(w.fsys, f.Path)
	if err != nil {
		cancel(fmt.Errorf("read %q: %w", f.Path, cause(err)))
		return false
	}
	got, err := reseal(ctx, w.sealer, f, old)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done++
	if w.progress != nil {
		w.progress(w.done, len(w.plan.Files))
	}
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		w.out.Refused = append(w.out.Refused, Skip{f.Path, strings.TrimPrefix(err.Error(), fmt.Sprintf("re-seal %q: ", f.Path))})
		return true
	}
	if err := w.keep(Result{f.Path, old, got.Data, got.Way}); err != nil {
		cancel(err)
		return false
	}
	w.out.Sealed = append(w.out.Sealed, f.Path)
	w.out.Ways[got.Way]++
	if len(got.NotRotated) > 0 {
		w.out.NotRotated = append(w.out.NotRotated, NotRotated{f.Path, got.NotRotated})
	}
	return true
}

var errPanic = errors.New("the sealer broke off, and the file was left as it is; please report the file's layout, without its values")

// reseal keeps a panic of what reads the file from ending the program: its text could
// hold what the file holds.
func reseal(ctx context.Context, s Sealer, f Reseal, old []byte) (got sops.Resealed, err error) {
	defer func() {
		if recover() != nil {
			got, err = sops.Resealed{}, errPanic
		}
	}()
	return s.Reseal(ctx, f.Path, old, f.Rekey())
}
