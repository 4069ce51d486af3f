package bot

import (
	"context"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/github"
)

// Metrics are the bot's figures for Prometheus.
type Metrics struct {
	reg        prometheus.Registerer
	deliveries *prometheus.CounterVec
	ack        prometheus.Histogram
	jobs       *prometheus.CounterVec
	took       *prometheus.HistogramVec
	requests   *prometheus.CounterVec
	remaining  *prometheus.GaugeVec
	files      *prometheus.CounterVec
}

// NewMetrics registers the figures; nil as the registry keeps them to itself. version is
// the program's.
func NewMetrics(reg prometheus.Registerer, version string) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &Metrics{
		reg:        reg,
		deliveries: counter("sealward_webhook_deliveries_total", "Deliveries of GitHub's, by what became of them.", "event", "action", "result"),
		ack: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "sealward_webhook_ack_seconds", Help: "Time to answer a delivery that was let in.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		jobs: counter("sealward_jobs_total", "Attempts at jobs, by how they ended.", "kind", "state"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sealward_job_seconds", Help: "Time of one attempt at a job.", Buckets: []float64{.01, .05, .1, .5, 1, 2.5, 5, 10, 30, 60, 300, 600},
		}, []string{"kind"}),
		requests: counter("sealward_github_requests_total", "Requests to GitHub; code 0 is no answer.", "code", "op"),
		remaining: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "sealward_github_rate_remaining", Help: "Calls left in the hour, by installation; 0 is the App itself.",
		}, []string{"installation"}),
		files: counter("sealward_rotation_files_total", "Files of rotations: sealed, refused or skipped.", "result"),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "sealward_build_info", Help: "The program that runs; always 1."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	if reg != nil {
		reg.MustRegister(m.deliveries, m.ack, m.jobs, m.took, m.requests, m.remaining, m.files, build)
	}
	return m
}

// Call counts a request to GitHub: it is for [github.Options].Observe.
func (m *Metrics) Call(c github.Call) {
	m.requests.WithLabelValues(strconv.Itoa(c.Status), c.Op).Inc()
	if c.Remaining >= 0 {
		m.remaining.WithLabelValues(strconv.FormatInt(c.Installation, 10)).Set(float64(c.Remaining))
	}
}

func (m *Metrics) job(kind, result string, took time.Duration) {
	m.jobs.WithLabelValues(kind, result).Inc()
	m.took.WithLabelValues(kind).Observe(took.Seconds())
}

// delivery counts a delivery. The names of events and actions that the bot does not know
// are not told apart: labels must be few.
func (m *Metrics) delivery(e github.Event, result string) {
	event, action := e.Name, e.Action
	if actions, known := heard[event]; !known {
		event, action = "other", ""
	} else if !actions[action] {
		action = "other"
	}
	m.deliveries.WithLabelValues(event, action, result).Inc()
}

// watch adds the figures that are read from the store when they are asked for.
func (m *Metrics) watch(s *store.Store) {
	if m.reg != nil {
		// A second bot of the same registry has the same store to read.
		_ = m.reg.Register(&queueFigures{s})
	}
}

// queueFigures reads the queue.
type queueFigures struct{ store *store.Store }

var (
	queueDepth  = prometheus.NewDesc("sealward_queue_depth", "Jobs, by kind and state.", []string{"kind", "state"}, nil)
	queueOldest = prometheus.NewDesc("sealward_queue_oldest_age_seconds", "Since when the job that waits longest could have run.", nil, nil)
)

// Describe names the figures.
func (q *queueFigures) Describe(out chan<- *prometheus.Desc) { out <- queueDepth; out <- queueOldest }

// Collect reads them. Where the store does not answer they are missing, which is what a
// monitor has to see.
func (q *queueFigures) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	queue, err := q.store.Queue(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(queueDepth, err)
		return
	}
	for kind, states := range queue.Count {
		for state, n := range states {
			out <- prometheus.MustNewConstMetric(queueDepth, prometheus.GaugeValue, float64(n), kind, state)
		}
	}
	age := 0.0
	if !queue.Oldest.IsZero() {
		age = max(0, time.Since(queue.Oldest).Seconds())
	}
	out <- prometheus.MustNewConstMetric(queueOldest, prometheus.GaugeValue, age)
}
