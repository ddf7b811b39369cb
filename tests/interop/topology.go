package main

import (
	amqp "github.com/rabbitmq/amqp091-go"
	"kourse.dev/tests/interop/events"
)

const (
	dayMs       = int64(24 * 60 * 60 * 1000)
	maxMessages = int64(100_000)
)

// declare makes the service's own queue, fed with whole streams, and its own dead letters. All names
// begin with the service's name, which is all that its broker user may configure.
//
// The queue is bounded in number and age and drops its oldest: a service that is away for long costs
// the platform no disk, and finds a gap when it comes back.
func declare(channel *amqp.Channel, service string, streams ...[]string) (string, error) {
	queue, dead, letters := service+".events", service+".dead", service+".dlx"
	if err := channel.ExchangeDeclare(letters, "fanout", true, false, false, false, nil); err != nil {
		return "", err
	}
	arguments := amqp.Table{
		"x-queue-type":     "quorum",
		"x-delivery-limit": int64(20),
		"x-max-length":     maxMessages,
		"x-overflow":       "drop-head",
	}
	if _, err := channel.QueueDeclare(dead, true, false, false, false, arguments); err != nil {
		return "", err
	}
	if err := channel.QueueBind(dead, "", letters, false, nil); err != nil {
		return "", err
	}
	_, err := channel.QueueDeclare(queue, true, false, false, false, amqp.Table{
		"x-queue-type":             "quorum",
		"x-single-active-consumer": true,
		"x-delivery-limit":         int64(20),
		"x-max-length":             maxMessages,
		"x-message-ttl":            7 * dayMs,
		"x-overflow":               "drop-head",
		"x-dead-letter-exchange":   letters,
	})
	if err != nil {
		return "", err
	}
	for _, types := range streams {
		for _, eventType := range types {
			if err := channel.QueueBind(queue, events.Binding(eventType), events.Exchange, false, nil); err != nil {
				return "", err
			}
		}
	}
	return queue, nil
}
