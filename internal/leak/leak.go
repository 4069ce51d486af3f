// Package leak finds secrets in text and says where, not what: only offsets
// leave it, never a secret, in no result, error or panic.
//
// [Text] reads raw bytes, [Values] the values of a parsed document. Both work in
// two stages. One pass over the bytes finds the keywords of all patterns
// (keyword.go). Only what stands around a hit is read further: a token of a
// known format is matched and its checksum verified (token.go, check.go), and a
// name that may hold a secret is read as an assignment in any of the notations
// of configuration files (assign.go). What comes out, a name and a value, is
// judged together with the file it stands in (judge.go). Whatever the bytes, the
// work is linear in their number.
package leak

import (
	"bytes"
	"cmp"
	"slices"
)

// Severity is how much a match matters by what it opens.
type Severity uint8

// The severities, in ascending order.
const (
	Notice Severity = iota + 1
	Warning
	Error
)

// Match is a secret's place in the text that was scanned.
type Match struct {
	Rule       string // a pattern's id, as in Patterns
	Start, End int    // byte offsets into the text; End exclusive
	Severity   Severity
	Issuer     string // who issued it, for people: "GitHub", "AWS"; "" where the format does not tell
	Revoke     string // where and how to revoke it, one sentence; "" where the issuer is not known
	What       string // what was found, for people, without the value: "GitHub personal access token"
}

// Value is one value of a parsed file, with all that helps to judge it.
type Value struct {
	Keys   []string // mapping keys from the document's root, the value's own last
	Text   string   // decoded
	Quoted bool     // the source quotes it
	Scalar bool     // a number, boolean or null, by the format's own rules
}

// Document is a parsed document: its values stand together.
type Document struct {
	Name   string  // the file's path
	Values []Value // in source order
}

// Hit is a match in the value at Index of the document.
type Hit struct {
	Index int
	Match // Start and End are offsets into Value.Text
}

// Text scans raw bytes. The name, a slash-separated path, tells the kind of
// file. Matches are in ascending order and do not overlap.
func Text(name string, data []byte) []Match {
	found, _ := Look(name, data)
	return found
}

// Look is [Text], and says whether it read all that keywords stand before. It does not
// where they stand so dense that the same bytes would be read again and again, as in
// no text that people write.
func Look(name string, data []byte) (found []Match, whole bool) {
	text, wide := narrow(data)
	s := newScan(name, text)
	s.run()
	out := settle(s.found)
	if wide {
		for i := range out {
			out[i].Start, out[i].End = 2+2*out[i].Start, 2+2*out[i].End
		}
	}
	return out, !s.passed
}

// narrow turns UTF-16 with a byte order mark into one byte for each unit, so
// that offsets are half of what they were; what is not ASCII becomes 0xff. Other
// text stays as it is.
func narrow(data []byte) (text []byte, wide bool) {
	high := 1
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		high = 0
	default:
		return data, false
	}
	text = make([]byte, 0, len(data)/2)
	for i := 2; i+1 < len(data); i += 2 {
		c := data[i+1-high]
		if data[i+high] != 0 || c >= 0x80 {
			c = 0xff
		}
		text = append(text, c)
	}
	return text, true
}

// found is a match with what decides between two that overlap.
type found struct {
	Match
	rank rank
}

// rank orders the sources of matches by how much they know.
type rank uint8

const (
	byName   rank = iota // a name and a value that fit together
	byVendor             // a vendor's name and a value of its shape
	byPlace              // a place that holds nothing but secrets
	byFormat             // the value's own format
)

// settle sorts matches and keeps the best of those that overlap.
func settle(all []found) []Match {
	slices.SortStableFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.rank, a.rank), cmp.Compare(b.End-b.Start, a.End-a.Start), cmp.Compare(a.Start, b.Start))
	})
	taken := newRegions(all)
	var out []Match
	for _, f := range all {
		if taken.add(f.Start, f.End) {
			out = append(out, f.Match)
		}
	}
	slices.SortFunc(out, func(a, b Match) int { return cmp.Compare(a.Start, b.Start) })
	return withoutVectors(out, func(m Match) string { return m.Rule })
}

// maxVectors is how many salts, nonces and bare keys a file may hold before
// they are taken for test vectors.
const maxVectors = 10

// withoutVectors leaves out matches that say little each and are too many together.
func withoutVectors[T any](all []T, rule func(T) string) []T {
	weak := func(t T) bool { return rule(t) == "generic-salt" || rule(t) == "generic-credential" }
	n := 0
	for _, t := range all {
		if weak(t) {
			n++
		}
	}
	if n <= maxVectors {
		return all
	}
	return slices.DeleteFunc(all, weak)
}

// regions is a set of bytes, one bit each, so that settling is linear however
// many matches there are.
type regions []uint64

func newRegions(all []found) regions {
	end := 0
	for _, f := range all {
		end = max(end, f.End)
	}
	return make(regions, end/64+1)
}

// add puts a stretch in unless it overlaps what is there.
func (r regions) add(start, end int) bool {
	for _, set := range []bool{false, true} {
		for i := start / 64; i <= (end-1)/64; i++ {
			mask := ^uint64(0)
			if from := start - i*64; from > 0 {
				mask <<= from
			}
			if to := end - i*64; to < 64 {
				mask &= 1<<to - 1
			}
			if set {
				r[i] |= mask
			} else if r[i]&mask != 0 {
				return false
			}
		}
	}
	return true
}
