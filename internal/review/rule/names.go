package rule

import "path"

// sibling is the path of another file in the same directory.
func sibling(p, base string) string { return path.Join(path.Dir(p), base) }
