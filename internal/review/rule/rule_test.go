package rule

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
	"github.com/sealward/sealward/internal/review"
)

var update = flag.Bool("update", false, "rewrite the want sections of the cases")

// TestCases runs every case of testdata: a txtar file with the sections base/...,
// head/..., both/..., commit1/... and want. A case of a rule stands in the folder of
// its name. Cases with base/ or both/ and head/ are changes, those with tree/ are
// whole trees. In values, {{age}} and its like are filled in by expand.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(name), "testdata/"), ".txtar"), func(t *testing.T) {
			t.Parallel()
			runCase(t, name)
		})
	}
}

// TestEveryRuleHasCases holds each rule to a flagged and a clean case.
func TestEveryRuleHasCases(t *testing.T) {
	for _, r := range All() {
		for _, kind := range []string{"flagged", "clean"} {
			if m, _ := filepath.Glob(filepath.Join("testdata", r.ID, kind+"*.txtar")); len(m) == 0 {
				t.Errorf("rule %s has no %s case", r.ID, kind)
			}
		}
	}
}

func runCase(t *testing.T, name string) {
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	ar := txtar.Parse(raw)
	sets := map[string]map[string]string{}
	want := -1
	for i, f := range ar.Files {
		section, path, ok := strings.Cut(f.Name, "/")
		if f.Name == "want" {
			want = i
			continue
		}
		if !ok {
			t.Fatalf("section %q is none of base/ head/ both/ tree/ commitN/ want", f.Name)
		}
		if sets[section] == nil {
			sets[section] = map[string]string{}
		}
		sets[section][path] = expand(string(f.Data))
	}
	report := reviewCase(t, sets)
	got := describeReport(report)
	id := filepath.Base(filepath.Dir(name))
	found := regexp.MustCompile(`(?m): (error|warning|notice) ` + regexp.QuoteMeta(id) + ` `).MatchString(got)
	if strings.HasPrefix(filepath.Base(name), "flagged") && !found {
		t.Errorf("the case is named flagged and has no finding of %s:\n%s", id, got)
	}
	if strings.HasPrefix(filepath.Base(name), "clean") && found {
		t.Errorf("the case is named clean and has a finding of %s:\n%s", id, got)
	}
	if want < 0 {
		ar.Files = append(ar.Files, txtar.File{Name: "want"})
		want = len(ar.Files) - 1
	}
	if *update {
		ar.Files[want].Data = []byte(got)
		if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal([]byte(got), ar.Files[want].Data) {
		t.Errorf("got:\n%s\nwant:\n%s\n(go test ./internal/review/rule -update rewrites it)", got, ar.Files[want].Data)
	}
}

// reviewCase builds the trees of a case and reviews them with the whole catalogue.
func reviewCase(t *testing.T, sets map[string]map[string]string) *review.Report {
	t.Helper()
	opt := review.Options{Rules: All(), Redact: Redact, Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
	change := &repo.Change{}
	var configured map[string]string
	if tree := sets["tree"]; tree != nil {
		opt.Mode = review.ReviewTree
		change.Head = repotest.Files(tree)
		configured = tree
	} else {
		both := sets["both"]
		base, head := over(both, sets["base"]), over(both, sets["head"])
		configured = base
		change.Base, change.Head = repotest.Files(base), repotest.Files(head)
		files, err := repo.Compare(context.Background(), change.Base, change.Head)
		if err != nil {
			t.Fatal(err)
		}
		change.Files = files
		change.Commits = commitsOf(t, base, sets)
	}
	if data, ok := configured[config.Name]; ok {
		cfg, err := config.Parse(config.Name, []byte(data))
		if err != nil {
			t.Fatal(err)
		}
		opt.Config = cfg
	}
	report, err := review.Run(context.Background(), change, opt)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// commitsOf makes the commits in between: commit1 lies over base, commit2 over that.
func commitsOf(t *testing.T, base map[string]string, sets map[string]map[string]string) []repo.Commit {
	t.Helper()
	var out []repo.Commit
	before := base
	for i := 1; ; i++ {
		files, ok := sets[fmt.Sprintf("commit%d", i)]
		if !ok {
			return out
		}
		tree := repotest.Files(over(before, files))
		changed, err := repo.Compare(context.Background(), repotest.Files(before), tree)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, repo.Commit{ID: fmt.Sprintf("c%039d", i), Files: changed, Tree: tree})
		before = over(before, files)
	}
}

func over(under, top map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range []map[string]string{under, top} {
		for p, d := range m {
			out[p] = d
		}
	}
	return out
}

// describeReport writes a report line by line: place, severity, rule, message.
func describeReport(r *review.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%s:%d:%d: %s %s %s", f.Span.File, f.Span.Start.Line, f.Span.Start.Col, f.Severity, f.Rule, f.Message)
		if f.Commit != "" {
			fmt.Fprintf(&b, " [commit %s]", f.Commit[len(f.Commit)-1:])
		}
		b.WriteByte('\n')
		for _, rel := range f.Related {
			fmt.Fprintf(&b, "\t%s:%d: %s\n", rel.Span.File, rel.Span.Start.Line, rel.Message)
		}
	}
	for _, i := range r.Ignored {
		fmt.Fprintf(&b, "ignored %s:%d: %s (%s: %s)\n", i.Span.File, i.Span.Start.Line, i.Rule, i.By, i.Reason)
	}
	for _, s := range r.Incomplete {
		fmt.Fprintf(&b, "incomplete: %s\n", s)
	}
	return b.String()
}

// expand fills in what a case cannot hold as it is: values in the shape of real
// credentials, and what SOPS writes. {{a}}, {{b}}, {{c}} are recipients; {{sops a}}
// is the metadata of a file sealed for a, {{enc x}} a ciphertext named x.
func expand(s string) string {
	for name, recipient := range recipients {
		s = strings.ReplaceAll(s, "{{"+name+"}}", recipient)
	}
	s = macro.ReplaceAllStringFunc(s, func(m string) string {
		args := strings.Fields(strings.Trim(m, "{}"))
		if args[0] == "enc" {
			return ciphertext(args[1])
		}
		return metadata(args[1:])
	})
	return strings.NewReplacer(
		"{{github-token}}", "gh"+"p_"+githubToken,
		"{{age-identity}}", ageIdentity,
		"{{pem-begin}}", "-----BEGIN RSA "+"PRIVATE KEY-----",
		"{{pem-end}}", "-----END RSA "+"PRIVATE KEY-----",
	).Replace(s)
}

var (
	macro      = regexp.MustCompile(`{{(enc|sops)( [a-z0-9-]+)+}}`)
	recipients = map[string]string{
		"a": "age12vuuhddgsqaf9qjfvccta5eynkf353s87wyn8vkt09k6vxpeqvas8lr2zw",
		"b": "age1fq3u7vnf6mp4z7tf8h3wp0fm2tm7c6fwkyq7ezp7t3y5kfxkpv4s0vj6ne",
		"c": "age1k87a894ugnm44r8u9cpzcu0uv5qzejpf5ze50dzzqnpqenvshueqn3w0nd",
	}
	// A token in GitHub's format, checksum included, that was never issued.
	githubToken = withChecksum("Zq3vT8nLp5xRk2mB7yHd9sFw4cGj6Q")
	// The identity of {{a}}: a pair that was made for these cases and opens nothing else.
	ageIdentity = "AGE-SECRET-" + "KEY-1" + "T3FEFRC2LN6F2Y9RX9AZ7GRV7SHN9" + "E2H462KQ547XZ7H93SA8KKQJA26QR"
)

// withChecksum appends what GitHub ends its tokens with: the CRC-32 of the random
// part in base 62, six digits.
func withChecksum(random string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := crc32.ChecksumIEEE([]byte(random))
	var out [6]byte
	for i := 5; i >= 0; i-- {
		out[i] = digits[sum%62]
		sum /= 62
	}
	return random + string(out[:])
}

// ciphertext is a token in the shape of sops', different for each name.
func ciphertext(name string) string {
	sum := sha256.Sum256([]byte(name))
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("ENC[AES256_GCM,data:%s,iv:%s,tag:%s,type:str]", b64(sum[:12]), b64(sum[:]), b64(sum[:16]))
}

// metadata is the sops block of a document: {{sops a b mac-x regex}}.
func metadata(args []string) string {
	var b strings.Builder
	b.WriteString("sops:\n    age:\n")
	mac, selector := "mac", ""
	for _, arg := range args {
		switch r, ok := recipients[arg]; {
		case ok:
			fmt.Fprintf(&b, "        - recipient: %s\n          enc: |\n            -----BEGIN AGE ENCRYPTED FILE-----\n            %s\n            -----END AGE ENCRYPTED FILE-----\n",
				r, base64.StdEncoding.EncodeToString([]byte("age-encryption.org/v1\n-> X25519 "+arg)))
		case arg == "regex":
			selector = "    encrypted_regex: ^(data|stringData)$\n"
		default:
			mac = arg
		}
	}
	fmt.Fprintf(&b, "    lastmodified: \"2026-01-01T00:00:00Z\"\n    mac: %s\n%s    version: 3.13.3", ciphertext(mac), selector)
	return b.String()
}
