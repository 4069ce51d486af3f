package main

import (
	"os"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	data, err := os.ReadFile("../../action.yml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	if err := check(data); err != nil {
		t.Fatalf("the repository's own: %v", err)
	}
	for _, c := range []struct{ old, with, want string }{
		{"author:", "auther:", "auther"},
		{"  using: docker", "  using: composite", "runs.using"},
		{"  image: ", "  imago: ", "imago"},
		{"  color: blue", "  color: pink", "gray-dark"},
		{"    required: false\n", "    required: perhaps\n", "perhaps"},
		{"description: ", "description: " + strings.Repeat("long ", 40), "over 124"},
		{"  result:\n", "  a result:\n", "is no name"},
	} {
		bad := strings.Replace(good, c.old, c.with, 1)
		if bad == good {
			t.Fatalf("action.yml has no %q", c.old)
		}
		if err := check([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.with, err, c.want)
		}
	}
}
