package main

import (
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"kourse.dev/tests/interop/events"
)

// Envelope is what a message's headers say: CloudEvents 1.0, binary mode over AMQP.
type Envelope struct {
	ID     string
	Tenant string
	Type   string
	Stream string
	Entity string
	// Place in the sequence of (tenant, stream, entity), from 1, without gaps.
	Seq int64
	// When the entity's sequence began, by the producer's clock.
	Began time.Time
}

// envelopeOf reads the attributes; it fails when the message is no event of the platform.
func envelopeOf(headers amqp.Table) (Envelope, error) {
	var missing string
	text := func(name string) string {
		value, _ := headers[events.HeaderPrefix+name].(string)
		if value == "" {
			missing = name
		}
		return value
	}
	e := Envelope{
		ID:     text("id"),
		Tenant: text("tenant"),
		Type:   text("type"),
		Stream: text("stream"),
		Entity: text("subject"),
		Seq:    number(headers[events.HeaderPrefix+"sequence"]),
	}
	began, err := time.Parse(time.RFC3339, text("sequencestart"))
	e.Began = began
	switch {
	case missing != "":
		return e, fmt.Errorf("the header %s%s is missing", events.HeaderPrefix, missing)
	case err != nil:
		return e, err
	case e.Seq < 1:
		return e, fmt.Errorf("a sequence starts at 1")
	}
	return e, nil
}

// number reads an integer in whichever of AMQP's widths it came.
func number(value any) int64 {
	switch n := value.(type) {
	case int8:
		return int64(n)
	case int16:
		return int64(n)
	case int32:
		return int64(n)
	case int64:
		return n
	default:
		return 0
	}
}
