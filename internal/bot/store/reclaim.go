package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// clientPrefix begins the name of every process that works jobs; what follows is the
// number of the lock that tells PostgreSQL's other clients that it lives.
const clientPrefix = "sealward-"

func newClient() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never errors
	return clientPrefix + hex.EncodeToString(b[:])
}

// lockOf is the number of a client's lock; ok is false where it is no client of ours.
func lockOf(client string) (key int64, ok bool) {
	b, err := hex.DecodeString(strings.TrimPrefix(client, clientPrefix))
	if err != nil || len(b) != 8 || !strings.HasPrefix(client, clientPrefix) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(b)), true
}

// takeBack makes what a client was working on available again, as if the attempt had
// never been, and returns how many jobs that were.
func takeBack(ctx context.Context, q queries, client string) (int, error) {
	var jobs []int64
	err := q.query(ctx, jobsOfClient, func(columns func(...any) error) error {
		var id int64
		err := columns(&id)
		jobs = append(jobs, id)
		return err
	}, client)
	if err != nil {
		return 0, fmt.Errorf("look for the jobs of %s: %w", client, err)
	}
	if len(jobs) > 0 {
		if err := giveUp(ctx, q, jobs); err != nil {
			return 0, err
		}
	}
	if _, err := q.exec(ctx, resignLeader, client); err != nil {
		return 0, fmt.Errorf("have another process lead: %w", err)
	}
	return len(jobs), nil
}

// giveUp makes jobs that are worked available again, as if the attempt had never been.
func giveUp(ctx context.Context, q queries, jobs []int64) error {
	if _, err := q.exec(ctx, giveBack, jobs); err != nil {
		return fmt.Errorf("take jobs back: %w", err)
	}
	if _, err := freeLines(ctx, q, jobs); err != nil {
		return fmt.Errorf("free the lines of jobs: %w", err)
	}
	_, err := q.exec(ctx, notifyWorkers)
	return err
}

// busyClients are those that jobs are running with.
func busyClients(ctx context.Context, q queries) ([]string, error) {
	var clients []string
	err := q.query(ctx, clientsAtWork, func(columns func(...any) error) error {
		var client string
		err := columns(&client)
		clients = append(clients, client)
		return err
	})
	return clients, err
}

// stillOurs returns those of jobs that run with a client.
func stillOurs(ctx context.Context, q queries, client string, jobs []int64) (ours []int64, err error) {
	err = q.query(ctx, runningWith, func(columns func(...any) error) error {
		var id int64
		err := columns(&id)
		ours = append(ours, id)
		return err
	}, jobs, client)
	return ours, err
}

var (
	jobsOfClient = statement{
		sqlite: `SELECT id FROM river_job WHERE state = 'running' AND json_extract(attempted_by, '$[#-1]') = $1`,
		postgres: `SELECT id FROM river_job
			WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = $1 ORDER BY id FOR UPDATE`,
	}
	runningHere = statement{
		sqlite: `SELECT id FROM river_job WHERE state = 'running' AND json_extract(attempted_by, '$[#-1]') = $1`,
		postgres: `SELECT id FROM river_job
			WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = $1`,
	}
	giveBack = statement{
		sqlite: `UPDATE river_job SET state = 'available', attempt = max(attempt - 1, 0)
			WHERE state = 'running' AND id IN (SELECT value FROM json_each($1))`,
		postgres: `UPDATE river_job SET state = 'available', attempt = greatest(attempt - 1, 0)
			WHERE state = 'running' AND id = ANY($1)`,
	}
	clientsAtWork = statement{
		sqlite: `SELECT DISTINCT json_extract(attempted_by, '$[#-1]') FROM river_job
			WHERE state = 'running' AND json_extract(attempted_by, '$[#-1]') IS NOT NULL
			UNION SELECT leader_id FROM river_leader`,
		postgres: `SELECT DISTINCT attempted_by[array_upper(attempted_by, 1)] FROM river_job
			WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] IS NOT NULL
			UNION SELECT leader_id FROM river_leader`,
	}
	runningWith = statement{
		sqlite: `SELECT id FROM river_job WHERE state = 'running'
			AND json_extract(attempted_by, '$[#-1]') = $2 AND id IN (SELECT value FROM json_each($1))`,
		postgres: `SELECT id FROM river_job WHERE state = 'running'
			AND attempted_by[array_upper(attempted_by, 1)] = $2 AND id = ANY($1) ORDER BY id FOR UPDATE`,
	}
	resignLeader = statement{both: `DELETE FROM river_leader WHERE leader_id = $1`}
	// isDead takes the lock of a client, until the transaction ends, where it is free.
	isDead = statement{sqlite: `SELECT true`, postgres: `SELECT pg_try_advisory_xact_lock($1)`}
)
