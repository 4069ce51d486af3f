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

// What a review keeps is small beside what it lets go of: the garbage collector waits
// until there is something to collect, and no longer than a shared runner has room for.
const (
	gcPercent   = 300
	memoryLimit = 88 << 20 // bytes; a target of the collector's and no hard bound
)

func main() {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(memoryLimit)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}
