package bot

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/sops"
)

// Verb is what a command asks for.
type Verb string

// The verbs.
const (
	VerbRotate Verb = "rotate"
	VerbHelp   Verb = "help"
	VerbStatus Verb = "status"
)

// Command is one line of a comment. Where Problem is set nothing else counts: it says in
// Markdown what is wrong with the line and how to write it, and repeats nothing of it that
// may be secret.
type Command struct {
	Verb            Verb
	Env             string
	Force           bool
	To, Remove, Add []sops.Recipient
	Problem         string
}

// Commands are what a comment asks for.
type Commands struct {
	List []Command // each once, in their order; at most [maxCommands]
	More int       // how many others there are
	// Exposed says that a private key stands somewhere in the comment.
	Exposed bool
}

// Bad says that a command is not understood, or that there are too many. Nothing of the
// comment is done then.
func (c Commands) Bad() bool {
	return c.More > 0 || slices.ContainsFunc(c.List, func(cmd Command) bool { return cmd.Problem != "" })
}

const (
	// maxComment is more than GitHub takes: 65,536 characters of at most four bytes.
	maxComment  = 1 << 18
	maxCommands = 5
	maxEnv      = 63
	keyword     = "/rotate-key"
)

var (
	privateKey = regexp.MustCompile(`(?i)AGE-SECRET-KEY-|AGE-PLUGIN-[A-Z0-9+._-]+-1[A-Z0-9]{6}|-----BEGIN [A-Z0-9 ]*PRIVATE KEY`)
	envWord    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]*$`)
	flagWord   = regexp.MustCompile(`^--?[A-Za-z][A-Za-z-]{0,15}$`)
)

// ParseCommands finds the commands in a comment: they stand at the start of a line, and
// neither in a quote, nor in code, nor in what is hidden.
func ParseCommands(body string) Commands {
	if len(body) > maxComment || !strings.Contains(strings.ToLower(body), "/rot") {
		return Commands{}
	}
	c := Commands{}
	seen := map[string]bool{}
	for _, line := range spoken(body) {
		cmd, ok := parseLine(line)
		if !ok || seen[cmd.String()+cmd.Problem] {
			continue
		}
		seen[cmd.String()+cmd.Problem] = true
		if len(c.List) == maxCommands {
			c.More++
			continue
		}
		c.List = append(c.List, cmd)
	}
	c.Exposed = len(c.List) > 0 && privateKey.MatchString(body)
	return c
}

// parseLine reads a line; ok is false where it is no command.
func parseLine(line spokenLine) (cmd Command, ok bool) {
	first, rest, _ := strings.Cut(strings.ReplaceAll(line.text, "\t", " "), " ")
	if !strings.HasPrefix(first, "/") {
		return Command{}, false
	}
	switch word := strings.ToLower(strings.TrimRight(first, ".,:;!")); {
	case word == keyword && word == strings.ToLower(first):
	case !nearKeyword(word, rest):
		return Command{}, false
	default:
		return problem("The command is written `/rotate-key`, as in `/rotate-key prod`."), true
	}
	if line.doubtful {
		return problem("The command stands right below a quote, and Markdown counts it as a part of that. Put an empty line before it."), true
	}
	return parseWords(words(rest)), true
}

// nearKeyword tells a mistyped command from one of somebody else's.
func nearKeyword(word, rest string) bool {
	if word == "/rotate" || word == "/rotates" {
		next, _, _ := strings.Cut(strings.TrimSpace(strings.ToLower(rest)), " ")
		return next == "key" || next == "keys"
	}
	return strings.HasPrefix(word, "/rot") && distance(word, keyword) <= 2
}

// words splits a line. Quotes and backticks around a word or two are taken away, and a
// dash that a telephone has made of two is two again.
func words(line string) []string {
	var out []string
	for line = strings.TrimSpace(line); line != ""; line = strings.TrimSpace(line) {
		if quote := line[:1]; strings.Contains("\"'`", quote) {
			if inner, after, ok := strings.Cut(line[1:], quote); ok && (after == "" || strings.ContainsAny(after[:1], " \u00a0")) {
				out, line = append(out, strings.TrimSpace(inner)), after
				continue
			}
		}
		word, after := line, ""
		if i := strings.IndexFunc(line, isSpace); i >= 0 {
			word, after = line[:i], line[i:]
		}
		for _, dash := range []string{"—", "–"} {
			if cut, ok := strings.CutPrefix(word, dash); ok {
				word = "--" + cut
			}
		}
		if name, value, ok := strings.Cut(word, "="); ok && strings.HasPrefix(name, "--") {
			out = append(out, name)
			word = strings.Trim(value, "\"'`")
		}
		out, line = append(out, strings.Trim(word, "`")), after
	}
	return out
}

func isSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\u00a0' || r == '\v' || r == '\f' }

func problem(text string) Command { return Command{Problem: text} }

// parseWords reads what follows the keyword.
func parseWords(list []string) Command {
	if len(list) == 0 {
		return problem("Name the environment whose key it is about, as in `/rotate-key prod`.")
	}
	cmd := Command{Verb: VerbRotate}
	for len(list) > 0 {
		word := list[0]
		list = list[1:]
		var bad string
		switch word {
		case "--force", "-f":
			cmd.Force = true
		case "--help", "-h":
			cmd.Verb = VerbHelp
		case "--to":
			cmd.To, list, bad = recipient(word, cmd.To, list)
		case "--remove":
			cmd.Remove, list, bad = recipient(word, cmd.Remove, list)
		case "--add":
			cmd.Add, list, bad = recipient(word, cmd.Add, list)
		default:
			bad = cmd.word(word)
		}
		if bad != "" {
			return problem(bad)
		}
	}
	return cmd.check()
}

// recipient reads the value of a flag.
func recipient(flag string, have []sops.Recipient, list []string) (all []sops.Recipient, rest []string, bad string) {
	form := "`" + flag + " age1...`"
	if len(list) == 0 || strings.HasPrefix(list[0], "--") {
		return nil, nil, "`" + flag + "` wants a recipient: " + form + "."
	}
	text, rest := list[0], list[1:]
	if strings.HasPrefix(text, "ssh-") && !strings.Contains(text, " ") && len(rest) > 0 {
		text, rest = text+" "+rest[0], rest[1:]
	}
	if privateKey.MatchString(text) {
		return nil, nil, "What follows `" + flag + "` is a **private** key, where the public one belongs: it begins with `age1`."
	}
	r, err := sops.ParseRecipient(text)
	if err != nil {
		return nil, nil, "What follows `" + flag + "` is no recipient: " + proseOf(err.Error()) + ". Write it as " + form + ", whole and on the same line."
	}
	if !slices.Contains(have, r) {
		have = append(have, r)
	}
	return have, rest, ""
}

// word reads a word that is no known flag, and returns what is wrong with it.
func (c *Command) word(word string) string {
	switch {
	case privateKey.MatchString(word):
		return "There is a **private** key in the command. It takes the names of environments, and public keys."
	case strings.HasPrefix(word, "-"):
		return badFlag(word)
	case strings.HasPrefix(word, "age1"), strings.HasPrefix(word, "ssh-"):
		return "A recipient needs a flag that says what to do with it: `--to age1...`, `--remove age1...` or `--add age1...`."
	case c.Env != "" || c.Verb != VerbRotate:
		return "A command is about one environment, and there is a word too many behind it. Write another line for another environment."
	}
	switch lower := strings.ToLower(word); lower {
	case "help", "status":
		c.Verb = Verb(lower)
		return ""
	}
	if len(word) > maxEnv || !envWord.MatchString(word) || strings.Contains(word, "//") {
		return "That is no name of an environment: letters, digits, dots, dashes and underscores are. Write it as in `/rotate-key prod`."
	}
	c.Env = word
	return ""
}

func badFlag(word string) string {
	const forms = "Known are `--force`, `--to age1...`, `--remove age1...` and `--add age1...`."
	if !flagWord.MatchString(word) {
		return "There is a flag that is not known. " + forms
	}
	for _, known := range []string{"--force", "--to", "--remove", "--add", "--help"} {
		if d := distance(strings.ToLower(word), known); d <= 2 && d < len(known)-2 || "-"+strings.ToLower(word) == known {
			return fmt.Sprintf("There is no flag `%s`: did you mean `%s`?", word, known)
		}
	}
	if word == "--dry-run" || word == "--plan" {
		return "There is no flag `" + word + "`: without `--force` and without a newer key, `/rotate-key prod` shows the plan and changes nothing."
	}
	return "There is no flag `" + word + "`. " + forms
}

// check refuses what contradicts itself.
func (c Command) check() Command {
	flags := c.Force || len(c.To)+len(c.Remove)+len(c.Add) > 0
	switch {
	case c.Verb != VerbRotate && (flags || c.Env != ""):
		if c.Verb == VerbHelp {
			return Command{Verb: VerbHelp}
		}
		return problem("`/rotate-key status` takes nothing else.")
	case c.Verb != VerbRotate:
		return c
	case c.Env == "" && c.Force:
		return problem("`--force` replaces the key of an environment: name one, as in `/rotate-key prod --force`.")
	case c.Env == "" && len(c.To) > 0 && len(c.Remove) == 0:
		return problem("`--to` says what takes a key's place: name the environment, as in `/rotate-key prod --to age1...`, or the one to go, as in `/rotate-key --remove age1... --to age1...`. To let somebody in, use `--add`.")
	case c.Force && len(c.To) > 0:
		return problem("`--force` makes a new key, and `--to` names one that is there: leave one of them out.")
	}
	for _, r := range slices.Concat(c.To, c.Add) {
		switch {
		case slices.Contains(c.Remove, r):
			return problem("A recipient is to come and to go at once: leave it out of `--remove`, or out of `--to` and `--add`.")
		case r.Kind != sops.Age:
			return problem("Files are sealed here to age and ssh keys alone; add other kinds with `sops`.")
		case r.Plugin():
			return problem("That recipient needs a plugin of age, which is a program that is not run here; add it with `sops`.")
		}
	}
	return c
}

// String is the command as one would write it.
func (c Command) String() string {
	switch {
	case c.Problem != "":
		return ""
	case c.Verb != VerbRotate:
		return keyword + " " + string(c.Verb)
	}
	parts := []string{keyword}
	if c.Env != "" {
		parts = append(parts, c.Env)
	}
	if c.Force {
		parts = append(parts, "--force")
	}
	for _, f := range []struct {
		flag string
		list []sops.Recipient
	}{{"--to", c.To}, {"--remove", c.Remove}, {"--add", c.Add}} {
		for _, r := range f.list {
			parts = append(parts, f.flag, r.ID)
		}
	}
	return strings.Join(parts, " ")
}

// distance is the number of letters to add, drop, change or swap.
func distance(a, b string) int {
	if len(a) > 40 || len(b) > 40 {
		return 40
	}
	before, row := []int(nil), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
