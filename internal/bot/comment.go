package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/rotate"
)

// asks are commands as a job's arguments keep them, to see that a comment is still what it
// was. What is not understood is kept as no more than that.
func asks(cmds Commands) []string {
	out := make([]string, 0, len(cmds.List)+1)
	for _, c := range cmds.List {
		out = append(out, c.String())
	}
	if cmds.More > 0 {
		out = append(out, fmt.Sprintf("and %d more", cmds.More))
	}
	return out
}

// greet shows the commenter that the command was seen.
func (t task) greet(ctx context.Context) error {
	args, err := argsOf[commentArgs](t.Work)
	if err != nil {
		return err
	}
	c, err := t.client(ctx, github.Permissions{Issues: github.Write})
	if err != nil {
		return err
	}
	err = c.React(ctx, t.Repo, args.Comment, "eyes")
	if errors.Is(err, github.ErrNotFound) || errors.Is(err, github.ErrInvalid) || errors.Is(err, github.ErrDenied) {
		t.log.InfoContext(ctx, "no reaction can be put to the comment", "error", err)
		return nil // deleted, or the conversation is locked
	}
	return err
}

// command does what a comment asks for. Everything about it is asked for again: what the
// comment says now, and what its writer may do now.
func (t task) command(ctx context.Context) error {
	args, err := argsOf[commentArgs](t.Work)
	if err != nil {
		return err
	}
	err = t.work(ctx, args)
	if t.Attempt == slowAttempt && worthTelling(err) {
		t.sayLate(ctx, args, err)
	}
	return err
}

// slowAttempt is the attempt whose failure is told: by then most of a minute has passed.
const slowAttempt = 6

func worthTelling(err error) bool {
	var limited *github.LimitError
	return err != nil && !errors.As(err, &limited) && !errors.Is(err, context.Canceled)
}

// sayLate says that the command is not forgotten. Whether that works out does not matter.
func (t task) sayLate(ctx context.Context, args commentArgs, why error) {
	c, err := t.client(ctx, github.Permissions{Issues: github.Write})
	if err == nil {
		err = t.say(ctx, c, args.Issue, "answer/"+strconv.FormatInt(args.Comment, 10), sayLate(forPeople(why)))
	}
	if err != nil {
		t.log.WarnContext(ctx, "the delay could not be told", "error", err)
	}
}

// work does a command, all of it or what an earlier attempt has left.
func (t task) work(ctx context.Context, args commentArgs) error {
	c, err := t.client(ctx, github.Permissions{Issues: github.Write})
	if err != nil {
		return err
	}
	cm, err := c.Comment(ctx, t.Repo, args.Comment)
	if errors.Is(err, github.ErrNotFound) {
		t.log.InfoContext(ctx, "the comment is gone")
		return nil
	} else if err != nil {
		return err
	}
	cmds := ParseCommands(cm.Body)
	if cm.Bot || cm.Author != args.Author || cm.Issue != args.Issue || len(cmds.List) == 0 {
		t.log.InfoContext(ctx, "the comment asks for nothing any more")
		return nil
	}
	no, err := t.mayRotate(ctx, cm.Author)
	switch {
	case err != nil:
		return err
	case no != "":
		t.log.InfoContext(ctx, "refused", "login", cm.Author, "why", string(no))
		return t.refuse(ctx, c, cm, cmds, no)
	case !cm.Updated.Equal(cm.Created) || !slices.Equal(asks(cmds), args.Asks):
		return t.answer(ctx, c, cm, warning(cmds)+editedText)
	case cmds.Bad():
		return t.answer(ctx, c, cm, warning(cmds)+sayProblems(cmds))
	}
	return t.commands(ctx, c, cm, cmds)
}

func warning(cmds Commands) string {
	if cmds.Exposed {
		return exposedText
	}
	return ""
}

// commands runs what is understood, and answers all of it in one comment.
func (t task) commands(ctx context.Context, c *github.Client, cm github.Comment, cmds Commands) error {
	t.log.InfoContext(ctx, "commanded", "login", cm.Author, "issue", cm.Issue, "comment", cm.ID, "asks", asks(cmds))
	var parts []string
	for _, cmd := range cmds.List {
		text, err := t.run(ctx, cm, cmd)
		if err != nil {
			return err
		}
		parts = append(parts, section(len(cmds.List) == 1, cmd, text))
	}
	return t.answer(ctx, c, cm, warning(cmds)+strings.Join(parts, "\n"))
}

// run runs one command and returns what to say. Its error is worth another attempt.
func (t task) run(ctx context.Context, cm github.Comment, cmd Command) (string, error) {
	switch cmd.Verb {
	case VerbHelp:
		return helpText, nil
	case VerbStatus:
		return t.statusText(ctx)
	}
	c, err := t.client(ctx, rotating)
	if err != nil {
		return "", err
	}
	r, err := c.Repository(ctx, t.Repo)
	if err != nil {
		return "", err
	}
	req := rotate.Request{
		Repo: r.Name, Branch: r.DefaultBranch, Env: cmd.Env, Force: cmd.Force, To: cmd.To, Remove: cmd.Remove, Add: cmd.Add, By: cm.Author, Source: cm.URL,
	}
	text, err := t.asked(ctx, c, cm, req)
	if wrong := mistake(err); wrong != "" {
		return sayWrong(wrong), nil
	}
	return text, err
}

// mistake is the text of an error that a person has to mend, "" for any other.
func mistake(err error) string {
	var user *UserError
	var several *rotate.AmbiguousError
	switch {
	case errors.As(err, &several):
		return several.Error()
	case errors.As(err, &user):
		return user.Error()
	case errors.Is(err, github.ErrForeign):
		return "the branch or the pull request of this rotation exists, and has commits that are not the bot's. Delete the branch, and write the command again"
	case errors.Is(err, github.ErrUnverified):
		return "GitHub did not sign the commit, and an unsigned one is not proposed. On an Enterprise Server, turn on its signing of commits by Apps"
	}
	return ""
}

// answer keeps the comment that answers a comment.
func (t task) answer(ctx context.Context, c *github.Client, cm github.Comment, body string) error {
	return t.say(ctx, c, cm.Issue, "answer/"+strconv.FormatInt(cm.ID, 10), body)
}

// refuse says no, once to each person in a conversation: who may nothing here should not
// be able to make the bot write much.
func (t task) refuse(ctx context.Context, c *github.Client, cm github.Comment, cmds Commands, why refusal) error {
	mark := "refused/" + strings.ReplaceAll(strings.ToLower(cm.Author), "--", "-.-")
	if cmds.Exposed {
		mark += "/exposed"
	}
	return t.say(ctx, c, cm.Issue, mark, warning(cmds)+"Nothing was done: "+string(why)+".\n")
}

// say keeps one comment current. A conversation that takes no comments is no error.
func (t task) say(ctx context.Context, c *github.Client, issue int, mark, body string) error {
	return t.sticky(ctx, c, github.Sticky{Repo: t.Repo, Issue: issue, Mark: mark, Body: body, Create: true})
}

// amend changes a comment where it was made.
func (t task) amend(ctx context.Context, c *github.Client, issue int, mark, body string) error {
	return t.sticky(ctx, c, github.Sticky{Repo: t.Repo, Issue: issue, Mark: mark, Body: body})
}

func (t task) sticky(ctx context.Context, c *github.Client, s github.Sticky) error {
	_, _, err := c.KeepComment(ctx, s)
	if errors.Is(err, github.ErrNotFound) || errors.Is(err, github.ErrDenied) {
		t.log.WarnContext(ctx, "the conversation takes no comment", "issue", s.Issue, "error", err)
		return nil
	}
	return err
}

// commandFailed says that a command could not be finished.
func (t task) commandFailed(ctx context.Context) error {
	args, err := argsOf[commentArgs](t.Work)
	if err != nil {
		return nil //nolint:nilerr // there is nowhere to say it
	}
	if err := t.rotationsFailed(ctx, args.Comment); err != nil {
		return err
	}
	c, err := t.client(ctx, github.Permissions{Issues: github.Write})
	if err != nil {
		return err
	}
	return t.say(ctx, c, args.Issue, "answer/"+strconv.FormatInt(args.Comment, 10), sayFailed(t.reason(t.ID), t.ID, t.Delivery))
}

// rotationsFailed notes the end of what a comment began.
func (t task) rotationsFailed(ctx context.Context, comment int64) error {
	list, err := t.opt.Store.Rotations(ctx, t.Repo, stateBegun)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.Comment != comment {
			continue
		}
		r.State, r.Problem = stateFailed, t.reason(t.ID)
		if err := t.save(ctx, r); err != nil {
			return err
		}
	}
	return nil
}
