package review

import (
	"container/list"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// cacheBudget bounds what the cache keeps, in bytes as add counts them. A
	// repository of a thousand ordinary files fits; a larger one is read as it is needed.
	// More costs more than it saves: the garbage collector walks all of it.
	cacheBudget = 16 << 20
	// leafCost is about how many bytes a leaf of a parsed file takes, its path included.
	leafCost = 300
)

// cache bounds the memory that files' contents take: least recently added goes first.
type cache struct {
	mu    sync.Mutex
	order *list.List // of *cached, oldest first
	at    map[*File]*list.Element
	total int
}

// cached is what one file costs.
type cached struct {
	file *File
	cost int
}

func newCache() *cache { return &cache{order: list.New(), at: map[*File]*list.Element{}} }

// add counts cost for f, which holds its own lock, and evicts others where the
// budget is exceeded. They are evicted on another goroutine: f's lock is held, and
// so may theirs be. A nil cache counts nothing: its files are used once.
func (c *cache) add(f *File, cost int) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.at[f]
	if !ok {
		e = c.order.PushBack(&cached{file: f})
		c.at[f] = e
	}
	e.Value.(*cached).cost += cost
	c.total += cost
	var out []*File
	for c.total > cacheBudget && c.order.Len() > 1 {
		front := c.order.Front()
		if front == e {
			c.order.MoveToBack(e)
			continue
		}
		out = append(out, c.forget(front))
	}
	if len(out) > 0 {
		go func() {
			for _, old := range out {
				old.evict()
			}
		}()
	}
}

// forget takes an element out; c.mu is held.
func (c *cache) forget(e *list.Element) *File {
	old := c.order.Remove(e).(*cached)
	c.total -= old.cost
	delete(c.at, old.file)
	return old.file
}

// drop evicts a file now that is not likely to be asked for again.
func (c *cache) drop(f *File) {
	c.mu.Lock()
	if e, ok := c.at[f]; ok {
		c.forget(e)
	}
	c.mu.Unlock()
	f.evict()
}

// workers is how many goroutines parallel uses for n calls.
func workers(n int) int { return min(runtime.GOMAXPROCS(0), n) }

// parallel calls f for 0 to n-1 on all processors and returns when all are done; it
// tells f which of the workers calls.
func parallel(n int, f func(worker, i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for worker := range workers(n) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(worker, i)
			}
		})
	}
	wg.Wait()
}
