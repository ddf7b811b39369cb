package main

import (
	"context"
	"os"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	coordination "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	leaseName = "bench-operator"
	room      = "*"
	nobody    = "00000000-0000-0000-0000-000000000000"
	take      = `
INSERT INTO course.document AS held (tenant, kind, name, id, source, uid, generation, digest, spec)
VALUES ('*', 'Lease', 'bench-operator', $3, 'resource', $1, $2, '', '{}')
ON CONFLICT (tenant, kind, name) DO UPDATE SET uid = excluded.uid,
  generation = excluded.generation, updated_at = clock_timestamp()
WHERE held.uid <> excluded.uid OR held.generation <= excluded.generation`
	// A later leader has changed the row: the division fails, and with it the transaction.
	hold = `
SELECT 1 / count(*) FROM (SELECT FROM course.document WHERE tenant = '*' AND kind = 'Lease'
  AND name = 'bench-operator' AND uid = $1 AND generation = $2 FOR SHARE) AS held`
)

// fence lets only the newest leader's transactions commit, as the platform's own operator does.
type fence struct {
	pool   *pgxpool.Pool
	leases client.Reader

	once   sync.Once
	uid    string
	number int64
	failed error
}

// guard begins a batch with what holds the term; the first one of a process takes it.
func (f *fence) guard(ctx context.Context, batch *pgx.Batch) error {
	f.once.Do(func() { f.failed = f.take(ctx) })
	batch.Queue(setTenant, room)
	batch.Queue(hold, f.uid, f.number)
	return f.failed
}

func (f *fence) take(ctx context.Context) error {
	lease := &coordination.Lease{}
	name := types.NamespacedName{Namespace: os.Getenv("LEASE_NAMESPACE"), Name: leaseName}
	if err := f.leases.Get(ctx, name, lease); err != nil {
		return err
	}
	f.uid, f.number = string(lease.UID), int64(*lease.Spec.LeaseTransitions)
	batch := &pgx.Batch{}
	batch.Queue(setTenant, room)
	batch.Queue(take, f.uid, f.number, nobody)
	return f.pool.SendBatch(ctx, batch).Close()
}
