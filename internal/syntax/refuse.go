package syntax

import (
	"errors"
	"strings"
)

// loop is what is wrong with a value that names itself.
const loop = "found an alias to a value that contains it"

// Refused reports whether File.Broken tells of a file that was not read because of
// what it is made of: too large, too deep, aliases without end, bytes that are no
// text. A plain error of syntax, which a template has too, is none of these.
func Refused(broken error) bool {
	for _, err := range []error{errSize, errDepth, errLeaves, errDocs, errAlias, errUTF16, errDirty} {
		if errors.Is(broken, err) {
			return true
		}
	}
	return broken != nil && strings.Contains(broken.Error(), loop)
}
