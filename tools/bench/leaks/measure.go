package main

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// measureSpeed runs all scanners over a tree, one after the other and each several
// times, ours once more at first so that none has paid for reading the disk. Medians
// are told.
func measureSpeed(scanners []scanner, tree, about string, runs int, log io.Writer) (string, error) {
	files, size, err := treeSize(tree)
	if err != nil {
		return "", err
	}
	if _, _, err := scanners[0].run(tree); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "## Speed\n\nA tree of source, %s: %d files, %.0f MB. %d processors (%s), shared with other work: read the ratios.\n\n", about, files, float64(size)/1e6, runtime.NumCPU(), runtime.GOARCH)
	took := make([][]cost, len(scanners))
	for round := range runs {
		for i, s := range scanners {
			if round >= s.rounds && s.rounds > 0 {
				continue
			}
			fmt.Fprintf(log, "speed: %s, run %d\n", s.name, round+1)
			_, c, err := s.run(tree)
			if err != nil {
				return "", err
			}
			took[i] = append(took[i], c)
		}
	}
	b.WriteString("| scanner | runs | CPU s | user | system | wall s | MB per CPU s | peak MB | CPU against the engine | CPU against the program |\n|---|---|---|---|---|---|---|---|---|---|\n")
	engine, program := median(took[0]), median(took[min(1, len(took)-1)])
	for i, s := range scanners {
		c := median(took[i])
		cpu := c.cpu().Seconds()
		fmt.Fprintf(&b, "| %s %s | %d | %.2f | %.2f | %.2f | %.1f | %.0f | %.0f | %.1fx | %.1fx |\n", s.name, s.version, len(took[i]), cpu, c.user.Seconds(), c.system.Seconds(),
			c.wall.Seconds(), float64(size)/1e6/cpu, float64(c.rss)/1e6, cpu/engine.cpu().Seconds(), cpu/program.cpu().Seconds())
	}
	return b.String(), nil
}

// median takes the median of each part of the runs' costs by itself.
func median(runs []cost) cost {
	of := func(part func(cost) int64) int64 {
		all := make([]int64, len(runs))
		for i, c := range runs {
			all[i] = part(c)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return cost{
		wall:   time.Duration(of(func(c cost) int64 { return int64(c.wall) })),
		user:   time.Duration(of(func(c cost) int64 { return int64(c.user) })),
		system: time.Duration(of(func(c cost) int64 { return int64(c.system) })),
		rss:    of(func(c cost) int64 { return c.rss }),
	}
}

func treeSize(root string) (files int, size int64, err error) {
	err = filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			files, size = files+1, size+info.Size()
		}
		return err
	})
	return files, size, err
}

// score counts lines.
type score struct{ secrets, found, wrong int }

func (s score) recall() float64 { return ratio(s.found, s.secrets) }

func (s score) precision() float64 { return ratio(s.found, s.found+s.wrong) }

func (s score) f1() float64 {
	if s.recall()+s.precision() == 0 {
		return 0
	}
	return 2 * s.recall() * s.precision() / (s.recall() + s.precision())
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// measureQuality runs all scanners over the labelled set.
func measureQuality(scanners []scanner, set labelled, show bool, log io.Writer) (string, error) {
	scores := make([]map[string]*score, len(scanners))
	for i, s := range scanners {
		places, _, err := s.run(set.dir)
		if err != nil {
			return "", err
		}
		scores[i] = set.judge(places)
		if show && i == 0 {
			set.explain(places, log)
		}
	}
	return table(scanners, scores, set), nil
}

// judge compares found places with the labels, kind by kind; "" is all together.
func (set labelled) judge(places []place) map[string]*score {
	scores := map[string]*score{"": {}}
	for _, k := range set.kinds {
		scores[k] = &score{}
	}
	flagged := map[place]bool{}
	for _, p := range places {
		flagged[p] = true
	}
	for p, kind := range set.secrets {
		for _, s := range []*score{scores[kind], scores[""]} {
			s.secrets++
			if flagged[p] {
				s.found++
			}
		}
	}
	for p := range flagged {
		if _, secret := set.secrets[p]; !secret && !set.within[p] {
			scores[set.kindOf[p.file]].wrong++
			scores[""].wrong++
		}
	}
	return scores
}

// explain lists misses and false alarms by place; the set is synthetic, its
// lines may be looked up with -keep.
func (set labelled) explain(places []place, log io.Writer) {
	flagged := map[place]bool{}
	for _, p := range places {
		flagged[p] = true
		if _, secret := set.secrets[p]; !secret && !set.within[p] {
			fmt.Fprintf(log, "wrong\t%s\t%s:%d\n", set.kindOf[p.file], p.file, p.line)
		}
	}
	missed := slices.SortedFunc(maps.Keys(set.secrets), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
	for _, p := range missed {
		if !flagged[p] {
			fmt.Fprintf(log, "missed\t%s\t%s:%d\n", set.secrets[p], p.file, p.line)
		}
	}
}

func table(scanners []scanner, scores []map[string]*score, set labelled) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Recall and precision\n\nA labelled set of our own: %d secrets and %d look-alikes, synthetic values in the layouts of real files, seed %d. It says how\nfar a change of ours moves, not how any scanner does on your files: who writes the rules and the set knows what it asks.\n\n", len(set.secrets), set.lookalikes, seed)
	b.WriteString("| kind | secrets |")
	for _, s := range scanners {
		fmt.Fprintf(&b, " %s found / wrong |", s.name)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(scanners)) + "\n")
	for _, k := range set.kinds {
		fmt.Fprintf(&b, "| %s | %d |", k, scores[0][k].secrets)
		for _, s := range scores {
			fmt.Fprintf(&b, " %d / %d |", s[k].found, s[k].wrong)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "| **all: recall, precision, F1** | %d |", len(set.secrets))
	for _, s := range scores {
		fmt.Fprintf(&b, " %.1f %%, %.1f %%, %.2f |", 100*s[""].recall(), 100*s[""].precision(), s[""].f1())
	}
	b.WriteByte('\n')
	return b.String()
}
