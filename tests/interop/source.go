package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	prefetch = 64
	tries    = 5
	firstTry = 100 * time.Millisecond
	longest  = 5 * time.Second
)

// errPoison says that a message will never pass, however often it is tried.
var errPoison = errors.New("dead-lettered")

// Handled is one line of output.
type Handled struct {
	Source string `json:"source"`
	Type   string `json:"type"`
	ID     string `json:"id"`
	Entity string `json:"entity"`
	Seq    int64  `json:"seq"`
	Text   string `json:"text"`
	// Whether a later event of the entity was handled before it.
	Late bool `json:"late"`
}

// Source is a queue with what was handled from it. One goroutine reads it, so nothing overtakes.
type Source struct {
	name   string
	queue  string
	ledger *Ledger
	// Whether every event of an entity comes this way, so that a gap means that one is missing.
	whole bool
	// How long a gap holds later events of its entity back.
	patience time.Duration

	since time.Time
	held  map[string]*gap
}

// gap is what waits for a missing event of one entity.
type gap struct {
	opened  time.Time
	waiting map[int64]amqp.Delivery
}

// Read handles what the queue delivers until the channel is lost or the program ends.
func (s *Source) Read(ctx context.Context, channel *amqp.Channel) error {
	var err error
	if s.since, err = s.ledger.Since(ctx); err != nil {
		return err
	}
	s.held = map[string]*gap{}
	if err := channel.Qos(prefetch, 0, false); err != nil {
		return err
	}
	deliveries, err := channel.ConsumeWithContext(ctx, s.queue, "", false, false, false, false, nil)
	if err != nil {
		return err
	}
	looks := time.NewTicker(s.patience / 10)
	defer looks.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case delivery, open := <-deliveries:
			if !open {
				return fmt.Errorf("%s: the channel is gone", s.queue)
			}
			err = s.take(ctx, delivery)
		case <-looks.C:
			err = s.giveUpOldGaps(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// take handles a delivery, holds it back behind a gap, or sends it to the dead letters.
func (s *Source) take(ctx context.Context, delivery amqp.Delivery) error {
	e, err := envelopeOf(delivery.Headers)
	if err != nil {
		log.Printf("%s: %v", s.queue, err)
		return delivery.Reject(false)
	}
	last, err := s.last(ctx, e)
	if err != nil {
		return err
	}
	if s.isGap(e, last) {
		s.hold(e, delivery)
		return nil
	}
	if err := s.settle(ctx, e, delivery, e.Seq <= last); err != nil {
		return err
	}
	return s.releaseAfter(ctx, e)
}

// isGap tells whether an earlier event of the entity is still to come.
func (s *Source) isGap(e Envelope, last int64) bool {
	knownFromStart := last > 0 || !e.Began.Before(s.since)
	return s.whole && knownFromStart && e.Seq > last+1
}

// settle handles one event and tells the broker, whatever became of it.
func (s *Source) settle(ctx context.Context, e Envelope, delivery amqp.Delivery, late bool) error {
	err := s.handle(ctx, e, delivery.Body, late)
	switch {
	case errors.Is(err, errPoison):
		return delivery.Reject(false)
	case err != nil:
		return err
	}
	return delivery.Ack(false)
}

// handle makes the event take effect once: claimed, worked on, and finished with its effect.
func (s *Source) handle(ctx context.Context, e Envelope, body []byte, late bool) error {
	return s.untilRedisAnswers(ctx, func() error {
		mine, err := s.ledger.Claim(ctx, e)
		if err != nil || !mine {
			return err
		}
		line, failure := s.work(ctx, e, body, late)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.ledger.Finish(ctx, e, line); err != nil {
			return err
		}
		if failure != nil {
			log.Printf("%s: %s %s: %v", s.queue, e.Type, e.ID, failure)
			return errPoison
		}
		if line != nil {
			fmt.Println(string(line))
		}
		return nil
	})
}

// work calls the type's handler, in place and a few times, since a retry elsewhere would lose the order.
// The tries are over within half of the claim, so that the claim still stands when they are.
func (s *Source) work(ctx context.Context, e Envelope, body []byte, late bool) ([]byte, error) {
	handler, known := handlers[e.Type]
	if !known {
		return nil, nil
	}
	var failure error
	for try := range tries {
		text, err := handler(body)
		if err == nil {
			return json.Marshal(Handled{s.name, e.Type, e.ID, e.Entity, e.Seq, text, late})
		}
		failure = err
		if try < tries-1 && pause(ctx, s.ledger.claim>>(tries-try)) != nil {
			break
		}
	}
	return nil, failure
}

// last asks for the entity's cursor for as long as Redis is away.
func (s *Source) last(ctx context.Context, e Envelope) (last int64, err error) {
	err = s.untilRedisAnswers(ctx, func() error {
		last, err = s.ledger.Last(ctx, e)
		return err
	})
	return last, err
}

// untilRedisAnswers repeats a step while the ledger is away: without it, nothing can be handled once.
func (s *Source) untilRedisAnswers(ctx context.Context, step func() error) error {
	wait := firstTry
	for {
		err := step()
		if err == nil || errors.Is(err, errPoison) || ctx.Err() != nil {
			return err
		}
		log.Printf("%s: %v", s.queue, err)
		if err := pause(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, longest)
	}
}
