// Bench-operator keeps Courses as an experienced author of Go operators would: the peer in
// `make bench-operator`. It does what the platform's operator does for a new Course, in the same
// tables, buckets and exchanges; it never updates content versions and is never asked to delete.
package main

import (
	"context"
	"log"
	"net/url"
	"os"
	"strconv"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	amqp "github.com/rabbitmq/amqp091-go"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

func main() {
	ctrl.SetLogger(zap.New())
	if err := run(ctrl.SetupSignalHandler()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	workers, err := strconv.Atoi(os.Getenv("WORKERS"))
	if err != nil {
		return err
	}
	config := ctrl.GetConfigOrDie()
	config.QPS = -1
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	addToScheme(scheme)
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  scheme,
		Metrics: metrics.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultNamespaces: map[string]cache.Config{os.Getenv("NAMESPACE"): {}}},

		LeaderElection:                true,
		LeaderElectionID:              leaseName,
		LeaderElectionNamespace:       os.Getenv("LEASE_NAMESPACE"),
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return err
	}
	made, err := connect(ctx, workers)
	if err != nil {
		return err
	}
	made.rows.fence.leases = manager.GetAPIReader()
	made.Client = manager.GetClient()
	made.events = manager.GetEventRecorder("bench-operator")
	err = ctrl.NewControllerManagedBy(manager).
		For(&Course{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(made)
	if err != nil {
		return err
	}
	return manager.Start(ctx)
}

// connect reaches the back ends that the environment names.
func connect(ctx context.Context, workers int) (*reconciler, error) {
	settings, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		return nil, err
	}
	settings.MaxConns = int32(workers) / 2
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, err
	}
	endpoint, err := url.Parse(os.Getenv("S3_ENDPOINT"))
	if err != nil {
		return nil, err
	}
	store, err := minio.New(endpoint.Host, &minio.Options{
		Creds:  credentials.NewStaticV4(os.Getenv("S3_ACCESS_KEY"), os.Getenv("S3_SECRET_KEY"), ""),
		Region: os.Getenv("S3_REGION"),
	})
	if err != nil {
		return nil, err
	}
	connection, err := amqp.Dial(os.Getenv("BROKER_URL"))
	if err != nil {
		return nil, err
	}
	return &reconciler{
		rows: newRows(ctx, pool), buckets: buckets{store}, wires: newWires(connection, workers),
	}, nil
}
