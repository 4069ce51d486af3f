package rotate

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/syntax"
)

// fluxKustomization is an object that has Flux apply, and decrypt, a directory.
type fluxKustomization struct {
	file, namespace, name string
	dir                   string // spec.path, "" for the root
	secret                string // spec.decryption.secretRef.name
}

// fluxIn finds the Flux Kustomizations of a file that decrypt.
func fluxIn(name string, data []byte) []fluxKustomization {
	if !bytes.Contains(data, []byte("kustomize.toolkit.fluxcd.io")) || !bytes.Contains(data, []byte("decryption")) {
		return nil
	}
	var out []fluxKustomization
	for _, d := range syntax.Parse(name, data).Docs {
		if d.Str("kind") != "Kustomization" || !strings.HasPrefix(d.Str("apiVersion"), "kustomize.toolkit.fluxcd.io/") {
			continue
		}
		k := fluxKustomization{file: name, namespace: d.Str("metadata", "namespace"), name: d.Str("metadata", "name"),
			dir:    strings.TrimPrefix(path.Clean("/"+d.Str("spec", "path")), "/"),
			secret: d.Str("spec", "decryption", "secretRef", "name")}
		if k.secret != "" {
			out = append(out, k)
		}
	}
	return out
}

// reads reports whether a Kustomization has to do with a file: it applies a directory
// above it, or, where overlays reach elsewhere, stands for the same environment.
func (t *Tree) reads(k fluxKustomization, f Reseal) bool {
	if k.dir == "" || strings.HasPrefix(f.Path, k.dir+"/") {
		return true
	}
	at := t.EnvOf(k.file)
	if at == "" {
		at = t.EnvOf(k.dir + "/kustomization.yaml")
	}
	return at != "" && at == f.Env
}

// secrets returns the Secrets that Flux decrypts the plan's files with, as
// namespace/name, sorted, each with the Kustomizations that name it.
func (t *Tree) secrets(p *Plan) map[string][]string {
	out := map[string][]string{}
	for _, k := range t.flux {
		if !slices.ContainsFunc(p.Files, func(f Reseal) bool { return t.reads(k, f) }) {
			continue
		}
		namespace := k.namespace
		if namespace == "" {
			namespace = "flux-system"
		}
		id := namespace + "/" + k.secret
		if !slices.Contains(out[id], k.name) {
			out[id] = append(out[id], k.name)
		}
	}
	return out
}

// steps says in order what a person does next.
func (t *Tree) steps(p *Plan, keyring string) []string {
	if p.Nothing() && !p.Idle {
		return nil
	}
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if p.Env != "" && len(p.Old)+len(p.behind) > 0 {
		t.keySteps(p, keyring, add)
	}
	add("Review the change, commit it and merge it. Until then nothing reads the new files, and both keys stay in place.")
	if len(p.Old) == 0 {
		return out
	}
	if secrets := t.secrets(p); len(secrets) > 0 {
		add("Wait until every Kustomization is Ready: `flux get kustomizations -A`. A tree that is half old and half new works, for Flux tries both keys.")
	}
	if p.Env != "" && keyring != "" {
		add("Retire the old key, only then: `bot keys retire %s`.", p.Env)
	}
	if len(p.Exposed) > 0 {
		add("Replace the values listed as exposed where they were issued. Git's history keeps the old files, and the old key opens these for ever.")
	}
	return out
}

// keySteps says how the new private half gets to where files are decrypted.
func (t *Tree) keySteps(p *Plan, keyring string, add func(string, ...any)) {
	secrets := t.secrets(p)
	if strings.HasPrefix(keyring, "kubernetes://") {
		name, _, _ := strings.Cut(strings.TrimPrefix(keyring, "kubernetes://"), "?")
		add("Nothing to do for the cluster: the new identity stands in the Secret %s, as an entry of its own beside the old one.", code(name))
		delete(secrets, name)
	}
	for _, id := range sortedKeys(secrets) {
		add("Add the new identity to the Secret %s, as an entry of its own whose name ends in `.agekey`, beside the old one (Kustomizations: %s). "+
			"Check it first: one malformed entry stops every Kustomization that uses the Secret, and an entry under another name is ignored.",
			code(id), some(secrets[id], 5))
	}
	if len(secrets) == 0 && !strings.HasPrefix(keyring, "kubernetes://") {
		add("Give the new identity to whatever decrypts these files, beside the old one, before the merge.")
	}
}
