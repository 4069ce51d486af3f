package github

import (
	"context"
	"errors"
	"fmt"
	"regexp"
)

var loginName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*(\[bot\])?$`)

// Role is what a person may do in a repository.
type Role string

// The roles that GitHub tells apart here.
const (
	RoleNone  Role = "none"
	RoleRead  Role = "read" // triage too
	RoleWrite Role = "write"
	RoleAdmin Role = "admin" // maintain is write
)

// MayWrite says whether the role may push.
func (r Role) MayWrite() bool { return r == RoleWrite || r == RoleAdmin }

// Role asks for a person's role. This is the only way to know it: what an event
// says of its sender shows private members as strangers. Nobody has a role who
// could not be asked for, so an error means RoleNone.
func (c *Client) Role(ctx context.Context, repository, login string) (Role, error) {
	n, err := ParseName(repository)
	if err != nil {
		return RoleNone, err
	}
	if !loginName.MatchString(login) {
		return RoleNone, fmt.Errorf("%q is no account's name", login)
	}
	const op = "repos/get-collaborator-permission-level"
	p, _, err := c.api.Repositories.GetPermissionLevel(named(ctx, op), n.Owner, n.Repo, login)
	if err != nil {
		return RoleNone, apiError(op, err)
	}
	switch r := Role(p.GetPermission()); r {
	case RoleRead, RoleWrite, RoleAdmin:
		return r, nil
	}
	return RoleNone, nil
}

// TeamMember says whether a person is an active member of an organisation's team.
// An error means no.
func (c *Client) TeamMember(ctx context.Context, org, team, login string) (bool, error) {
	for _, name := range []string{org, team, login} {
		if !loginName.MatchString(name) {
			return false, fmt.Errorf("%q is no name of an organisation, a team or an account", name)
		}
	}
	const op = "teams/get-membership-for-user-in-org"
	m, _, err := c.api.Teams.GetTeamMembershipBySlug(named(ctx, op), org, team, login)
	if err := apiError(op, err); errors.Is(err, ErrNotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return m.GetState() == "active", nil
}
