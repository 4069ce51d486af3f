package main

import (
	"encoding/base64"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What a rotation writes, and what it runs, is looked at from outside: no value in
// clear goes to any file, no identity to any file but the keyring's own, and neither to
// an argument or the environment of a child process.
func TestNothingInClearLeavesTheProcess(t *testing.T) {
	program := needSops(t)
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is needed to look at what is written")
	}
	k := newTraced(t, program)
	log := filepath.Join(t.TempDir(), "log")
	bot, err := exec.LookPath("bot")
	if err != nil {
		t.Fatal(err)
	}
	cmd := k.command(strace, "-f", "-y", "-v", "-s", "1000000", "-e", "trace=write,pwrite64,writev,execve,sendto,sendmsg", "-o", log, bot, "rotate", "prod", "--force")
	if out, err := cmd.CombinedOutput(); err != nil {
		if strings.Contains(string(out), "PTRACE") || strings.Contains(string(out), "ptrace") {
			t.Skip("this machine does not let processes be traced")
		}
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	identity := "AGE-SECRET-" + "KEY-"
	value := base64.StdEncoding.EncodeToString([]byte("synthetic-plaintext"))
	written, kept := 0, 0
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, "ENC[AES256_GCM") {
			written++
		}
		if strings.Contains(line, "synthetic-plaintext") || strings.Contains(line, value[:20]) {
			t.Errorf("a value in clear: %.300s", line)
		}
		if !strings.Contains(line, identity) {
			continue
		}
		if !toKeyring.MatchString(line) {
			t.Errorf("an identity: %s", strings.SplitN(line, identity, 2)[0])
		}
		kept++
	}
	if written < 3 || kept == 0 || !strings.Contains(string(data), "execve(") {
		t.Errorf("%d sealed writes and %d of the keyring were seen: the test sees too little", written, kept)
	}
}

var toKeyring = regexp.MustCompile(`^\d+ +write\(\d+<[^>]*/keys/\.prod\.agekey\.[0-9]+\.tmp>, `)

// newTraced is a repository with a sealed file of each kind.
func newTraced(t *testing.T, program string) *killed {
	t.Helper()
	top := t.TempDir()
	k := &killed{t: t, dir: filepath.Join(top, "repo")}
	k.env = append(os.Environ(), "HOME="+top, "SEALWARD_KEYRING=file://"+filepath.Join(top, "keys", "prod.agekey"), "GIT_CONFIG_NOSYSTEM=1")
	k.write("secrets/prod.env", "A=synthetic-plaintext-1\n")
	k.write("secrets/dev.env", "A=1\n")
	k.write("secrets/prod.enc.yaml", "a: synthetic-plaintext-2 # a comment: synthetic-plaintext\n")
	k.write("secrets/prod.blob", "synthetic-plaintext-3\n")
	k.write(".sops.yaml", "")
	k.run("git", "init", "-q", "-b", "main")
	k.run("rm", ".sops.yaml")
	k.bot("keys", "init", "prod")
	rules, err := os.ReadFile(filepath.Join(k.dir, ".sops.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	recipient := regexp.MustCompile(`age1[a-z0-9]+`).FindString(string(rules))
	k.write(".sops.yaml", "creation_rules:\n  - path_regex: prod\n    age: "+recipient+"\n")
	for _, name := range []string{"secrets/prod.env", "secrets/prod.enc.yaml", "secrets/prod.blob"} {
		k.run(program, "encrypt", "--in-place", name)
	}
	k.run("git", "add", "-A")
	k.run("git", "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "sealed")
	return k
}
