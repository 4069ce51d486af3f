package github

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// The bounds of a pack, against a server that would have us run out of memory.
const (
	maxPackObjects = 2_000_000
	maxPackBytes   = 512 << 20 // of all objects, unpacked
	maxPackObject  = 64 << 20
)

// objectKind is git's number for a kind of object.
type objectKind byte

const (
	commitObject objectKind = 1
	treeObject   objectKind = 2
	blobObject   objectKind = 3
	tagObject    objectKind = 4
	offsetDelta  objectKind = 6
	nameDelta    objectKind = 7
)

// gitObject is an object of git.
type gitObject struct {
	kind objectKind
	data []byte
}

func (o gitObject) id() string {
	kind := map[objectKind]string{commitObject: "commit", treeObject: "tree", blobObject: "blob", tagObject: "tag"}[o.kind]
	h := sha1.New()
	fmt.Fprintf(h, "%s %d\x00", kind, len(o.data))
	h.Write(o.data)
	return hex.EncodeToString(h.Sum(nil))
}

var errPack = errors.New("the pack is not well formed")

// readPack reads a pack into its objects, by their names. Every delta in it must
// have its base in it too, and stand behind it.
func readPack(r io.Reader) (map[string]gitObject, error) {
	p := &packReader{in: &countReader{r: bufio.NewReader(r)}, at: map[int64]gitObject{}, out: map[string]gitObject{}}
	var head [12]byte
	if _, err := io.ReadFull(p.in, head[:]); err != nil {
		return nil, errPack
	}
	count := binary.BigEndian.Uint32(head[8:])
	if string(head[:4]) != "PACK" || count > maxPackObjects {
		return nil, errPack
	}
	for range count {
		if err := p.object(); err != nil {
			return nil, err
		}
	}
	return p.out, nil
}

type packReader struct {
	in   *countReader
	at   map[int64]gitObject
	out  map[string]gitObject
	size int64
}

// object reads one object, and resolves it where it is a delta.
func (p *packReader) object() error {
	start := p.in.n
	b, err := p.in.ReadByte()
	if err != nil {
		return errPack
	}
	kind, size := objectKind(b>>4&7), int64(b&15)
	for shift := 4; b&0x80 != 0; shift += 7 {
		if b, err = p.in.ReadByte(); err != nil || shift > 40 {
			return errPack
		}
		size |= int64(b&0x7f) << shift
	}
	var base gitObject
	switch kind {
	case commitObject, treeObject, blobObject, tagObject:
	case offsetDelta:
		back, err := p.distance()
		if err != nil {
			return err
		}
		base = p.at[start-back]
	case nameDelta:
		var id [sha1.Size]byte
		if _, err := io.ReadFull(p.in, id[:]); err != nil {
			return errPack
		}
		base = p.out[hex.EncodeToString(id[:])]
	default:
		return errPack
	}
	data, err := p.inflate(size)
	if err != nil {
		return err
	}
	o := gitObject{kind, data}
	if kind == offsetDelta || kind == nameDelta {
		if base.kind == 0 {
			return errPack
		}
		if o, err = p.delta(base, data); err != nil {
			return err
		}
	}
	p.at[start] = o
	p.out[o.id()] = o
	return nil
}

// distance reads how far back a delta's base stands.
func (p *packReader) distance() (int64, error) {
	b, err := p.in.ReadByte()
	n := int64(b & 0x7f)
	for i := 0; err == nil && b&0x80 != 0; i++ {
		if i > 7 {
			return 0, errPack
		}
		b, err = p.in.ReadByte()
		n = (n+1)<<7 | int64(b&0x7f)
	}
	if err != nil || n <= 0 {
		return 0, errPack
	}
	return n, nil
}

func (p *packReader) inflate(size int64) ([]byte, error) {
	if err := p.spend(size); err != nil {
		return nil, err
	}
	zr, err := zlib.NewReader(p.in)
	if err != nil {
		return nil, errPack
	}
	// The size is only claimed yet, so it is not believed in one piece.
	data, whole, err := readAll(zr, size)
	if err != nil || !whole || int64(len(data)) != size {
		return nil, errPack
	}
	return data, nil
}

func (p *packReader) spend(size int64) error {
	p.size += size
	if size > maxPackObject || p.size > maxPackBytes {
		return errors.New("the pack is larger than what is read of one")
	}
	return nil
}

// delta makes an object of its base and what says how it differs: runs that are
// copied from the base, and runs that are new.
func (p *packReader) delta(base gitObject, d []byte) (gitObject, error) {
	from, d, ok := varint(d)
	to, d, ok2 := varint(d)
	if !ok || !ok2 || from != int64(len(base.data)) {
		return gitObject{}, errPack
	}
	if err := p.spend(to); err != nil {
		return gitObject{}, err
	}
	var out bytes.Buffer
	for len(d) > 0 {
		op := d[0]
		d = d[1:]
		if op&0x80 == 0 {
			if op == 0 || int(op) > len(d) {
				return gitObject{}, errPack
			}
			out.Write(d[:op])
			d = d[op:]
		} else {
			offset, size, rest, ok := copyRun(op, d)
			if !ok || offset+size > int64(len(base.data)) {
				return gitObject{}, errPack
			}
			out.Write(base.data[offset : offset+size])
			d = rest
		}
		if int64(out.Len()) > to {
			return gitObject{}, errPack
		}
	}
	if int64(out.Len()) != to {
		return gitObject{}, errPack
	}
	return gitObject{base.kind, out.Bytes()}, nil
}

// copyRun reads where a run of the base begins, and how long it is.
func copyRun(op byte, d []byte) (offset, size int64, rest []byte, ok bool) {
	for i := range 7 {
		if op>>i&1 == 0 {
			continue
		}
		if len(d) == 0 {
			return 0, 0, nil, false
		}
		if i < 4 {
			offset |= int64(d[0]) << (8 * i)
		} else {
			size |= int64(d[0]) << (8 * (i - 4))
		}
		d = d[1:]
	}
	if size == 0 {
		size = 0x10000
	}
	return offset, size, d, true
}

func varint(d []byte) (n int64, rest []byte, ok bool) {
	for i, b := range d {
		if i > 5 {
			break
		}
		n |= int64(b&0x7f) << (7 * i)
		if b&0x80 == 0 {
			return n, d[i+1:], true
		}
	}
	return 0, nil, false
}

// countReader counts what is read. It is a ByteReader, so that zlib takes from it
// no byte more than an object has.
type countReader struct {
	r *bufio.Reader
	n int64
}

// Read reads and counts.
func (c *countReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// ReadByte reads and counts one.
func (c *countReader) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// treeLine is one entry of a tree object.
type treeLine struct {
	mode, name, id string
}

func (l treeLine) isTree() bool { return l.mode == "40000" || l.mode == "040000" }

// parseTree reads a tree object.
func parseTree(data []byte) ([]treeLine, bool) {
	var list []treeLine
	for len(data) > 0 {
		head, rest, ok := bytes.Cut(data, []byte{0})
		mode, name, ok2 := bytes.Cut(head, []byte{' '})
		if !ok || !ok2 || len(rest) < sha1.Size || len(name) == 0 || bytes.ContainsRune(name, '/') {
			return nil, false
		}
		list = append(list, treeLine{string(mode), string(name), hex.EncodeToString(rest[:sha1.Size])})
		data = rest[sha1.Size:]
	}
	return list, true
}
