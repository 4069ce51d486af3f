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

// signs are what a file's content tells of the platform.
type signs uint8

const (
	noted          signs = 1 << iota // the file was looked at
	readsAppSecret                   // LocalOps: the app's one Secret by its fixed name, and the annotation that restarts its readers
	hasCentral
)

// look looks for signs in the file, once.
func (f *File) look() signs {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.signs == 0 {
		f.signs = noted
		if data := f.load(); manifest(f.Path) {
			if bytes.Contains(data, []byte("app-secrets")) && bytes.Contains(data, []byte("rollme")) {
				f.signs |= readsAppSecret
			}
			if bytes.Contains(data, []byte("kind: ClusterExternalSecret")) {
				f.signs |= hasCentral
			}
		}
	}
	return f.signs
}

func localOpsSign(t *Tree) string {
	if f := t.withSign(readsAppSecret); f != nil {
		return f.Path + " reads app-secrets and carries rollme"
	}
	return ""
}

func centralSign(t *Tree) string {
	if sopsSign(t) != "" {
		return ""
	}
	if f := t.withSign(hasCentral); f != nil {
		return f.Path + " is a ClusterExternalSecret, and nothing is sealed with SOPS"
	}
	return ""
}

// withSign returns the first manifest that has a sign, or nil.
func (t *Tree) withSign(sign signs) *File {
	t.survey(func(f *File) bool { return manifest(f.Path) })
	for _, f := range t.files {
		if manifest(f.Path) && f.look()&sign != 0 {
			return f
		}
	}
	return nil
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
