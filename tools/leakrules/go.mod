module github.com/sealward/sealward/tools/leakrules

go 1.26

require (
	github.com/BurntSushi/toml v1.5.0
	github.com/zricethezav/gitleaks/v8 v8.30.1
)
