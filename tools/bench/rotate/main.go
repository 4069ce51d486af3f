// Command rotate measures how a key is replaced in many sealed files: by a loop of
// `sops rotate`, by one process of `sops updatekeys`, and by internal/seal in both of
// its ways. Every way starts from the same files. It prints a table in Markdown.
//
//	go run . -files 1000 -values 20 -sample 100
package main

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		exit(worker(os.Args[2], os.Args[3]))
	}
	files := flag.Int("files", 1000, "how many files")
	values := flag.Int("values", 20, "how many values each")
	sample := flag.Int("sample", 100, "how many of them the loop of sops rotate does")
	flag.Parse()
	exit(run(*files, *values, *sample))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "rotate:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// usage is what one way costs.
type usage struct {
	name       string
	files      int
	cpu, wall  time.Duration
	peak       int64 // KB resident
	noise      int   // lines that changed for the format's sake alone, per file
	newDataKey bool
}

func run(files, values, sample int) error {
	sops, err := exec.LookPath("sops")
	if err != nil {
		sops = filepath.Join(os.Getenv("HOME"), "go", "bin", "sops")
	}
	root, err := os.MkdirTemp("", "bench-rotate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	b := &bench{sops: sops, root: root, files: files, values: values}
	if err := b.prepare(); err != nil {
		return err
	}
	var rows []usage
	for _, step := range []func() (usage, error){
		func() (usage, error) { return b.loop(min(sample, files)) },
		b.updatekeys,
		func() (usage, error) { return b.ours("library") },
		func() (usage, error) { return b.ours("span") },
	} {
		row, err := step()
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	report(rows, files, values)
	return nil
}

func report(rows []usage, files, values int) {
	fmt.Printf("%d files of %d values each; CPU is user and system time per file.\n\n", files, values)
	fmt.Println("| way | files | new data key | CPU ms a file | less CPU | wall ms a file | peak MB | format-noise lines a file |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	first := rows[0].cpu.Seconds() / float64(rows[0].files)
	for _, r := range rows {
		cpu := r.cpu.Seconds() / float64(r.files)
		fresh := "no"
		if r.newDataKey {
			fresh = "yes"
		}
		fmt.Printf("| %s | %d | %s | %.2f | %.1fx | %.2f | %d | %d |\n", r.name, r.files, fresh, cpu*1000, first/cpu,
			r.wall.Seconds()/float64(r.files)*1000, r.peak/1024, r.noise)
	}
}

// timed runs a command and adds what it costs.
func (u *usage) timed(cmd *exec.Cmd) error {
	var stderr strings.Builder
	cmd.Stderr = &stderr
	start := time.Now()
	err := cmd.Run()
	u.wall += time.Since(start)
	if err != nil {
		return fmt.Errorf("%v: %w: %s", cmd.Args[:2], err, stderr.String())
	}
	u.cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	u.peak = max(u.peak, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
	return nil
}

// copyTree copies the sealed files for one way to work on.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), data, 0o600)
	})
}
