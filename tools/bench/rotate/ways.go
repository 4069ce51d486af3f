package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/sealward/sealward/internal/keyring"
	"github.com/sealward/sealward/internal/seal"
	"github.com/sealward/sealward/internal/sops"
)

// bench holds the files and the keys.
type bench struct {
	sops, root    string
	files, values int
	old, fresh    keyring.Identity
}

func (b *bench) dir(name string) string { return filepath.Join(b.root, name) }

func fileName(i int) string { return fmt.Sprintf("secret-%04d.yaml", i) }

// prepare seals the files with sops and then formats them by hand: blank lines,
// comments, a flow mapping, quotes, two blanks of indentation.
func (b *bench) prepare() error {
	var err error
	if b.old, err = keyring.Generate(false); err != nil {
		return err
	}
	if b.fresh, err = keyring.Generate(false); err != nil {
		return err
	}
	src := b.dir("sealed")
	if err := os.MkdirAll(src, 0o700); err != nil {
		return err
	}
	if err := b.config(src, b.old); err != nil {
		return err
	}
	for i := range b.files {
		path := filepath.Join(src, fileName(i))
		var text strings.Builder
		text.WriteString("apiVersion: v1\nkind: Secret\nmetadata:\n    name: shop\nstringData:\n")
		for v := range b.values {
			fmt.Fprintf(&text, "    KEY_%d: the value %d of file %d\n", v, v, i)
		}
		if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
			return err
		}
		cmd := b.command(src, "encrypt", "-i", fileName(i))
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("sops encrypt: %w: %s", err, out)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, byHand(data), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) config(dir string, id keyring.Identity) error {
	rules := "creation_rules:\n  - encrypted_regex: ^(data|stringData)$\n    mac_only_encrypted: true\n    age: " + id.Recipient().ID + "\n"
	return os.WriteFile(filepath.Join(dir, ".sops.yaml"), []byte(rules), 0o600)
}

func (b *bench) command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(b.sops, args...)
	cmd.Dir = dir
	cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "SOPS_AGE_KEY=" + b.old.Expose() + "\n" + b.fresh.Expose()}
	return cmd
}

var value = regexp.MustCompile(`(?m)^    (KEY_\d*5): (ENC\[.*\])$`)

func byHand(data []byte) []byte {
	text := strings.Replace(string(data), "apiVersion: v1\n", "---\n# what the shop needs\napiVersion: v1   # as ever\n", 1)
	text = strings.Replace(text, "metadata:\n    name: shop\n", "metadata: {name: shop, labels: {app: 'shop', tier: \"back\"}}\n\n", 1)
	text = value.ReplaceAllString(text, "\n    # by hand\n    $1: \"$2\"")
	head, meta, _ := strings.Cut(text, "\nsops:\n")
	return []byte(strings.ReplaceAll(head, "\n    ", "\n  ") + "\n\nsops:\n" + meta)
}

func (b *bench) loop(sample int) (usage, error) {
	u := usage{name: "`sops rotate`, a loop", files: sample, newDataKey: true}
	dir := b.dir("loop")
	if err := copyTree(b.dir("sealed"), dir); err != nil {
		return u, err
	}
	for i := range sample {
		if err := u.timed(b.command(dir, "rotate", "-i", "--add-age", b.fresh.Recipient().ID, "--rm-age", b.old.Recipient().ID, fileName(i))); err != nil {
			return u, err
		}
	}
	return u, b.judge(&u, dir)
}

func (b *bench) updatekeys() (usage, error) {
	u := usage{name: "`sops updatekeys`, one process", files: b.files}
	dir := b.dir("updatekeys")
	if err := copyTree(b.dir("sealed"), dir); err != nil {
		return u, err
	}
	if err := b.config(dir, b.fresh); err != nil {
		return u, err
	}
	args := []string{"updatekeys", "-y"}
	for i := range b.files {
		args = append(args, fileName(i))
	}
	if err := u.timed(b.command(dir, args...)); err != nil {
		return u, err
	}
	return u, b.judge(&u, dir)
}

func (b *bench) ours(way string) (usage, error) {
	u := usage{name: "internal/seal, the " + way + " way", files: b.files, newDataKey: true}
	dir := b.dir(way)
	if err := copyTree(b.dir("sealed"), dir); err != nil {
		return u, err
	}
	self, err := os.Executable()
	if err != nil {
		return u, err
	}
	keys := filepath.Join(b.root, "keys")
	if err := os.WriteFile(keys, []byte(b.old.Expose()+"\n"+b.fresh.Expose()+"\n"), 0o600); err != nil {
		return u, err
	}
	cmd := exec.Command(self, "worker", way, dir)
	cmd.Env = []string{"KEYS=" + keys, "GOGC=" + os.Getenv("GOGC")}
	if err := u.timed(cmd); err != nil {
		return u, err
	}
	return u, b.judge(&u, dir)
}

// worker re-seals every file of a directory: read, re-seal, verify, write, rename.
func worker(way, dir string) error {
	k, err := keyring.Open("file://"+os.Getenv("KEYS"), keyring.Options{})
	if err != nil {
		return err
	}
	ctx := context.Background()
	ids, err := k.Identities(ctx, "bench")
	if err != nil {
		return err
	}
	s, err := seal.New(ids)
	if err != nil {
		return err
	}
	if way == "library" {
		s = s.ByLibrary()
	}
	want := sops.Rekey{Remove: []sops.Recipient{ids[1].Recipient()}, Add: []sops.Recipient{ids[0].Recipient()}}
	list, err := filepath.Glob(filepath.Join(dir, "secret-*.yaml"))
	if err != nil || len(list) == 0 {
		return errors.Join(err, errors.New("no files"))
	}
	for _, path := range list {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		out, err := s.Reseal(ctx, filepath.Base(path), data, want)
		if err != nil {
			return err
		}
		if out.Way != way {
			return fmt.Errorf("%s went the %s way", path, out.Way)
		}
		if err := os.WriteFile(path+".tmp", out.Data, 0o600); err != nil {
			return err
		}
		if err := os.Rename(path+".tmp", path); err != nil {
			return err
		}
	}
	return nil
}

// judge counts the noise, and opens a few files with the new key alone.
func (b *bench) judge(u *usage, dir string) error {
	before, err := os.ReadFile(filepath.Join(b.dir("sealed"), fileName(0)))
	if err != nil {
		return err
	}
	after, err := os.ReadFile(filepath.Join(dir, fileName(0)))
	if err != nil {
		return err
	}
	u.noise = noise(string(before), string(after))
	for i := range min(3, u.files) {
		cmd := b.command(dir, "decrypt", fileName(i))
		cmd.Env[2] = "SOPS_AGE_KEY=" + b.fresh.Expose()
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: sops decrypt with the new key: %w: %s", u.name, err, out)
		}
		cmd = b.command(dir, "decrypt", fileName(i))
		cmd.Env[2] = "SOPS_AGE_KEY=" + b.old.Expose()
		if cmd.Run() == nil {
			return fmt.Errorf("%s: the removed key still opens %s", u.name, fileName(i))
		}
	}
	return nil
}

var (
	tokens  = regexp.MustCompile(`ENC\[[^\]]*\]|age1[a-z0-9]+|\d{4}-\d\d-\d\dT[0-9:]+Z`)
	armored = regexp.MustCompile(`(?m)^( *)[A-Za-z0-9+/]{20,}={0,2}$`)
)

// noise counts the lines that come or go although nothing in them had to change:
// tokens, recipients, dates and wrapped keys are blanked out first.
func noise(before, after string) int {
	lines := func(s string) []string {
		return strings.Split(armored.ReplaceAllString(tokens.ReplaceAllString(s, "X"), "${1}X"), "\n")
	}
	a, b := lines(before), lines(after)
	common := make([][]int, len(a)+1)
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := range a {
		for j := range b {
			common[i+1][j+1] = max(common[i][j+1], common[i+1][j])
			if a[i] == b[j] {
				common[i+1][j+1] = common[i][j] + 1
			}
		}
	}
	return len(a) + len(b) - 2*common[len(a)][len(b)]
}
