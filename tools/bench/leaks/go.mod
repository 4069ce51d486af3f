module github.com/sealward/sealward/tools/bench/leaks

go 1.26.0

require github.com/sealward/sealward v0.0.0

replace github.com/sealward/sealward => ../../..
