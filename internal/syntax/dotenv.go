package syntax

import "strings"

// dotenvReader reads env files. Programs read them in two ways: most as a shell
// would (quotes, escapes, comments behind a value), SOPS line by line with nothing
// but "\n" escaped. A file that SOPS has sealed is read in its way.
type dotenvReader struct {
	*build
	pos int
}

func parseDotenv(b *build) *File {
	r := dotenvReader{build: b}
	r.begin(0)
	if strings.HasPrefix(r.src, bom) {
		r.pos = len(bom)
	}
	sealed := hasLine(b.file.Data, "sops_mac=") || hasLine(b.file.Data, "sops_version=")
	for r.pos < len(r.src) && r.err == nil {
		if sealed {
			r.sopsLine()
		} else {
			r.line()
		}
	}
	r.end(len(r.src), r.err)
	return r.done()
}

// eol returns the end of the line that holds from, its break left out.
func eol(src string, from int) int {
	n := strings.IndexByte(src[from:], '\n')
	if n < 0 {
		n = len(src) - from
	}
	for n > 0 && src[from+n-1] == '\r' {
		n--
	}
	return from + n
}

// nextLine returns where the line behind the one that holds from begins.
func nextLine(src string, from int) int {
	if n := strings.IndexByte(src[from:], '\n'); n >= 0 {
		return from + n + 1
	}
	return len(src)
}

func (r *dotenvReader) sopsLine() {
	start, end := r.pos, eol(r.src, r.pos)
	r.pos = nextLine(r.src, r.pos)
	line := r.src[start:end]
	if line == "" {
		return
	}
	if line[0] == '#' {
		r.comment(stretch{start, end}, 1)
		return
	}
	n := strings.IndexByte(line, '=')
	if n < 0 {
		r.add(stretch{start, end}, "", Null, Plain, stretch{end, end})
		return
	}
	value := line[n+1:]
	if strings.Contains(value, `\n`) {
		value = strings.ReplaceAll(value, `\n`, "\n")
	}
	r.add(stretch{start, start + n}, value, String, Plain, stretch{start + n + 1, end})
}

func (r *dotenvReader) add(key stretch, value string, kind Kind, style Style, at stretch) {
	r.path = append(r.path[:0], K(r.src[key.start:key.end]))
	r.leaf(value, kind, style, key, at)
}

// line reads an entry, which may go on over several lines within quotes.
func (r *dotenvReader) line() {
	start, end := r.pos, eol(r.src, r.pos)
	r.pos = nextLine(r.src, r.pos)
	start = skipBlanks(r.src, start, end)
	if start == end {
		return
	}
	if r.src[start] == '#' {
		r.comment(stretch{start, end}, 1)
		return
	}
	start = skipShell(r.src, start, end)
	key, at := envKey(r.src, start, end)
	if at < 0 {
		r.add(key, "", Null, Plain, stretch{key.end, key.end})
		return
	}
	r.value(key, at, end)
}

func skipBlanks(src string, from, to int) int {
	for from < to && isBlank(src, from) {
		from++
	}
	return from
}

// skipShell passes the word that a shell needs before an assignment.
func skipShell(src string, from, to int) int {
	for _, word := range []string{"export", "set", "declare -x", "readonly"} {
		if rest, ok := strings.CutPrefix(src[from:to], word); ok && rest != "" && isBlank(rest, 0) {
			if at := skipBlanks(src, from+len(word), to); at < to {
				return at
			}
		}
	}
	return from
}

// envKey splits a line at its first "=", or else at ": " or white space. at is where
// the value begins, below 0 where there is none.
func envKey(src string, start, end int) (key stretch, at int) {
	line := src[start:end]
	n := strings.IndexByte(line, '=')
	colon := 0
	for colon < len(line) && isNameByte(line[colon]) {
		colon++
	}
	if colon > 0 && colon < len(line) && line[colon] == ':' && blankOrEnd(line, colon+1) {
		n = colon
	}
	width := 1
	if n < 0 {
		if n = strings.IndexAny(line, " \t"); n < 0 {
			return stretch{start, end}, -1
		}
	}
	keyEnd := start + n
	for keyEnd > start && isBlank(src, keyEnd-1) {
		keyEnd--
	}
	at = skipBlanks(src, start+n+width, end)
	if at == end || src[at] == '#' && line[n] != '=' && line[n] != ':' {
		if line[n] != '=' && line[n] != ':' {
			return stretch{start, keyEnd}, -1
		}
		at = start + n + width
	}
	return stretch{start, keyEnd}, at
}

// value reads the value at at; end is the end of its first line.
func (r *dotenvReader) value(key stretch, at, end int) {
	text := r.src[at:end]
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		if value, n, ok := unquoteEnv(r.src[at:]); ok && r.rest(at+n) {
			style := SingleQuoted
			if text[0] == '"' {
				style = DoubleQuoted
			}
			r.add(key, value, String, style, stretch{at, at + n})
			return
		}
	}
	if strings.HasPrefix(text, "-----BEGIN ") && !strings.Contains(text, "-----END ") {
		if stop := pemEnd(r.src, end); stop > 0 {
			r.add(key, r.src[at:stop], String, Plain, stretch{at, stop})
			r.pos = nextLine(r.src, stop)
			return
		}
	}
	stop := end
	for i := at; i < end; i++ {
		if r.src[i] == '#' && i > key.end && isBlank(r.src, i-1) {
			r.comment(stretch{i, end}, 1)
			stop = i
			break
		}
	}
	for stop > at && isBlank(r.src, stop-1) {
		stop--
	}
	r.add(key, r.src[at:stop], String, Plain, stretch{at, stop})
}

// rest takes what stands behind a closing quote; it returns false, and takes
// nothing, where that is more than a comment.
func (r *dotenvReader) rest(at int) bool {
	end := eol(r.src, at)
	from := skipBlanks(r.src, at, end)
	if from < end && (r.src[from] != '#' || from == at) {
		return false
	}
	if from < end {
		r.comment(stretch{from, end}, 1)
	}
	r.pos = nextLine(r.src, end)
	return true
}

// pemEnd returns where the PEM block that a value begins ends, or 0; env files do hold
// unquoted keys.
func pemEnd(src string, from int) int {
	i := strings.Index(src[from:], "-----")
	if i < 0 || !strings.HasPrefix(src[from+i:], "-----END ") {
		return 0
	}
	return eol(src, from+i)
}

// unquoteEnv decodes the quoted string that src begins with, and tells its length.
// Single quotes know no escapes; in double ones an unknown escape stays as it is.
func unquoteEnv(src string) (value string, n int, ok bool) {
	quote := src[0]
	i := 1
	for i < len(src) && src[i] != quote {
		if src[i] == '\\' && quote == '"' {
			i++
		}
		i++
	}
	if i >= len(src) {
		return "", 0, false
	}
	value = src[1:i]
	if quote == '"' && strings.Contains(value, `\`) {
		value = envEscapes.Replace(value)
	}
	return value, i + 1, true
}

var envEscapes = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\$`, "$", "\\`", "`")
