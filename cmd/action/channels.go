package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/sealward/sealward/internal/review"
	"github.com/sealward/sealward/internal/review/drift"
	"github.com/sealward/sealward/internal/review/report"
)

// tell says what was found, in every channel that was asked for. What needs nobody
// comes first, so that a run that is cancelled has said the most.
func (w *workflow) tell(ctx context.Context, out *outcome, code int) {
	w.attempt("log", func() error { return w.writeLog(out) })
	if w.in.summary {
		w.attempt("summary", func() error { return w.addSummary(out) })
	}
	w.writeFiles(out)
	w.count(out, code)
	w.writeForge(ctx, out)
}

// writeLog writes the annotations and the whole report as a group of the log.
func (w *workflow) writeLog(out *outcome) error {
	if w.in.annotations {
		return report.Renderers(report.Options{})["github"](w.stdout, out.rep)
	}
	w.act.Group("sealward")
	defer w.act.EndGroup()
	return report.Renderers(report.Options{})["text"](w.stdout, out.rep)
}

// addSummary writes the job's summary.
func (w *workflow) addSummary(out *outcome) error {
	name := w.getenv("GITHUB_STEP_SUMMARY")
	if name == "" {
		return nil
	}
	text, err := w.markdown(out, report.SummaryBudget)
	if err != nil {
		return err
	}
	return appendTo(name, func(f io.Writer) error {
		_, err := io.WriteString(f, text)
		return err
	})
}

// markdown writes the report for people, with the plan below it where a secret has
// leaked, in at most budget bytes.
func (w *workflow) markdown(out *outcome, budget int) (string, error) {
	var b bytes.Buffer
	if w.job.mode == modeDrift {
		err := drift.Markdown(&b, out.drift)
		return b.String(), err
	}
	plan := rotationPlan(out.rep, out.tree.Env())
	err := report.Renderers(report.Options{Budget: budget - len(plan)})["markdown"](&b, out.rep)
	return b.String() + plan, err
}

// writeFiles writes the files that were asked for, and names those that there are.
func (w *workflow) writeFiles(out *outcome) {
	renderers := report.Renderers(report.Options{Version: version()})
	for _, f := range []struct {
		name, path string
		render     func(io.Writer) error
	}{
		{"sarif-file", w.in.sarifFile, func(b io.Writer) error { return renderers["sarif"](b, out.rep) }},
		{"json-file", w.in.jsonFile, func(b io.Writer) error {
			if w.job.mode == modeDrift {
				return drift.JSON(b, out.drift)
			}
			return renderers["json"](b, out.rep)
		}},
		{"html-file", w.in.htmlFile, func(b io.Writer) error { return drift.HTML(b, out.drift) }},
	} {
		if f.path == "" {
			continue
		}
		w.attempt(f.name, func() error {
			var b bytes.Buffer
			if err := f.render(&b); err != nil {
				return err
			}
			if err := writeInside(w.getenv("GITHUB_WORKSPACE"), f.path, b.Bytes()); err != nil {
				return err
			}
			w.outputs[f.name] = f.path
			return nil
		})
	}
}

// writeInside writes a file below the workspace. What a checkout put there may be a
// stranger's: no symbolic link of it leads out, and one in the file's own place is
// replaced, not followed. The file belongs to whom the workspace belongs to.
func writeInside(workspace, path string, data []byte) error {
	if filepath.IsAbs(path) {
		rel, err := filepath.Rel(workspace, path)
		if err != nil || workspace == "" {
			return fmt.Errorf("%q is outside of the workspace: give a path in it", path)
		}
		path = rel
	}
	if !filepath.IsLocal(path) {
		return fmt.Errorf("%q is outside of the workspace: give a path in it", path)
	}
	if workspace == "" {
		workspace = "."
	}
	root, err := os.OpenRoot(workspace)
	if err != nil {
		return err
	}
	defer root.Close()
	if dir := filepath.Dir(path); dir != "." {
		if err := makeDirs(root, dir); err != nil {
			return err
		}
	}
	if err := root.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	f, err := root.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err2 := f.Close(); err == nil {
		err = err2
	}
	handOver(root, path)
	return err
}

// makeDirs makes a directory and those above it, each for the workspace's owner.
func makeDirs(root *os.Root, dir string) error {
	at := ""
	for _, part := range strings.Split(filepath.ToSlash(filepath.Clean(dir)), "/") {
		at = filepath.Join(at, part)
		err := root.Mkdir(at, 0o755)
		if err == nil {
			handOver(root, at)
		} else if !os.IsExist(err) {
			return err
		}
	}
	return nil
}

// handOver gives a file to the owner of the workspace, where this may be done: the
// steps after this one run as that user, and this one as root.
func handOver(root *os.Root, path string) {
	info, err := root.Stat(".")
	if err != nil {
		return
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		_ = root.Lchown(path, int(st.Uid), int(st.Gid)) // a file that stays root's can still be read
	}
}

// count sets the outputs that are known before GitHub is written to.
func (w *workflow) count(out *outcome, code int) {
	rep := out.rep
	w.outputs["result"] = [...]string{exitClean: "clean", exitFindings: "findings", exitFailed: "error"}[code]
	fresh := 0
	if w.job.mode == modeReview {
		fresh = len(rep.Findings)
	}
	for name, n := range map[string]int{
		"findings-count": len(rep.Findings), "new-count": fresh, "error-count": rep.Count(review.Error), "drift-count": w.driftCount(out),
		"ignored-count": len(rep.Ignored), "scanned-files": rep.Scanned, "skipped-files": len(rep.Skipped),
	} {
		w.outputs[name] = strconv.Itoa(n)
	}
	w.attempt("output findings", func() (err error) {
		w.outputs["findings"], err = findingsOutput(rep)
		return err
	})
}

// maxFindings is how long the output "findings" may be, in bytes: all outputs of a
// job together have 1 MB.
const maxFindings = 200 << 10

// findingsOutput writes the first findings as a JSON array.
func findingsOutput(rep *review.Report) (string, error) {
	short := *rep
	short.Findings = rep.Findings[:min(len(rep.Findings), 1000)]
	var b bytes.Buffer
	if err := report.Renderers(report.Options{})["json"](&b, &short); err != nil {
		return "", err
	}
	var doc struct{ Findings []json.RawMessage }
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		return "", err
	}
	out := []byte{'['}
	for i, f := range doc.Findings {
		var one bytes.Buffer
		if err := json.Compact(&one, f); err != nil {
			return "", err
		}
		if len(out)+one.Len() > maxFindings {
			break
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, one.Bytes()...)
	}
	return string(append(out, ']')), nil
}

// writeOutputs sets all outputs, those without a value too.
func (w *workflow) writeOutputs() error {
	name := w.getenv("GITHUB_OUTPUT")
	if name == "" {
		return nil
	}
	return appendTo(name, func(f io.Writer) error {
		for _, o := range outputList() {
			delimiter := make([]byte, 16)
			rand.Read(delimiter) //nolint:errcheck // it never fails
			if err := report.WriteOutput(f, o.name, w.outputs[o.name], hex.EncodeToString(delimiter)); err != nil {
				return err
			}
		}
		return nil
	})
}
