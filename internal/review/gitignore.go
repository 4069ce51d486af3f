package review

import (
	"path"
	"strings"

	"github.com/sealward/sealward/internal/config"
)

// ignoreRule is one line of a .gitignore.
type ignoreRule struct {
	dir      string // of the .gitignore, "" at the root
	glob     string // relative to dir
	negated  bool
	onlyDirs bool
}

// readGitignore makes the answer of "git check-ignore" from the .gitignore files of
// a tree: nested files, negation, patterns for directories. What a clone excludes by
// itself (.git/info/exclude) is not in the tree and not known here.
func readGitignore(t *Tree) func(string) bool {
	rules := map[string][]ignoreRule{}
	for _, f := range t.Files() {
		if f.Base() == ".gitignore" {
			dir := strings.TrimSuffix(strings.TrimSuffix(f.Path, ".gitignore"), "/")
			rules[dir] = parseGitignore(dir, string(f.Data()))
		}
	}
	return func(p string) bool {
		// A file below an ignored directory is ignored whatever is said of it.
		for i := 0; i < len(p); i++ {
			if p[i] == '/' && ignoredBy(rules, p[:i], true) {
				return true
			}
		}
		return ignoredBy(rules, p, false)
	}
}

func parseGitignore(dir, text string) []ignoreRule {
	var rules []ignoreRule
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if !strings.HasSuffix(line, `\ `) {
			line = strings.TrimRight(line, " \t")
		}
		if line == "" || line[0] == '#' {
			continue
		}
		r := ignoreRule{dir: dir}
		if line[0] == '!' {
			r.negated, line = true, line[1:]
		}
		line = strings.TrimPrefix(line, `\`)
		if strings.HasSuffix(line, "/") {
			r.onlyDirs, line = true, strings.TrimSuffix(line, "/")
		}
		if rest, ok := strings.CutPrefix(line, "/"); ok {
			line = rest
		} else if !strings.Contains(line, "/") {
			line = "**/" + line
		}
		r.glob = line
		rules = append(rules, r)
	}
	return rules
}

// ignoredBy asks the .gitignore files from the path's own directory upwards; in each
// the last match decides.
func ignoredBy(rules map[string][]ignoreRule, p string, isDir bool) bool {
	for dir := path.Dir(p); ; dir = path.Dir(dir) {
		if dir == "." {
			dir = ""
		}
		list := rules[dir]
		rel := strings.TrimPrefix(strings.TrimPrefix(p, dir), "/")
		for i := len(list) - 1; i >= 0; i-- {
			if (isDir || !list[i].onlyDirs) && config.Match(list[i].glob, rel) {
				return !list[i].negated
			}
		}
		if dir == "" {
			return false
		}
	}
}
