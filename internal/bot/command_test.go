package bot

import (
	"strings"
	"testing"
	"time"
)

// private is a private key that is none: made here, for no tree may hold one.
var private = "AGE-SECRET-" + "KEY-1" + strings.Repeat("Q", 58)

func TestCommandsAreFound(t *testing.T) {
	key := testRecipient(t, 1)
	other := testRecipient(t, 2)
	ssh := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + strings.Repeat("A", 43)
	tests := []struct{ name, body, want string }{
		{"one", "/rotate-key prod", "/rotate-key prod"},
		{"force", "/rotate-key prod --force", "/rotate-key prod --force"},
		{"force in front", "/rotate-key --force prod", "/rotate-key prod --force"},
		{"to", "/rotate-key prod --to " + key, "/rotate-key prod --to " + key},
		{"to with =", "/rotate-key prod --to=" + key, "/rotate-key prod --to " + key},
		{"to twice", "/rotate-key prod --to " + key + " --to " + other, "/rotate-key prod --to " + key + " --to " + other},
		{"the same twice", "/rotate-key prod --to " + key + " --to " + key, "/rotate-key prod --to " + key},
		{"remove", "/rotate-key --remove " + key, "/rotate-key --remove " + key},
		{"add", "/rotate-key --add " + key, "/rotate-key --add " + key},
		{"add ssh", "/rotate-key --add " + ssh, "/rotate-key --add " + ssh},
		{"add quoted ssh", `/rotate-key --add "` + ssh + `"`, "/rotate-key --add " + ssh},
		{"in backticks", "/rotate-key prod --to `" + key + "`", "/rotate-key prod --to " + key},
		{"environment in backticks", "/rotate-key `prod`", "/rotate-key prod"},
		{"a telephone's dash", "/rotate-key prod —force", "/rotate-key prod --force"},
		{"help", "/rotate-key help", "/rotate-key help"},
		{"--help", "/rotate-key prod --help", "/rotate-key help"},
		{"status", "/rotate-key status", "/rotate-key status"},
		{"tabs", "/rotate-key\tprod\t--force", "/rotate-key prod --force"},
		{"blanks at the end", "/rotate-key prod   ", "/rotate-key prod"},
		{"CRLF", "Hello\r\n/rotate-key prod\r\nThanks", "/rotate-key prod"},
		{"a lone CR", "Hello\r/rotate-key prod\rThanks", "/rotate-key prod"},
		{"a hard blank", "/rotate-key prod\u00a0--force", "/rotate-key prod --force"},
		{"capitals", "/Rotate-Key prod", "/rotate-key prod"},
		{"amid text", "Please.\n\n/rotate-key prod\n\nThanks!", "/rotate-key prod"},
		{"two", "/rotate-key staging\n/rotate-key prod", "/rotate-key staging\n/rotate-key prod"},
		{"each once", "/rotate-key prod\n/rotate-key prod\n/rotate-key  prod", "/rotate-key prod"},
		{"below a heading", "# Rotate\n/rotate-key prod", "/rotate-key prod"},
		{"below a list", "- leaked\n\n/rotate-key prod", "/rotate-key prod"},
		{"behind a quote", "> /rotate-key staging\n\n/rotate-key prod", "/rotate-key prod"},
		{"behind code", "```\n/rotate-key staging\n```\n/rotate-key prod", "/rotate-key prod"},
		{"behind code in a list", "- ```\n  /rotate-key staging\n  ```\n\n/rotate-key prod", "/rotate-key prod"},
		{"behind an inline code", "Run `/rotate-key staging`\n/rotate-key prod", "/rotate-key prod"},
		{"behind a lone backtick", "It`s late\n/rotate-key prod", "/rotate-key prod"},
		{"behind a lone backtick, and another paragraph", "It`s late\n\n/rotate-key prod\n\nisn`t it", "/rotate-key prod"},
		{"behind an HTML comment", "<!-- /rotate-key staging -->\n/rotate-key prod", "/rotate-key prod"},
		{"behind an HTML comment of lines", "<!--\n/rotate-key staging\n-->\n/rotate-key prod", "/rotate-key prod"},
		{"comment opened in code", "`<!--`\n/rotate-key prod", "/rotate-key prod"},
		{"behind a tag that is text", "A List<code> of things\n/rotate-key prod", "/rotate-key prod"},
		{"behind code in an element", "Use <code>x</code>\n/rotate-key prod", "/rotate-key prod"},
		{"fence too short to close", "````\n```\n/rotate-key staging\n````\n/rotate-key prod", "/rotate-key prod"},
		{"nothing", "", ""},
		{"text", "How does /rotate-key prod work?", ""},
		{"indented", "    /rotate-key prod", ""},
		{"one blank", " /rotate-key prod", ""},
		{"a tab", "\t/rotate-key prod", ""},
		{"quoted", "> /rotate-key prod --force", ""},
		{"quoted without a blank", ">/rotate-key prod --force", ""},
		{"quoted twice", ">> /rotate-key prod --force", ""},
		{"fenced", "```\n/rotate-key prod\n```", ""},
		{"fenced with a language", "```sh\n/rotate-key prod\n```", ""},
		{"fenced by tildes", "~~~\n/rotate-key prod\n~~~", ""},
		{"fenced for ever", "```\n/rotate-key prod", ""},
		{"fenced, and the wrong end", "~~~\n```\n/rotate-key prod\n~~~", ""},
		{"inline code", "`/rotate-key prod`", ""},
		{"inline code over lines", "Type `\n/rotate-key prod\n` there", ""},
		{"double backticks over lines", "Type ``a ` b\n/rotate-key prod\n`` there", ""},
		{"HTML comment", "<!-- \n/rotate-key prod --force\n-->", ""},
		{"HTML comment for ever", "Hello <!-- \n/rotate-key prod --force", ""},
		{"pre", "<pre>\n/rotate-key prod\n</pre>", ""},
		{"pre for ever", "<pre>\n/rotate-key prod", ""},
		{"code element", "<code>\n\n/rotate-key prod\n\n</code>", ""},
		{"blockquote element", "<blockquote>\n\n/rotate-key prod\n\n</blockquote>", ""},
		{"in a list", "- /rotate-key prod", ""},
		{"another's command", "/rotate prod", ""},
		{"another's command still", "/lgtm", ""},
		{"too large", strings.Repeat("a\n", maxComment) + "/rotate-key prod", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			cmds := ParseCommands(tt.body)
			for _, c := range cmds.List {
				if c.Problem != "" {
					t.Errorf("problem: %s", c.Problem)
				}
				got = append(got, c.String())
			}
			if s := strings.Join(got, "\n"); s != tt.want || cmds.More != 0 || cmds.Exposed {
				t.Errorf("%q and %d more, want %q", s, cmds.More, tt.want)
			}
		})
	}
}

func TestWhatIsNotUnderstoodIsAnswered(t *testing.T) {
	key := testRecipient(t, 1)
	tests := []struct{ name, body, want string }{
		{"nothing behind it", "/rotate-key", "Name the environment"},
		{"a mistyped command", "/rotate-keys prod", "written `/rotate-key`"},
		{"without the dash", "/rotatekey prod", "written `/rotate-key`"},
		{"two words", "/rotate key prod", "written `/rotate-key`"},
		{"a colon", "/rotate-key: prod", "written `/rotate-key`"},
		{"letters swapped", "/rotaet-key prod", "written `/rotate-key`"},
		{"a mistyped flag", "/rotate-key prod --forse", "did you mean `--force`"},
		{"one dash", "/rotate-key prod -to " + key, "did you mean `--to`"},
		{"a flag of the program", "/rotate-key prod --dry-run", "shows the plan"},
		{"an unknown flag", "/rotate-key prod --yes", "no flag `--yes`"},
		{"a flag that could be anything", "/rotate-key prod --" + strings.Repeat("x", 40), "not known"},
		{"a word too many", "/rotate-key prod please", "a word too many"},
		{"two environments", "/rotate-key prod staging", "a word too many"},
		{"no value", "/rotate-key prod --to", "`--to` wants a recipient"},
		{"a flag for a value", "/rotate-key prod --to --force", "`--to` wants a recipient"},
		{"a bad value", "/rotate-key prod --to age1xyz", "no recipient"},
		{"a truncated value", "/rotate-key prod --to " + key[:40], "no recipient"},
		{"no flag", "/rotate-key prod " + key, "needs a flag"},
		{"a recipient alone", "/rotate-key " + key, "needs a flag"},
		{"force alone", "/rotate-key --force", "name one"},
		{"to alone", "/rotate-key --to " + key, "name the environment"},
		{"both", "/rotate-key prod --force --to " + key, "leave one of them out"},
		{"to come and to go", "/rotate-key --remove " + key + " --add " + key, "at once"},
		{"another kind", "/rotate-key --add arn:aws:kms:eu-west-1:111122223333:key/aaaa", "age and ssh keys alone"},
		{"a strange name", "/rotate-key ../prod", "no name of an environment"},
		{"markup for a name", "/rotate-key [x](https://evil.example)", "no name of an environment"},
		{"a mention for a name", "/rotate-key @octo/admins", "no name of an environment"},
		{"status of one", "/rotate-key status prod", "a word too many"},
		{"right below a quote", "> quoted\n/rotate-key prod --force", "right below a quote"},
		{"further below a quote", "> quoted\nand on\n/rotate-key prod --force", "right below a quote"},
		{"a private key", "/rotate-key prod --to " + private, "**private** key"},
		{"a private key for a name", "/rotate-key " + private, "**private** key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmds := ParseCommands(tt.body)
			if len(cmds.List) != 1 || !strings.Contains(cmds.List[0].Problem, tt.want) || !cmds.Bad() {
				t.Fatalf("%+v, want %q", cmds, tt.want)
			}
			if text := sayProblems(cmds); strings.Contains(text, private) || strings.Contains(text, private[:20]) {
				t.Errorf("the answer repeats the key: %s", text)
			}
			if c := cmds.List[0]; c.String() != "" || c.Force || c.Env != "" || c.To != nil {
				t.Errorf("something of it could be run: %+v", c)
			}
		})
	}
}

func TestExposedKeysAreNoticed(t *testing.T) {
	for _, body := range []string{
		"/rotate-key prod --force\nthe old one was " + private,
		"/rotate-key prod\n```\n" + strings.ToLower(private) + "\n```",
		"/rotate-key prod\n\n-----BEGIN OPENSSH " + "PRIVATE KEY-----\n",
	} {
		if !ParseCommands(body).Exposed {
			t.Errorf("not noticed in %q", body)
		}
	}
	if ParseCommands("look: "+private).Exposed || ParseCommands("/rotate-key prod").Exposed {
		t.Error("exposed without a command or without a key")
	}
}

func TestTooManyCommandsAreNotRun(t *testing.T) {
	var b strings.Builder
	for _, env := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		b.WriteString("/rotate-key " + env + "\n")
	}
	cmds := ParseCommands(b.String())
	if len(cmds.List) != maxCommands || cmds.More != 2 || !cmds.Bad() || !strings.Contains(sayProblems(cmds), "7 commands") {
		t.Errorf("%+v", cmds)
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"force", "forse", 1}, {"force", "froce", 1}, {"abc", "cab", 2}, {"kitten", "sitting", 3}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func FuzzCommands(f *testing.F) {
	f.Add("/rotate-key prod --force\n> quote\n```\n/rotate-key x\n```\n<!-- a -->")
	f.Add("/rotate-key prod --to " + private)
	f.Add("`` ` ``\n/rotate-key `prod`\n<pre>\n</pre><!-- --><?x?>")
	f.Add("- ~~~\n/rotate-key \"a b\" --add=ssh-ed25519 AAAA")
	f.Fuzz(func(t *testing.T, body string) {
		cmds := ParseCommands(body)
		if len(cmds.List) > maxCommands {
			t.Errorf("%d commands", len(cmds.List))
		}
		for _, c := range cmds.List {
			if c.Problem != "" {
				continue
			}
			// What is understood is understood again, and as the same.
			again := ParseCommands(c.String())
			if len(again.List) != 1 || again.List[0].String() != c.String() || again.List[0].Problem != "" {
				t.Errorf("%q of %q is read as %+v", c.String(), body, again)
			}
			if privateKey.MatchString(c.String()) {
				t.Errorf("a private key in %q", c.String())
			}
		}
		// Nothing in a quote, in code or indented is ever a command.
		lines := strings.Split(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(body), "\n")
		for i, l := range lines {
			lines[i] = "> " + l
		}
		if got := ParseCommands(strings.Join(lines, "\n")); len(got.List) != 0 {
			t.Errorf("quoted, %q is %+v", body, got)
		}
	})
}

func TestHostileCommentsCostLittle(t *testing.T) {
	fill := func(part string) string { return strings.Repeat(part, 65_000/len(part)) }
	var runs strings.Builder
	for n := 1; runs.Len() < 64_000; n++ {
		runs.WriteString(strings.Repeat("`", n) + "\n")
	}
	for name, body := range map[string]string{
		"runs of all lengths": runs.String(), "code spans": fill("`a` "), "code spans in lines": fill("`a`\n"), "open elements": fill("<code "), "elements": fill("<code></code>"),
		"elements in lines": fill("<kbd>\n</kbd>\n"), "HTML comments": fill("<!---->"), "list items": fill("-\n"), "numbers": fill("1. "), "quotes": fill(">\n"), "lazy lines": "> a\n" + fill("a\n"),
		"fences": fill("```\n"), "breaks": fill("- - - "), "empty lines": fill("\n"), "commands": fill("/rotate-key p\n"), "mistyped": fill("/rotate-kex p\n"), "long words": "/rotate-key " + fill("x"),
		"many words": "/rotate-key " + fill("x "), "quotes of words": "/rotate-key " + fill("\" '"), "escapes": fill("\\`"), "instructions": fill("<? "), "no end": fill("`\\`` "),
	} {
		start := time.Now()
		ParseCommands(body + "\n\n/rotate-key prod\n")
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: %s", name, took)
		} else {
			t.Logf("%s: %s", name, took)
		}
	}
}
