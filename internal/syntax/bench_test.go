package syntax_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/sealward/sealward/internal/syntax"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-%[1]d
  namespace: shop
  labels:
    app.kubernetes.io/name: shop
    app.kubernetes.io/part-of: "store"
spec:
  replicas: 3
  selector:
    matchLabels: {app.kubernetes.io/name: shop}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: shop
      annotations:
        checksum/config: 5f4dcc3b
    spec:
      containers:
        # the service itself
        - name: web
          image: registry.example.com/shop/web:1.2.%[1]d
          args: ["--listen", ":8080", "--log-format=json"]
          ports:
            - name: http
              containerPort: 8080
          env:
            - name: DATABASE_HOST
              value: db.shop.svc.cluster.local
            - name: DATABASE_PASSWORD
              valueFrom:
                secretKeyRef:
                  name: shop-db
                  key: password
          resources:
            requests: {cpu: 100m, memory: 128Mi}
            limits: {memory: 256Mi}
          command:
            - sh
            - -c
            - |
              set -eu
              exec /app/web \
                --config /etc/shop/config.yaml
`

func manifests(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		b.WriteString("---\n")
		fmt.Fprintf(&b, deployment, i)
	}
	return b.Bytes()
}

// sealed is shaped as SOPS writes a Secret of 20 values.
func sealed() []byte {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Secret\nmetadata:\n    name: shop\nstringData:\n")
	for i := range 20 {
		fmt.Fprintf(&b, "    KEY_%d: ENC[AES256_GCM,data:%s,iv:%s,tag:%s,type:str]\n", i, strings.Repeat("Qk1", 12), strings.Repeat("a", 44), strings.Repeat("b", 24))
	}
	b.WriteString("sops:\n    age:\n")
	for range 2 {
		b.WriteString("        - recipient: age1" + strings.Repeat("q", 58) + "\n          enc: |\n            -----BEGIN AGE ENCRYPTED FILE-----\n")
		for range 6 {
			b.WriteString("            " + strings.Repeat("Y", 64) + "\n")
		}
		b.WriteString("            -----END AGE ENCRYPTED FILE-----\n")
	}
	b.WriteString("    lastmodified: \"2025-01-01T00:00:00Z\"\n    mac: ENC[AES256_GCM,data:" + strings.Repeat("M", 120) + ",type:str]\n    encrypted_regex: ^(data|stringData)$\n    version: 3.13.3\n")
	return []byte(b.String())
}

func dotenvFile() []byte {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, "# setting %d\nSETTING_%d=\"value %d of many\" # why\n", i, i, i)
	}
	return []byte(b.String())
}

func BenchmarkParse(b *testing.B) {
	for _, c := range []struct {
		name, file string
		data       []byte
	}{
		{"manifest", "a.yaml", manifests(1)},
		{"manifests-100", "a.yaml", manifests(100)},
		{"sealed", "a.yaml", sealed()},
		{"dotenv", "a.env", dotenvFile()},
		{"json", "a.json", []byte("[" + strings.TrimSuffix(strings.Repeat(`{"name": "shop", "port": 8080, "tags": ["a", "b"], "on": true},`+"\n", 500), ",\n") + "]")},
		{"template", "a.yaml", []byte(strings.Repeat("{{- if .Values.on }}\nname: {{ .Values.name }}\n{{- end }}\n", 200))},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.data)))
			b.ReportAllocs()
			for b.Loop() {
				if f := syntax.Parse(c.file, c.data); len(f.Leaves) == 0 {
					b.Fatal("no leaves")
				}
			}
		})
	}
}

// BenchmarkReference is what yaml.v3 takes for its nodes alone.
func BenchmarkReference(b *testing.B) {
	for name, data := range map[string][]byte{"manifest": manifests(1), "sealed": sealed()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				var n yaml.Node
				if err := yaml.Unmarshal(data, &n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
