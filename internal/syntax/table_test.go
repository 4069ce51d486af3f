package syntax_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/syntax"
)

// leafLines tells each leaf as "document path=value".
func leafLines(f *syntax.File) []string {
	var out []string
	for _, l := range f.Leaves {
		out = append(out, fmt.Sprintf("%d %s=%s", l.Doc, l.Path, l.Value))
	}
	return out
}

func equalLines(t *testing.T, got, want []string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("leaves:\n got %q\nwant %q", got, want)
	}
}

// checkBroken holds Broken to begin with want, or to be nil where want is empty.
func checkBroken(t *testing.T, f *syntax.File, want string) {
	t.Helper()
	switch {
	case want == "" && f.Broken != nil:
		t.Errorf("broken: %v", f.Broken)
	case want != "" && (f.Broken == nil || !strings.HasPrefix(f.Broken.Error(), want)):
		t.Errorf("broken: %v, want %q", f.Broken, want)
	}
	if (f.Broken != nil) != (f.Format == syntax.Text && want != "") {
		t.Errorf("format is %s, broken %v", f.Format, f.Broken)
	}
}

func TestDotenv(t *testing.T) {
	tests := []struct {
		title, data string
		want        []string
	}{
		{"plain", "A=b\nC = d e \n", []string{"0 A=b", "0 C=d e"}},
		{"export", "export A=b\nexport\tC='d'\nset E=f\ndeclare -x G=h\n", []string{"0 A=b", "0 C=d", "0 E=f", "0 G=h"}},
		{"quotes", `A="b\n\"c\" \$d \q"` + "\nE='f\\n # g'\n", []string{"0 A=b\n\"c\" $d \\q", "0 E=f\\n # g"}},
		{"many lines", "A=\"b\nc=d\ne\" # f\nG='h\ni'\n", []string{"0 A=b\nc=d\ne", "0 G=h\ni"}},
		{"comments", "# x\nA=b # c\nD=e#f\nG= # h\nI=\"j\" # k\nL=#m\n", []string{"0 A=b", "0 D=e#f", "0 G=", "0 I=j", "0 L=#m"}},
		{"duplicates", "A=1\nA=2\n", []string{"0 A=1", "0 A=2"}},
		{"names alone", "A\nB\r\n", []string{"0 A=", "0 B="}},
		{"colon", "A: b\nC:\nD:e=f\n", []string{"0 A=b", "0 C=", "0 D:e=f"}},
		{"url", "A=https://u:p@h/?q=1#x\n", []string{"0 A=https://u:p@h/?q=1#x"}},
		{"crlf and mark", "\uFEFFA=b\r\nC=\"d\"\r\n", []string{"0 A=b", "0 C=d"}},
		{"open quote", "A=\"b\nC=d\n", []string{"0 A=\"b", "0 C=d"}},
		{"quote and more", "A=\"b\"c\nD='e'f\n", []string{"0 A=\"b\"c", "0 D='e'f"}},
		{"key in clear", "A=-----BEGIN X-----\nMII=\n-----END X-----\nB=c\n", []string{"0 A=-----BEGIN X-----\nMII=\n-----END X-----", "0 B=c"}},
		{"key cut off", "A=-----BEGIN X-----\nB=c\n", []string{"0 A=-----BEGIN X-----", "0 B=c"}},
		{"shell", "source ./x.env\nif\n", []string{"0 source=./x.env", "0 if="}},
		{"empty", "A=\nB=\"\"\nC=''\n=d\n", []string{"0 A=", "0 B=", "0 C=", "0 \"\"=d"}},
		{"no last line break", "A=b", []string{"0 A=b"}},
		{"reference", "A=${B}\nC=$(d)\n", []string{"0 A=${B}", "0 C=$(d)"}},
	}
	for _, tt := range tests {
		t.Run(tt.title, func(t *testing.T) {
			f := syntax.Parse("a.env", []byte(tt.data))
			checkLaws(t, f)
			checkBroken(t, f, "")
			equalLines(t, leafLines(f), tt.want)
		})
	}
}

// TestDotenvOfSops: SOPS knows no quotes, no export, no comment behind a value.
func TestDotenvOfSops(t *testing.T) {
	f := syntax.Parse("a.env", []byte("#ENC[x]\nA=\"b\" # c\nexport D=e\nF=g\\nh\nI\nsops_mac=m\nsops_version=3\n"))
	checkLaws(t, f)
	equalLines(t, leafLines(f), []string{"0 A=\"b\" # c", "0 \"export D\"=e", "0 F=g\nh", "0 I=", "0 sops_mac=m", "0 sops_version=3"})
	if len(f.Comments) != 1 || f.Comments[0].Text != "ENC[x]" {
		t.Errorf("comments: %v", f.Comments)
	}
}

func TestINI(t *testing.T) {
	tests := []struct {
		file, data string
		want       []string
	}{
		{"a.ini", "k = v\n[s]\nk=v ; c\nq = \"a ; b\" # d\n", []string{"0 DEFAULT.k=v", "0 s.k=v", "0 s.q=a ; b"}},
		{"sops.ini", "[a]\nx = ENC[AES256_GCM,data:q=,iv:r=,tag:s==,type:str]\n[sops]\nage__list_0__map_enc = -----BEGIN\\n\n", []string{"0 a.x=ENC[AES256_GCM,data:q=,iv:r=,tag:s==,type:str]", `0 sops.age__list_0__map_enc=-----BEGIN\n`}},
		{".gitconfig", "[user]\n\tname = A\n[remote \"origin\"]\n\turl = https://x/y.git\n\tfetch = +refs/*:refs/*\n[core]\n\tbare\n", []string{"0 user.name=A", "0 remote.origin.url=https://x/y.git", "0 remote.origin.fetch=+refs/*:refs/*", "0 core.bare="}},
		{".npmrc", "//npm.example.com/:_authToken=t\nsave=true\n", []string{`0 DEFAULT."//npm.example.com/:_authToken"=t`, "0 DEFAULT.save=true"}},
		{"x/.aws/credentials", "[default]\naws_access_key_id = a\n", []string{"0 default.aws_access_key_id=a"}},
		{"tox.ini", "[testenv]\ndeps =\n    a==1\n    b>=2\ncommands = x\n  y\nlast: z\n", []string{"0 testenv.deps=a==1\nb>=2", "0 testenv.commands=x\ny", "0 testenv.last=z"}},
		{"web.service", "[Service]\nEnvironment=\"A=b\" \"C=d\"\nExecStart=/x --y=z\n", []string{`0 Service.Environment=A=b" "C=d`, "0 Service.ExecStart=/x --y=z"}},
		{"indented.ini", "[a]\nx = 1\n  y = 2\n", []string{"0 a.x=1", "0 a.y=2"}},
		{"a.properties", "! c\nspring.datasource.password = p\\\n   q\nurl=a\\:b\nkey value\nu=\\u00e9\nempty\n", []string{"0 spring.datasource.password=pq", "0 url=a:b", "0 key=value", "0 u=é", "0 empty="}},
		{"a.toml", "top = 1\n[a.b]\n\"c d\" = \"e\\n\" # f\ng.h = 'i\\j'\n[[l]]\nn = [1, [true], {x = \"y\"}]\n[[l]]\nn = []\n[l.sub]\nm = \"\"\"\nx\n\\\n  y\"\"\"\nd = 2020-01-01 10:00:00\n",
			[]string{"0 top=1", "0 a.b.\"c d\"=e\n", "0 a.b.g.h=i\\j", "0 l[0].n[0]=1", "0 l[0].n[1][0]=true", "0 l[0].n[2].x=y", "0 l[1].n=", "0 l[1].sub.m=x\ny", "0 l[1].sub.d=2020-01-01 10:00:00"}},
		{"Cargo.lock", "[[package]]\nname = \"x\"\n", []string{"0 package[0].name=x"}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			f := syntax.Parse(tt.file, []byte(tt.data))
			checkLaws(t, f)
			checkBroken(t, f, "")
			if f.Format != syntax.INI {
				t.Errorf("format %s", f.Format)
			}
			equalLines(t, leafLines(f), tt.want)
		})
	}
}

func TestBrokenTOML(t *testing.T) {
	f := syntax.Parse("a.toml", []byte("[a]\nb = \"c\"\nd = {{ x }}\n"))
	checkLaws(t, f)
	checkBroken(t, f, "not TOML: line 3")
	equalLines(t, leafLines(f), []string{"0 b=c", "0 d={{ x }}"})
}

// TestLines: what does not parse is read line by line, so that nothing is skipped.
func TestLines(t *testing.T) {
	data := `{{- if .Values.on }}
apiVersion: v1
data:
  # a comment
  password: "s3\"x" # why
  - name: 'it''s'
  url: http://x # c
  block: |
    inner: y
{{- end }}
export TOKEN=abc
quoted := "d"
"json": "e",
no value here
`
	f := syntax.Parse("t.yaml", []byte(data))
	checkLaws(t, f)
	checkBroken(t, f, "not YAML: line 1: found a template")
	equalLines(t, leafLines(f), []string{
		"0 apiVersion=v1", "0 data.password=s3\"x", "0 data.name=it's", "0 data.url=http://x", "0 data.block.inner=y",
		"0 TOKEN=abc", "0 quoted=d", "0 json=e",
	})
	if l, ok := f.Docs[0].Get("data", "password"); !ok || l.Comment != " a comment\n why" {
		t.Errorf("comment: %q", l.Comment)
	}
}

// TestOneBrokenDocument: a document of YAML breaks alone.
func TestOneBrokenDocument(t *testing.T) {
	f := syntax.Parse("m.yaml", []byte("kind: A\n---\nkind: [\n---\nkind: C\nname: c\n"))
	checkLaws(t, f)
	checkBroken(t, f, "not YAML: line 4")
	if len(f.Docs) != 3 || f.Docs[0].Broken != nil || f.Docs[1].Broken == nil || f.Docs[2].Broken != nil {
		t.Fatalf("documents: %+v", f.Docs)
	}
	if got := f.Docs[2].Str("name"); got != "c" {
		t.Errorf("name behind the broken document: %q", got)
	}
}

// TestRefusedFirst: a bomb behind a template is not hidden by it.
func TestRefusedFirst(t *testing.T) {
	f := syntax.Parse("m.yaml", []byte("{{ x }}\n---\na: &a\n  b: *a\n"))
	checkLaws(t, f)
	checkBroken(t, f, "not YAML: line 4: found an alias to a value that contains it")
	if !syntax.Refused(f.Broken) || syntax.Refused(f.Docs[0].Broken) {
		t.Errorf("refused: %v, %v", f.Broken, f.Docs[0].Broken)
	}
}

func FuzzDotenv(f *testing.F) {
	for _, s := range []string{"A=b", "export A=\"b\\n\nc\" # d\n", "sops_mac=x\nA=\\n", "A='", "A: b\n\n#c\r\nD", "A=-----BEGIN\n-----END x", "\uFEFF=", "A=\"\\"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkLaws(t, syntax.ParseAs("f.env", data, syntax.Dotenv)) })
}

func FuzzINI(f *testing.F) {
	for _, s := range []string{"[a]\nb=c", "a=\n b\n c", "[a \"b\"] ; c\nd: e", "a=\"b\"", "a.b=[1,{c=\"\"\"\nd\\\n\"\"\"}]", "a\\ b=c\\\n d", "[[a]]\n[a.b]\n\"c\".d='e'"} {
		for _, name := range []string{"f.ini", "f.toml", "f.properties"} {
			f.Add(name, []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) { checkLaws(t, syntax.ParseAs(name, data, syntax.INI)) })
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"a.yaml", "a.json", ".env", "a.toml", "a", "a.properties", "a.ini"} {
		for _, s := range []string{"{{ x }}\na: b", "{\"sops\": {\"mac\": \"x\"}}", "[sops]\na=b", "apiVersion: v1\nkind: x", "\xff\xfe", "a: b\n---\n[", "\x00", "'a': \"b\\\"\","} {
			f.Add(name, []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		p := syntax.Parse(name, data)
		checkLaws(t, p)
		for _, l := range p.Leaves {
			for _, r := range [][2]int{{0, len(l.Value)}, {len(l.Value) / 2, len(l.Value)}, {1, 0}} {
				if s := p.Sub(l, r[0], r[1]); s.Start.Offset < l.Span.Start.Offset || s.End.Offset > l.Span.End.Offset {
					t.Fatalf("part %v of %s is outside of it", r, l.Path)
				}
			}
		}
	})
}
