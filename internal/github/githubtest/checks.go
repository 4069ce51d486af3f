package githubtest

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
)

// check is a check run.
type check struct {
	id                             int64
	name, head, status, conclusion string
	title, summary                 string
	annotations                    int
}

func (r *Repo) checkObject(k *check) object {
	self := r.url("/check-runs/", fmt.Sprint(k.id))
	return object{
		"id": k.id, "node_id": "CR_1", "head_sha": k.head, "name": k.name, "url": self, "html_url": self, "details_url": self, "external_id": "",
		"status": k.status, "conclusion": null(k.conclusion), "started_at": stamp(r.s.clock()), "completed_at": nil, "check_suite": object{"id": 1}, "app": nil, "pull_requests": []object{},
		"output": object{"title": null(k.title), "summary": null(k.summary), "text": nil, "annotations_count": k.annotations, "annotations_url": self + "/annotations"},
	}
}

type checkInput struct {
	Name, Status, Conclusion string
	HeadSHA                  string `json:"head_sha"`
	Output                   *struct {
		Title, Summary string
		Annotations    []object
	}
}

func (k *check) take(in checkInput) (answer, bool) {
	if in.Status != "" {
		k.status = in.Status
	}
	if in.Conclusion != "" {
		k.status, k.conclusion = "completed", in.Conclusion
	}
	if in.Output == nil {
		return answer{}, true
	}
	if len(in.Output.Annotations) > 50 || len(in.Output.Summary) > 65535 {
		return fail(http.StatusUnprocessableEntity, "Invalid request: too many annotations or too long a summary"), false
	}
	k.title, k.summary = in.Output.Title, in.Output.Summary
	k.annotations += len(in.Output.Annotations)
	return answer{}, true
}

func createCheck(s *Server, c *call) answer {
	var in checkInput
	c.decode(&in)
	k := &check{id: s.id(), name: in.Name, head: in.HeadSHA, status: "queued"}
	if a, ok := k.take(in); !ok {
		return a
	}
	c.repo.checks = append(c.repo.checks, k)
	return created(c.repo.checkObject(k))
}

func updateCheck(s *Server, c *call) answer {
	for _, k := range c.repo.checks {
		if k.id != c.id("check_run_id") {
			continue
		}
		var in checkInput
		c.decode(&in)
		if a, ok := k.take(in); !ok {
			return a
		}
		return ok(c.repo.checkObject(k))
	}
	return notFound()
}

func listChecks(s *Server, c *call) answer {
	list := []object{}
	id, _ := c.repo.resolve(c.params["ref"])
	for _, k := range c.repo.checks {
		if k.head == id {
			list = append(list, c.repo.checkObject(k))
		}
	}
	return ok(object{"total_count": len(list), "check_runs": list})
}

func uploadSARIF(s *Server, c *call) answer {
	var in struct{ Sarif string }
	c.decode(&in)
	z, err := base64.StdEncoding.DecodeString(in.Sarif)
	if err != nil {
		return fail(http.StatusBadRequest, "sarif is not base64")
	}
	zr, err := gzip.NewReader(bytes.NewReader(z))
	if err != nil {
		return fail(http.StatusBadRequest, "sarif is not gzip")
	}
	text, err := io.ReadAll(zr)
	if err != nil {
		return fail(http.StatusBadRequest, "sarif is not gzip")
	}
	c.repo.sarifs = append(c.repo.sarifs, string(text))
	return answer{status: http.StatusAccepted, body: object{"id": fmt.Sprint(s.id()), "url": c.repo.url("/code-scanning/sarifs/1")}}
}

// SARIFs are the SARIF files that were uploaded.
func (r *Repo) SARIFs() []string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return append([]string(nil), r.sarifs...)
}
