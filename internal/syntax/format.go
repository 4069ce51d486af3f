package syntax

import (
	"slices"
	"strings"
)

// FormatOf tells the format by name alone: by extension, and by the names that
// env files go by (.env, .env.prod, prod.env, secrets.env.enc). Endings that say
// only what a file is for (.enc, .dec, .example, .tpl) are looked through.
func FormatOf(name string) Format {
	dir, file := "", strings.ToLower(name)
	if i := strings.LastIndexByte(file, '/'); i >= 0 {
		dir, file = file[:i], file[i+1:]
	}
	if f, ok := namedFormat(dir, file); ok {
		return f
	}
	file = withoutPurpose(file)
	if f, ok := namedFormat(dir, file); ok {
		return f
	}
	if i := strings.LastIndexByte(file, '.'); i >= 0 {
		if f, ok := extensionFormat(file[i:]); ok {
			return f
		}
	}
	if isEnvName(file) {
		return Dotenv
	}
	return Text
}

// namedFormat knows files by their whole name.
func namedFormat(dir, file string) (Format, bool) {
	switch file {
	case "kustomization", "kubeconfig", ".kubeconfig", "talosconfig", "chart.lock", ".yamllint", ".condarc", ".gemrc":
		return YAML, true
	case "composer.lock", "flake.lock", "pipfile.lock", "deno.lock", ".babelrc", ".eslintrc", ".swcrc", ".jshintrc", ".bowerrc":
		return JSON, true
	case ".npmrc", ".s3cfg", ".pypirc", ".gitconfig", "gitconfig", ".gitmodules", ".coveragerc", ".flake8", ".pylintrc",
		".editorconfig", ".boto", ".hgrc", "pip.conf", "pipfile", "cargo.lock", "poetry.lock", "uv.lock", "pdm.lock":
		return INI, true
	case ".envrc", "envrc", ".flaskenv", ".dev.vars", ".secrets", "dotenv":
		return Dotenv, true
	}
	parent := dir[strings.LastIndexByte(dir, '/')+1:]
	switch {
	case file == "config" && (parent == ".kube" || parent == ".talos"):
		return YAML, true
	case (file == "config" || file == "credentials") && parent == ".aws", file == "config" && parent == ".git":
		return INI, true
	}
	return Text, false
}

func extensionFormat(ext string) (Format, bool) {
	switch ext {
	case ".yaml", ".yml", ".eyaml", ".kubeconfig", ".talosconfig":
		return YAML, true
	case ".json", ".jsonc", ".json5", ".jsonl", ".ndjson", ".tfstate", ".ipynb", ".webmanifest", ".geojson", ".code-workspace",
		".har", ".avsc", ".dockerconfigjson", ".dockercfg":
		return JSON, true
	case ".env", ".envrc":
		return Dotenv, true
	case ".ini", ".cfg", ".cnf", ".toml", ".properties", ".desktop",
		".service", ".socket", ".timer", ".mount", ".automount", ".target", ".slice", ".netdev", ".network", ".container":
		return INI, true
	}
	return Text, false
}

// withoutPurpose cuts the endings that say what a file is for and not how it is
// written.
func withoutPurpose(file string) string {
	for {
		file = strings.TrimSuffix(file, "~")
		i := strings.LastIndexByte(file, '.')
		if i <= 0 || !slices.Contains(purposes, file[i+1:]) {
			return file
		}
		file = file[:i]
	}
}

var purposes = []string{
	"enc", "dec", "sops", "sealed", "encrypted", "decrypted", "plain", "plaintext", "clear", "unencrypted", "raw",
	"example", "sample", "template", "tmpl", "tpl", "gotmpl", "j2", "jinja", "jinja2", "erb", "dist", "default", "defaults",
	"bak", "backup", "orig", "old", "new", "tmp", "copy", "save", "swp", "disabled", "keys",
}

// isEnvName holds for .env, .env.prod and their kin, unless the ending makes a
// program or a text of it.
func isEnvName(file string) bool {
	switch {
	case file == ".env" || file == "env":
		return file == ".env"
	case strings.HasPrefix(file, ".env.") || strings.HasPrefix(file, ".env-") || strings.HasPrefix(file, ".env_"):
		return !slices.Contains(sources, file[strings.LastIndexByte(file, '.')+1:])
	case strings.HasPrefix(file, "env."):
		return slices.Contains(stages, file[len("env."):])
	}
	return false
}

// sources are the endings of programs and prose.
var sources = []string{"ts", "js", "mjs", "cjs", "tsx", "jsx", "go", "py", "rb", "php", "rs", "java", "kt", "cs", "md", "html", "tf", "hcl", "gpg", "asc", "age"}

// stages are the words that make an env file of "env.<word>".
var stages = []string{"prod", "production", "staging", "stage", "dev", "development", "test", "testing", "local", "qa", "uat", "ci", "docker", "list"}
