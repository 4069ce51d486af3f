package report

import (
	"bytes"
	"strings"
	"testing"
)

type envVector struct {
	File  string `json:"file"`
	Pairs []struct{ Key, Value string }
	Error *string
}

// readEnvFile is a model of how the runner reads a file command.
func readEnvFile(s string) (keys, values []string, ok bool) {
	for s != "" {
		line, rest, _ := strings.Cut(s, "\n")
		s = rest
		eq, here := strings.Index(line, "="), strings.Index(line, "<<")
		switch {
		case line == "":
		case eq >= 0 && (here < 0 || eq < here):
			keys, values = append(keys, line[:eq]), append(values, line[eq+1:])
		case here >= 0:
			key, delim := line[:here], strings.TrimSuffix(line[here+2:], "\r")
			if key == "" || delim == "" {
				return nil, nil, false
			}
			var body []string
			for closed := false; !closed; {
				if s == "" {
					return nil, nil, false
				}
				var more bool
				line, s, more = strings.Cut(s, "\n")
				if strings.TrimSuffix(line, "\r") == delim {
					closed = true
				} else if !more {
					return nil, nil, false
				} else {
					body = append(body, line)
				}
			}
			keys, values = append(keys, key), append(values, strings.Join(body, "\n"))
		default:
			return nil, nil, false
		}
	}
	return keys, values, true
}

func TestEnvFileModelAgreesWithRunner(t *testing.T) {
	for _, v := range vectors[envVector](t, "testdata/runner-envfile-vectors.jsonl") {
		keys, values, ok := readEnvFile(v.File)
		if ok != (v.Error == nil) || (ok && len(keys) != len(v.Pairs)) {
			t.Errorf("%q: model %q %q %v, runner %+v", v.File, keys, values, ok, v.Pairs)
			continue
		}
		for i := range keys {
			if ok && (keys[i] != v.Pairs[i].Key || values[i] != v.Pairs[i].Value) {
				t.Errorf("%q: model %q=%q, runner %+v", v.File, keys[i], values[i], v.Pairs[i])
			}
		}
	}
}

func FuzzWriteOutput(f *testing.F) {
	f.Add("findings", "3")
	f.Add("paths", "a.yaml\n_GitHubActionsFileCommandDelimeter_\nleaks<<X\n0\nX")
	f.Add("a=b", "x")
	f.Add("k<<v", "x\r\ny")
	const delimiter = "0123456789abcdef0123456789abcdef"
	f.Fuzz(func(t *testing.T, name, value string) {
		var b bytes.Buffer
		if err := WriteOutput(&b, name, value, delimiter); err != nil {
			if b.Len() > 0 {
				t.Error("wrote something all the same")
			}
			return
		}
		keys, values, ok := readEnvFile(b.String())
		if !ok || len(keys) != 1 || keys[0] != name || values[0] != value {
			t.Errorf("%q = %q was read back as %q = %q", name, value, keys, values)
		}
	})
}
