package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

// ingress stands between GitHub and the bot, as a proxy does, and is none too careful.
type ingress struct {
	w    *world
	url  string
	http *http.Server

	client  *http.Client
	careful atomic.Bool // no faults
	mu      sync.Mutex
	acked   map[string]int64 // deliveries that a bot said it has, with their comments
	took    []time.Duration  // how long it took to say so
	count   map[string]int
}

func newIngress(w *world) (*ingress, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	in := &ingress{w: w, url: "http://" + l.Addr().String() + "/", acked: map[string]int64{}, count: map[string]int{}, client: &http.Client{Timeout: 10 * time.Second}}
	in.http = &http.Server{Handler: in, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = in.http.Serve(l) }()
	return in, nil
}

func (in *ingress) close() { _ = in.http.Close() }

func (in *ingress) counted(what string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.count[what]++
}

// ServeHTTP passes a delivery on, or does with it what happens to deliveries.
func (in *ingress) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	w, dice, comment := in.w, rand.Float64(), r.Header.Get("X-GitHub-Event") == "issue_comment"
	if in.careful.Load() {
		dice = 1
	}
	in.counted("deliveries")
	switch {
	case dice < w.dropped:
		in.counted("dropped") // GitHub sees that, and offers the delivery for another attempt
		rw.WriteHeader(http.StatusBadGateway)
	case dice < w.dropped+w.doubled:
		in.counted("doubled")
		var both sync.WaitGroup
		both.Go(func() { in.pass(r.Header, body) })
		status := in.pass(r.Header, body)
		both.Wait()
		rw.WriteHeader(status)
	case dice < w.dropped+w.doubled+w.swallowed && comment:
		in.counted("swallowed") // nobody ever sees it
		rw.WriteHeader(http.StatusAccepted)
	default:
		rw.WriteHeader(in.pass(r.Header, body))
	}
}

// pass gives a delivery to one of the bots, as a load balancer does. A careful one tries
// the others where one is dead, and a stubborn one does not give up.
func (in *ingress) pass(header http.Header, body []byte) int {
	status := 0
	for end := time.Now().Add(8 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		for _, at := range rand.Perm(len(in.w.bots)) {
			if status = in.give(in.w.bots[at], header, body); status != http.StatusBadGateway || !in.careful.Load() {
				break
			}
		}
		if status != http.StatusBadGateway || !in.w.stubborn || time.Now().After(end) {
			return status
		}
	}
}

func (in *ingress) give(p *process, header http.Header, body []byte) int {
	req, err := http.NewRequest(http.MethodPost, p.webhook(), bytes.NewReader(body))
	if err != nil {
		return http.StatusBadGateway
	}
	for _, k := range []string{"Content-Type", "User-Agent", "X-Hub-Signature-256", "X-Hub-Signature", "X-Github-Event", "X-Github-Delivery"} {
		req.Header[k] = header[k]
	}
	from := time.Now()
	resp, err := in.client.Do(req)
	if err != nil {
		in.counted("refused")
		return http.StatusBadGateway
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	took := time.Since(from)
	if resp.StatusCode >= 300 {
		in.counted("answered " + resp.Status)
		return resp.StatusCode
	}
	var event struct{ Comment struct{ ID int64 } }
	_ = json.Unmarshal(body, &event) // what has no comment has none
	in.mu.Lock()
	defer in.mu.Unlock()
	in.acked[header.Get("X-Github-Delivery")] = event.Comment.ID
	in.took = append(in.took, took)
	return resp.StatusCode
}

// unanswered counts the rotations whose delivery was acknowledged, and of which nothing came.
func (in *ingress) unanswered() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	n := 0
	for _, comment := range in.acked {
		for _, r := range in.w.asked {
			if comment != 0 && r.comment == comment && len(in.w.answers(r)) == 0 {
				n++
			}
		}
	}
	return n
}

// forget forgets the times of acknowledgements.
func (in *ingress) forget() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.took = nil
}

// percentile of the times that acknowledgements took since the last forget.
func (in *ingress) percentile(p float64) time.Duration {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.took) == 0 {
		return 0
	}
	sort.Slice(in.took, func(i, j int) bool { return in.took[i] < in.took[j] })
	return in.took[min(len(in.took)-1, int(p*float64(len(in.took))))]
}
