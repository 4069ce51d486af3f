package syntax

import (
	"strconv"
	"strings"
	"time"
)

// kindOf resolves a scalar's type as yaml.v3 does: the core schema of YAML 1.2, with
// the numbers of 1.1. Words such as yes and off are strings.
func kindOf(tag string, style Style, value string) Kind {
	if name, ok := strings.CutPrefix(tag, "!<tag:yaml.org,2002:"); ok {
		tag = "!!" + strings.TrimSuffix(name, ">")
	}
	switch tag {
	case "", "!":
	case "!!int":
		return Int
	case "!!float":
		return Float
	case "!!bool":
		return Bool
	case "!!null":
		return Null
	default:
		return String
	}
	if style != Plain {
		return String
	}
	return plainKind(value)
}

func plainKind(v string) Kind {
	if v == "" {
		return Null
	}
	switch c := v[0]; {
	case c >= '0' && c <= '9', c == '+', c == '-':
		return numberKind(v)
	case c == '.':
		return dotKind(v)
	}
	switch v {
	case "~", "null", "Null", "NULL":
		return Null
	case "true", "True", "TRUE", "false", "False", "FALSE":
		return Bool
	}
	return String
}

func dotKind(v string) Kind {
	switch v {
	case ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF":
		return Float
	}
	if _, err := strconv.ParseFloat(v, 64); err == nil {
		return Float
	}
	return String
}

// numberKind judges what begins with a digit or a sign.
func numberKind(v string) Kind {
	switch v {
	case "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF":
		return Float
	}
	if strings.IndexFunc(v, func(r rune) bool { return r > 0x7E || r == ' ' || r == '/' }) >= 0 || isTimestamp(v) {
		return String
	}
	plain := v
	if strings.Contains(v, "_") {
		plain = strings.ReplaceAll(v, "_", "")
	}
	if isInteger(plain) {
		return Int
	}
	if isFloat(plain) {
		if _, err := strconv.ParseFloat(plain, 64); err == nil {
			return Float
		}
	}
	return String
}

func isInteger(v string) bool {
	if _, err := strconv.ParseInt(v, 0, 64); err == nil {
		return true
	}
	_, err := strconv.ParseUint(v, 0, 64)
	return err == nil
}

// isFloat matches [-+]?(.digits|digits[.digits])[e[-+]digits].
func isFloat(v string) bool {
	v = strings.TrimLeft(v[:1], "+-") + v[1:]
	whole := digits(v)
	rest := v[whole:]
	fraction := 0
	if strings.HasPrefix(rest, ".") {
		fraction = digits(rest[1:])
		rest = rest[1+fraction:]
	}
	if whole+fraction == 0 {
		return false
	}
	if rest == "" {
		return true
	}
	if rest[0] != 'e' && rest[0] != 'E' {
		return false
	}
	rest = rest[1:]
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		rest = rest[1:]
	}
	return rest != "" && digits(rest) == len(rest)
}

// digits counts the digits that v begins with.
func digits(v string) int {
	n := 0
	for n < len(v) && v[n] >= '0' && v[n] <= '9' {
		n++
	}
	return n
}

// isTimestamp holds for the dates that yaml.v3 reads as such; they are strings here.
func isTimestamp(v string) bool {
	if digits(v) != 4 || len(v) < 5 || v[4] != '-' {
		return false
	}
	for _, layout := range []string{"2006-1-2T15:4:5.999999999Z07:00", "2006-1-2t15:4:5.999999999Z07:00", "2006-1-2 15:4:5.999999999", "2006-1-2"} {
		if _, err := time.Parse(layout, v); err == nil {
			return true
		}
	}
	return false
}
