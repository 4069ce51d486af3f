package main

import "github.com/sealward/sealward/internal/cli"

// released is the version that an image was released as; the linker sets it, since such
// a build has nothing of Git's.
var released string

func version() string { return cli.Version(released) }
