package githubtest

import (
	"fmt"
	"strings"
)

// emptyTree is what git calls the tree without files.
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

// diffFile is one file of a diff, as GitHub tells it.
type diffFile struct {
	status, path, old string
	id                string // the new content, or the old one of a removed file
	added, deleted    int
	patch             string // "" where GitHub omits it: binary, mode alone, too big
}

// diff compares two trees as GitHub does: renames found, patches from the first hunk
// on. Between commits that are given by id the answer is kept. Nobody may change it.
func (o *objects) diff(from, to string) ([]diffFile, error) {
	if from == "" {
		from = emptyTree
	}
	key := [2]string{from, to}
	if !fullID.MatchString(from) || !fullID.MatchString(to) {
		return o.compare(from, to)
	}
	o.diffMu.Lock()
	defer o.diffMu.Unlock()
	if files, ok := o.diffs[key]; ok {
		return files, nil
	}
	files, err := o.compare(from, to)
	if err == nil {
		o.diffs[key] = files
	}
	return files, err
}

func (o *objects) compare(from, to string) ([]diffFile, error) {
	raw, err := o.git(nil, "diff-tree", "-r", "-M", "-z", "--raw", "--full-index", from, to)
	if err != nil {
		return nil, err
	}
	files, err := parseRaw(string(raw))
	if err != nil || len(files) == 0 {
		return files, err
	}
	text, err := o.git(nil, "diff-tree", "-r", "-M", "-p", "--full-index", "--no-textconv", "--no-ext-diff", "--diff-algorithm=myers", from, to)
	if err != nil {
		return nil, err
	}
	chunks := strings.Split("\n"+string(text), "\ndiff --git ")[1:]
	for i := range files {
		n := 1
		if files[i].status == "changed" { // git shows a change of type as a removal and an addition
			n = 2
		}
		if len(chunks) < n {
			return nil, fmt.Errorf("git names %d files and shows patches for %d", len(files), i)
		}
		if n == 1 {
			files[i].setPatch(chunks[0])
		}
		chunks = chunks[n:]
	}
	return files, nil
}

func parseRaw(raw string) ([]diffFile, error) {
	fields := strings.Split(strings.TrimSuffix(raw, "\x00"), "\x00")
	var files []diffFile
	for i := 0; i+1 < len(fields); {
		meta := strings.Fields(strings.TrimPrefix(fields[i], ":"))
		if len(meta) != 5 {
			return nil, fmt.Errorf("unexpected line of git diff-tree: %q", fields[i])
		}
		f := diffFile{path: fields[i+1], id: meta[3]}
		i += 2
		switch meta[4][0] {
		case 'A':
			f.status = "added"
		case 'D':
			f.status, f.id = "removed", meta[2]
		case 'R':
			f.status, f.old, f.path = "renamed", f.path, fields[i]
			i++
		case 'T':
			f.status = "changed"
		default:
			f.status = "modified"
		}
		files = append(files, f)
	}
	return files, nil
}

func (f *diffFile) setPatch(chunk string) {
	at := strings.Index(chunk, "\n@@ ")
	if at < 0 {
		return
	}
	f.patch = strings.TrimSuffix(chunk[at+1:], "\n")
	for _, line := range strings.Split(f.patch, "\n") {
		switch {
		case strings.HasPrefix(line, "+"):
			f.added++
		case strings.HasPrefix(line, "-"):
			f.deleted++
		}
	}
}
