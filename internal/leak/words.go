package leak

import (
	_ "embed"
	"math"
	"strings"
)

// lettersData is a table of how many bits a letter surprises behind the two
// before it in words that programmers write: a hex digit for each letter, a line
// for each pair before it, 27th is a word's beginning.
//
//go:embed patterns/letters.txt
var lettersData string

// edge stands for a word's beginning, and for every byte that is no letter.
const edge = 26

func letterIndex(c byte) int {
	if c |= 0x20; c >= 'a' && c <= 'z' {
		return int(c - 'a')
	}
	return edge
}

// surprise is what the letter c costs behind a and b, in bits.
func surprise(a, b, c int) int {
	d := lettersData[(a*27+b)*27+c]
	if d >= 'a' {
		return int(d-'a') + 10
	}
	return int(d - '0')
}

// strangeness is the mean surprise of the letters of one word, in bits. Words
// have about 4, random letters above 6.
func strangeness(word string) float64 {
	if word == "" {
		return 0
	}
	a, b, sum := edge, edge, 0
	for i := range len(word) {
		c := letterIndex(word[i])
		if c == edge {
			a, b = edge, edge
			continue
		}
		sum += surprise(a, b, c)
		a, b = b, c
	}
	return float64(sum) / float64(len(word))
}

// splitName takes a name apart into lower-cased words: at signs, digits and
// where camelCase turns.
func splitName(name string) []string {
	var words []string
	start := 0
	flush := func(end int) {
		if end > start {
			words = append(words, strings.ToLower(name[start:end]))
		}
		start = end
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case !isLetter(c):
			flush(i)
			start = i + 1
		case i > start && isUpper(c) && !isUpper(name[i-1]):
			flush(i)
		case i > start+1 && isLower(c) && isUpper(name[i-1]) && isUpper(name[i-2]):
			flush(i - 1) // the last capital of a run begins a word: APIKey
		}
	}
	flush(len(name))
	return words
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isUpper(c byte) bool  { return c >= 'A' && c <= 'Z' }
func isLower(c byte) bool  { return c >= 'a' && c <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isHex(c byte) bool    { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// entropy is Shannon's, in bits a byte.
func entropy(s string) float64 {
	var count [256]int
	for i := range len(s) {
		count[s[i]]++
	}
	bits := 0.0
	for _, n := range count {
		if n > 0 {
			p := float64(n) / float64(len(s))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

// strange is the mean surprise from which letters are taken for random.
const strange = 5.1

// wordShare is how much of a value's bytes stand in words that a person wrote,
// from 0 to 1. Runs under four letters count only where signs set them off, as
// in "my-db-pw"; in random text short runs are everywhere.
func wordShare(v string) float64 {
	if v == "" {
		return 0
	}
	inWords := 0
	for i := 0; i < len(v); {
		if !isLetter(v[i]) {
			i++
			continue
		}
		end := wordEnd(v, i)
		word := v[i:end]
		lone := (i == 0 || isJoint(v[i-1])) && (end == len(v) || isJoint(v[end]))
		if len(word) >= 4 && strangeness(word) < strange || len(word) >= 2 && lone && (len(word) < 4 || strangeness(word) < strange+0.5) {
			inWords += len(word)
		}
		i = end
	}
	joints := 0
	for i := range len(v) {
		if isJoint(v[i]) {
			joints++
		}
	}
	if len(v) == joints {
		return 0
	}
	return float64(inWords) / float64(len(v)-joints)
}

// wordEnd finds the end of the word that begins at i: camelCase turns there.
func wordEnd(v string, i int) int {
	end := i + 1
	if isUpper(v[i]) && end < len(v) && isUpper(v[end]) {
		for end < len(v) && isUpper(v[end]) {
			end++
		}
		if end < len(v) && isLower(v[end]) && end-i > 1 {
			end--
		}
		return end
	}
	for end < len(v) && isLower(v[end]) {
		end++
	}
	return end
}

// isJoint reports whether c joins words in names and paths.
func isJoint(c byte) bool {
	switch c {
	case ' ', '_', '-', '.', '/', ':', ',', '|':
		return true
	}
	return false
}
