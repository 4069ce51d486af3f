package sops

import "github.com/sealward/sealward/internal/syntax"

// maxMergeKeys bounds how deep merge keys may nest in merge keys.
const maxMergeKeys = 8

// merged returns the leaves of a document with YAML's merge keys ("<<") resolved
// as SOPS' reader does: a mapping's own keys win over merged ones, and an earlier
// merged mapping over a later one.
func merged(leaves []syntax.Leaf) []field {
	fields := make([]field, 0, len(leaves))
	for _, l := range leaves {
		fields = append(fields, field{l.Path, l})
	}
	for range maxMergeKeys {
		if !resolveMerge(&fields) {
			break
		}
	}
	return fields
}

// resolveMerge takes the outermost merge key out of every path that has one.
func resolveMerge(fields *[]field) bool {
	found := false
	for _, f := range *fields {
		found = found || mergeStep(f.path) >= 0
	}
	if !found {
		return false
	}
	owner := map[string]string{} // key -> the merge it comes through, "" for the mapping's own
	for _, f := range *fields {
		end := mergeStep(f.path)
		if end < 0 {
			end = len(f.path)
		}
		for n := range end {
			owner[f.path[:n+1].String()] = ""
		}
	}
	kept := make([]field, 0, len(*fields))
	for _, f := range *fields {
		n := mergeStep(f.path)
		if n < 0 {
			kept = append(kept, f)
			continue
		}
		rest := n + 1
		if rest < len(f.path) && f.path[rest].Index >= 0 {
			rest++
		}
		if rest == len(f.path) {
			continue
		}
		through := f.path[:rest].String()
		path := append(append(syntax.Path{}, f.path[:n]...), f.path[rest:]...)
		key := path[:n+1].String()
		if by, taken := owner[key]; taken && by != through {
			continue
		}
		owner[key] = through
		kept = append(kept, field{path, f.leaf})
	}
	*fields = kept
	return true
}

func mergeStep(p syntax.Path) int {
	for i, s := range p {
		if s.Index < 0 && s.Key == "<<" {
			return i
		}
	}
	return -1
}
