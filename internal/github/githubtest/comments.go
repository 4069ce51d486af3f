package githubtest

import (
	"fmt"
	"slices"
	"time"
)

func listComments(s *Server, c *call) answer {
	if c.issue() == nil {
		return notFound()
	}
	return paged(c, since(c, c.repo.commentsOf(c.number("issue_number"))), c.repo.commentObject)
}

func listRepoComments(s *Server, c *call) answer {
	list := since(c, c.repo.comments)
	if c.query.Get("direction") == "desc" {
		slices.Reverse(list)
	}
	return paged(c, list, c.repo.commentObject)
}

// since keeps what was updated at or after the time that the request names.
func since(c *call, list []*comment) []*comment {
	t, err := time.Parse(time.RFC3339, c.query.Get("since"))
	var out []*comment
	for _, cm := range list {
		if err != nil || !cm.updated.Before(t) {
			out = append(out, cm)
		}
	}
	return out
}

func getComment(s *Server, c *call) answer {
	cm := c.repo.comment(c.id("comment_id"))
	if cm == nil {
		return notFound()
	}
	return ok(c.repo.commentObject(cm))
}

func createComment(s *Server, c *call) answer {
	i := c.issue()
	if i == nil {
		return notFound()
	}
	var in struct{ Body string }
	c.decode(&in)
	if a, bad := tooLong(in.Body); bad {
		return a
	}
	cm := c.repo.newComment(c.grant.login, i.number, in.Body)
	repo, login := c.repo, c.grant.login
	s.later(func() { s.emitComment(repo, cm, "created", login) })
	return created(c.repo.commentObject(cm))
}

func updateComment(s *Server, c *call) answer {
	cm := c.repo.comment(c.id("comment_id"))
	if cm == nil {
		return notFound()
	}
	var in struct{ Body string }
	c.decode(&in)
	if a, bad := tooLong(in.Body); bad {
		return a
	}
	cm.body, cm.updated = in.Body, s.clock()
	return ok(c.repo.commentObject(cm))
}

func deleteComment(s *Server, c *call) answer {
	if c.repo.comment(c.id("comment_id")) == nil {
		return notFound()
	}
	id := c.id("comment_id")
	c.repo.comments = slices.DeleteFunc(c.repo.comments, func(c *comment) bool { return c.id == id })
	return noContent()
}

func reactionObject(s *Server, x *reaction) object {
	return object{"id": x.id, "node_id": fmt.Sprintf("REA_%d", x.id), "user": s.user(x.by).object(), "content": x.content, "created_at": stamp(x.when)}
}

func createReaction(s *Server, c *call) answer {
	cm := c.repo.comment(c.id("comment_id"))
	if cm == nil {
		return notFound()
	}
	var in struct{ Content string }
	c.decode(&in)
	for _, x := range cm.reactions {
		if x.by == c.grant.login && x.content == in.Content {
			return ok(reactionObject(s, x))
		}
	}
	x := &reaction{s.id(), c.grant.login, in.Content, s.clock()}
	cm.reactions = append(cm.reactions, x)
	return created(reactionObject(s, x))
}

func listReactions(s *Server, c *call) answer {
	cm := c.repo.comment(c.id("comment_id"))
	if cm == nil {
		return notFound()
	}
	return paged(c, cm.reactions, func(x *reaction) object { return reactionObject(s, x) })
}

func deleteReaction(s *Server, c *call) answer {
	cm := c.repo.comment(c.id("comment_id"))
	if cm == nil {
		return notFound()
	}
	id := c.id("reaction_id")
	cm.reactions = slices.DeleteFunc(cm.reactions, func(x *reaction) bool { return x.id == id })
	return noContent()
}
