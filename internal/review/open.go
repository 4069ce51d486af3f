package review

import (
	"github.com/sealward/sealward/internal/config"
	"github.com/sealward/sealward/internal/repo"
)

// OpenTree opens a snapshot for questions outside of a run. The second result
// returns what could not be read so far, each a sentence.
func OpenTree(snap repo.Snapshot, cfg *config.Config) (*Tree, func() []string, error) {
	if cfg == nil {
		cfg = &config.Config{}
	}
	l := &log{}
	t, err := newTree(snap, treeOptions{config: cfg, cache: newCache(), log: l})
	return t, l.sentences, err
}
