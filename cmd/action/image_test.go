package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The image, run as a runner runs a container action: as root, with the runner's
// mounts, inputs with dashes, and a workspace of somebody else's. It needs podman and
// an image that tools/image/build made, named by SEALWARD_TEST_IMAGE.
func TestImage(t *testing.T) {
	image := os.Getenv("SEALWARD_TEST_IMAGE")
	if image == "" {
		t.Skip("SEALWARD_TEST_IMAGE names no image")
	}
	s := newStage(t)
	s.repo.Commit("feature", "Change", leaky())
	n := s.repo.OpenPull("alice", "feature", "A change")
	for _, name := range []string{"workflow", "commands", "workspace"} {
		if err := os.Mkdir(filepath.Join(s.dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	body, err := json.Marshal(s.pullEvent(n))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "workflow/event.json"), body, 0o644); err != nil {
		t.Fatal(err)
	}
	const runner = 1001
	if err := os.Chown(filepath.Join(s.dir, "workspace"), runner, runner); err != nil {
		t.Skip("only root can give the workspace away")
	}
	args := []string{"--cgroup-manager=cgroupfs", "--runtime=runc", "run", "--rm", "--pull=never", "--network=host", "--ulimit=nofile=4096:4096", "--ulimit=nproc=8192:8192", "--workdir=/github/workspace"}
	for _, kv := range []string{
		"GITHUB_ACTIONS=true", "GITHUB_EVENT_NAME=pull_request", "GITHUB_EVENT_PATH=/github/workflow/event.json", "GITHUB_REPOSITORY=octo/shop", "GITHUB_WORKSPACE=/github/workspace",
		"GITHUB_OUTPUT=/github/commands/output", "GITHUB_STEP_SUMMARY=/github/commands/summary", "GITHUB_API_URL=" + s.fake.URL + "/api/v3",
		"INPUT_GITHUB-TOKEN=" + s.token, "INPUT_SARIF-FILE=out/sealward.sarif",
	} {
		args = append(args, "--env="+kv)
	}
	for _, name := range []string{"workflow", "commands", "workspace"} {
		args = append(args, "--volume="+filepath.Join(s.dir, name)+":/github/"+name)
	}
	out, err := exec.Command("podman", append(args, image)...).CombinedOutput()
	exit := (*exec.ExitError)(nil)
	if !errors.As(err, &exit) || exit.ExitCode() != exitFindings || !strings.Contains(string(out), "::error file=deploy/db.yaml,") {
		t.Fatalf("%v\n%s", err, out)
	}
	if o := parseOutputs(t, s.read("commands/output")); o["result"] != "findings" || o["comment-id"] == "" {
		t.Errorf("outputs: %v", o)
	}
	if !strings.Contains(s.read("commands/summary"), "Rotation plan") || len(s.repo.Comments(n)) != 1 {
		t.Error("the summary or the comment is missing")
	}
	info, err := os.Stat(filepath.Join(s.dir, "workspace/out/sealward.sarif"))
	if err != nil {
		t.Fatal(err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != runner {
		t.Errorf("the file belongs to %d, want %d", st.Uid, runner)
	}
}
