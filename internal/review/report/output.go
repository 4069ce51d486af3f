package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteOutput sets an output or a variable through one of the runner's file
// commands (GITHUB_OUTPUT, GITHUB_ENV). The delimiter must be one that nobody can
// guess, such as 32 random hex digits: whoever can write it into a value can set
// outputs of their own. It errors, and writes nothing, where name or value do not
// fit the format.
func WriteOutput(w io.Writer, name, value, delimiter string) error {
	switch {
	case name == "" || strings.ContainsAny(name, "\r\n=") || strings.Contains(name, "<<"):
		return fmt.Errorf("set output %q: a name has no line break, no \"=\" and no \"<<\"", name)
	case len(delimiter) < 16 || strings.ContainsAny(delimiter, "\r\n"):
		return fmt.Errorf("set output %q: the delimiter must be one line of at least 16 characters", name)
	case strings.Contains(value, delimiter) || strings.Contains(name, delimiter):
		return fmt.Errorf("set output %q: the value holds the delimiter", name)
	}
	_, err := fmt.Fprintf(w, "%s<<%s\n%s\n%s\n", name, delimiter, value, delimiter)
	return err
}
