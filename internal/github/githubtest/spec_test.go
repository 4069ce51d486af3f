package githubtest

import (
	"slices"
	"testing"
)

func TestEveryDescribedOperationIsWorked(t *testing.T) {
	spec, err := loadSpec()
	if err != nil {
		t.Fatal(err)
	}
	ops := spec.operations()
	for _, op := range ops {
		if handlers[op] == nil {
			t.Errorf("%s is described and not worked", op)
		}
	}
	for op := range handlers {
		if !slices.Contains(ops, op) {
			t.Errorf("%s is worked and not described: cut the description again", op)
		}
	}
	for op := range needs {
		if handlers[op] == nil {
			t.Errorf("%s needs a permission and is not worked", op)
		}
	}
}
