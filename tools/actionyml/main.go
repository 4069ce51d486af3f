// Actionyml holds an action.yml to GitHub's metadata syntax for container actions and to
// what the Marketplace wants: no unknown key, none missing, values of the right kind.
// The names of icons are actionlint's to check, through a workflow that uses the action.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// metadata is an action.yml, with every key that there is.
type metadata struct {
	Name        string            `yaml:"name"`
	Description string            `yaml:"description"`
	Author      string            `yaml:"author"`
	Inputs      map[string]input  `yaml:"inputs"`
	Outputs     map[string]output `yaml:"outputs"`
	Runs        runs              `yaml:"runs"`
	Branding    branding          `yaml:"branding"`
}

type input struct {
	Description string  `yaml:"description"`
	Deprecation string  `yaml:"deprecationMessage"`
	Required    *bool   `yaml:"required"`
	Default     *string `yaml:"default"`
}

type output struct {
	Description string `yaml:"description"`
}

type runs struct {
	Using          string            `yaml:"using"`
	Image          string            `yaml:"image"`
	Env            map[string]string `yaml:"env"`
	Entrypoint     string            `yaml:"entrypoint"`
	PreEntrypoint  string            `yaml:"pre-entrypoint"`
	PreIf          string            `yaml:"pre-if"`
	PostEntrypoint string            `yaml:"post-entrypoint"`
	PostIf         string            `yaml:"post-if"`
	Args           []string          `yaml:"args"`
}

type branding struct {
	Icon  string `yaml:"icon"`
	Color string `yaml:"color"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: actionyml FILE")
		os.Exit(2)
	}
	data, err := os.ReadFile(os.Args[1])
	if err == nil {
		err = check(data)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

// longest is how long the Marketplace lets a description be, in characters.
const longest = 124

var (
	id    = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_-]*$`)
	image = regexp.MustCompile(`^(Dockerfile|docker://[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+@sha256:[0-9a-f]{64})$`)
)

var colors = [...]string{"white", "black", "yellow", "blue", "green", "orange", "red", "purple", "gray-dark"}

// check finds all that is wrong.
func check(data []byte) error {
	var m metadata
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&m); err != nil {
		return err
	}
	var wrong []error
	say := func(bad bool, format string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Errorf(format, args...))
		}
	}
	say(m.Name == "", "name is missing")
	say(m.Description == "", "description is missing")
	say(len([]rune(m.Description)) > longest, "description has %d characters, over %d", len([]rune(m.Description)), longest)
	say(m.Runs.Using != "docker", "runs.using is %q, not docker", m.Runs.Using)
	say(!image.MatchString(m.Runs.Image), "runs.image is %q: Dockerfile, or docker:// and a digest", m.Runs.Image)
	say(m.Branding.Icon == "", "branding.icon is missing")
	say(!slices.Contains(colors[:], m.Branding.Color), "branding.color is %q: valid are %s", m.Branding.Color, strings.Join(colors[:], ", "))
	for name, in := range m.Inputs {
		say(!id.MatchString(name), "input %q is no name", name)
		say(in.Description == "", "input %s has no description", name)
		say(in.Required == nil, "input %s does not say whether it is required", name)
	}
	for name, out := range m.Outputs {
		say(!id.MatchString(name), "output %q is no name", name)
		say(out.Description == "", "output %s has no description", name)
	}
	return errors.Join(wrong...)
}
