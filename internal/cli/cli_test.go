package cli

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestDidYouMean(t *testing.T) {
	names := []string{"review", "drift", "inventory", "rules"}
	for said, want := range map[string]string{"reviw": "review", "Drift": "drift", "rule": "rules", "entirely": "", "": ""} {
		got := DidYouMean(said, names)
		if want == "" && got != "" || want != "" && got != " (did you mean "+want+"?)" {
			t.Errorf("%q: %q", said, got)
		}
	}
}

func command() *cobra.Command {
	root := &cobra.Command{Use: "program", SilenceErrors: true, SilenceUsage: true}
	root.SetFlagErrorFunc(FlagError)
	one := &cobra.Command{Use: "one", Args: NoArgs, Run: func(*cobra.Command, []string) {}}
	one.Flags().String("format", "", "")
	hidden := &cobra.Command{Use: "hidden", Hidden: true, Run: func(*cobra.Command, []string) {}}
	var out bytes.Buffer
	root.AddCommand(one, hidden, VersionCommand("program", Version("v1.2.3"), &out))
	return root
}

func TestErrorsOfUsage(t *testing.T) {
	for args, want := range map[string]string{
		"one --fromat x": "unknown flag --fromat (did you mean --format?): valid are --format",
		"one more":       `program one takes no argument, and got "more"`,
		"one --format":   "flag needs an argument",
		"one":            "",
	} {
		root := command()
		root.SetArgs(strings.Fields(args))
		err := root.Execute()
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", args, err)
			}
			continue
		}
		if usage := (*UsageError)(nil); !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestCommandNames(t *testing.T) {
	root := command()
	root.InitDefaultHelpCmd()
	if names := CommandNames(root); !slices.Equal(names, []string{"one", "version"}) {
		t.Errorf("%q", names)
	}
}

func TestNothingIsShownButOnATerminal(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, func(string) string { return "" }, "reviewing")
	p.start = p.start.Add(-2 * progressAfter)
	p.Update(1, 2)
	p.Clear()
	if out.Len() > 0 || Colour(&out, func(string) string { return "" }) {
		t.Errorf("%q was written to a pipe", out.String())
	}
	p.w = &out
	p.Update(1, 2)
	p.Update(2, 2) // too soon
	p.Clear()
	if got := out.String(); got != "\rreviewing 1 of 2 files\x1b[K\r\x1b[K" {
		t.Errorf("%q", got)
	}
}

func TestVersion(t *testing.T) {
	if v := Version("v1.2.3"); v != "v1.2.3" {
		t.Error(v)
	}
	if v := Version(""); v == "" {
		t.Error("a build has no version")
	}
}
