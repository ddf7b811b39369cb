package main

import (
	"context"
	"log"
	"slices"
	"time"

	"maps"

	amqp "github.com/rabbitmq/amqp091-go"
)

func entityOf(e Envelope) string { return e.Tenant + "/" + e.Stream + "/" + e.Entity }

// hold keeps a delivery, unacknowledged, until the event before it has come.
func (s *Source) hold(e Envelope, delivery amqp.Delivery) {
	entity := entityOf(e)
	if s.held[entity] == nil {
		s.held[entity] = &gap{opened: time.Now(), waiting: map[int64]amqp.Delivery{}}
	}
	waiting := s.held[entity].waiting
	if again, double := waiting[e.Seq]; double {
		_ = again.Ack(false) // the same event twice; the later delivery stands for both
	}
	waiting[e.Seq] = delivery
}

// releaseAfter handles what waited for this event, in order, up to the next gap.
func (s *Source) releaseAfter(ctx context.Context, e Envelope) error {
	held := s.held[entityOf(e)]
	if held == nil {
		return nil
	}
	last, err := s.last(ctx, e)
	if err != nil {
		return err
	}
	for seq := last + 1; len(held.waiting) > 0; seq++ {
		delivery, there := held.waiting[seq]
		if !there {
			return nil
		}
		delete(held.waiting, seq)
		next, _ := envelopeOf(delivery.Headers)
		if err := s.settle(ctx, next, delivery, false); err != nil {
			return err
		}
	}
	delete(s.held, entityOf(e))
	return nil
}

// giveUpOldGaps goes on where an event did not come in time. What is missing is said, and can be
// republished by the platform's operators; it is then handled late.
func (s *Source) giveUpOldGaps(ctx context.Context) error {
	for entity, held := range s.held {
		if time.Since(held.opened) < s.patience {
			continue
		}
		first := slices.Min(slices.Collect(maps.Keys(held.waiting)))
		delivery := held.waiting[first]
		delete(held.waiting, first)
		log.Printf("%s: %s goes on with %d, what is before it did not come", s.queue, entity, first)
		e, _ := envelopeOf(delivery.Headers)
		if err := s.settle(ctx, e, delivery, false); err != nil {
			return err
		}
		held.opened = time.Now()
		if err := s.releaseAfter(ctx, e); err != nil {
			return err
		}
	}
	return nil
}
