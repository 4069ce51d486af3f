package rotate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sealward/sealward/internal/repo/repotest"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

// swap is a Sealer that puts recipients into each other's place in the text, as a file
// that is sealed anew has them; it keeps the rest.
type swap struct {
	refuse string // a path that it refuses
	seen   []sops.Rekey
}

func (s *swap) Reseal(_ context.Context, path string, data []byte, want sops.Rekey) (sops.Resealed, error) {
	s.seen = append(s.seen, want)
	if path == s.refuse {
		return sops.Resealed{}, errors.New("its MAC does not hold")
	}
	text := string(data)
	for _, r := range want.Remove {
		text = strings.ReplaceAll(text, r.ID, want.Add[0].ID)
	}
	return sops.Resealed{Data: []byte(text)}, nil
}

// proposed reads a tree of one rule and two files for a key of prod.
func proposed(t *testing.T, rules string) (planCase, *rotate.Tree) {
	t.Helper()
	c := planCase{t: t, files: map[string]string{}, names: map[string]string{}}
	c.files[".sops.yaml"] = c.expand(rules)
	c.files["overlays/prod/a.yaml"] = c.sealed(strings.Fields("yaml a PASSWORD for old"))
	c.files["overlays/prod/b.yaml"] = c.sealed(strings.Fields("yaml b PASSWORD for old"))
	c.files["overlays/dev/c.yaml"] = c.sealed(strings.Fields("yaml c PASSWORD for dev"))
	tree, err := rotate.ReadTree(repotest.Files(c.files), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c, tree
}

const oldRules = "creation_rules:\n  - path_regex: overlays/prod/\n    age: {old}\n  - path_regex: overlays/dev/\n    age: {dev}\n"

func TestPrepareIsAllOrNothing(t *testing.T) {
	c, tree := proposed(t, oldRules)
	plan, err := tree.Make(rotate.Input{Request: rotate.Request{Env: "prod", To: c.recipients("new")}, Held: rotate.Held{"prod": c.recipients("old")}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, now := context.Background(), time.Unix(0, 0)
	done, err := tree.Prepare(ctx, plan, &swap{}, nil, now)
	if err != nil || len(done.Problems) > 0 || len(done.Edits) != 2 || done.Edits[0].Path != "overlays/prod/a.yaml" {
		t.Fatalf("%+v %v", done, err)
	}
	if text := string(done.Edits[0].Data); !strings.Contains(text, c.recipient("new").ID) || strings.Contains(text, c.recipient("old").ID) {
		t.Errorf("%s", text)
	}
	done, err = tree.Prepare(ctx, plan, &swap{refuse: "overlays/prod/b.yaml"}, nil, now)
	if err != nil || len(done.Edits) > 0 || !slices.Equal(done.Problems, []string{"overlays/prod/b.yaml: its MAC does not hold"}) {
		t.Errorf("%+v %v", done, err)
	}
	sealer := &swap{}
	plan.Skipped, plan.Incomplete = []rotate.Skip{{Path: "x.yaml", Why: "it is too large"}}, []string{"y.yaml was not read"}
	done, err = tree.Prepare(ctx, plan, sealer, nil, now)
	if err != nil || len(done.Problems) != 2 || len(sealer.seen) > 0 || done.Outcome != nil {
		t.Errorf("%+v %v", done, err)
	}
}

func TestTryKeepsNothing(t *testing.T) {
	c, tree := proposed(t, oldRules)
	held := c.recipients("old")
	plan, err := tree.Make(rotate.Input{Request: rotate.Request{Env: "prod", Force: true}, Held: rotate.Held{"prod": held}})
	if err != nil || !plan.Mint {
		t.Fatalf("%+v %v", plan, err)
	}
	if closed := tree.Closed(plan, c.recipients("dev")); len(closed) != 2 {
		t.Errorf("%q are closed to another key", closed)
	}
	if closed := tree.Closed(plan, held); len(closed) > 0 {
		t.Errorf("%q are closed", closed)
	}
	sealer := &swap{refuse: "overlays/prod/b.yaml"}
	problems, err := tree.Try(context.Background(), plan, sealer, c.recipient("trial"))
	if err != nil || len(problems) != 1 || len(sealer.seen) != 2 || sealer.seen[0].Add[0] != c.recipient("trial") {
		t.Errorf("%q %v %+v", problems, err, sealer.seen)
	}
	for _, f := range plan.Files {
		if slices.Contains(f.To, c.recipient("trial")) {
			t.Error("the stand-in is in the plan")
		}
	}
}

func TestSealedFor(t *testing.T) {
	c, tree := proposed(t, oldRules)
	if path, r, ok := tree.SealedFor(c.recipients("nobody,old")); !ok || path != "overlays/prod/a.yaml" || r != c.recipient("old") {
		t.Errorf("%s %s %v", path, r, ok)
	}
	if _, _, ok := tree.SealedFor(c.recipients("nobody")); ok {
		t.Error("found")
	}
}

func TestBehind(t *testing.T) {
	newRules := strings.Replace(oldRules, "{old}", "{new}", 1)
	both := strings.Replace(oldRules, "{old}", "{old},{new}", 1)
	tests := []struct {
		name, rules, held, want string
	}{
		{"nothing was replaced", oldRules, "old", ""},
		{"the keyring's newest", newRules, "new,old", "prod"},
		{"a person's key", newRules, "old", "prod to=new remove=old"},
		{"that nothing here opens", newRules, "new", ""},
		{"somebody came", both, "old", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, tree := proposed(t, tt.rules)
			got := ""
			for _, r := range tree.Behind(rotate.Held{"prod": c.recipients(tt.held), "dev": c.recipients("dev")}) {
				got += r.Env
				for _, x := range r.To {
					got += " to=" + c.names[x.ID]
				}
				for _, x := range r.Remove {
					got += " remove=" + c.names[x.ID]
				}
				if err := r.Check(); err != nil {
					t.Error(err)
				}
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
