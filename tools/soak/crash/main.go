// Command crash has the bot rotate keys while it is killed again and again, and checks
// that nothing was lost and nothing was done twice.
//
//	go -C tools/soak run ./crash                                    200 rotations, 110 kills, SQLite
//	go -C tools/soak run ./crash -store postgres -dsn postgres://…  the same, with three replicas
//	go -C tools/soak run ./crash -load                              how fast it is, without kills
//
// A GitHub runs in this process: real Git repositories behind HTTP, which holds every
// request of the bot to GitHub's own description. Real `bot serve` processes stand on the
// other side. People ask for rotations by comments; the deliveries of these comments are
// signed, and pass an ingress that loses some, doubles some, and swallows some without a
// trace. GitHub answers some calls with its secondary limit, and loses the answers of some
// that took effect. Meanwhile one process after the other is killed, and started again.
//
// In the end there must be exactly one branch, one pull request, one answer and one new
// key for each rotation, no job that was given up, and every branch's files must open,
// with the program of SOPS, by the new key and by no other. Exit status 1 is a violation,
// 2 that the soak could not be run.
//
// -dsn is an empty database; tools/soak/postgres starts one that is thrown away.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// settings are the command's flags.
type settings struct {
	store, dsn string
	bot, sops  string
	dir        string
	rotations  int
	kills      int
	replicas   int
	every      time.Duration // mean time between two kills
	latency    time.Duration
	limits     float64 // share of calls that meet the secondary limit
	lost       float64 // share of writes whose answers are lost after the effect
	dropped    float64 // share of deliveries that fail
	doubled    float64 // share that comes twice
	swallowed  float64 // share of comments whose delivery is lost without a trace
	stubborn   bool    // the ingress tries again where a process is dead
	patience   time.Duration
	load, keep bool
	seed       uint64
}

func main() {
	s := settings{}
	flag.StringVar(&s.store, "store", "sqlite", "sqlite or postgres")
	flag.StringVar(&s.dsn, "dsn", os.Getenv("SEALWARD_TEST_POSTGRES"), "the empty PostgreSQL database, as postgres://…")
	flag.StringVar(&s.bot, "bot", "", "the bot's program (built where it is not given)")
	flag.StringVar(&s.sops, "sops", "", "the program of SOPS (looked for where it is not given)")
	flag.StringVar(&s.dir, "dir", "", "where logs and keys go (a temporary folder where it is not given)")
	flag.IntVar(&s.rotations, "rotations", 200, "how many rotations are asked for")
	flag.IntVar(&s.kills, "kills", 110, "how many processes are killed, at least")
	flag.IntVar(&s.replicas, "replicas", 0, "processes at once (1 on SQLite, 3 on PostgreSQL)")
	flag.DurationVar(&s.every, "every", 4*time.Second, "time between two kills, on the average")
	flag.DurationVar(&s.latency, "latency", 5*time.Millisecond, "how long each call of GitHub takes, at least")
	flag.Float64Var(&s.limits, "limits", 0.05, "share of calls that meet the secondary limit")
	flag.Float64Var(&s.lost, "lost", 0.05, "share of writes whose answers are lost after the effect")
	flag.Float64Var(&s.dropped, "dropped", 0.05, "share of deliveries that fail")
	flag.Float64Var(&s.doubled, "doubled", 0.05, "share of deliveries that come twice")
	flag.Float64Var(&s.swallowed, "swallowed", 0.01, "share of comments whose delivery is lost without a trace")
	flag.BoolVar(&s.stubborn, "stubborn", false, "the ingress tries a delivery again until a process takes it")
	flag.DurationVar(&s.patience, "patience", 15*time.Minute, "how long to wait after the last kill")
	flag.BoolVar(&s.load, "load", false, "measure instead: acknowledgements at 50 a second, a rotation of 100 files, a restart")
	flag.BoolVar(&s.keep, "keep", false, "keep the folder of logs where all went well too")
	flag.Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()), "of the random choices")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	code, err := run(ctx, s, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
	}
	os.Exit(code)
}

// run does what the flags say and returns the exit status.
func run(ctx context.Context, s settings, out io.Writer) (int, error) {
	if err := s.fill(); err != nil {
		return 2, err
	}
	w, err := newWorld(ctx, s)
	if err != nil {
		return 2, err
	}
	defer w.close()
	var violations []string
	if s.load {
		violations, err = w.load(ctx, out)
	} else {
		violations, err = w.soak(ctx, out)
	}
	violations = append(violations, w.tb.faults()...)
	for i, v := range violations {
		if i == 20 {
			fmt.Fprintf(out, "… and %d more\n", len(violations)-i)
			break
		}
		fmt.Fprintln(out, "VIOLATION:", v)
	}
	switch {
	case err != nil:
		fmt.Fprintln(out, "logs:", s.dir)
		return 2, err
	case len(violations) > 0:
		fmt.Fprintln(out, "logs:", s.dir)
		return 1, nil
	}
	if !s.keep {
		_ = os.RemoveAll(s.dir)
	}
	return 0, nil
}
