package env

import (
	"path"
	"strings"
)

// elsewhere says why nothing below a directory is an environment's, or "": what
// others wrote, what only tests or explains, what drives the forge.
func elsewhere(segment string, first bool) string {
	switch strings.ToLower(segment) {
	case "node_modules", "vendor", "bower_components", "__pycache__":
		return "it is somebody else's code (" + segment + ")"
	case "testdata", "tests", "fixtures", "__tests__", "__fixtures__", "__mocks__", "__snapshots__":
		return "it belongs to tests (" + segment + ")"
	case ".github", ".gitlab", ".circleci", ".buildkite", ".git", ".idea", ".vscode":
		return "it drives the forge or the editor (" + segment + ")"
	case "examples", "example", "samples":
		return "it is an example (" + segment + ")"
	case "docs", "doc", "documentation":
		if first {
			return "it documents (" + segment + ")"
		}
	}
	return ""
}

// source holds for directories that hold programs, where test, ci and local name
// parts of the program.
func source(segment string) bool {
	switch strings.ToLower(segment) {
	case "src", "internal", "pkg", "cmd", "lib", "libs", "scripts", "hack", "tools", "spec", "specs", "test", "e2e", "build", "dist":
		return true
	}
	return false
}

// configures holds for files that configure something, and so may differ by
// environment; source, prose and pictures do not.
func configures(name string) bool {
	lower := strings.ToLower(name)
	switch strings.TrimPrefix(path.Ext(lower), ".") {
	case "go", "py", "js", "mjs", "cjs", "ts", "mts", "tsx", "jsx", "java", "kt", "rb", "rs", "c", "h", "cc", "cpp", "hpp",
		"cs", "php", "swift", "scala", "ex", "exs", "erl", "lua", "pl", "r", "sql", "vue", "svelte", "dart", "proto", "snap",
		"md", "mdx", "rst", "adoc", "txt", "html", "htm", "css", "scss", "less", "map", "csv", "log", "lock", "sum",
		"png", "jpg", "jpeg", "gif", "svg", "ico", "webp", "pdf", "drawio", "ipynb", "woff", "woff2", "ttf", "zip", "gz",
		"tgz", "jar", "exe", "so", "bin", "sh", "bash", "ps1", "bat", "pub", "po", "patch", "diff":
		return false
	}
	for _, tool := range []string{"tsconfig", "requirements", "package", ".eslintrc", "jest.", "babel.", ".babelrc", "readme",
		"license", "changelog", "dockerfile", "containerfile", "pipfile", "gemfile", "mkdocs", ".golangci", ".pre-commit", "codecov", "renovate"} {
		if strings.HasPrefix(lower, tool) {
			return false
		}
	}
	return true
}

// certificates holds for names of certificates and who issues them: Let's Encrypt has
// a staging and a production side, which are no environments of anybody else.
func certificates(name string) bool {
	lower := strings.ToLower(name)
	for _, word := range []string{"letsencrypt", "lets-encrypt", "acme", "issuer", "certificate", "cert-manager", "wildcard"} {
		if strings.Contains(lower, word) {
			return true
		}
	}
	for t := range tokens(lower, 0) {
		switch lower[t.start:t.end] {
		case "cert", "certs", "tls", "le":
			return true
		}
	}
	return false
}
