package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	done = "done"
	// Longer than the platform's archive, from which an event may be published again.
	doneKept = 31 * 24 * time.Hour
)

// finish marks the event done, moves the entity's cursor and writes the effect, all or nothing, and only
// for the worker whose claim still stands: one that was paused beyond its claim changes nothing.
var finish = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], 'done', 'PX', ARGV[2])
if tonumber(ARGV[3]) > tonumber(redis.call('GET', KEYS[2]) or '0') then
  redis.call('SET', KEYS[2], ARGV[3])
end
if ARGV[4] ~= '' then redis.call('RPUSH', KEYS[3], ARGV[4]) end
return 1
`)

// errClaimLost says that another worker took the event over while this one was at it.
var errClaimLost = errors.New("the claim ended before the work did")

// Ledger remembers in Redis what one source has handled. Here the effect lives in Redis too, so effect
// and mark are one step. A service whose effects live elsewhere marks in the transaction of its effect.
type Ledger struct {
	redis  *redis.Client
	name   string
	worker string
	claim  time.Duration
}

func (l *Ledger) key(kind, rest string) string { return l.name + ":" + kind + ":" + rest }

func (l *Ledger) idempotencyKey(e Envelope) string { return l.key("idem", e.ID) }

func (l *Ledger) cursorKey(e Envelope) string {
	return l.key("seq", e.Tenant+"/"+e.Stream+"/"+e.Entity)
}

// Since is when this source was first declared: entities that began later begin here with 1.
func (l *Ledger) Since(ctx context.Context) (time.Time, error) {
	key := l.key("since", "")
	if err := l.redis.SetNX(ctx, key, time.Now().UTC().Format(time.RFC3339Nano), 0).Err(); err != nil {
		return time.Time{}, err
	}
	text, err := l.redis.Get(ctx, key).Result()
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339Nano, text)
}

// Last is the entity's latest handled number; 0 when there is none.
func (l *Ledger) Last(ctx context.Context, e Envelope) (int64, error) {
	last, err := l.redis.Get(ctx, l.cursorKey(e)).Int64()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	return last, err
}

// Claim returns true when the event is this worker's to handle, and false when it was handled before.
// While another worker holds it, Claim waits: to acknowledge then would lose the event with that worker.
func (l *Ledger) Claim(ctx context.Context, e Envelope) (bool, error) {
	for {
		got, err := l.redis.SetNX(ctx, l.idempotencyKey(e), l.worker, l.claim).Result()
		if err != nil || got {
			return got, err
		}
		holder, err := l.redis.Get(ctx, l.idempotencyKey(e)).Result()
		switch {
		case err != nil && !errors.Is(err, redis.Nil):
			return false, err
		case holder == done:
			return false, nil
		case holder == l.worker:
			return true, nil
		}
		if err := pause(ctx, l.claim/10); err != nil {
			return false, err
		}
	}
}

// Finish records the effect of a claimed event; an empty line records that there is none.
func (l *Ledger) Finish(ctx context.Context, e Envelope, line []byte) error {
	keys := []string{l.idempotencyKey(e), l.cursorKey(e), l.key("handled", "")}
	made, err := finish.Run(
		ctx, l.redis, keys, l.worker, doneKept.Milliseconds(), e.Seq, line,
	).Int()
	if err == nil && made == 0 {
		return fmt.Errorf("%s: %w", e.ID, errClaimLost)
	}
	return err
}

// pause waits, unless the program ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
