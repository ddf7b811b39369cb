package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	amqp "github.com/rabbitmq/amqp091-go"
)

const oldVersionsDays = 90

// buckets makes buckets: private as every new one is, versioned, with a rule for old versions.
type buckets struct{ client *minio.Client }

func (b buckets) ensure(ctx context.Context, name string) error {
	there, err := b.client.BucketExists(ctx, name)
	if err != nil {
		return err
	}
	if !there {
		if err := b.client.MakeBucket(ctx, name, minio.MakeBucketOptions{}); err != nil {
			return err
		}
	}
	if err := b.client.EnableVersioning(ctx, name); err != nil {
		return err
	}
	rules := lifecycle.NewConfiguration()
	rules.Rules = []lifecycle.Rule{{
		ID: "kourse-noncurrent", Status: "Enabled",
		NoncurrentVersionExpiration: lifecycle.NoncurrentVersionExpiration{
			NoncurrentDays: oldVersionsDays,
		},
	}}
	return b.client.SetBucketLifecycle(ctx, name, rules)
}

var (
	hyphens = regexp.MustCompile("-+")
	digest  = regexp.MustCompile("-[0-9a-f]{16}$")
)

// bucketName follows the platform's rule: at most 63 characters, unique for tenant and course.
func bucketName(tenant, course string) string {
	name := "kourse-" + tenant + "-" + course
	isPlain := !strings.Contains(tenant, "-") && !strings.Contains(name, "--") && !digest.MatchString(name)
	if isPlain && len(name) <= 63 {
		return name
	}
	sum := sha256.Sum256([]byte(tenant + "/" + course))
	stem := hyphens.ReplaceAllString(name, "-")
	stem = strings.TrimRight(stem[:min(len(stem), 46)], "-")
	return stem + "-" + hex.EncodeToString(sum[:])[:16]
}

// wires declares exchanges and bindings over channels that are used again and again.
type wires struct {
	connection *amqp.Connection
	idle       chan *amqp.Channel
}

func newWires(connection *amqp.Connection, workers int) wires {
	return wires{connection, make(chan *amqp.Channel, workers)}
}

func (w wires) ensure(tenant, course string) error {
	channel, err := w.take()
	if err != nil {
		return err
	}
	name := "kourse.course." + tenant + "." + course
	if err := channel.ExchangeDeclare(name, "topic", true, false, false, false, nil); err != nil {
		return err
	}
	key := "*.*.*." + tenant + "." + course + ".*.*"
	if err := channel.ExchangeBind(name, key, "kourse.events", false, nil); err != nil {
		return err
	}
	w.idle <- channel
	return nil
}

func (w wires) take() (*amqp.Channel, error) {
	select {
	case channel := <-w.idle:
		return channel, nil
	default:
		return w.connection.Channel()
	}
}
