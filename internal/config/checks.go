package config

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

var (
	nameForm  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$`)
	loginForm = regexp.MustCompile(`^@?[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?(/[A-Za-z0-9._-]{1,100})?$`)
)

// check applies the check that a field's tag names.
func check(name, s string) error {
	if s == "" && name != "name" {
		return nil
	}
	switch name {
	case "glob":
		if err := CheckGlob(s); err != nil {
			return fmt.Errorf("glob %q: %w", s, err)
		}
	case "name":
		if !nameForm.MatchString(s) {
			return errors.New("an environment's name has letters, digits, and . _ - inside, 63 characters at most")
		}
	case "login":
		if !loginForm.MatchString(s) {
			return errors.New("want a login, or a team as org/team")
		}
	case "keyring":
		return checkKeyring(s)
	case "recipient":
		return checkRecipient(s)
	case "cron":
		return checkCron(s)
	}
	return nil
}

func checkKeyring(s string) error {
	if s == "operator" {
		return nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
	case u.Scheme == "file" && u.Host == "" && len(u.Path) > 1:
		return nil
	case u.Scheme == "kubernetes" && u.Host != "" && len(strings.Trim(u.Path, "/")) > 0 && u.User == nil &&
		!strings.Contains(strings.Trim(u.Path, "/"), "/"):
		return nil
	}
	return errors.New("want file:///path/to/key.agekey, kubernetes://namespace/secret or operator")
}

// checkRecipient keeps private keys out, and never repeats what it was given.
func checkRecipient(s string) error {
	upper := strings.ToUpper(s)
	if strings.Contains(upper, "AGE-SECRET-KEY-") || strings.Contains(upper, "PRIVATE KEY") {
		return errors.New("a private key, where a public recipient belongs; remove it, then replace the key")
	}
	if strings.ContainsAny(s, "\n\r") {
		return errors.New("want one recipient in one line")
	}
	return nil
}

// checkCron holds the five fields of cron to their ranges.
func checkCron(s string) error {
	if strings.HasPrefix(s, "@") {
		switch s {
		case "@hourly", "@daily", "@midnight", "@weekly", "@monthly":
			return nil
		}
		return errors.New("want @hourly, @daily, @weekly, @monthly or five fields of cron")
	}
	fields := strings.Fields(s)
	if len(fields) != 5 {
		return errors.New(`want five fields of cron: minute hour day month weekday, such as "0 6 * * 1"`)
	}
	limits := [5]struct {
		name     string
		min, max int
	}{{"minute", 0, 59}, {"hour", 0, 23}, {"day", 1, 31}, {"month", 1, 12}, {"weekday", 0, 7}}
	for i, f := range fields {
		for part := range strings.SplitSeq(f, ",") {
			if !cronPart(part, limits[i].min, limits[i].max) {
				return fmt.Errorf("the %s of the schedule is a number from %d to %d, a range 1-5, a step */2 or *", limits[i].name, limits[i].min, limits[i].max)
			}
		}
	}
	return nil
}

func cronPart(s string, low, high int) bool {
	body, step, stepped := strings.Cut(s, "/")
	if n, err := strconv.Atoi(step); stepped && (err != nil || n < 1 || n > high) {
		return false
	}
	if body == "*" {
		return true
	}
	from, to, ranged := strings.Cut(body, "-")
	a, err := strconv.Atoi(from)
	if err != nil || a < low || a > high {
		return false
	}
	if !ranged {
		return true
	}
	b, err := strconv.Atoi(to)
	return err == nil && b >= a && b <= high
}
