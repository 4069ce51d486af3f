// Action reviews a change to a GitOps repository for secrets in clear, for sealed
// files that are sealed wrongly, and for keys that an environment lacks. It holds
// no key and decrypts nothing.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}
