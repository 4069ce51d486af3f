package githubtest

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// objects is a real bare git repository. Blobs, trees and commits are written as
// loose objects, for a process each would be too slow for a thousand files; all
// else is asked of git.
type objects struct {
	dir string

	mu  sync.Mutex // guards the conversation with cat-file
	cat *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader

	diffMu sync.Mutex
	diffs  map[[2]string][]diffFile
}

func newObjects(dir, branch string) (*objects, error) {
	o := &objects{dir: dir, diffs: map[[2]string][]diffFile{}}
	if _, err := o.git(nil, "init", "-q", "--bare", "-b", branch, dir); err != nil {
		return nil, err
	}
	for _, kv := range [][2]string{
		{"http.receivepack", "true"}, {"uploadpack.allowAnySHA1InWant", "true"}, {"uploadpack.allowFilter", "true"}, {"gc.auto", "0"},
	} {
		if _, err := o.git(nil, "config", kv[0], kv[1]); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func (o *objects) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cat != nil {
		_ = o.in.Close()
		_ = o.cat.Wait()
		o.cat = nil
	}
}

var gitEnv = []string{
	"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "HOME=/nonexistent", "LC_ALL=C",
	"GIT_AUTHOR_NAME=Fixture", "GIT_AUTHOR_EMAIL=fixture@example.com", "GIT_COMMITTER_NAME=Fixture", "GIT_COMMITTER_EMAIL=fixture@example.com",
}

func (o *objects) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), "git", append([]string{"--git-dir=" + o.dir, "-c", "diff.renameLimit=4000"}, args...)...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, gitEnv...)
	return cmd
}

// git runs a plumbing command and returns what it prints.
func (o *objects) git(stdin []byte, args ...string) ([]byte, error) {
	cmd := o.command(args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return out, nil
}

var errNoObject = errors.New("no such object")

// read returns an object by any name that git understands.
func (o *objects) read(name string) (id, kind string, data []byte, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.cat == nil {
		if err := o.startCat(); err != nil {
			return "", "", nil, err
		}
	}
	if strings.ContainsAny(name, "\n\x00") {
		return "", "", nil, errNoObject
	}
	if _, err := io.WriteString(o.in, name+"\n"); err != nil {
		return "", "", nil, err
	}
	head, err := o.out.ReadString('\n')
	if err != nil {
		return "", "", nil, err
	}
	f := strings.Fields(head)
	if len(f) != 3 || f[len(f)-1] == "missing" {
		return "", "", nil, errNoObject
	}
	size, err := strconv.Atoi(f[2])
	if err != nil {
		return "", "", nil, errNoObject
	}
	data = make([]byte, size+1)
	if _, err := io.ReadFull(o.out, data); err != nil {
		return "", "", nil, err
	}
	return f[0], f[1], data[:size], nil
}

func (o *objects) startCat() error {
	cmd := o.command("cat-file", "--batch")
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	o.cat, o.in, o.out = cmd, in, bufio.NewReader(out)
	return nil
}

// write stores a loose object and returns its id.
func (o *objects) write(kind string, data []byte) (string, error) {
	head := fmt.Sprintf("%s %d\x00", kind, len(data))
	sum := sha1.New()
	io.WriteString(sum, head)
	sum.Write(data)
	id := hex.EncodeToString(sum.Sum(nil))
	path := filepath.Join(o.dir, "objects", id[:2], id[2:])
	if _, err := os.Stat(path); err == nil {
		return id, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	var z bytes.Buffer
	w := zlibWriters.Get().(*zlib.Writer)
	defer zlibWriters.Put(w)
	w.Reset(&z)
	io.WriteString(w, head)
	w.Write(data)
	if err := w.Close(); err != nil {
		return "", err
	}
	// Nothing names the object before it is written, so no reader meets half of it.
	return id, os.WriteFile(path, z.Bytes(), 0o444)
}

// zlibWriters saves the making of one, which costs more than to write a small file.
var zlibWriters = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

// treeEntry is a line of a tree's recursive listing.
type treeEntry struct {
	path, mode, kind, id string
	size                 int64
}

// list lists a tree; recursive listings hold the subtrees too, as GitHub's do.
func (o *objects) list(tree string, recursive bool) ([]treeEntry, error) {
	args := []string{"ls-tree", "-z", "-l", "--full-tree"}
	if recursive {
		args = append(args, "-r", "-t")
	}
	out, err := o.git(nil, append(args, tree)...)
	if err != nil {
		return nil, err
	}
	var list []treeEntry
	for _, line := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		meta, path, ok := strings.Cut(line, "\t")
		if !ok {
			continue
		}
		f := strings.Fields(meta)
		e := treeEntry{path: path, mode: f[0], kind: f[1], id: f[2]}
		e.size, _ = strconv.ParseInt(f[3], 10, 64)
		list = append(list, e)
	}
	return list, nil
}

// leaf is one file of a tree that is to be written.
type leaf struct{ mode, id string }

// leaves reads a tree's files by path; "" is the empty tree.
func (o *objects) leaves(tree string) (map[string]leaf, error) {
	files := map[string]leaf{}
	if tree == "" {
		return files, nil
	}
	list, err := o.list(tree, true)
	for _, e := range list {
		if e.kind != "tree" {
			files[e.path] = leaf{e.mode, e.id}
		}
	}
	return files, err
}

// writeTree writes a tree of files by path, with its subtrees.
func (o *objects) writeTree(files map[string]leaf) (string, error) {
	here := map[string]leaf{}
	below := map[string]map[string]leaf{}
	for path, l := range files {
		dir, rest, nested := strings.Cut(path, "/")
		if !nested {
			here[path] = l
			continue
		}
		if below[dir] == nil {
			below[dir] = map[string]leaf{}
		}
		below[dir][rest] = l
	}
	for dir, files := range below {
		if _, both := here[dir]; both {
			return "", fmt.Errorf("%q is both a file and a directory", dir)
		}
		id, err := o.writeTree(files)
		if err != nil {
			return "", err
		}
		here[dir] = leaf{"40000", id}
	}
	names := make([]string, 0, len(here))
	for name := range here {
		names = append(names, name)
	}
	order := func(name string) string { // git sorts a directory as if its name ended in a slash
		if here[name].mode == "40000" {
			return name + "/"
		}
		return name
	}
	sort.Slice(names, func(i, j int) bool { return order(names[i]) < order(names[j]) })
	var data bytes.Buffer
	for _, name := range names {
		raw, err := hex.DecodeString(here[name].id)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&data, "%s %s\x00%s", strings.TrimPrefix(here[name].mode, "0"), name, raw)
	}
	return o.write("tree", data.Bytes())
}
