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

// matcher finds all keywords in one pass. A filter of hashed trigrams decides
// nearly every position with one load and no branch taken; only where it says
// yes is the small table of keywords asked. Each keyword stands there once,
// under its rarest trigram.
type matcher struct {
	filter  [1 << 9]uint64
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
}

// fold maps letters to lower case, three bytes at once. It also joins a few
// other bytes in pairs; hits are verified.
const fold = 0x202020

func hash(trigram uint32) uint32 { return trigram * 0x9E3779B1 >> 17 }

func newMatcher(words []keyword) *matcher {
	m := &matcher{words: words}
	for i, w := range words {
		at := rarest(w.text)
		t := trigramAt(w.text, at)
		h := hash(t)
		m.filter[h>>6] |= 1 << (h & 63)
		m.entries = append(m.entries, entry{t, int16(at), int16(i), m.heads[h>>3]})
		m.heads[h>>3] = int16(len(m.entries))
	}
	return m
}

func trigramAt(s string, i int) uint32 {
	return (uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16) | fold
}

// rarest finds the trigram of a keyword that ordinary text holds least of.
func rarest(s string) int {
	best, at := -1, 0
	for i := 0; i+3 <= len(s); i++ {
		cost := 0
		a, b := edge, edge
		for _, c := range []byte(s[i : i+3]) {
			n := letterIndex(c)
			if n == edge {
				cost += 7 // digits and signs are rarer than letters
			} else {
				cost += surprise(a, b, n)
			}
			a, b = b, n
		}
		if cost > best {
			best, at = cost, i
		}
	}
	return at
}

// scan calls hit with every keyword's place. Hits may come a few bytes out of order.
func (m *matcher) scan(data []byte, hit func(start int, w *keyword)) {
	i := 0
	for ; i+8 <= len(data); i += 4 {
		v := binary.LittleEndian.Uint64(data[i:]) | 0x2020202020202020
		h0 := hash(uint32(v) & 0xffffff)
		h1 := hash(uint32(v>>8) & 0xffffff)
		h2 := hash(uint32(v>>16) & 0xffffff)
		h3 := hash(uint32(v>>24) & 0xffffff)
		b0 := m.filter[h0>>6] >> (h0 & 63)
		b1 := m.filter[h1>>6] >> (h1 & 63)
		b2 := m.filter[h2>>6] >> (h2 & 63)
		b3 := m.filter[h3>>6] >> (h3 & 63)
		if (b0|b1|b2|b3)&1 == 0 {
			continue
		}
		if b0&1 != 0 {
			m.check(data, i, hit)
		}
		if b1&1 != 0 {
			m.check(data, i+1, hit)
		}
		if b2&1 != 0 {
			m.check(data, i+2, hit)
		}
		if b3&1 != 0 {
			m.check(data, i+3, hit)
		}
	}
	for ; i+3 <= len(data); i++ {
		m.check(data, i, hit)
	}
}

// check asks the table about the trigram at i.
func (m *matcher) check(data []byte, i int, hit func(start int, w *keyword)) {
	t := (uint32(data[i]) | uint32(data[i+1])<<8 | uint32(data[i+2])<<16) | fold
	for n := m.heads[hash(t)>>3]; n != 0; {
		e := &m.entries[n-1]
		n = e.next
		if e.trigram != t {
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
