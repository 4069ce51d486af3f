package review

import (
	"container/list"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// cacheBudget bounds what the cache keeps, in bytes as add counts them. A
	// repository of 2,000 ordinary files fits; a larger one is read as it is needed.
	cacheBudget = 64 << 20
	// parsedCost is about how many bytes a parsed file takes for one of its source.
	parsedCost = 10
)

// cache bounds the memory that files' contents take: least recently added goes first.
type cache struct {
	mu    sync.Mutex
	order *list.List // of *File, oldest first
	cost  map[*File]int
	total int
}

func newCache() *cache { return &cache{order: list.New(), cost: map[*File]int{}} }

// add counts cost for f, which holds its own lock, and evicts others where the
// budget is exceeded. They are evicted on another goroutine: f's lock is held, and
// so may theirs be. A nil cache counts nothing: its files are used once.
func (c *cache) add(f *File, cost int) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.cost[f]; !ok {
		c.order.PushBack(f)
	}
	c.cost[f] += cost
	c.total += cost
	var out []*File
	for c.total > cacheBudget && c.order.Len() > 1 {
		e := c.order.Front()
		old := e.Value.(*File)
		if old == f {
			c.order.MoveToBack(e)
			continue
		}
		c.order.Remove(e)
		c.total -= c.cost[old]
		delete(c.cost, old)
		out = append(out, old)
	}
	if len(out) > 0 {
		go func() {
			for _, old := range out {
				old.evict()
			}
		}()
	}
}

// parallel calls f(0) to f(n-1) on all processors and returns when all are done.
func parallel(n int, f func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	wg.Wait()
}
