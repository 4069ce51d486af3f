package config

import (
	"errors"
	"strings"
	"unicode/utf8"
)

// maxAlternatives bounds what braces multiply to, maxGlob how long a glob may be
// for its braces to be looked at.
const (
	maxAlternatives = 1000
	maxGlob         = 4096
)

// Match reports whether the glob matches the whole of a slash-separated path. "*"
// and "?" stay within a directory, a segment "**" stands for any number of them,
// [a-z] and [!a-z] for one character, {a,b} for either; "\" takes the next
// character as it is. A glob that ends in "/" means everything below. The time is
// bounded by the product of both lengths; a glob that [CheckGlob] refuses matches
// as far as it makes sense and never panics.
func Match(glob, path string) bool {
	glob = strings.TrimPrefix(strings.TrimPrefix(glob, "./"), "/")
	if strings.HasSuffix(glob, "/") {
		glob += "**"
	}
	if strings.IndexByte(glob, '{') < 0 || len(glob) > maxGlob {
		return matchPath(glob, path)
	}
	for _, g := range expand(glob, maxAlternatives) {
		if matchPath(g, path) {
			return true
		}
	}
	return false
}

// CheckGlob says what is wrong with a glob.
func CheckGlob(glob string) error {
	if len(glob) > maxGlob {
		return errors.New("it is longer than 4096 bytes")
	}
	depth, class := 0, false
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; {
		case c == '\\' && i+1 == len(glob):
			return errors.New(`it ends in a "\" that quotes nothing`)
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
			if i+1 < len(glob) && (glob[i+1] == '!' || glob[i+1] == '^') {
				i++
			}
			if i+1 < len(glob) && glob[i+1] == ']' {
				i++
			}
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth < 0 {
				return errors.New(`it has a "}" without a "{"`)
			}
		}
	}
	switch {
	case glob == "":
		return errors.New("it is empty")
	case class:
		return errors.New(`it has a "[" without a "]"`)
	case depth > 0:
		return errors.New(`it has a "{" without a "}"`)
	case len(expand(glob, maxAlternatives+1)) > maxAlternatives:
		return errors.New("its braces make more than a thousand globs")
	}
	return nil
}

// matchPath matches segment by segment. Going back to the last "**" alone is enough:
// whatever an earlier one could still swallow, the last one can.
func matchPath(glob, path string) bool {
	retryGlob, retryPath := "", ""
	retry := false
	for {
		seg, rest, more := strings.Cut(glob, "/")
		if seg == "**" {
			if !more {
				return path != ""
			}
			glob, retryGlob, retryPath, retry = rest, rest, path, true
			continue
		}
		name, below, deeper := strings.Cut(path, "/")
		if matchSegment(seg, name) {
			if more == deeper {
				if !more {
					return true
				}
				glob, path = rest, below
				continue
			}
		}
		if !retry {
			return false
		}
		_, next, ok := strings.Cut(retryPath, "/")
		if !ok {
			return false
		}
		glob, path, retryPath = retryGlob, next, next
	}
}

// matchSegment matches one name, going back to the last "*" alone.
func matchSegment(glob, name string) bool {
	if glob == "*" {
		return name != ""
	}
	starGlob, starName, star := "", "", false
	for {
		switch {
		case glob != "" && glob[0] == '*':
			glob = strings.TrimLeft(glob, "*")
			if glob == "" {
				return true
			}
			starGlob, starName, star = glob, name, true
			continue
		case glob == "" && name == "":
			return true
		case glob != "" && name != "":
			if g, n, ok := matchOne(glob, name); ok {
				glob, name = g, n
				continue
			}
		}
		if !star || starName == "" {
			return false
		}
		_, size := utf8.DecodeRuneInString(starName)
		starName = starName[size:]
		glob, name = starGlob, starName
	}
}

// matchOne matches the glob's first element with the name's first character.
func matchOne(glob, name string) (g, n string, ok bool) {
	r, size := utf8.DecodeRuneInString(name)
	switch glob[0] {
	case '?':
		return glob[1:], name[size:], true
	case '[':
		if rest, in, closed := matchClass(glob[1:], r); closed {
			return rest, name[size:], in
		}
	case '\\':
		if len(glob) > 1 {
			glob = glob[1:]
		}
	}
	c, width := utf8.DecodeRuneInString(glob)
	return glob[width:], name[size:], c == r && (c != utf8.RuneError || glob[0] == name[0])
}

// matchClass reads a class behind its "[" and says whether r is in it.
func matchClass(glob string, r rune) (rest string, in, closed bool) {
	negated := glob != "" && (glob[0] == '!' || glob[0] == '^')
	if negated {
		glob = glob[1:]
	}
	for first := true; glob != ""; first = false {
		if glob[0] == ']' && !first {
			return glob[1:], in != negated, true
		}
		var low, high rune
		low, glob = classRune(glob)
		high = low
		if len(glob) > 1 && glob[0] == '-' && glob[1] != ']' {
			high, glob = classRune(glob[1:])
		}
		in = in || low <= r && r <= high
	}
	return "", false, false
}

func classRune(glob string) (rune, string) {
	if glob[0] == '\\' && len(glob) > 1 {
		glob = glob[1:]
	}
	r, size := utf8.DecodeRuneInString(glob)
	return r, glob[size:]
}

// expand resolves the first pair of braces, then the rest, up to limit globs.
func expand(glob string, limit int) []string {
	open, parts, end := braces(glob)
	if end < 0 {
		return []string{glob}
	}
	var out []string
	for _, tail := range expand(glob[end:], limit) {
		for _, part := range parts {
			for _, p := range expand(part, limit) {
				if len(out) == limit {
					return out
				}
				out = append(out, glob[:open]+p+tail)
			}
		}
	}
	return out
}

// braces finds the first "{", its parts, and the offset behind its "}"; end is -1
// where there is none.
func braces(glob string) (open int, parts []string, end int) {
	open = -1
	depth, from := 0, 0
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; {
		case c == '\\':
			i++
		case c == '{':
			if depth++; depth == 1 {
				open, from = i, i+1
			}
		case depth == 0:
		case c == ',' && depth == 1:
			parts, from = append(parts, glob[from:i]), i+1
		case c == '}':
			if depth--; depth == 0 {
				return open, append(parts, glob[from:i]), i + 1
			}
		}
	}
	return open, nil, -1
}
