package syntax

import (
	"bytes"
	"strings"
	"unsafe"
)

// Parse reads data as the format that name and content tell. It never fails: a
// file that does not parse is Text read line by line, and Broken says why. Where
// only the content told the format, what does not parse is plain Text.
func Parse(name string, data []byte) *File { return (*Memory)(nil).parse(name, data) }

// ParseAs reads data as format f; see [Parse].
func ParseAs(name string, data []byte, f Format) *File { return (*Memory)(nil).parseAs(name, data, f) }

func (m *Memory) parse(name string, data []byte) *File {
	f := FormatOf(name)
	if f != Text || len(data) > MaxSize {
		return m.parseAs(name, data, f)
	}
	if guess := sniff(data); guess != Text {
		if file := m.parseAs(name, data, guess); file.Broken == nil && len(file.Leaves) > 0 {
			return file
		}
	}
	return m.parseAs(name, data, Text)
}

func (m *Memory) parseAs(name string, data []byte, f Format) *File {
	switch {
	case len(data) > MaxSize:
		return &File{Name: name, Format: Text, Data: data, Broken: errSize}
	case f != Text && isUTF16(data):
		return &File{Name: name, Format: Text, Data: data, Broken: errUTF16}
	}
	switch f {
	case YAML:
		return parseYAML(newBuild(m, name, f, data))
	case JSON:
		return parseJSON(newBuild(m, name, f, data))
	case Dotenv:
		return parseDotenv(newBuild(m, name, f, data))
	case INI:
		return parseINI(newBuild(m, name, f, data))
	}
	return parseText(name, data)
}

// parseText makes one document without leaves. It copies nothing: most of what is
// read is text that nobody asks anything of.
func parseText(name string, data []byte) *File {
	src := unsafe.String(unsafe.SliceData(data), len(data))
	breaks, rest := lastLine(src)
	end := walk{src: src, at: Pos{Offset: len(src) - rest, Line: breaks + 1, Col: 1}}
	doc := Doc{Span: Span{File: name, Start: Pos{Line: 1, Col: 1}, End: end.to(len(src))}}
	return &File{Name: name, Format: Text, Data: data, Docs: []Doc{doc}, index: &posIndex{src: src}}
}

func isUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte{0xFF, 0xFE}) || bytes.HasPrefix(data, []byte{0xFE, 0xFF})
}

// asLines is what becomes of a file that is not what its name says.
func (b *build) asLines(err error) *File {
	b.drop(0)
	b.file.Docs, b.file.Comments = nil, nil
	b.err = nil
	b.begin(0)
	for _, c := range b.lines(0, len(b.src)) {
		b.comment(c, 1)
	}
	b.end(len(b.src), err)
	return b.done()
}

// sniff guesses the format by content: SOPS puts its envelope under any name.
func sniff(data []byte) Format {
	head := bytes.TrimLeft(bytes.TrimPrefix(data, []byte(bom)), " \t\r\n")
	if len(head) == 0 {
		return Text
	}
	sealed := Mentions(data, "sops", 'p')
	switch second := bytes.TrimLeft(head[1:], " \t\r\n"); {
	case sealed && hasLine(data, "[sops]") && (flat(data) || bytes.Contains(data, []byte(`"""`))): // a value of several lines
		return INI
	case head[0] == '{' && len(second) > 0 && (second[0] == '"' || second[0] == '}'), head[0] == '[' && len(second) > 0 && second[0] != '[':
		return JSON
	case sealed && (hasLine(data, "sops_mac=") || hasLine(data, "sops_version=")) && flat(data):
		return Dotenv
	case sealed && hasLine(data, "sops:") && bytes.Contains(data, []byte("mac:")), looksManifest(data):
		return YAML
	}
	return Text
}

// Mentions is bytes.Contains, faster where one byte of the word is rare in text.
func Mentions(data []byte, word string, rare byte) bool {
	at := strings.IndexByte(word, rare)
	for i := at; i < len(data); i++ {
		n := bytes.IndexByte(data[i:], rare)
		if n < 0 {
			return false
		}
		i += n
		if from := i - at; from+len(word) <= len(data) && string(data[from:from+len(word)]) == word {
			return true
		}
	}
	return false
}

// looksManifest reports whether data has the root keys of a Kubernetes object.
func looksManifest(data []byte) bool {
	return Mentions(data, "apiVersion:", 'V') && hasLine(data, "apiVersion:") && hasLine(data, "kind:")
}

// flat reports whether every line is KEY=value, a section or a comment, as SOPS has it in
// its dotenv and INI files. A program with such a file in one of its strings is not.
func flat(data []byte) bool {
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		key, _, ok := bytes.Cut(line, []byte("="))
		if len(line) > 0 && !strings.ContainsRune("#;[", rune(line[0])) && (!ok || bytes.ContainsAny(key, "\t\"'`(){}<>;!:")) {
			return false
		}
	}
	return true
}

func hasLine(data []byte, start string) bool {
	if bytes.HasPrefix(data, []byte(start)) {
		return true
	}
	return bytes.Contains(data, []byte("\n"+start))
}

// base returns the last element of a slash-separated name, in lower case.
func base(name string) string {
	return strings.ToLower(name[strings.LastIndexByte(name, '/')+1:])
}
