package rule

import "path"

// sibling is the path of another file in the same directory.
func sibling(p, base string) string { return path.Join(path.Dir(p), base) }

// dirname is the directory of a path, "" for the root.
func dirname(p string) string {
	if d := path.Dir(p); d != "." {
		return d
	}
	return ""
}
