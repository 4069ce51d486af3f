package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
)

// The letters table says how much a letter surprises behind the two before it,
// in bits, in the words that programmers write. internal/leak tells by it a word
// (secretName, postgres-admin) from random letters. It is a count over the Go
// standard library's sources: statistics, no text of them.

// edge stands for the beginning of a word.
const edge = 26

type letters [27][27][26]float64

// countLetters reads the Go sources below root. Words that occur once or twice
// are left out: among them are test vectors.
func countLetters(root string) (*letters, error) {
	words := map[string]int{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, w := range splitWords(data) {
			words[w]++
		}
		return nil
	})
	var table letters
	for w, n := range words {
		if n >= 3 && len(w) >= 2 && len(w) <= 20 {
			table.add(w, math.Sqrt(float64(n)))
		}
	}
	return &table, err
}

func (t *letters) add(word string, weight float64) {
	a, b := edge, edge
	for i := range len(word) {
		c := int(word[i] - 'a')
		t[a][b][c] += weight
		a, b = b, c
	}
}

// splitWords returns the lower-cased words of a source, camelCase taken apart.
func splitWords(data []byte) []string {
	var words []string
	var word []byte
	flush := func() {
		if len(word) > 0 {
			words = append(words, string(word))
		}
		word = word[:0]
	}
	for i, c := range data {
		switch {
		case c >= 'a' && c <= 'z':
			word = append(word, c)
		case c >= 'A' && c <= 'Z':
			if i > 0 && data[i-1] >= 'a' && data[i-1] <= 'z' {
				flush()
			}
			word = append(word, c|0x20)
		default:
			flush()
		}
	}
	flush()
	return words
}

// write stores a hex digit of bits for each letter, a line for each pair before it.
func (t *letters) write(name string) error {
	var b bytes.Buffer
	for i := range t {
		for j := range t[i] {
			b.Write(bits(&t[i][j]))
			b.WriteByte('\n')
		}
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}

// bits smooths a row, so that a letter never seen there costs much but not all.
func bits(row *[26]float64) []byte {
	const smooth = 0.5
	sum := 26 * smooth
	for _, n := range row {
		sum += n
	}
	out := make([]byte, 26)
	for i, n := range row {
		surprise := math.Round(-math.Log2((n + smooth) / sum))
		out[i] = fmt.Sprintf("%x", int(min(15, surprise)))[0]
	}
	return out
}
