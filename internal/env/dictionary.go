package env

import (
	"iter"
	"strings"
)

// weight is how surely a word means an environment.
type weight uint8

const (
	weak   weight = iota + 1 // a common word of source trees too: test, ci, local
	medium                   // seldom anything else: dev, qa
	strong                   // nothing else: prod, staging
)

// word is an entry of the dictionary.
type word struct {
	env    string // canonical
	weight weight
}

// lookup tells the environment that a word names, if any.
func lookup(s string) (word, bool) {
	switch strings.ToLower(s) {
	case "prod", "production", "prd":
		return word{"prod", strong}, true
	case "live":
		return word{"prod", weak}, true
	case "staging", "stg":
		return word{"staging", strong}, true
	case "stage":
		return word{"staging", medium}, true
	case "preprod", "pre-prod", "pre_prod", "preproduction", "pre-production", "pre_production":
		return word{"preprod", strong}, true
	case "nonprod", "non-prod", "non_prod", "nonproduction", "non-production", "non_production":
		return word{"nonprod", strong}, true
	case "uat":
		return word{"uat", strong}, true
	case "dev", "development", "develop", "devel":
		return word{"dev", medium}, true
	case "qa":
		return word{"qa", medium}, true
	case "test", "testing", "tst":
		return word{"test", weak}, true
	case "int", "integration":
		return word{"int", weak}, true
	case "ci":
		return word{"ci", weak}, true
	case "sandbox", "sbox":
		return word{"sandbox", weak}, true
	case "preview":
		return word{"preview", weak}, true
	case "demo":
		return word{"demo", weak}, true
	case "acc", "acceptance":
		return word{"acc", weak}, true
	case "sit":
		return word{"sit", weak}, true
	case "perf", "performance":
		return word{"perf", weak}, true
	case "local":
		return word{"local", weak}, true
	}
	return word{}, false
}

// Rank orders environments by how much is at stake: 0 for local and dev up to
// the highest for production. A name of its own stands below staging.
func Rank(env string) int {
	w, ok := lookup(base(env))
	if !ok {
		w, ok = anyToken(env)
	}
	if !ok {
		return 3
	}
	switch w.env {
	case "local", "sandbox", "ci":
		return 0
	case "dev":
		return 1
	case "test", "int", "preview", "demo", "perf", "nonprod":
		return 2
	case "acc", "sit":
		return 3
	case "qa", "uat":
		return 4
	case "staging":
		return 5
	case "preprod":
		return 6
	}
	return 7
}

// Production reports whether env is production.
func Production(env string) bool { return Rank(env) == 7 }

// Local reports whether env is a developer's own or a machine's: local, dev,
// sandbox, ci, test.
func Local(env string) bool {
	w, ok := lookup(base(env))
	if !ok {
		w, ok = anyToken(env)
	}
	switch w.env {
	case "local", "dev", "sandbox", "ci", "test":
		return ok
	}
	return false
}

// anyToken finds the word in a name of several, such as prod-eu, which the
// configuration may give an environment.
func anyToken(env string) (word, bool) {
	var found word
	for t := range tokens(env, 0) {
		if w, ok := lookup(base(env[t.start:t.end])); ok && w.weight > found.weight {
			found = w
		}
	}
	return found, found.weight > 0
}

// base cuts a number of up to two digits off an environment's name: prod2 is prod.
func base(name string) string {
	n := len(name)
	for n > 0 && name[n-1] >= '0' && name[n-1] <= '9' {
		n--
	}
	if n == len(name) || n == 0 || len(name)-n > 2 {
		return name
	}
	return strings.TrimRight(name[:n], "-_")
}

// named tells the environment of a token, its number kept.
func named(token string) (word, bool) {
	b := base(token)
	w, ok := lookup(b)
	if ok && len(b) < len(token) {
		w.env += strings.TrimLeft(token[len(b):], "-_")
	}
	return w, ok
}

// never are directories that stand beside environments and are none.
func never(name string) bool {
	switch strings.Trim(strings.ToLower(name), "_.") {
	case "base", "bases", "common", "shared", "global", "globals", "components", "component", "all", "default",
		"defaults", "template", "templates", "lib", "libs", "modules", "module", "charts", "chart", "core", "resources":
		return true
	}
	return false
}

// home holds for directories whose children are environments, by their very name.
func home(dir string) bool {
	switch strings.ToLower(dir) {
	case "overlays", "overlay", "environments", "environment", "envs", "env", "clusters", "cluster", "stages", "tiers":
		return true
	}
	return false
}

// span is a part of a string.
type span struct{ start, end int }

// tokens splits a name at ".", "_" and "-"; offsets count from at. What turns the
// word behind it around stays with it: non-prod and pre-prod are not prod.
func tokens(name string, at int) iter.Seq[span] {
	return func(yield func(span) bool) {
		from := 0
		for i := 0; i <= len(name); i++ {
			if i < len(name) && name[i] != '.' && name[i] != '_' && name[i] != '-' {
				continue
			}
			if i < len(name) && turns(name[from:i], name[i+1:]) {
				continue
			}
			if i > from && !yield(span{at + from, at + i}) {
				return
			}
			from = i + 1
		}
	}
}

func turns(token, next string) bool {
	return len(token) == 3 && (strings.EqualFold(token, "pre") || strings.EqualFold(token, "non")) &&
		len(next) >= 3 && strings.EqualFold(next[:2], "pr") && (strings.EqualFold(next[2:3], "o") || strings.EqualFold(next[2:3], "d"))
}
