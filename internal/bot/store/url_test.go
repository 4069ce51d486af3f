package store

import (
	"strings"
	"testing"
)

func TestURLs(t *testing.T) {
	for _, c := range []struct{ url, file, dsn, problem string }{
		{"sqlite:///var/lib/sealward/bot.db", "/var/lib/sealward/bot.db", "", ""},
		{"sqlite:bot.db", "bot.db", "", ""},
		{"SQLite:./a%20b%3F.db", "a b?.db", "", ""},
		{"sqlite3:/x/../bot.db", "/bot.db", "", ""},
		{"postgres://u:p@h/d", "", "postgres://u:p@h/d", ""},
		{"postgresql://h:5432/d?sslmode=require", "", "postgresql://h:5432/d?sslmode=require", ""},
		{"", "", "", "empty"},
		{"bot.db", "", "", "scheme"},
		{"mysql://u:p@h/d", "", "", "scheme"},
		{"sqlite://bot.db", "", "", "three slashes"},
		{"sqlite:", "", "", "no file"},
		{"sqlite:///", "", "", "no file"},
		{"sqlite:///dir/", "", "", "no file"},
		{"sqlite::memory:", "", "", "memory"},
		{"sqlite:bot.db?mode=rw", "", "", "options"},
		{"sqlite:bot%zz.db", "", "", "escapes"},
		{"sqlite:a%00b", "", "", "zero byte"},
		{"postgres:host=h password=hunter2", "", "", "not a URL"},
		{"postgres://u:hunter2%@h/d", "", "", "not a URL"},
		{"sqlite:" + strings.Repeat("x", maxURL), "", "", "longer"},
	} {
		got, err := parseURL(c.url)
		if c.problem == "" {
			if err != nil || got.file != c.file || got.dsn != c.dsn {
				t.Errorf("%s: %+v, %v", c.url, got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.problem) || !strings.Contains(err.Error(), "DATABASE_URL") ||
			!strings.Contains(err.Error(), "want sqlite:///") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%.40s: %+v, %v", c.url, got, err)
		}
	}
}

func FuzzURL(f *testing.F) {
	for _, seed := range []string{"", "sqlite:///a", "sqlite:a?b", "postgres://u:hunter2@h:1/d", "postgres:hunter2", "postgres://%hunter2", "hunter2:x", "sqlite:%00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := parseURL(raw)
		switch {
		case err == nil && (got.file == "") == (got.dsn == ""):
			t.Errorf("%q is %+v", raw, got)
		case err != nil && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%q: %v", raw, err)
		case err == nil && strings.ContainsRune(got.file, 0):
			t.Errorf("%q has a zero byte", raw)
		}
	})
}
