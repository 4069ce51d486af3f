package review

import (
	"context"
	"time"

	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
)

// Mode is the kind of a run.
type Mode uint8

// The modes.
const (
	ReviewChange Mode = iota // what the change brought
	ReviewTree               // all of Head, no base: --all
	ReportDrift              // all of Head, the Drift family alone
)

// Options steer a run. The zero value of each field is its default.
type Options struct {
	Mode     Mode
	Rules    []*Rule                // required: the catalogue
	Config   *config.Config         // Base's
	Now      time.Time              // required where Config.Ignore has dates
	Ignored  func(path string) bool // .gitignore's word; nil knows none but what .gitignore files in the tree say
	Progress func(done, total int)  // called from one goroutine at a time
}

// Run reviews a change. It errors only when it could do no work at all; what it
// could not read is in Report.Incomplete.
func Run(ctx context.Context, change *repo.Change, opt Options) (*Report, error) {
	panic("to be written")
}
