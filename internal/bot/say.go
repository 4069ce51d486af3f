package bot

import (
	"fmt"
	"strings"

	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
	"github.com/sealward/sealward/internal/rotate"
	"github.com/sealward/sealward/internal/sops"
)

// What the bot says, as Markdown. The same facts always give the same text, so that a
// comment is not written again where nothing is new. Names come in through codeOf and
// proseOf alone.

const helpText = `| write | and the bot |
|---|---|
| ` + "`/rotate-key prod`" + ` | moves the files of ` + "`prod`" + ` to the key that the keyring holds now, in a pull request; where they have it already, shows the plan of a rotation and changes nothing |
| ` + "`/rotate-key prod --force`" + ` | makes a new key, and opens the pull request that moves every file to it |
| ` + "`/rotate-key prod --to age1...`" + ` | moves the files to a recipient whose private half the bot never sees; may be given several times |
| ` + "`/rotate-key --remove age1...`" + ` | somebody leaves: takes their recipient out of every file and rule, with fresh data keys |
| ` + "`/rotate-key --add age1...`" + ` | somebody joins: adds their recipient; with an environment in front, to its files alone |
| ` + "`/rotate-key status`" + ` | shows the environments, their keys, and the rotations under way |

A command stands at the start of a line of a new comment. Who may push may rotate, unless ` + "`rotation.allow` in `.sealward.yaml`" + ` names fewer.
A new private key is never written here: the keyring keeps it, beside the old one, until the pull request is merged.
`

const exposedText = "> [!CAUTION]\n> **This comment holds a private key, and everybody who can read it has the key now.** Deleting the comment does not take that back: " +
	"GitHub sent it out by mail and to every webhook. Replace the key: `/rotate-key ENVIRONMENT --force` in a new comment, and then every value that it could read, at its source.\n\n"

// section is the answer to one command of several.
func section(alone bool, cmd Command, text string) string {
	if alone {
		return text
	}
	if cmd.Problem != "" {
		return "### A line that is not understood\n\n" + text
	}
	return "### " + codeOf(cmd.String()) + "\n\n" + text
}

func sayProblems(cmds Commands) string {
	var b strings.Builder
	b.WriteString("Nothing was done: ")
	if cmds.More > 0 {
		fmt.Fprintf(&b, "there are %d commands in this comment, and at most %d are taken from one. Write the others in another comment.\n", len(cmds.List)+cmds.More, maxCommands)
		return b.String()
	}
	bad := 0
	for _, c := range cmds.List {
		if c.Problem != "" {
			bad++
		}
	}
	if len(cmds.List) == 1 {
		b.WriteString("the command is not understood.\n\n")
	} else {
		fmt.Fprintf(&b, "%d of the %d commands in this comment are not understood, so none was run.\n\n", bad, len(cmds.List))
	}
	for _, c := range cmds.List {
		if c.Problem != "" {
			b.WriteString("- " + c.Problem + "\n")
		}
	}
	b.WriteString("\nAll forms: `/rotate-key help`. Write it in a new comment: edited ones are not read.\n")
	return b.String()
}

const editedText = "Nothing was done: this comment was changed after it was written, and only new comments are read. Write the command in a new one.\n"

func sayPlan(p *rotate.Plan) string {
	var b strings.Builder
	switch {
	case p.Idle && p.Env != "" && len(p.Files) > 0:
		fmt.Fprintf(&b, "**Nothing was changed.** The files of %s have the newest key. This is what replacing it would do:\n\n", codeOf(p.Env))
	case p.Idle:
		fmt.Fprintf(&b, "**Nothing was changed.** No file of %s is sealed for a key that could be replaced.\n\n", codeOf(p.Env))
	default:
		b.WriteString("**There is nothing to do**: the repository is as this rotation would leave it.\n\n")
	}
	if p.Idle {
		b.WriteString(recipientTable(p.Old, p.New, p.Mint))
		b.WriteString(fileList(p.Files))
		b.WriteString(exposedList(p.Exposed))
	}
	b.WriteString(skipList("Left as they are", "These stay sealed for the old key until they are mended.", p.Skipped))
	b.WriteString(notes("Mind", p.Warnings))
	b.WriteString(notes("Not read", p.Incomplete))
	if p.Idle && p.Env != "" && len(p.Files) > 0 {
		fmt.Fprintf(&b, "To go on, write %s in a new comment: it makes a new key and opens the pull request.\n", codeOf(keyword+" "+p.Env+" --force"))
	}
	return b.String()
}

// saySealed is the answer to a rotation that ended in a pull request.
func saySealed(a *Answer) string {
	var b strings.Builder
	p := a.Plan
	fmt.Fprintf(&b, "#%d is open: %s.\n\n", a.Pull.Number, what(p, len(a.Outcome.Sealed)))
	b.WriteString(recipientTable(p.Old, p.New, false))
	b.WriteString(skipList("Refused", "These were not sealed anew, and stay as they are.", a.Outcome.Refused))
	b.WriteString(skipList("Left as they are", "These stay sealed for the old key until they are mended.", p.Skipped))
	if n := len(a.Outcome.NotRotated); n > 0 {
		fmt.Fprintf(&b, "%s kept the data key, since credentials for other keys are not here: the pull request names them.\n\n", counted(n, "file"))
	}
	b.WriteString(notes("Mind", p.Warnings))
	b.WriteString(notes("Not read", p.Incomplete))
	if n := len(p.Exposed); n > 0 && len(p.Old) > 0 {
		fmt.Fprintf(&b, "Whoever has the old key could read %s: the pull request lists them by name. Where it may have been seen, replace them at their source.\n\n", counted(n, "value"))
	}
	b.WriteString(nextText(p))
	return b.String()
}

// what is a rotation in half a sentence.
func what(p *rotate.Plan, files int) string {
	sealed := counted(files, "file") + " sealed anew"
	switch {
	case p.Env != "" && len(p.Old) > 0:
		return "the key of " + codeOf(p.Env) + " is replaced, " + sealed
	case len(p.Old) > 0 && len(p.New) > 0:
		return fmt.Sprintf("%s replaced by %s, %s", counted(len(p.Old), "recipient"), counted(len(p.New), "other"), sealed)
	case len(p.Old) > 0:
		return counted(len(p.Old), "recipient") + " removed, " + sealed
	}
	return counted(len(p.New), "recipient") + " added, " + sealed
}

func nextText(p *rotate.Plan) string {
	if p.Env == "" || len(p.Old) == 0 {
		return "**Next**: review and merge it. When the default branch moves before that, it is rebuilt on the new one.\n"
	}
	return "**Next**: review and merge it. The old key stays in the keyring beside the new one, so that nothing breaks; it is taken out after the merge, when no file is sealed for it any more. " +
		"When the default branch moves before that, the pull request is rebuilt on the new one.\n"
}

func sayRefused(a *Answer) string {
	var b strings.Builder
	b.WriteString("**Nothing was proposed**, because:\n\n")
	for i, p := range a.Problems {
		if i == 30 {
			fmt.Fprintf(&b, "- and %d more\n", len(a.Problems)-i)
			break
		}
		b.WriteString("- " + proseOf(p) + "\n")
	}
	if a.Outcome != nil {
		b.WriteString("\n" + skipList("Refused files", "", a.Outcome.Refused))
	}
	if a.Plan != nil {
		b.WriteString("\n" + skipList("Left as they are", "", a.Plan.Skipped))
	}
	b.WriteString("\nMend that on the default branch, and write the command again in a new comment.\n")
	return b.String()
}

func sayWrong(problem string) string {
	return "Nothing was done: " + linesOf(problem) + "\n"
}

// sayOther refers to a rotation that is open already; wrong is why it could not be brought
// up to date.
func sayOther(r store.Rotation, outcome github.Outcome, same bool, wrong string) string {
	var b strings.Builder
	name := "changes the recipients already"
	if r.Env != "" {
		name = "rotates the key of " + codeOf(r.Env) + " already"
	}
	fmt.Fprintf(&b, "#%d %s", r.Pull, name)
	if outcome == github.Updated {
		b.WriteString("; it was behind the default branch, and is rebuilt on it now")
	}
	b.WriteString(". ")
	if wrong != "" {
		return b.String() + "It could not be rebuilt on the default branch as it is now: " + linesOf(wrong) + ".\n"
	}
	if same {
		b.WriteString("Merge it, or close it and write the command again.\n")
	} else {
		b.WriteString("Your command asks for something else, which waits for that: merge it or close it, and write the command again.\n")
	}
	return b.String()
}

// sayKept is the answer to a command whose rotation has ended before.
func sayKept(r store.Rotation) string {
	switch r.State {
	case stateMerged:
		return fmt.Sprintf("#%d is merged. The old key is taken out of the keyring when no file is sealed for it any more.\n", r.Pull)
	case stateRetired:
		return fmt.Sprintf("#%d is merged, and the old key is retired.\n", r.Pull)
	}
	if r.Pull == 0 {
		return "The pull request of this command was closed without being merged, and nothing has changed.\n"
	}
	return fmt.Sprintf("#%d was closed without being merged, and nothing has changed.\n", r.Pull)
}

// sayClosed is said on a rotation's pull request that a person closed.
func sayClosed(r store.Rotation, again Command) string {
	var b strings.Builder
	b.WriteString("Closed without a merge, so nothing has changed in the files")
	if r.Env != "" && len(r.Old) > 0 {
		b.WriteString(", and the old key stays in the keyring: everything can be decrypted as before")
	}
	b.WriteString(".\n\nTo go on, write " + codeOf(again.String()) + " in a new comment")
	if r.Env != "" && again.String() == keyword+" "+r.Env {
		b.WriteString(": the pull request is opened again, with the key that was made already. A key that may have been seen by others should not stay in use")
	}
	return b.String() + ".\n"
}

func sayWaits(why string) string {
	return "Merged. The old key is still in the keyring: " + proseOf(why) + ". It is looked at again, and taken out as soon as nothing needs it.\n"
}

func sayRetired(r store.Rotation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Merged, and done: the old key of %s is retired. The keyring does not hold it any more:\n\n", codeOf(r.Env))
	for _, id := range r.Old {
		b.WriteString("- " + codeOf(id) + "\n")
	}
	b.WriteString("\nWhat was sealed for it in Git's history can be read with it for ever: where it may have been seen, replace the values that the description lists at their source.\n")
	return b.String()
}

func sayLate(reason string) string {
	text := "This takes longer: it did not work out yet"
	if reason != "" {
		text += " (" + proseOf(reason) + ")"
	}
	return text + ". It is tried again by itself, and the answer will stand here.\n"
}

func sayFailed(reason string, job int64, delivery string) string {
	var b strings.Builder
	b.WriteString("This could not be finished, although it was tried several times")
	if reason != "" {
		b.WriteString(": " + proseOf(reason))
	}
	b.WriteString(".\n\nNothing is half done that another attempt would not complete. The operator of the bot finds the cause in its log, ")
	if delivery != "" {
		fmt.Fprintf(&b, "under the delivery %s, ", codeOf(delivery))
	}
	fmt.Fprintf(&b, "and tries again with %s.\n", codeOf(fmt.Sprintf("bot jobs retry %d", job)))
	return b.String()
}

func recipientTable(old, fresh []sops.Recipient, mint bool) string {
	var b strings.Builder
	b.WriteString("| | recipient |\n|---|---|\n")
	for _, r := range old {
		b.WriteString("| goes | " + codeOf(r.ID) + " |\n")
	}
	for _, r := range fresh {
		b.WriteString("| comes | " + codeOf(r.ID) + " |\n")
	}
	if mint {
		b.WriteString("| comes | a new key, made when the rotation runs |\n")
	}
	if len(old)+len(fresh) == 0 && !mint {
		return ""
	}
	return b.String() + "\n"
}

// rows is how many lines a table in a comment may have: the whole is in the pull request.
const rows = 40

func fileList(files []rotate.Reseal) string {
	if len(files) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s to seal anew</summary>\n\n| file | values | why |\n|---|---|---|\n", counted(len(files), "file"))
	for i, f := range files {
		if i == rows {
			fmt.Fprintf(&b, "| and %d more | | |\n", len(files)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %d | %s |\n", codeOf(f.Path), f.Values, proseOf(f.Why))
	}
	return b.String() + "\n</details>\n\n"
}

func exposedList(list []rotate.Exposed) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<details><summary>%s that the present key can read</summary>\n\n| file | key |\n|---|---|\n", counted(len(list), "value"))
	for i, e := range list {
		if i == rows {
			fmt.Fprintf(&b, "| and %d more | |\n", len(list)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %s |\n", codeOf(e.Path), codeOf(e.Key))
	}
	return b.String() + "\n</details>\n\n"
}

func skipList(title, intro string, list []rotate.Skip) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** (%d). %s\n\n| file | why |\n|---|---|\n", title, len(list), intro)
	for i, s := range list {
		if i == rows {
			fmt.Fprintf(&b, "| and %d more | |\n", len(list)-i)
			break
		}
		fmt.Fprintf(&b, "| %s | %s |\n", codeOf(s.Path), proseOf(s.Why))
	}
	return b.String() + "\n"
}

func notes(title string, list []string) string {
	if len(list) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**\n\n", title)
	for i, s := range list {
		if i == 20 {
			fmt.Fprintf(&b, "- and %d more\n", len(list)-i)
			break
		}
		b.WriteString("- " + proseOf(s) + "\n")
	}
	return b.String() + "\n"
}

// sayStuck is said on a pull request that could not be brought onto the new base.
func sayStuck(problems []string) string {
	var b strings.Builder
	b.WriteString("The default branch has moved, and this pull request could not be rebuilt on it:\n\n")
	for i, p := range problems {
		if i == 30 {
			fmt.Fprintf(&b, "- and %d more\n", len(problems)-i)
			break
		}
		b.WriteString("- " + proseOf(p) + "\n")
	}
	b.WriteString("\nIt is tried again at the next push. Do not merge it before: a conflict in sealed files can not be solved by hand.\n")
	return b.String()
}

const unstuckText = "This pull request stands on the default branch as it is now: it was rebuilt.\n"
