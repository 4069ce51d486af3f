package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sealward/sealward/internal/bot"
	"github.com/sealward/sealward/internal/bot/store"
	"github.com/sealward/sealward/internal/cli"
)

// maxDelivery bounds what is read of a delivery: a payload has 25 MB at most.
const maxDelivery = 26 << 20

func (a *app) replayCommand() *cobra.Command {
	var event, id string
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Take a delivery from a file, as if GitHub had sent it",
		Long: `Takes a delivery from a file (- is the standard input) as if GitHub had sent it, and stores
the jobs that come of it; a server has to run to work them. The signature is not checked:
whoever may write to the database may do this.

The file is a delivery as the App's "Advanced" page or the API shows it: a JSON object with
headers and payload, perhaps below request. With --event it is the payload alone. A
delivery that was taken before starts nothing.
` + databaseHelp + `

Exit status: 0 taken, or nothing to do; 2 the work could not be done.`,
		Example: `  bot replay delivery.json
  bot replay --event issue_comment payload.json
  gh api /app/hook/deliveries/123 | bot replay -`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("%s takes one file, as in: %s delivery.json", cmd.CommandPath(), cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.replay(cmd.Context(), args[0], event, id) },
	}
	cmd.Flags().StringVar(&event, "event", "", "the event's `NAME`, where the file is the payload alone")
	cmd.Flags().StringVar(&id, "delivery", "", "the delivery's `ID`, where the file does not say it")
	return cmd
}

func (a *app) replay(ctx context.Context, file, event, id string) error {
	data, err := a.readDelivery(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	d := delivery{event: event, id: id, body: data}
	if event == "" {
		if d, err = parseDelivery(data); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
		if id != "" {
			d.id = id
		}
	}
	return a.withStore(ctx, func(s *store.Store) error {
		b, err := bot.New(bot.Options{Store: s})
		if err != nil {
			return err
		}
		fresh, jobs, err := b.Replay(ctx, d.event, d.id, d.body)
		switch {
		case err != nil:
			return err
		case jobs == 0:
			a.tell("nothing to do: the bot does nothing about this %s", d.event)
		case !fresh:
			a.tell("nothing to do: this delivery was taken before")
		default:
			a.tell("taken: %s stored", plural(jobs, "job"))
		}
		return nil
	})
}

func (a *app) readDelivery(file string) (data []byte, err error) {
	if file == "-" {
		return readAtMost(a.stdin, maxDelivery)
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer f.Close()
	return readAtMost(io.Reader(f), maxDelivery)
}

// delivery is what a file holds of one.
type delivery struct {
	event, id string
	body      []byte
}

// savedDelivery is a delivery as GitHub shows it, or as a person writes it down.
type savedDelivery struct {
	GUID    string            `json:"guid"`
	Event   string            `json:"event"`
	Headers map[string]string `json:"headers"`
	Payload json.RawMessage   `json:"payload"`
	Body    json.RawMessage   `json:"body"`
	Request *savedDelivery    `json:"request"`
}

// parseDelivery reads a saved delivery. Its error repeats nothing of the file.
func parseDelivery(data []byte) (delivery, error) {
	var saved savedDelivery
	if err := json.Unmarshal(data, &saved); err != nil {
		return delivery{}, errors.New("it is no JSON object with headers and payload; for a payload alone give --event")
	}
	d := delivery{event: saved.Event, id: saved.GUID}
	for _, s := range []*savedDelivery{&saved, saved.Request} {
		if s == nil {
			continue
		}
		for name, value := range s.Headers {
			switch strings.ToLower(name) {
			case "x-github-event":
				d.event = value
			case "x-github-delivery":
				d.id = value
			}
		}
		for _, body := range []json.RawMessage{s.Payload, s.Body} {
			if len(body) > 0 {
				d.body = body
			}
		}
	}
	// A body may be kept as the text that it was.
	var text string
	if json.Unmarshal(d.body, &text) == nil && text != "" {
		d.body = []byte(text)
	}
	switch {
	case len(d.body) == 0:
		return d, errors.New("it has no payload; for a payload alone give --event")
	case d.event == "":
		return d, errors.New("it does not say which event it is: give --event, or the header X-GitHub-Event")
	}
	return d, nil
}
