package leak

import (
	"bytes"
	"strings"
	"testing"
)

// examined is the sum of the bytes that all stages looked at.
func (w work) examined() int { return w.keywords + w.tokens + w.names + w.urls + w.lines }

// maxFactor bounds the bytes examined for each byte of a text.
const maxFactor = 40

// checkScan scans and holds the outcome to what must be true of any text.
func checkScan(t *testing.T, name string, data []byte) {
	t.Helper()
	s := newScan(name, data)
	s.run()
	if got, limit := s.work.examined(), maxFactor*len(data)+1<<17; got > limit {
		t.Errorf("%d bytes examined of a text of %d, want at most %d: %+v", got, len(data), limit, s.work)
	}
	end := 0
	for _, m := range settle(s.found) {
		if m.Start < end || m.End <= m.Start || m.End > len(data) {
			t.Errorf("%s at %d:%d of %d bytes, behind %d", m.Rule, m.Start, m.End, len(data), end)
		}
		if m.What == "" || m.Severity == 0 {
			t.Errorf("%s has no name for people, or no severity", m.Rule)
		}
		end = m.End
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range hostile() {
		f.Add("x.yaml", seed[:min(len(seed), 4096)])
	}
	f.Add(".netrc", []byte("machine x password hunter2\n"))
	f.Add("a/.htpasswd", []byte("a:$apr1$aaaa$bbbbbbbbbbbbbbbbbbbbbb\n"))
	f.Add("user-data", []byte("chpasswd:\n  list: |\n    root:hunter2\n"))
	f.Add("x.xml", []byte("<a name=\"password\"><![CDATA[hunter2]]></a><Pass encoding=\"base64\">x</Pass>"))
	f.Add("x.go", []byte("password := `hunter2`\ntoken: string = \"\\\"a\"\n"))
	f.Add("x.sql", []byte("IDENTIFIED BY 'hunter2'\n$2y$10$x"))
	f.Fuzz(func(t *testing.T, name string, data []byte) { checkScan(t, name, data) })
}

func FuzzValues(f *testing.F) {
	f.Add("data.password", "aHVudGVyMg==", "kind", "Secret")
	f.Add("env.name", "DB_PASSWORD", "env.value", "hunter2")
	f.Add("auths.x.auth", "Ym90Omh1bnRlcjI=", "a", "{\"password\": \"hunter2\"}")
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string) {
		doc := Document{Name: "x.yaml", Values: []Value{{Keys: strings.Split(k1, "."), Text: v1}, {Keys: strings.Split(k2, "."), Text: v2, Quoted: true}, {Text: v1, Scalar: true}}}
		last := 0
		for _, h := range Values(doc) {
			if h.Index < last || h.Index >= len(doc.Values) || h.Start < 0 || h.End <= h.Start || h.End > len(doc.Values[h.Index].Text) {
				t.Errorf("hit %d at %d:%d is out of bounds", h.Index, h.Start, h.End)
			}
			last = h.Index
		}
	})
}

// hostile are texts made to have readers read the same bytes again and again.
func hostile() [][]byte {
	units := []string{
		"key=", "password:", "token: \"", "secret='", "curl -u ", "eyJ-", "eyJhbGciOiJI.", "ghp_", "AKIA", "://", "https://a:b", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "-----END",
		"basic ", "mysql -p ", "chpasswd:\n ", "<password ", "<password>", "password\" value=\"", "password,\n", "identified by '", "\nP=", "glpat-", "pypi-AgEIcHlwaS5vcmc", "hvs.", "SG.", "$2y$", "{\"password\": ", "AGE-SECRET-KEY-1",
		"op://", "xoxb-1-", "logic.azure.com/workflows/", "sig=%2B", "key=key-", "passwd  ", "secret;", "token&", "api_key`", "\\\"password\\\":\\\"", "PuTTY-User-Key-File-2: \nPrivate-Lines: ", "a:b@tcp(", "variable \"password\" {", "x : PSK \"", " user=\"a\" pass=\"b\"", "<user>a</user>\n<pw>b</pw>", "-", "\x00", "\xff", "\n", " ", "a",
	}
	var out [][]byte
	for _, u := range units {
		out = append(out, bytes.Repeat([]byte(u), 1<<17/len(u)))
	}
	return append(out, []byte(strings.Repeat(strings.Join(units, ""), 200)), []byte(strings.Repeat(strings.Join(units, " "), 200)))
}

// The work is linear whatever the bytes: counted in bytes, not in seconds.
func TestWorkIsBounded(t *testing.T) {
	for _, name := range []string{"x.yaml", "x.sh", "x.go", "x.xml", ".netrc", "x.sql", "README.md", "notes"} {
		for _, data := range hostile() {
			checkScan(t, name, data)
		}
	}
}
