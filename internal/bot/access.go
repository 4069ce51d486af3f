package bot

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/github"
)

// refusal is why somebody may not have what they ask for; "" where they may.
type refusal string

// mayRotate says whether a person may rotate, by what GitHub and the default branch say
// now. Who may push may, unless the configuration allows fewer. What could not be asked
// for is a refusal or an error, and never a permission.
func (t task) mayRotate(ctx context.Context, login string) (refusal, error) {
	c, err := t.client(ctx, github.Permissions{Contents: github.Read})
	if err != nil {
		return "", err
	}
	role, err := c.Role(ctx, t.Repo, login)
	switch {
	case errors.Is(err, github.ErrNotFound), errors.Is(err, github.ErrDenied), errors.Is(err, github.ErrInvalid):
		return "what you may do in this repository could not be asked of GitHub", nil
	case err != nil:
		return "", fmt.Errorf("ask for the role of the commenter: %w", err)
	case !role.MayWrite():
		return refusal(fmt.Sprintf("it takes permission to push to this repository, and %s has none", codeOf(login))), nil
	}
	policy, err := t.opt.Reader.Policy(ctx, c, t.Repo)
	switch {
	case err != nil:
		return "", fmt.Errorf("read who may rotate: %w", err)
	case policy.Problem != "":
		return refusal("who may rotate could not be read from the configuration on the default branch: " + linesOf(policy.Problem)), nil
	case len(policy.Allow) == 0:
		return "", nil
	}
	return t.allowed(ctx, policy.Allow, login)
}

// allowed says whether a list of logins and teams names a person.
func (t task) allowed(ctx context.Context, allow []string, login string) (refusal, error) {
	unknown := false
	for _, name := range allow {
		org, team, isTeam := strings.Cut(strings.TrimPrefix(name, "@"), "/")
		if !isTeam {
			if strings.EqualFold(org, login) {
				return "", nil
			}
			continue
		}
		in, err := t.member(ctx, org, team, login)
		switch {
		case errors.Is(err, github.ErrDenied), errors.Is(err, github.ErrInvalid), errors.Is(err, github.ErrNotFound):
			t.log.WarnContext(ctx, "a team's members could not be asked for", "team", org+"/"+team, "error", err)
			unknown = true
		case err != nil:
			return "", fmt.Errorf("ask for the members of a team: %w", err)
		case in:
			return "", nil
		}
	}
	if unknown {
		return "`rotation.allow` of `.sealward.yaml` on the default branch names a team whose members the bot could not ask for; it needs the App's permission to read the members of the organisation", nil
	}
	return refusal(fmt.Sprintf("`rotation.allow` of `.sealward.yaml` on the default branch says who may rotate here, and %s is not among them", codeOf(login))), nil
}

// member asks with a token of its own: nothing else needs to see an organisation's members.
func (t task) member(ctx context.Context, org, team, login string) (bool, error) {
	owner, _, _ := strings.Cut(t.Repo, "/")
	if !strings.EqualFold(org, owner) {
		return false, github.ErrDenied // the installation is of another organisation
	}
	c, err := t.client(ctx, github.Permissions{Members: github.Read})
	if err != nil {
		return false, err
	}
	return c.TeamMember(ctx, org, strings.ToLower(team), login)
}
