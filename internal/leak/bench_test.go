package leak

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// sourceText is a megabyte of program text with the words that wake readers up.
func sourceText() []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, "func (s *server) handle%d(ctx context.Context, req *Request) (*Response, error) {\n", i)
		b.WriteString("\tif req.Token == \"\" {\n\t\treturn nil, fmt.Errorf(\"read %q: %w\", req.Name, errNoToken)\n\t}\n")
		b.WriteString("\tkey := cacheKey(req.Namespace, req.Name) // https://pkg.go.dev/sync#Map\n\tv, ok := s.entries[key]\n")
		b.WriteString("\tfor i := range v.Items {\n\t\ttotal += int64(len(v.Items[i].Data))\n\t}\n\treturn &Response{Items: v.Items, Total: total}, nil\n}\n\n")
	}
	return b.Bytes()
}

// manifestText is a megabyte of a cluster's manifests, and its values parsed.
func manifestText() (text []byte, values []Value) {
	var b bytes.Buffer
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-%d\nspec:\n  template:\n    spec:\n      containers:\n      - name: app\n        image: registry.internal/app:1.%d.0\n        env:\n        - name: DB_PASSWORD\n          valueFrom:\n            secretKeyRef: {name: app, key: password}\n        - name: LOG_LEVEL\n          value: info\n---\n", i, i)
		for _, kv := range [][2]string{
			{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"metadata.name", "app"}, {"spec.template.spec.containers.name", "app"},
			{"spec.template.spec.containers.image", "registry.internal/app:1.2.0"}, {"spec.template.spec.containers.env.name", "DB_PASSWORD"},
			{"spec.template.spec.containers.env.valueFrom.secretKeyRef.name", "app"}, {"spec.template.spec.containers.env.valueFrom.secretKeyRef.key", "password"},
			{"spec.template.spec.containers.env.name", "LOG_LEVEL"}, {"spec.template.spec.containers.env.value", "info"},
		} {
			values = append(values, Value{Keys: strings.Split(kv[0], "."), Text: kv[1]})
		}
	}
	return b.Bytes(), values
}

func BenchmarkTextSource(b *testing.B) {
	data := sourceText()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Text("server.go", data)
	}
}

func BenchmarkTextManifests(b *testing.B) {
	data, _ := manifestText()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Text("apps.yaml", data)
	}
}

func BenchmarkValues(b *testing.B) {
	data, values := manifestText()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		Values(Document{Name: "apps.yaml", Values: values})
	}
}

// BenchmarkFirst is what the first file of a process costs: the patterns are
// read and the matcher is built.
func BenchmarkFirst(b *testing.B) {
	for b.Loop() {
		newMatcher(keywordsOf(readPatterns()))
	}
}
