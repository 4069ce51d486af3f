package review

import (
	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
)

// OpenTree opens a snapshot for questions outside of a run; cfg may be nil. What could
// not be read is in the tree's Incomplete.
func OpenTree(snap repo.Snapshot, cfg *config.Config) (*Tree, error) {
	if cfg == nil {
		cfg = &config.Config{}
	}
	return newTree(snap, treeOptions{config: cfg, cache: newCache(), log: &log{}})
}
