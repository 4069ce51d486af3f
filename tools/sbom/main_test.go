package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"debug/buildinfo"
)

// The test program itself is what a build recorded.
func TestDescribe(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	info.Deps = append(info.Deps, info.Deps...)
	doc := describe(info, "ghcr.io/o/n", "v1.2.3", "sha256:"+strings.Repeat("a", 64))
	seen := map[string]bool{}
	for _, p := range doc.Packages {
		if seen[p.SPDXID] || p.Name == "" || p.Version == "" || len(p.ExternalRefs) != 1 {
			t.Errorf("package %+v", p)
		}
		seen[p.SPDXID] = true
	}
	for _, r := range doc.Relationships[1:] {
		if !seen[r.From] || !seen[r.To] {
			t.Errorf("relationship %+v", r)
		}
	}
	if data, err := json.Marshal(doc); err != nil || !strings.Contains(string(data), `"pkg:golang/std@1.`) {
		t.Errorf("%v %s", err, data)
	}
}
