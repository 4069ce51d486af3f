package review

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"reflect"
	"sync"
	"unicode/utf16"

	"github.com/sealward/sealward/internal/sops"
	"github.com/sealward/sealward/internal/syntax"
	"github.com/sealward/sealward/internal/wiring"
)

// maxFile is how large a text file may be, in bytes; a larger one is not read, and
// the report says so.
const maxFile = 16 << 20

// maxHead is how large a file may be for its beginning to be looked at, in bytes:
// some snapshots read all of a file to open it.
const maxHead = 64 << 20

// File is one file of a tree. Its methods may be called from many goroutines; what
// they return is shared and must not be changed.
type File struct {
	Path string
	Size int64 // bytes; -1 where it is not known before the file is read

	from *origin

	mu      sync.Mutex
	state   fileState
	mention mention // of SOPS in the data
	sopsSet bool
	signs   signs
	facts   func() *wiring.Facts // small, so kept where the content is evicted
	content                      // what the cache may take away
}

// origin is what the files of a tree have in common.
type origin struct {
	fsys    fs.FS
	cache   *cache
	log     *log
	scratch *scratch // of the worker that glances at the file; nil where others may look too
}

// content is what was made of a file's bytes.
type content struct {
	data   []byte
	syntax *syntax.File
	sops   *sops.File
	memo   map[reflect.Type]any // what rules keep; see Once
}

// mention says whether the data may hold SOPS metadata or a sealed value.
type mention uint8

const (
	unknown mention = iota
	never
	maybe
)

// maySops is a cheap test that no file with SOPS metadata or a sealed value fails; the
// content is loaded, f.mu is held.
func (f *File) maySops() bool {
	if f.mention == unknown {
		f.mention = never
		if syntax.Mentions(f.data, "sops", 'p') || syntax.Mentions(f.data, "ENC[", '[') {
			f.mention = maybe
		}
	}
	return f.mention == maybe
}

type fileState uint8

const (
	unread fileState = iota
	text
	evicted // was text, and may be read again
	binary
	failed
)

// Base is the last element of the path.
func (f *File) Base() string { return path.Base(f.Path) }

// Data returns the text in UTF-8, or nil for a binary file and for one that cannot
// be read (the report then names it).
func (f *File) Data() []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.load()
}

// Binary reports whether the content is not text.
func (f *File) Binary() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.load()
	return f.state == binary
}

// Read reports whether the file was read, as text or to find that it is binary.
func (f *File) Read() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state == text || f.state == evicted || f.state == binary
}

// found reports whether reading the file, if it was read, ended in state s.
func (f *File) found(s fileState) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state == s
}

// spent reports whether no rule of the tree as a whole is likely to ask for the
// content again: it is neither sealed nor configuration of a size that people write.
func (f *File) spent() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state == text && f.sops == nil && f.syntax != nil && (f.syntax.Format == syntax.Text || len(f.data) > 64<<10)
}

// Syntax returns the parsed content, never nil.
func (f *File) Syntax() *syntax.File {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.parse()
}

// Sops returns what SOPS wrote in the file, or nil.
func (f *File) Sops() *sops.File {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sopsSet {
		return f.sops
	}
	if f.load(); f.maySops() {
		f.sops = sops.Read(f.parse())
	}
	f.sopsSet = true
	return f.sops
}

func (f *File) load() []byte {
	if f.state != unread && f.state != evicted {
		return f.data
	}
	data, err := f.read()
	switch {
	case f.Size > maxFile:
		f.loadHead(data)
	case err != nil:
		f.fail(err)
	case len(data) > maxFile:
		f.fail(fmt.Errorf("it is larger than the %d MB that one file may have", maxFile>>20))
	default:
		f.keep(data)
	}
	return f.data
}

// read reads the content, unless it is too large.
func (f *File) read() ([]byte, error) {
	if f.Size > maxFile {
		return nil, nil
	}
	if f.from.scratch != nil {
		return f.from.scratch.read(f)
	}
	if f.Size < 0 {
		if err := f.measure(); err != nil || f.Size > maxFile {
			return nil, err
		}
	}
	return fs.ReadFile(f.from.fsys, f.Path)
}

// measure asks for the size, which a listing by name does not tell.
func (f *File) measure() error {
	info, err := fs.Stat(f.from.fsys, f.Path)
	if err == nil {
		f.Size = info.Size()
	}
	return err
}

// loadHead looks at the beginning of a file that is too large to be read: a binary one
// would not be read either way, and is no failure. head is what was read of it already.
func (f *File) loadHead(head []byte) {
	tooLarge := fmt.Errorf("%d MB are more than the %d MB that one file may have", f.Size>>20, maxFile>>20)
	if f.Size > maxHead {
		f.fail(tooLarge)
		return
	}
	if len(head) > 0 {
		f.judgeHead(head, tooLarge)
		return
	}
	in, err := f.from.fsys.Open(f.Path)
	if err != nil {
		f.fail(err)
		return
	}
	defer in.Close()
	head = make([]byte, 8000)
	n, err := io.ReadFull(in, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		f.fail(err)
		return
	}
	f.judgeHead(head[:n], tooLarge)
}

func (f *File) judgeHead(head []byte, tooLarge error) {
	if isBinary(head) {
		f.state = binary
		return
	}
	f.fail(tooLarge)
}

func (f *File) fail(err error) {
	f.state = failed
	f.from.log.say(fmt.Sprintf("%s was not read: %v", f.Path, err))
}

// ReadInPart makes the review incomplete: a rule could not look at all of the file.
func (f *File) ReadInPart(why string) {
	f.from.log.say(f.Path + " was not looked at everywhere: " + why)
}

func (f *File) keep(data []byte) {
	if u, ok := decodeUTF16(data); ok {
		data = u
	}
	if isBinary(data) {
		f.state = binary
		return
	}
	f.state, f.data = text, data
	if f.from.scratch != nil && f.maySops() {
		f.data = bytes.Clone(data) // the tree may keep it
	}
	f.from.cache.add(f, len(data))
}

func (f *File) parse() *syntax.File {
	if f.syntax == nil {
		data := f.load()
		s := f.parseText(data)
		if f.state != text {
			return s // nothing to keep: binary or unreadable
		}
		f.syntax = s
		f.from.cache.add(f, leafCost*len(s.Leaves))
	}
	return f.syntax
}

// keepFacts reads the file's facts once; they outlive its content in the cache.
func (f *File) keepFacts() *wiring.Facts {
	f.mu.Lock()
	if f.facts == nil {
		f.facts = sync.OnceValue(func() (facts *wiring.Facts) {
			defer func() {
				if recover() != nil { // what it panicked with may hold a value of the file
					f.from.log.say("what " + f.Path + " is wired to could not be told: this is a defect of sealward")
					facts = nil
				}
			}()
			if !wiring.MayBeManifest(f.Path) || !wiring.MayTell(f.Path, f.Data()) {
				return nil
			}
			facts = wiring.FactsOf(f.Syntax())
			facts.Detach()
			return facts
		})
	}
	facts := f.facts
	f.mu.Unlock()
	return facts()
}

// Once returns what find made of the file, made at most once as long as the file's
// content is kept: several rules share one scan. There is one value of each type T.
func Once[T any](f *File, find func(*File) T) T {
	key := reflect.TypeFor[T]()
	f.mu.Lock()
	known, ok := f.memo[key]
	f.mu.Unlock()
	if ok {
		return known.(T)
	}
	made := find(f)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.memo == nil {
		f.memo = map[reflect.Type]any{}
	}
	f.memo[key] = made
	return made
}

// maxParsed is how large a file may be to be taken apart into values, in bytes, by
// format; a larger one is read as text, unless SOPS sealed it. Of data dumps little
// else is worth knowing, and the parsed form takes many times their size.
func maxParsed(f syntax.Format) int {
	if f == syntax.JSON {
		return 256 << 10
	}
	return 2 << 20
}

func (f *File) parseText(data []byte) *syntax.File {
	var memory *syntax.Memory
	if f.from.scratch != nil && !f.maySops() {
		memory = &f.from.scratch.memory
	}
	if len(data) > maxParsed(syntax.FormatOf(f.Path)) && !bytes.Contains(data, []byte("ENC[AES256_GCM,")) {
		return memory.ParseAs(f.Path, data, syntax.Text)
	}
	return memory.Parse(f.Path, data)
}

// evict forgets the content; it is read again when it is asked for.
func (f *File) evict() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.state == text {
		f.state = evicted
	}
	f.sopsSet = f.sopsSet && f.sops == nil // that there is nothing of SOPS in it stays known
	f.content = content{}
}

// isBinary is git's own test: a NUL in the first 8,000 bytes.
func isBinary(data []byte) bool {
	return bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0
}

func hasUTF16Mark(data []byte) bool {
	return bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || bytes.HasPrefix(data, []byte{0xFE, 0xFF})
}

// decodeUTF16 turns UTF-16 with a byte order mark, which Windows shells write, into
// UTF-8: it is text, and a secret in it is one.
func decodeUTF16(data []byte) ([]byte, bool) {
	if len(data) < 2 || len(data)%2 != 0 {
		return nil, false
	}
	var hi, lo int
	switch {
	case data[0] == 0xFF && data[1] == 0xFE:
		hi, lo = 1, 0
	case data[0] == 0xFE && data[1] == 0xFF:
		hi, lo = 0, 1
	default:
		return nil, false
	}
	units := make([]uint16, 0, len(data)/2-1)
	for i := 2; i < len(data); i += 2 {
		units = append(units, uint16(data[i+hi])<<8|uint16(data[i+lo]))
	}
	return []byte(string(utf16.Decode(units))), true
}
