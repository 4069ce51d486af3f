package main

import (
	"slices"
	"strings"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/rule"
)

// families are the short names of families on the command line.
var families = map[string]review.Family{
	"leaks": review.Leaks, "sealing": review.Sealing, "drift": review.Drift, "kilter": review.Kilter,
	"references": review.References, "flux": review.Flux, "eso": review.ESO,
}

// rulesOf are the rules that --only names, by their ids and families; all where it
// names none.
func rulesOf(only []string) ([]*review.Rule, error) {
	all := rule.All()
	if len(only) == 0 {
		return all, nil
	}
	var valid []string
	for name := range families {
		valid = append(valid, name)
	}
	slices.Sort(valid)
	for _, r := range all {
		valid = append(valid, r.ID)
	}
	for _, name := range only {
		if !slices.Contains(valid, name) {
			return nil, cli.Usagef("--only %q is neither a rule nor a family%s: families are %s; action rules lists the rules",
				name, cli.DidYouMean(name, valid), strings.Join(valid[:len(families)], ", "))
		}
	}
	return slices.DeleteFunc(all, func(r *review.Rule) bool {
		return !slices.ContainsFunc(only, func(name string) bool { return name == r.ID || families[name] == r.Family })
	}), nil
}
