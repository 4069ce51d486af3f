package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

// checkJobs asks the bot's own command for jobs that were given up.
func (w *world) checkJobs(ctx context.Context, f *found) {
	cmd := exec.CommandContext(ctx, w.bot, "jobs", "list", "--state", "discarded", "--format", "json")
	cmd.Env = append(w.memory(), "PATH="+os.Getenv("PATH"), "HOME="+w.dir)
	out, err := cmd.Output()
	if err != nil {
		f.add(fmt.Sprintf("bot jobs list: %v%s", err, stderr(err)))
		return
	}
	var list []struct {
		ID                int64
		Kind, Repo, Error string
	}
	if err := json.Unmarshal(out, &list); err != nil {
		f.add(fmt.Sprintf("bot jobs list: %v: %.200q", err, out))
		return
	}
	f.discarded = len(list)
	for _, j := range list {
		f.add(fmt.Sprintf("job %d, %s of %s, was given up: %s", j.ID, j.Kind, j.Repo, j.Error))
	}
}
