package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/cli"
	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/rule"
)

func (a *app) rulesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "rules",
		Short:   "List the rules",
		Example: "  action rules",
		Args:    cli.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			var family review.Family
			for _, r := range rule.All() {
				if r.Family != family {
					fmt.Fprintf(w, "%s%s\n", strings.Repeat("\n", min(len(family), 1)), r.Family)
					family = r.Family
				}
				fmt.Fprintf(w, "  %s\t%s\t%s\n", r.ID, r.Severity, firstSentence(r.Summary()))
			}
			return w.Flush()
		},
	}
}

// firstSentence cuts a summary to what fits a list.
func firstSentence(s string) string {
	if first, _, ok := strings.Cut(s, ": "); ok && len(s) > 100 {
		s = first
	}
	if first, _, ok := strings.Cut(s, ". "); ok {
		s = first
	}
	return strings.TrimSuffix(s, ".")
}

func (a *app) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain RULE",
		Short: "Explain a rule: what it finds, why it matters, what to do",
		Example: `  action explain key-drift
  action rules                  lists the rules`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("name one rule, of: %s", strings.Join(ruleIDs(), ", "))
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return ruleIDs(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			all := rule.All()
			i := slices.IndexFunc(all, func(r *review.Rule) bool { return r.ID == args[0] })
			if i < 0 {
				return cli.Usagef("unknown rule %q%s: valid are %s", args[0], cli.DidYouMean(args[0], ruleIDs()), strings.Join(ruleIDs(), ", "))
			}
			r := all[i]
			_, err := fmt.Fprintf(a.stdout, "# %s\n\n%s. Severity %s; speaks %s; since %s.\n\n%s\n", r.ID, r.Family, r.Severity, r.Speaks(), r.Since, strings.TrimSpace(r.Doc))
			return err
		},
	}
}

func ruleIDs() []string {
	var ids []string
	for _, r := range rule.All() {
		ids = append(ids, r.ID)
	}
	return ids
}
