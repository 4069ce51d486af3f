package drift

import (
	"encoding/json"
	"io"
	"time"

	"github.com/sealward/sealward/internal/review/rule"
)

type jsonReport struct {
	Version      int               `json:"version"`
	Environments []jsonEnvironment `json:"environments"`
	Units        []jsonUnit        `json:"units"`
	Drift        int               `json:"drift"`
	Incomplete   []string          `json:"incomplete"`
}

type jsonEnvironment struct {
	Name    string `json:"name"`
	Units   int    `json:"units"`
	Keys    int    `json:"keys"`
	Missing int    `json:"missing"`
	Empty   int    `json:"empty"`
}

type jsonUnit struct {
	Unit  string            `json:"unit"`
	Files map[string]string `json:"files"`
	Keys  []jsonRow         `json:"keys"`
}

type jsonRow struct {
	Key   string              `json:"key"`
	Drift bool                `json:"drift"`
	Since string              `json:"since,omitempty"` // RFC 3339
	In    map[string]jsonCell `json:"in"`
}

type jsonCell struct {
	State  rule.State `json:"state"`
	Type   string     `json:"type,omitempty"`
	Sealed []string   `json:"sealed_for,omitempty"`
	Line   int        `json:"line,omitempty"`
}

// JSON writes the report for machines.
func JSON(w io.Writer, r *Report) error {
	out := jsonReport{Version: 1, Drift: r.Count(), Incomplete: append([]string{}, r.Incomplete...), Units: []jsonUnit{}, Environments: []jsonEnvironment{}}
	for _, e := range r.Environments {
		out.Environments = append(out.Environments, jsonEnvironment{e.Name, e.Units, e.Keys, e.Missing, e.Empty})
	}
	for _, u := range r.Units {
		ju := jsonUnit{Unit: u.Name, Files: u.Files}
		for _, row := range u.Rows {
			jr := jsonRow{Key: row.Key, Drift: row.Drift, In: map[string]jsonCell{}}
			if !row.Since.IsZero() {
				jr.Since = row.Since.UTC().Format(time.RFC3339)
			}
			for _, c := range row.Cells {
				jr.In[c.Env] = jsonCell{c.State, c.Type, c.Sealed, c.Line}
			}
			ju.Keys = append(ju.Keys, jr)
		}
		out.Units = append(out.Units, ju)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
