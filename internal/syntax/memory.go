package syntax

// Memory is what a reader of many files parses into again and again. The zero Memory
// is ready; it serves one goroutine.
type Memory struct {
	leaves []Leaf
	arena  []Step
	used   int // of leaves
}

// keptLeaves is how many leaves a Memory keeps room for, and keptSteps how many steps
// of their paths.
const (
	keptLeaves = 8 << 10
	keptSteps  = 4 * keptLeaves
)

// Parse is [Parse], but that the file's Leaves and their Paths are valid until the
// next call alone. Strings may be kept. A nil Memory makes a file that may be kept.
func (m *Memory) Parse(name string, data []byte) *File {
	m.reset()
	return m.parse(name, data)
}

// ParseAs is [ParseAs] as Parse is [Parse].
func (m *Memory) ParseAs(name string, data []byte, f Format) *File {
	m.reset()
	return m.parseAs(name, data, f)
}

// reset forgets the file before. Its leaves are cleared: they hold on to its text,
// and who adds a leaf counts on it.
func (m *Memory) reset() {
	if m == nil {
		return
	}
	clear(m.leaves[:m.used])
	clear(m.arena)
	m.leaves, m.arena, m.used = m.leaves[:0], m.arena[:0], 0
}

// keep takes the memory of a file that was read back for the next one.
func (m *Memory) keep(b *build) {
	if n := cap(b.file.Leaves); n >= cap(m.leaves) && n <= keptLeaves {
		m.leaves = b.file.Leaves
	}
	m.used = min(len(b.file.Leaves), cap(m.leaves)) // also where the file outgrew it
	if n := cap(b.arena); n >= cap(m.arena) && n <= keptSteps {
		m.arena = b.arena
	}
}
