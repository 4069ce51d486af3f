// Bot replaces the keys of a GitOps repository: it makes a new key, seals every
// affected file anew, proves it, and says what a person does next.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// gcPercent has the garbage collector run a little more often than it would by itself:
// a rotation of a thousand files stays below 64 MB.
const gcPercent = 75

func main() {
	debug.SetGCPercent(gcPercent)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}
