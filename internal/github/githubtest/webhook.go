package githubtest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// webhook is where deliveries go, and those that went.
type webhook struct {
	url, secret string
	list        []*delivery
	drop        int // so many next deliveries are lost on the way
	double      int // so many next deliveries come twice
}

// delivery is one attempt to deliver an event.
type delivery struct {
	id            int64
	guid          string
	event, action string
	body          []byte
	status        int
	again         bool
	when          time.Time
	took          time.Duration
}

// Webhook sends events to a URL, signed, from now on.
func (s *Server) Webhook(url, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook.url, s.hook.secret = url, secret
}

// LoseDeliveries loses the next n deliveries: GitHub believes that they failed.
func (s *Server) LoseDeliveries(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook.drop = n
}

// DoubleDeliveries delivers each of the next n events twice.
func (s *Server) DoubleDeliveries(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook.double = n
}

// Settle waits until what the API's callers set off has been delivered.
func (s *Server) Settle() { s.async.Wait() }

// later runs what a request set off, after it was answered.
func (s *Server) later(f func()) {
	if s.hook.url == "" && s.app == nil {
		return
	}
	s.async.Add(1)
	go func() {
		defer s.async.Done()
		f()
	}()
}

// Deliver sends an event with any payload and returns the status that came back; 0 if none.
func (s *Server) Deliver(event string, payload any) int {
	body, err := json.Marshal(payload)
	s.must(err)
	var head struct{ Action string }
	_ = json.Unmarshal(body, &head)
	s.mu.Lock()
	d := &delivery{id: s.id(), event: event, action: head.Action, body: body, when: s.clock()}
	d.guid = fmt.Sprintf("00000000-0000-4000-8000-%012x", d.id)
	s.mu.Unlock()
	return s.deliver(d)
}

func (s *Server) deliver(d *delivery) int {
	s.mu.Lock()
	url, secret := s.hook.url, s.hook.secret
	s.hook.list = append(s.hook.list, d)
	lost, twice := s.hook.drop > 0, s.hook.double > 0
	if lost {
		s.hook.drop--
	} else if twice {
		s.hook.double--
	}
	s.mu.Unlock()
	if url == "" || lost {
		return 0
	}
	status := send(url, secret, d)
	if twice {
		send(url, secret, d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d.status, d.took = status, time.Since(d.when)
	return status
}

func send(url, secret string, d *delivery) int {
	r, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(d.body))
	if err != nil {
		return 0
	}
	for k, v := range Signed(secret, d.body) {
		r.Header[k] = v
	}
	r.Header.Set("X-GitHub-Event", d.event)
	r.Header.Set("X-GitHub-Delivery", d.guid)
	client := &http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(r)
	if err != nil {
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// Signed is the header that GitHub sends with a body: both signatures, and who asks.
func Signed(secret string, body []byte) http.Header {
	sum := hmac.New(sha256.New, []byte(secret))
	sum.Write(body)
	old := hmac.New(sha1.New, []byte(secret))
	old.Write(body)
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "GitHub-Hookshot/fake")
	h.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum.Sum(nil)))
	h.Set("X-Hub-Signature", "sha1="+hex.EncodeToString(old.Sum(nil)))
	return h
}

// envelope is what every event of a repository carries.
func (s *Server) envelope(r *Repo, login string) object {
	o := object{"repository": r.object(), "sender": s.user(login).object()}
	if s.app == nil {
		return o
	}
	for _, in := range s.app.installations {
		for _, name := range in.repos {
			if name == strings.ToLower(r.name) {
				o["installation"] = object{"id": in.id, "node_id": "IN_1"}
			}
		}
	}
	return o
}

// emit delivers an event that make describes while the state is held still.
func (s *Server) emit(event string, r *Repo, login string, make func(object)) {
	s.mu.Lock()
	if s.hook.url == "" {
		s.mu.Unlock()
		return
	}
	o := s.envelope(r, login)
	make(o)
	s.mu.Unlock()
	s.Deliver(event, o)
}

func (s *Server) emitComment(r *Repo, c *comment, action, login string) {
	s.emit("issue_comment", r, login, func(o object) {
		o["action"], o["issue"], o["comment"] = action, r.issueObject(r.issues[c.issue]), r.commentObject(c)
	})
}

func (s *Server) emitPull(r *Repo, p *pull, action, login string) {
	s.emit("pull_request", r, login, func(o object) {
		o["action"], o["number"], o["pull_request"] = action, p.number, r.pullObject(p)
		o["pull_request"].(object)["merged"] = !p.merged.IsZero()
	})
}

// emitPush tells of a moved branch, and brings its pull requests up to it.
func (s *Server) emitPush(r *Repo, ref, before, after, login string) {
	s.mu.Lock()
	moved := r.follow(ref, after)
	s.mu.Unlock()
	zero := strings.Repeat("0", 40)
	s.emit("push", r, login, func(o object) {
		o["ref"], o["before"], o["after"], o["created"], o["deleted"], o["forced"] = ref, before, after, before == "", after == "", false
		o["pusher"], o["commits"], o["head_commit"] = object{"name": login, "email": login + "@example.com"}, []object{}, nil
		if before == "" {
			o["before"] = zero
		}
		if after == "" {
			o["after"] = zero
			return
		}
		files, err := r.git.diff(before, after)
		s.must(err)
		added, removed, modified := []string{}, []string{}, []string{}
		for _, f := range files {
			switch f.status {
			case "added":
				added = append(added, f.path)
			case "removed":
				removed = append(removed, f.path)
			default:
				modified = append(modified, f.path)
			}
		}
		o["commits"] = []object{{"id": after, "message": "", "added": added, "removed": removed, "modified": modified}}
	})
	for _, p := range moved {
		s.emitPull(r, p, "synchronize", login)
	}
}

func deliveryObject(d *delivery) object {
	status := "OK"
	if d.status < 200 || d.status > 299 {
		status = "Invalid HTTP Response: " + fmt.Sprint(d.status)
	}
	o := object{
		"id": d.id, "guid": d.guid, "delivered_at": stamp(d.when), "redelivery": d.again, "duration": d.took.Seconds(), "status": status, "status_code": d.status,
		"event": d.event, "action": null(d.action), "installation_id": nil, "repository_id": nil,
	}
	return o
}

func listDeliveries(s *Server, c *call) answer {
	var list []*delivery
	for i := len(s.hook.list) - 1; i >= 0; i-- {
		list = append(list, s.hook.list[i])
	}
	start := 0
	for i, d := range list {
		if cur := c.query.Get("cursor"); cur != "" && cur == fmt.Sprint(d.id) {
			start = i
		}
	}
	size := 30
	if v := c.query.Get("per_page"); v != "" {
		_, _ = fmt.Sscan(v, &size)
	}
	out, h := []object{}, http.Header{}
	for i, d := range list[start:] {
		if i == size {
			h.Set("Link", fmt.Sprintf(`<%s/app/hook/deliveries?per_page=%d&cursor=%d>; rel="next"`, s.URL, size, d.id))
			break
		}
		out = append(out, deliveryObject(d))
	}
	return answer{status: http.StatusOK, body: out, header: h}
}

func (c *call) delivery() *delivery {
	for _, d := range c.s.hook.list {
		if d.id == c.id("delivery_id") {
			return d
		}
	}
	return nil
}

func getDelivery(s *Server, c *call) answer {
	d := c.delivery()
	if d == nil {
		return fail(http.StatusUnprocessableEntity, "no such delivery")
	}
	o := deliveryObject(d)
	var payload object
	s.must(json.Unmarshal(d.body, &payload))
	o["request"] = object{"headers": object{"X-GitHub-Event": d.event, "X-GitHub-Delivery": d.guid}, "payload": payload}
	o["response"] = object{"headers": object{}, "payload": nil}
	return ok(o)
}

func redeliver(s *Server, c *call) answer {
	d := c.delivery()
	if d == nil {
		return fail(http.StatusUnprocessableEntity, "no such delivery")
	}
	next := *d
	next.id, next.again, next.when, next.status = s.id(), true, s.clock(), 0
	s.later(func() { s.deliver(&next) })
	return answer{status: http.StatusAccepted, body: object{}}
}
