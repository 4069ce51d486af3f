package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/sealward/sealward/internal/leak"
)

// maxFile is the largest file that is read, in bytes; as many files as there are
// processors are in memory at once.
const maxFile = 16 << 20

// scanTree scans every file below root and prints path, line and rule of each
// match, tabs between, in no order.
func scanTree(root string, out io.Writer) error {
	names := make(chan string, 256)
	w := bufio.NewWriter(out)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var buf []byte
			for name := range names {
				var lines []byte
				buf, lines = scanFile(root, name, buf)
				if len(lines) > 0 {
					mu.Lock()
					w.Write(lines)
					mu.Unlock()
				}
			}
		})
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type().IsRegular() {
			names <- path
		}
		return nil
	})
	close(names)
	wg.Wait()
	if err != nil {
		return err
	}
	return w.Flush()
}

// scanFile scans one file, reading it into buf, which it returns grown.
func scanFile(root, name string, buf []byte) (next, lines []byte) {
	data, err := readInto(name, buf)
	if err != nil {
		return data, nil
	}
	rel, _ := filepath.Rel(root, name)
	for _, m := range leak.Text(filepath.ToSlash(rel), data) {
		line := bytes.Count(data[:m.Start], []byte("\n")) + 1
		lines = fmt.Appendf(lines, "%s\t%d\t%s\n", rel, line, m.Rule)
	}
	return data, lines
}

func readInto(name string, buf []byte) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return buf[:0], err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > maxFile {
		return buf[:0], err
	}
	size := int(info.Size())
	if cap(buf) < size {
		buf = make([]byte, size)
	}
	n, err := io.ReadFull(f, buf[:size])
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = nil
	}
	return buf[:n], err
}
