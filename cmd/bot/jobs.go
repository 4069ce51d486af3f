package main

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/cli"
)

// jobStates are the states of jobs, in the order of their life.
var jobStates = [...]string{"available", "scheduled", "running", "retryable", "completed", "discarded", "cancelled"}

func (a *app) jobsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "jobs",
		Short: "List the server's jobs, and have one tried again",
		Example: `  bot jobs list --state discarded
  bot jobs retry 4711`,
		Args: a.groupArgs,
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	cmd.AddCommand(a.jobsListCommand(), a.jobsRetryCommand())
	return cmd
}

func (a *app) jobsListCommand() *cobra.Command {
	var f store.JobFilter
	var format string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List jobs, the newest first",
		Long: `Lists the jobs of the server, the newest first, with the error of their last attempt.
Completed ones are kept for a day.
` + databaseHelp,
		Example: `  bot jobs list
  bot jobs list --state discarded --state retryable
  bot jobs list --repo octo/shop --format json`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("--format", format, "text", "json"); err != nil {
				return err
			}
			for _, s := range f.States {
				if err := oneOf("--state", s, jobStates[:]...); err != nil {
					return err
				}
			}
			if f.Limit < 1 {
				return cli.Usagef("--limit %d: want a number of jobs, 1 at least", f.Limit)
			}
			return a.withStore(cmd.Context(), func(s *store.Store) error { return a.listJobs(cmd.Context(), s, f, format) })
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.States, "state", nil, "only jobs in this `STATE`, which may be given several times: "+strings.Join(jobStates[:], ", "))
	flags.StringVar(&f.Repo, "repo", "", "only jobs of this `OWNER/REPO`")
	flags.IntVar(&f.Limit, "limit", 100, "at most so many")
	flags.StringVar(&format, "format", "text", "text or json")
	return cmd
}

func (a *app) listJobs(ctx context.Context, s *store.Store, f store.JobFilter, format string) error {
	rows, err := s.Jobs(ctx, f)
	if err != nil {
		return err
	}
	if format == "json" {
		if rows == nil {
			rows = []store.JobRow{}
		}
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(rows)
	}
	for _, j := range rows {
		a.tell("%-8d %-12s %-10s attempt %-3d %s  %s", j.ID, j.Kind, j.State, j.Attempt, j.Created.Format(time.RFC3339), j.Repo)
		if j.Error != "" {
			a.tell("         %s", j.Error)
		}
	}
	if len(rows) == 0 {
		a.say("no such job")
	}
	if len(rows) == f.Limit {
		a.say("note: there may be more; --limit shows them")
	}
	return nil
}

func (a *app) jobsRetryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "retry ID",
		Short: "Have a job tried again that has ended, or waits",
		Long: `Has a job tried again, now, with all its attempts. A job looks before every write: doing it
again makes no second branch, pull request or comment. A server has to run to work it.
` + databaseHelp,
		Example: "  bot jobs retry 4711",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("%s takes one job's number, as in: %s 4711", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil || id < 1 {
				return cli.Usagef("%q is no job's number: bot jobs list shows them", args[0])
			}
			return a.withStore(cmd.Context(), func(s *store.Store) error {
				if err := s.Retry(cmd.Context(), id); err != nil {
					return err
				}
				a.tell("job %d is tried again", id)
				return nil
			})
		},
	}
}
