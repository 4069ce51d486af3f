package review

import (
	"bytes"
	"path"
	"strings"

	"github.com/sealward/sealward/internal/config"
)

// The profiles: kinds of platforms, whose practices some rules enforce.
const (
	FluxSOPS   = "flux-sops"
	KilterApps = "kilter"
	LocalOps   = "localops"
	ESOCentral = "eso-central"
)

// DefaultProfile is why a tree that shows no signs has the profile that it has.
const DefaultProfile = "the default: no other platform's files were found"

// Profiles lists the profiles that can be set.
func Profiles() []string { return []string{FluxSOPS, KilterApps, LocalOps, ESOCentral} }

// DetectProfile takes the profile that the configuration names, else the first that
// the tree shows signs of.
func DetectProfile(t *Tree, cfg *config.Config) Profile {
	if cfg.Review.Profile != "" {
		return Profile{cfg.Review.Profile, "set in " + config.Name}
	}
	signs := []struct {
		profile string
		find    func(*Tree) string
	}{
		{KilterApps, kilterSign},
		{LocalOps, localOpsSign},
		{ESOCentral, centralSign},
		{FluxSOPS, sopsSign},
	}
	for _, s := range signs {
		if why := s.find(t); why != "" {
			return Profile{s.profile, why}
		}
	}
	return Profile{FluxSOPS, DefaultProfile}
}

func kilterSign(t *Tree) string {
	for _, f := range t.Files() {
		if b := f.Base(); b == "kilter.yaml" || b == "kilter.yml" {
			return f.Path + " is there"
		}
	}
	return ""
}

// localOpsSign looks for what LocalOps' charts have in common: the app's one Secret
// by its fixed name, and the annotation that restarts its readers.
func localOpsSign(t *Tree) string {
	for _, f := range t.Files() {
		if !manifest(f.Path) {
			continue
		}
		if d := f.Data(); bytes.Contains(d, []byte("app-secrets")) && bytes.Contains(d, []byte("rollme")) {
			return f.Path + " reads app-secrets and carries rollme"
		}
	}
	return ""
}

func centralSign(t *Tree) string {
	why := ""
	for _, f := range t.Files() {
		if f.Base() == ".sops.yaml" {
			return ""
		}
		if why == "" && manifest(f.Path) && bytes.Contains(f.Data(), []byte("kind: ClusterExternalSecret")) {
			why = f.Path + " is a ClusterExternalSecret, and nothing is sealed with SOPS"
		}
	}
	return why
}

func sopsSign(t *Tree) string {
	for _, f := range t.Files() {
		if f.Base() == ".sops.yaml" {
			return f.Path + " is there"
		}
	}
	return ""
}

func manifest(p string) bool {
	ext := strings.ToLower(path.Ext(p))
	return ext == ".yaml" || ext == ".yml"
}
