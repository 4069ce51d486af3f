package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"

	"filippo.io/age"
	"github.com/sealward/sealward/internal/github/githubtest"
)

// found is what there is in the end.
type found struct {
	mu         sync.Mutex
	violations []string

	branches, pulls, answers, minted      int
	files, opened, openedByOld, discarded int
}

func (f *found) add(violations ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.violations = append(f.violations, violations...)
}

func (f *found) addf(r *rotation, format string, args ...any) {
	f.add(r.String() + ": " + fmt.Sprintf(format, args...))
}

// check holds what is there to what was asked for.
func (w *world) check(ctx context.Context) *found {
	f := &found{}
	for _, r := range w.repositories() {
		w.checkRepository(f, r)
	}
	var files []opening
	for _, r := range w.asked {
		files = append(files, w.checkRotation(f, r)...)
	}
	w.open(ctx, f, files)
	w.checkJobs(ctx, f)
	return f
}

// checkRepository counts, beyond what single rotations show: there must be nothing more.
func (w *world) checkRepository(f *found, r *githubtest.Repo) {
	asked := 0
	for _, a := range w.asked {
		if a.repo == r {
			asked++
		}
	}
	branches, pulls, comments := len(r.Branches())-1, len(r.Pulls()), 0
	for _, i := range r.Issues() {
		for _, c := range r.Comments(i.Number) {
			if strings.EqualFold(c.By, w.app.Login()) {
				comments++
			}
		}
	}
	f.branches += branches
	f.pulls += pulls
	f.answers += comments
	if branches != asked || pulls != asked || comments != asked {
		f.add(fmt.Sprintf("%s: %d branches, %d pull requests and %d comments for %d rotations", r.Name(), branches, pulls, comments, asked))
	}
	if err := r.Fsck(); err != nil {
		f.add(fmt.Sprintf("%s: %v", r.Name(), err))
	}
}

// opening is a sealed file of a branch, and who is to open it.
type opening struct {
	r        *rotation
	path     string
	data     string
	want     string
	old, new *age.X25519Identity
}

// checkRotation looks at one rotation's answer, keyring and branch, and returns the files
// that are to be opened.
func (w *world) checkRotation(f *found, r *rotation) []opening {
	answers := w.answers(r)
	if len(answers) != 1 {
		f.addf(r, "%d answers", len(answers))
		return nil
	}
	pull := pullOf(r, answers[0])
	if pull == nil {
		f.addf(r, "the answer names no pull request: %.300q", answers[0].Body)
		return nil
	}
	key, err := w.newKey(r)
	if err != nil {
		f.addf(r, "%v", err)
		return nil
	}
	f.minted++
	changed, err := git(r.repo, "diff", "--name-only", "main..."+pull.HeadID)
	if err != nil {
		f.addf(r, "%v", err)
		return nil
	}
	want := []string{".sops.yaml"}
	var files []opening
	for path := range w.sealed[r.env] {
		want = append(want, path)
		data, _ := r.repo.ReadFile(pull.HeadID, path)
		i := len(files)
		_, _ = fmt.Sscanf(path[strings.LastIndex(path, "-")+1:], "%d", &i)
		files = append(files, opening{r, path, data, plain(r.env, i), w.old[r.env], key})
	}
	if got := strings.Fields(changed); !slices.Equal(sorted(got), sorted(want)) {
		f.addf(r, "the branch changes %q, want %q", got, want)
	}
	if n, err := git(r.repo, "rev-list", "--count", "main.."+pull.HeadID); err != nil || strings.TrimSpace(n) != "1" {
		f.addf(r, "the branch has %s commits %v", strings.TrimSpace(n), err)
	}
	if rules, _ := r.repo.ReadFile(pull.HeadID, ".sops.yaml"); !strings.Contains(rules, key.Recipient().String()) || strings.Contains(rules, w.old[r.env].Recipient().String()) {
		f.addf(r, "the rules of the branch do not name the new key alone")
	}
	return files
}

// pullOf is the pull request that an answer links to.
func pullOf(r *rotation, answer githubtest.Comment) *githubtest.Pull {
	for _, p := range r.repo.Pulls() {
		for _, link := range []string{fmt.Sprintf("/pull/%d", p.Number), fmt.Sprintf("#%d", p.Number)} {
			if i := strings.Index(answer.Body, link); i >= 0 && !strings.ContainsAny(answer.Body[i+len(link):][:min(1, len(answer.Body)-i-len(link))], "0123456789") {
				return &p
			}
		}
	}
	return nil
}

// newKey reads the one key that a keyring must have beside the old one.
func (w *world) newKey(r *rotation) (*age.X25519Identity, error) {
	data, err := os.ReadFile(r.keys)
	if err != nil {
		return nil, err
	}
	var made []*age.X25519Identity
	old := false
	for line := range strings.Lines(string(data)) {
		id, err := age.ParseX25519Identity(strings.TrimSpace(line))
		switch {
		case err != nil:
		case id.String() == w.old[r.env].String():
			old = true
		default:
			made = append(made, id)
		}
	}
	if !old || len(made) != 1 {
		return nil, fmt.Errorf("the keyring has %d new keys, and the old one: %v", len(made), old)
	}
	return made[0], nil
}

// open has SOPS open every file, with the new key and with the old one.
func (w *world) open(ctx context.Context, f *found, files []opening) {
	f.files = len(files)
	todo := make(chan opening)
	var workers sync.WaitGroup
	for range 2 {
		workers.Go(func() {
			for o := range todo {
				w.openOne(ctx, f, o)
			}
		})
	}
	for _, o := range files {
		todo <- o
	}
	close(todo)
	workers.Wait()
}

func (w *world) openOne(ctx context.Context, f *found, o opening) {
	got, err := w.decrypt(ctx, o.data, o.new)
	_, oldErr := w.decrypt(ctx, o.data, o.old)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && got == o.want {
		f.opened++
	} else {
		f.violations = append(f.violations, fmt.Sprintf("%s: %s: the new key opens it as %.60q: %v", o.r, o.path, got, err))
	}
	if oldErr == nil {
		f.openedByOld++
		f.violations = append(f.violations, fmt.Sprintf("%s: %s: the old key opens it", o.r, o.path))
	}
}

func (w *world) decrypt(ctx context.Context, data string, id *age.X25519Identity) (string, error) {
	cmd := exec.CommandContext(ctx, w.sops, "--config", "/dev/null", "--decrypt", "--input-type", "yaml", "--output-type", "yaml", "/dev/stdin")
	cmd.Stdin = strings.NewReader(data)
	cmd.Env = []string{"SOPS_AGE_KEY=" + id.String(), "HOME=/nonexistent"} // the key of a soak, and of nothing else
	out, err := cmd.Output()
	return string(out), err
}

func git(r *githubtest.Repo, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"--git-dir", r.GitDir()}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w%s", args[0], err, stderr(err))
	}
	return string(out), nil
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}
