// Package report turns findings into bytes. It reads nothing and calls nobody.
package report

import (
	"io"

	"github.com/sealward/sealward/internal/review"
)

// Renderer writes a report in one format.
type Renderer func(io.Writer, *review.Report) error
