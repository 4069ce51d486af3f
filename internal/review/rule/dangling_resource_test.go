package rule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sealward/sealward/internal/repo"
	"github.com/sealward/sealward/internal/repo/repotest"
	"github.com/sealward/sealward/internal/review"
)

// TestBelowALink holds dangling-resource to silence about what lies behind a symbolic
// link, and to a finding for what lies nowhere.
func TestBelowALink(t *testing.T) {
	g := repotest.NewGit(t)
	if err := os.Symlink("elsewhere", filepath.Join(g.Dir, "vendor")); err != nil {
		t.Fatal(err)
	}
	g.Run("add", "vendor")
	g.Commit("link", map[string]string{"apps/kustomization.yaml": "resources: [../vendor/app/deploy.yaml, gone.yaml]\n"})
	git, err := repo.FindGit(t.Context(), g.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { git.Close() })
	head, err := git.Snapshot(t.Context(), "HEAD")
	if err != nil {
		t.Fatal(err)
	}
	report, err := review.Run(t.Context(), &repo.Change{Head: head}, review.Options{Rules: All(), Mode: review.ReviewTree})
	if err != nil {
		t.Fatal(err)
	}
	got := describeReport(report)
	if strings.Contains(got, "vendor/app") || !strings.Contains(got, "apps/gone.yaml is listed") {
		t.Errorf("want the one that lies nowhere alone:\n%s", got)
	}
}
