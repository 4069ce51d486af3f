package leak

import (
	"encoding/binary"
	"sync"
)

// role is what a keyword's hit starts.
type role uint8

const (
	roleName    role = iota // an identifier that may be a secret's name
	roleToken               // a token of a known format
	rolePEM                 // the first line of a key in armor
	roleURL                 // the colon of scheme://
	roleHeader              // an HTTP header with credentials
	roleUsers               // lines of user:password
	roleArmor64             // base64 of such a line
	roleDSN                 // the end of user:password@tcp(host)/database
)

// keyword is one entry of the matcher. Its text is lower case.
type keyword struct {
	text   string
	role   role
	tokens []*pattern // roleToken
}

// matcher finds all keywords in one pass. A filter of pairs of bytes decides about two
// places with one load and no branch taken; only where it says yes is the small table
// of keywords asked. Each keyword stands there once, under its rarest trigram.
type matcher struct {
	// pairs says for two bytes in which groups of trigrams they may come first (the
	// lower half), and in which they may come second, two bytes on (the upper half).
	pairs   [1 << 16]uint64
	heads   [1 << 12]int16 // index into entries + 1; 0 is empty
	entries []entry
	words   []keyword

	documents sync.Pool // of *document, to be used again
}

type entry struct {
	trigram uint32
	offset  int16 // of the trigram in its keyword
	word    int16
	next    int16
	parity  int8 // of the places where it counts: 0 even, 1 odd
}

// fold maps letters to lower case, three bytes at once. It also joins a few
// other bytes in pairs; hits are verified.
const fold = 0x202020

func hash(trigram uint32) uint32 { return trigram * 0x9E3779B1 >> 20 }

func newMatcher(words []keyword) *matcher {
	m := &matcher{words: words}
	for i, w := range words {
		even, odd := anchors(w.text)
		m.enter(i, even, 0)
		m.enter(i, odd, 1)
	}
	return m
}

// enter puts a keyword into the table under the trigram at an offset, for where that
// stands at an even place or at an odd one. Pairs are looked at from even places on:
// the trigram begins with a pair, or one byte behind it.
func (m *matcher) enter(word, at, parity int) {
	text := m.words[word].text
	t := trigramAt(text, at)
	h := hash(t)
	m.entries = append(m.entries, entry{t, int16(at), int16(word), m.heads[h], int8(parity)})
	m.heads[h] = int16(len(m.entries))
	from := at - parity
	a, b, c, d := byteAt(text, from), byteAt(text, from+1), byteAt(text, from+2), byteAt(text, from+3)
	group := 0 // of short words, which fit much
	if len(text) > 3 {
		group = 4 + (a*5+b*3)%28&^1
	}
	m.pair(a, b, group+parity)
	m.pair(c, d, 32+group+parity)
}

// byteAt is a byte of a keyword, -1 outside of it.
func byteAt(text string, i int) int {
	if i < 0 || i >= len(text) {
		return -1
	}
	return int(text[i])
}

// pair sets a bit of two bytes, either of which may be any.
func (m *matcher) pair(a, b, bit int) {
	for _, x := range bytesAs(a) {
		for _, y := range bytesAs(b) {
			m.pairs[int(x|0x20)|int(y|0x20)<<8] |= 1 << bit
		}
	}
}

// bytesAs returns a byte, or all where it is -1.
func bytesAs(c int) []byte {
	if c >= 0 {
		return []byte{byte(c)}
	}
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

// anchors finds the two trigrams of a keyword that it is looked for by, at even places
// and at odd ones: those of which ordinary text holds least, with the byte behind or
// before. Both lie at even or both at odd offsets, so that exactly one is found.
func anchors(s string) (even, odd int) {
	best := -1
	for parity := range 2 {
		e, o, rareE, rareO := 0, 0, -1, -1
		for at := parity; at+3 <= len(s); at += 2 {
			if r := rarity(s, at, at+4); r > rareE {
				e, rareE = at, r
			}
			if r := rarity(s, at-1, at+3); r > rareO {
				o, rareO = at, r
			}
		}
		if rareE >= 0 && rareE+rareO > best {
			best, even, odd = rareE+rareO, e, o
		}
	}
	return even, odd
}

// rarity says how seldom ordinary text holds s[from:to], what lies outside left out.
func rarity(s string, from, to int) int {
	from, to = max(from, 0), min(to, len(s))
	rare := 0
	a, b := edge, edge
	for _, c := range []byte(s[from:to]) {
		n := letterIndex(c)
		if n == edge {
			rare += 7 // digits and signs are rarer than letters
		} else {
			rare += surprise(a, b, n)
		}
		a, b = b, n
	}
	return rare
}

func trigramAt(s string, i int) uint32 {
	return (uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16) | fold
}

// scan calls hit with every keyword's place. Hits may come a few bytes out of order.
func (m *matcher) scan(data []byte, hit func(start int, w *keyword)) {
	i := 0
	for ; i+10 <= len(data); i += 8 {
		v := binary.LittleEndian.Uint64(data[i:]) | 0x2020202020202020
		p0 := m.pairs[uint16(v)]
		p1 := m.pairs[uint16(v>>16)]
		p2 := m.pairs[uint16(v>>32)]
		p3 := m.pairs[v>>48]
		p4 := m.pairs[binary.LittleEndian.Uint16(data[i+8:])|0x2020]
		if p0&(p1>>32)|p1&(p2>>32)|p2&(p3>>32)|p3&(p4>>32) == 0 {
			continue
		}
		for k, pass := range [4]uint64{p0 & (p1 >> 32), p1 & (p2 >> 32), p2 & (p3 >> 32), p3 & (p4 >> 32)} {
			if pass != 0 {
				m.check(data, i+2*k, hit)
				m.check(data, i+2*k+1, hit)
			}
		}
	}
	for ; i+3 <= len(data); i++ {
		m.check(data, i, hit)
	}
}

// check asks the table about the trigram at i.
func (m *matcher) check(data []byte, i int, hit func(start int, w *keyword)) {
	t := (uint32(data[i]) | uint32(data[i+1])<<8 | uint32(data[i+2])<<16) | fold
	for n := m.heads[hash(t)]; n != 0; {
		e := &m.entries[n-1]
		n = e.next
		if e.trigram != t || int(e.parity) != i&1 {
			continue
		}
		w := &m.words[e.word]
		start := i - int(e.offset)
		if start >= 0 && start+len(w.text) <= len(data) && equalFold(data[start:start+len(w.text)], w.text) {
			hit(start, w)
		}
	}
}

// equalFold compares with a lower-case word, ASCII letters folded.
func equalFold(data []byte, lower string) bool {
	for i, c := range data {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// nameWords are parts of names that may hold a secret. The judge decides; these
// only say where to look.
var nameWords = []string{
	"passw", "passphrase", "_pw", "pw=", "pw:", "pw ", "-pw", ".pw", "pw\"", "passcode", "pwd", "_pass", "pass=", "pass:", "pass ", "pass\"",
	"pass'", "pass>", "userpass", "dbpass", "secret", "token", "apikey", "api_key", "api-key", "api.key", "key", "credential", "creds",
	"auth", "salt", "nonce", "cookie", "seed", "cipher", "psk", "community", "dsn", "connectionstring", "connection_string", "database_url",
	"jwt", "hmac", "signature", "license", "requirepass", "masterauth", "identified by", "webhook", "rootpw", "bindpw", "adminpw", "userpw",
	"dbpw", "bearer", "passwort", "contrase", "mot_de_passe", "motdepasse", "senha", "parola", "haslo", "wachtwoord", "-pass", ".pass",
	"authenticity", "private", "session", "access_id", "accountkey", "pin=", "pin:", "pin\"", "oauth", "mdp=", "mdp:",
}

// theMatcher holds the keywords of all patterns.
var theMatcher = sync.OnceValue(func() *matcher { return newMatcher(keywordsOf(patterns())) })

// keywordsOf gathers the keywords of the patterns, of names and of landmarks,
// each once.
func keywordsOf(all []*pattern) []keyword {
	words := map[string]*keyword{}
	var order []string
	add := func(text string, r role, p *pattern) {
		k := string(rune(r)) + text
		if words[k] == nil {
			words[k] = &keyword{text: text, role: r}
			order = append(order, k)
		}
		if p != nil {
			words[k].tokens = append(words[k].tokens, p)
		}
	}
	for _, p := range all {
		for _, w := range p.Keywords {
			if p.isVendor() {
				add(w, roleName, nil)
			} else {
				add(w, roleToken, p)
			}
		}
	}
	for _, w := range nameWords {
		add(w, roleName, nil)
	}
	for _, l := range landmarks {
		add(l.text, l.role, nil)
	}
	list := make([]keyword, len(order))
	for i, k := range order {
		list[i] = *words[k]
	}
	return list
}

// landmarks are fixed texts that begin something with a reader of its own.
var landmarks = []keyword{
	{text: "-----begin", role: rolePEM}, {text: "putty-user-key-file", role: rolePEM}, {text: "ls0tls1crudjti", role: roleArmor64},
	{text: "://", role: roleURL}, {text: "basic ", role: roleHeader}, {text: "chpasswd:", role: roleUsers},
	{text: "@tcp(", role: roleDSN}, {text: "@unix(", role: roleDSN},
}
