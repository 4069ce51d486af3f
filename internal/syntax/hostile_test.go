package syntax_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/syntax"
)

// hostile are inputs that make a careless reader slow, by name of the file.
var hostile = []struct {
	file, head, unit, tail string
}{
	{"a.yaml", "", "[", ""}, {"a.yaml", "", "{", ""}, {"a.yaml", "", "{a: ", ""}, {"a.yaml", "", "[a, ", ""}, {"a.yaml", "", "- ", ""}, {"a.yaml", "", "? ", ""},
	{"a.yaml", "[", "a, ", "]"}, {"a.yaml", "[", "[a]: b, ", "]"}, {"a.yaml", "[", "\"\U0001F600\",", "]"}, {"a.yaml", "", "- [[[[[[a]: b]: b]: b]: b]: b]\n", ""},
	{"a.yaml", "", "a: b\n", ""}, {"a.yaml", "", "a:\n b:\n  c:\n", ""}, {"a.yaml", "", "- a\n", ""}, {"a.yaml", "", "? a\n: b\n", ""}, {"a.yaml", "", "? [a]\n: b\n", ""},
	{"a.yaml", "a: \"", "x ", ""}, {"a.yaml", "a: \"", "\\n", "\""}, {"a.yaml", "a: \"", "\\\n", "\""}, {"a.yaml", "a: \"", "x\n", "\""}, {"a.yaml", "a: '", "''", "'"}, {"a.yaml", "a: '", " \n", "'"},
	{"a.yaml", "a: ", "x ", ""}, {"a.yaml", "a: x\n", "  x\n", ""}, {"a.yaml", "a: x", " \n", "  y"}, {"a.yaml", "a: |\n", "  x\n", ""}, {"a.yaml", "a: |\n", " \n", ""}, {"a.yaml", "a: >\n", "  x\n\n", ""},
	{"a.yaml", "", "#\n", "a: b"}, {"a.yaml", "", "# c\n", "{" + strings.Repeat("a: b, ", 300) + "}"}, {"a.yaml", "", "a: b # c\n", ""}, {"a.yaml", "", "\t", "x"}, {"a.yaml", "", "\t#\n", ""}, {"a.yaml", "", " ", "x"},
	{"a.yaml", "", "---\n", ""}, {"a.yaml", "", "---\n[\n", ""}, {"a.yaml", "", "---\n@\n", ""}, {"a.yaml", "", "...\n", ""}, {"a.yaml", "\x01", "---\na: b\n", ""}, {"a.yaml", "", "%YAML 1.1\n", ""},
	{"a.yaml", "", "&a ", ""}, {"a.yaml", "", "!a ", ""}, {"a.yaml", "- &a b\n", "- *a\n", ""}, {"a.yaml", "- &a {a: b}\n", "- *a\n", ""}, {"a.yaml", "", "- &a b\n", ""},
	{"a.yaml", "&a {x: y, z: w}: b\nc:\n", "  <<: *a\n", ""}, {"a.yaml", "c:\n", "  <<: {k: &a {b: c}}\n", ""}, {"a.yaml", "", "{<<: {a: ", ""},
	{"a.yaml", "", "k: {{ x }}\n", ""}, {"a.yaml", "{{ x }}\n", "a:\n  b: |\n    c: d\n", ""}, {"a.yaml", "{{\n", "'x\n", ""}, {"a.yaml", "{{\n", "\ta: \"b\n", ""}, {"a.yaml", "{{\n", " - a:\n", ""},
	{"a.yaml", "", "\r", ""}, {"a.yaml", "", "a: b\r", ""}, {"a.yaml", "", "a\u2028", ""}, {"a.yaml", "", "é: ü\n", ""}, {"a.yaml", "", "\xff", ""}, {"a.yaml", "a: ", "\uFEFF", ""},
	{"a.json", "", "[", ""}, {"a.json", "", "{\"a\":", ""}, {"a.json", "[", "1,", "1]"}, {"a.json", "\"", "\\u00e9", "\""}, {"a.json", "\"", "\\ud800", "\""}, {"a.json", "", "{}", ""},
	{"a.json", "", "// c\n", "1"}, {"a.json", "", "/* c */", "1"}, {"a.json", "", "/*", ""}, {"a.json", "[", "{\"a\": \"b\"},\n", "1]"}, {"a.json", "[", "'a',\n", ""}, {"a.jsonl", "", "{\"a\": 1}\n", ""},
	{"a.env", "", "A=\"x\n", ""}, {"a.env", "", "A='x\n", ""}, {"a.env", "", "A=\"\\\"\n", ""}, {"a.env", "", "A=\"x\"y\n", ""}, {"a.env", "", "A=-----BEGIN \n", ""}, {"a.env", "A=-----BEGIN \n", "x\n", ""},
	{"a.env", "", "export ", ""}, {"a.env", "A=", " #", ""}, {"a.env", "", "A=b # c\n", ""}, {"a.env", "sops_mac=x\n", "A=\\n\n", ""}, {"a.env", "A=\"", "\\n", "\""}, {"a.env", "", "=", ""},
	{"a.ini", "a =\n", "  b\n", ""}, {"a.ini", "a = b\n", "  c\n", ""}, {"a.ini", "", "[a]\n", ""}, {"a.ini", "", "[", ""}, {"a.ini", "", "a = b ; c\n", ""}, {"a.ini", "a = ", "; ", ""}, {"a.ini", "", "a", ""}, {"a.ini", "", ":", ""},
	{"a.properties", "a=", "\\\n", ""}, {"a.properties", "", "a.", "=b"}, {"a.properties", "a=", "\\u00e9", ""}, {"a.properties", "a=", "\\\\", ""},
	{"a.toml", "", "[[a]]\n", ""}, {"a.toml", "a = ", "[", ""}, {"a.toml", "a = [", "1, ", "]"}, {"a.toml", "a = \"\"\"", "\\\n ", "\"\"\""}, {"a.toml", "", "a.b.c = 1\n", ""}, {"a.toml", "a = {", "b = 1, ", "}"}, {"a.toml", "", "a.", ""}, {"a.toml", "", "[a.b]\n", ""},
	{"a.txt", "{\"", "[", ""}, {"a.txt", "sops_mac=\n", "A=\n", ""},
}

func build(i, size int) []byte {
	h := hostile[i]
	return []byte(h.head + strings.Repeat(h.unit, max(1, size/len(h.unit))) + h.tail)
}

func TestHostileLaws(t *testing.T) {
	for i, h := range hostile {
		for _, size := range []int{1, 3, 40, 700, 4000} {
			data := build(i, size)
			t.Run(h.file+" "+h.head+h.unit, func(t *testing.T) { checkLaws(t, syntax.Parse(h.file, data)) })
		}
	}
}

// cpu is the processor time that f takes, which other programs do not disturb much.
func cpu(f func()) time.Duration {
	now := func() time.Duration {
		var u syscall.Rusage
		if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
			return 0
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	start := now()
	f()
	return now() - start
}

// TestHostileTime holds the time to be linear: eight times the input may not take
// sixty-four times as long.
func TestHostileTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const small, times = 64 << 10, 8
	for i, h := range hostile {
		a, b := build(i, small), build(i, small*times)
		worst := time.Duration(0)
		ratio := 0.0
		for range 4 {
			one := max(cpu(func() { syntax.Parse(h.file, a) }), 2*time.Millisecond)
			many := cpu(func() { syntax.Parse(h.file, b) })
			worst, ratio = many, float64(many)/float64(one)
			if ratio < 5*times && many < 400*time.Millisecond {
				break
			}
		}
		if ratio >= 5*times || worst >= 400*time.Millisecond {
			t.Errorf("%s %q: %v for %d KB, %.0f times as long as for an eighth", h.file, h.head+h.unit, worst, len(b)>>10, ratio)
		}
	}
}
