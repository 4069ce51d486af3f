// Action reviews a change to a GitOps repository for secrets in clear, for sealed
// files that are sealed wrongly, and for keys that an environment lacks. It holds
// no key and decrypts nothing.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	// The image holds nothing but this program: the roots of TLS come with it.
	_ "golang.org/x/crypto/x509roots/fallback"
)

// The garbage collector runs a little more often than it would by itself: a review
// of a large tree stays small, which counts on a shared runner.
const (
	gcPercent   = 60
	memoryLimit = 90 << 20 // bytes; a target of the collector's and no hard bound
)

func main() {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}
