package github

import (
	"context"
	"errors"
	"time"

	gh "github.com/google/go-github/v62/github"
)

// HookDelivery is one attempt of GitHub to deliver an event to the App.
type HookDelivery struct {
	ID        int64  // of the attempt
	GUID      string // of the event: the same over all attempts, and X-GitHub-Delivery's value
	Event     string
	Action    string
	Delivered time.Time
	Status    int // what we answered; 0 where GitHub got no answer
	Again     bool
}

// OK says whether the delivery was taken.
func (d HookDelivery) OK() bool { return d.Status >= 200 && d.Status < 300 }

// Deliveries lists the attempts since a time, the last first, at most limit.
func (a *App) Deliveries(ctx context.Context, since time.Time, limit int) ([]HookDelivery, error) {
	const op = "apps/list-webhook-deliveries"
	var list []HookDelivery
	opt := &gh.ListCursorOptions{PerPage: 100}
	for {
		page, resp, err := a.api.Apps.ListHookDeliveries(named(ctx, op), opt)
		if err != nil {
			return nil, apiError(op, err)
		}
		for _, d := range page {
			if d.GetDeliveredAt().Before(since) || len(list) == limit {
				return list, nil
			}
			list = append(list, HookDelivery{
				d.GetID(), d.GetGUID(), d.GetEvent(), d.GetAction(), d.GetDeliveredAt().Time, d.GetStatusCode(), d.GetRedelivery(),
			})
		}
		if resp.Cursor == "" {
			return list, nil
		}
		opt.Cursor = resp.Cursor
	}
}

// Lost returns of a list of attempts one for each event that no attempt delivered.
func Lost(list []HookDelivery) []HookDelivery {
	taken := map[string]bool{}
	for _, d := range list {
		taken[d.GUID] = taken[d.GUID] || d.OK()
	}
	var lost []HookDelivery
	for _, d := range list {
		if !taken[d.GUID] {
			taken[d.GUID] = true
			lost = append(lost, d)
		}
	}
	return lost
}

// Redeliver asks GitHub to deliver an attempt's event once more.
func (a *App) Redeliver(ctx context.Context, id int64) error {
	const op = "apps/redeliver-webhook-delivery"
	_, _, err := a.api.Apps.RedeliverHookDelivery(named(ctx, op), id)
	var accepted *gh.AcceptedError // 202 is an error to go-github
	if errors.As(err, &accepted) {
		return nil
	}
	return apiError(op, err)
}
