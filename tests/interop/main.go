// Command interop joins the platform's events as a service of another team would: by the catalog alone.
//
// It reads its own queue and the feed of a cohort, handles each event once in effect and in the order of
// its entity, and prints a line of JSON for each. docs/events.md describes what it relies on.
//
// Environment: AMQP_URL, REDIS_URL, SERVICE (begins all its names), TENANT, COHORT, CLAIM and PATIENCE
// (durations; how long a worker may hold an event, and how long a gap may hold an entity).
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"
	"kourse.dev/tests/interop/events"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	address, err := redis.ParseURL(need("REDIS_URL"))
	if err != nil {
		log.Fatal(err)
	}
	store := redis.NewClient(address)
	service, url := need("SERVICE"), need("AMQP_URL")
	worker := fmt.Sprintf("claim:%d:%d", os.Getpid(), time.Now().UnixNano())
	source := func(name, queue string, whole bool) *Source {
		ledger := &Ledger{store, service + ":" + name, worker, duration("CLAIM", 30*time.Second)}
		return &Source{
			name: name, queue: queue, ledger: ledger, whole: whole,
			patience: duration("PATIENCE", 5*time.Minute),
		}
	}
	sources := []*Source{
		source("service", service+".events", true),
		source("cohort", events.CohortQueue(need("TENANT"), need("COHORT")), false),
	}
	var all sync.WaitGroup
	for _, one := range sources {
		all.Go(func() { keepReading(ctx, url, service, one) })
	}
	all.Wait()
}

// keepReading reads a source until the program ends, over as many connections as it takes.
func keepReading(ctx context.Context, url, service string, source *Source) {
	for ctx.Err() == nil {
		if err := read(ctx, url, service, source); err != nil && ctx.Err() == nil {
			log.Printf("%s: %v", source.queue, err)
		}
		_ = pause(ctx, time.Second)
	}
}

func read(ctx context.Context, url, service string, source *Source) error {
	connection, err := amqp.Dial(url)
	if err != nil {
		return err
	}
	defer connection.Close()
	channel, err := connection.Channel()
	if err != nil {
		return err
	}
	if source.whole {
		_, err := declare(
			channel, service, events.UserStream, events.ContentStream, events.EnrolmentStream,
			events.AttemptStream,
		)
		if err != nil {
			return err
		}
	}
	return source.Read(ctx, channel)
}

// need is a setting that has no default.
func need(name string) string {
	value := os.Getenv(name)
	if value == "" {
		log.Fatalf("set %s", name)
	}
	return value
}

func duration(name string, otherwise time.Duration) time.Duration {
	if text := os.Getenv(name); text != "" {
		value, err := time.ParseDuration(text)
		if err != nil {
			log.Fatalf("%s: %v", name, err)
		}
		return value
	}
	return otherwise
}
