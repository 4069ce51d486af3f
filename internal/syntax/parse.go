package syntax

import (
	"bytes"
	"strings"
)

// Parse reads data as the format that name and content tell. It never fails: a
// file that does not parse is Text read line by line, and Broken says why. Where
// only the content told the format, what does not parse is plain Text.
func Parse(name string, data []byte) *File {
	f := FormatOf(name)
	if f != Text || len(data) > MaxSize {
		return ParseAs(name, data, f)
	}
	if guess := sniff(data); guess != Text {
		if file := ParseAs(name, data, guess); file.Broken == nil && len(file.Leaves) > 0 {
			return file
		}
	}
	return ParseAs(name, data, Text)
}

// ParseAs reads data as format f; see [Parse].
func ParseAs(name string, data []byte, f Format) *File {
	switch {
	case len(data) > MaxSize:
		return &File{Name: name, Format: Text, Data: data, Broken: errSize}
	case f != Text && isUTF16(data):
		return &File{Name: name, Format: Text, Data: data, Broken: errUTF16}
	}
	switch f {
	case YAML:
		return parseYAML(name, data)
	case JSON:
		return parseJSON(name, data)
	case Dotenv:
		return parseDotenv(name, data)
	case INI:
		return parseINI(name, data)
	}
	b := newBuild(name, Text, data)
	b.begin(0)
	b.end(len(data), nil)
	return b.done()
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
	switch second := bytes.TrimLeft(head[1:], " \t\r\n"); {
	case hasLine(data, "[sops]"):
		return INI
	case head[0] == '{' && len(second) > 0 && (second[0] == '"' || second[0] == '}'), head[0] == '[' && len(second) > 0 && second[0] != '[':
		return JSON
	case hasLine(data, "sops_mac=") || hasLine(data, "sops_version="):
		return Dotenv
	case looksManifest(data):
		return YAML
	}
	return Text
}

// looksManifest reports whether data has the root keys of a Kubernetes object, or of
// what SOPS writes.
func looksManifest(data []byte) bool {
	return hasLine(data, "apiVersion:") && hasLine(data, "kind:") ||
		hasLine(data, "sops:") && bytes.Contains(data, []byte("mac:"))
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
