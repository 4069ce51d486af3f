package leak

import (
	"bytes"
	"strings"
)

// tryToken matches a pattern around the keyword at [start, start+size).
func (s *scan) tryToken(p *pattern, start, size int) {
	if p.Back == 0 {
		s.tryAt(p, start)
		return
	}
	// A window never begins before the end of the one before it, less what a
	// match may reach back: every byte is in few windows of a pattern.
	from := max(start-p.Back, s.tokenEnd[p]-p.Back, 0)
	to := min(start+size+p.Length, len(s.data))
	if to <= s.tokenEnd[p] || !s.affords(forTokens, start, to-from) {
		return
	}
	s.reach(p, to)
	window := s.data[from:to]
	s.work.tokens += len(window)
	for at := 0; at < len(window); {
		m := p.ready().value.FindSubmatchIndex(window[at:])
		if m == nil {
			return
		}
		s.weigh(p, m, from+at)
		at += max(m[1], 1)
	}
}

// tryAt matches a pattern whose keyword begins it, at that place alone.
func (s *scan) tryAt(p *pattern, start int) {
	if start < s.tokenEnd[p] || p.Word && start > 0 && isWordByte(s.data[start-1]) && !s.isEscape(start-1) {
		return
	}
	window := s.data[start:min(start+p.Length+8, len(s.data))]
	if end := bytes.IndexByte(window, '\n'); end > 0 {
		window = window[:end+1] // no token goes on behind the end of its line
	}
	size := len(window)
	if p.ready().joined {
		size = min(size, joinedSize(window))
	}
	if !s.affords(forTokens, start, size) {
		return
	}
	s.work.tokens += size
	m := p.ready().value.FindSubmatchIndex(window)
	if m == nil {
		return
	}
	s.reach(p, start+m[1])
	s.weigh(p, m, start)
}

// joinedSize is about how far a pattern that is joined looks from its keyword on.
func joinedSize(window []byte) int {
	if n := bytes.IndexAny(window, separators); n >= 0 {
		return n + 64
	}
	return len(window)
}

// reach notes how far a pattern has looked.
func (s *scan) reach(p *pattern, end int) {
	if s.tokenEnd == nil {
		s.tokenEnd = map[*pattern]int{}
	}
	s.tokenEnd[p] = end
}

// isEscape knows the n of \n and the last digit of %3D, which a token may follow.
func (s *scan) isEscape(i int) bool {
	return i > 0 && s.data[i-1] == '\\' || i > 1 && s.data[i-2] == '%' && isHex(s.data[i-1]) && isHex(s.data[i])
}

func isWordByte(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }

// weigh looks at a match of a token's regex: entropy, checksum, allow lists.
func (s *scan) weigh(p *pattern, m []int, base int) {
	if p.Check == "password" && s.kind == kindDocs {
		return // commands in prose are examples
	}
	if p.ready().path != nil && !p.ready().path.MatchString(s.name) {
		return
	}
	g := secretGroup(m, p.Group)
	start, end := base+m[2*g], base+m[2*g+1]
	secret := string(s.data[start:end])
	if p.Entropy > 0 && entropy(secret) <= p.Entropy || isTokenExample(secret) {
		return
	}
	if !p.passes(secret) {
		return
	}
	if len(p.Allow) > 0 {
		from, to := s.line(start, 1000)
		if p.allowed(s.name, secret, string(s.data[base+m[0]:base+m[1]]), string(s.data[from:to])) {
			return
		}
	}
	s.report(found{Match{Rule: p.ID, Start: start, End: end, Severity: p.severity(), What: p.What}, byFormat})
}

// secretGroup picks the group that holds the secret: the one that the pattern
// names, else the first that took part, else the whole match.
func secretGroup(m []int, named int) int {
	if named > 0 && 2*named+1 < len(m) && m[2*named] >= 0 {
		return named
	}
	for g := 1; 2*g+1 < len(m); g++ {
		if m[2*g] >= 0 && m[2*g+1] > m[2*g] {
			return g
		}
	}
	return 0
}

// isTokenExample knows tokens that documentation shows.
func isTokenExample(secret string) bool {
	lower := strings.ToLower(secret)
	for _, part := range []string{"example", "xxxxx", "00000000", "aaaaaaaa", "11111111", "12345678", "abcdefgh", "your_", "your-", "placeholder", "redacted", "*****", "dummy"} {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return false
}
