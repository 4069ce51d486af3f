package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/sealward/sealward/internal/github"
)

// allowedHelp says which keyrings a repository may use; serve has it in its help.
const allowedHelp = `
The keyring of an environment is, in this order:

  SEALWARD_KEYRING    the operator's word, for every repository: an address in which
                      {owner}, {repo} and {env} stand for the names
  keyring: of the environment in the repository's .sealward.yaml on its default branch
  SEALWARD_KEYS_DIR/OWNER/REPO/ENV.agekey

What .sealward.yaml may name is said by SEALWARD_KEYRINGS, a list, separated by commas; *
stands for anything but a slash:

  octo/shop=kubernetes://flux-system/sops-age     this repository may use this Secret
  octo/*=file:///keys/octo/*.agekey               every repository of octo
  *=kubernetes://flux-system/sops-age             every repository: they share the key
  file:///keys/{owner}/{repo}/*                   each repository what has its name

Without it a keyring belongs to the account (organisation or person) whose repository names
it first: all of that account's repositories may use it, and no other account's. What lies
below SEALWARD_KEYS_DIR is each repository's own in either case. Names in paths
are in lower case. A symbolic link below the part that the operator wrote is refused.`

// allowance is one entry of SEALWARD_KEYRINGS.
type allowance struct {
	owner, repo string // "*" is any
	address     string // with placeholders
	own         bool   // it names the repository, so that no other has the same address
}

// placeholders are what stands for names.
var placeholders = regexp.MustCompile(`\{[^{}]*\}`)

// parseAllowed reads SEALWARD_KEYRINGS.
func parseAllowed(text string) ([]allowance, error) {
	var out []allowance
	for entry := range strings.SplitSeq(text, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		a, err := parseAllowance(entry)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", entry, err)
		}
		out = append(out, a)
	}
	return out, nil
}

func parseAllowance(entry string) (allowance, error) {
	a := allowance{owner: "*", repo: "*", address: entry}
	who, address, ok := strings.Cut(entry, "=")
	named := ok && !strings.Contains(who, ":")
	if named {
		a.address = strings.TrimSpace(address)
		if who = strings.TrimSpace(who); who != "*" {
			a.owner, a.repo, ok = strings.Cut(who, "/")
			if !ok || a.owner == "" || a.repo == "" || strings.Contains(a.repo, "/") || a.owner == "*" {
				return a, errors.New("before the = stands OWNER/REPO, OWNER/* or *")
			}
		}
	}
	own, err := checkTemplate(a.address)
	if err != nil {
		return a, err
	}
	if !named && !own {
		return a, errors.New("say which repository may use it, as in octo/shop=ADDRESS (or *=ADDRESS for all), or have {owner} and {repo} in it")
	}
	a.own = own || named && a.owner != "*" && a.repo != "*"
	return a, nil
}

// checkTemplate checks an address with placeholders. own says that it has the
// repository's name in it. Two names in one part of a path could be told apart in more
// than one way: a-b and c are not a and b-c.
func checkTemplate(address string) (own bool, err error) {
	if address == "operator" {
		return false, nil
	}
	u, err := url.Parse(placeholders.ReplaceAllString(strings.ReplaceAll(address, "*", "x"), "x"))
	if err != nil || u.Scheme != "file" && u.Scheme != "kubernetes" || u.Scheme == "file" && (u.Host != "" || !strings.HasPrefix(u.Path, "/")) {
		return false, errors.New("want file:///path/to/key.agekey, kubernetes://namespace/secret or operator")
	}
	var owner, repo bool
	for part := range strings.SplitSeq(address, "/") {
		found := placeholders.FindAllString(part, -1)
		for _, p := range found {
			switch p {
			case "{owner}", "{repo}", "{env}":
			default:
				return false, fmt.Errorf("%s stands for nothing: there are {owner}, {repo} and {env}", p)
			}
			whole := part == p || p == "{env}" || part == p+".agekey"
			if len(found) > 1 || !whole || p != "{env}" && strings.Contains(part, "*") {
				return false, fmt.Errorf("%s shares a part of the path with other text: put {owner} and {repo} between slashes, or two repositories could have one key", p)
			}
			owner, repo = owner || p == "{owner}", repo || p == "{repo}"
		}
		if part == ".." || part == "." {
			return false, errors.New("a path has no . and .. here")
		}
	}
	return owner && repo, nil
}

// expand puts names into an address.
func expand(address string, n github.Name, env string) string {
	return strings.NewReplacer("{owner}", strings.ToLower(n.Owner), "{repo}", strings.ToLower(n.Repo), "{env}", env).Replace(address)
}

// allows says whether an entry lets a repository's environment use an address.
func (a allowance) allows(n github.Name, env, address string) bool {
	if a.owner != "*" && !strings.EqualFold(a.owner, n.Owner) || a.repo != "*" && !strings.EqualFold(a.repo, n.Repo) {
		return false
	}
	var form strings.Builder
	for i, piece := range strings.Split(expand(a.address, n, env), "*") {
		if i > 0 {
			form.WriteString(`[^/?#%]*`)
		}
		form.WriteString(regexp.QuoteMeta(piece))
	}
	return regexp.MustCompile(`^` + form.String() + `$`).MatchString(address)
}

// fixed is the part of a file's address that the operator wrote, without the repository's
// share: up to the first name or *.
func (a allowance) fixed() string {
	path := strings.TrimPrefix(a.address, "file://")
	if i := strings.IndexAny(path, "{*"); i >= 0 {
		path = path[:strings.LastIndexByte(path[:i], '/')+1]
	}
	return path
}

// plainPath refuses a file's address that leads elsewhere than it says: by .., by an
// escape, or through a symbolic link below root.
func plainPath(address, root string) error {
	path, ok := strings.CutPrefix(address, "file://")
	if !ok {
		return nil
	}
	if strings.ContainsAny(path, "%?#\\\x00") || filepath.Clean(path) != path {
		return fmt.Errorf("the keyring's path %q is not written plainly: no .., no %% and no doubled slashes", path)
	}
	root = filepath.Clean(root)
	for at := path; len(at) > len(root) && at != filepath.Dir(at); at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("the keyring's path: %w", err)
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return fmt.Errorf("%s, on the way to a keyring, is a symbolic link: a repository's keyring is not looked for behind one", at)
		}
	}
	return nil
}
