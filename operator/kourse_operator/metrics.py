"""Metrics, named as controller-runtime names them, so that stock dashboards and alerts work."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_RECONCILE_BUCKETS_S = (
    *(
        0.005,
        0.01,
        0.025,
        0.05,
        0.1,
        0.15,
        0.2,
        0.25,
        0.3,
        0.35,
        0.4,
        0.45,
        0.5,
        0.6,
        0.7,
        0.8,
        0.9,
    ),
    *(1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40),
    *(50.0, 60.0),
)
_QUEUE_BUCKETS_S = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0, 1000.0)

RECONCILES = Counter(
    "controller_runtime_reconcile_total",
    "Reconciliations, by what came of them.",
    ("controller", "result"),
)
RECONCILE_ERRORS = Counter(
    "controller_runtime_reconcile_errors_total", "Reconciliations that failed.", ("controller",)
)
RECONCILE_SECONDS = Histogram(
    "controller_runtime_reconcile_time_seconds",
    "Time of a reconciliation.",
    ("controller",),
    buckets=_RECONCILE_BUCKETS_S,
)
ACTIVE_WORKERS = Gauge(
    "controller_runtime_active_workers", "Reconciliations under way.", ("controller",)
)
MAX_WORKERS = Gauge(
    "controller_runtime_max_concurrent_reconciles",
    "Most reconciliations at the same time, of all kinds together.",
    ("controller",),
)

QUEUE_DEPTH = Gauge("workqueue_depth", "Objects waiting for a worker.", ("name",))
QUEUE_ADDS = Counter("workqueue_adds_total", "Objects put in the queue.", ("name",))
QUEUE_RETRIES = Counter("workqueue_retries_total", "Objects put back after a failure.", ("name",))
QUEUE_SECONDS = Histogram(
    "workqueue_queue_duration_seconds",
    "Time that an object waits for a worker.",
    ("name",),
    buckets=_QUEUE_BUCKETS_S,
)
WORK_SECONDS = Histogram(
    "workqueue_work_duration_seconds",
    "Time that a worker has an object in hand.",
    ("name",),
    buckets=_QUEUE_BUCKETS_S,
)
UNFINISHED_SECONDS = Gauge(
    "workqueue_unfinished_work_seconds", "Seconds of work in hand and not finished.", ("name",)
)
LONGEST_RUNNING_SECONDS = Gauge(
    "workqueue_longest_running_processor_seconds",
    "How long the longest work in hand has been going on.",
    ("name",),
)

QUEUE_OLDEST_SECONDS = Gauge(
    "kourse_operator_queue_oldest_age_seconds",
    "How long the first object has waited for a worker, 0 when none waits.",
)

LEADING = Gauge(
    "leader_election_master_status",
    "Whether this process leads (1) or stands by (0).",
    ("name",),
)
API_REQUESTS = Counter(
    "rest_client_requests_total",
    "Requests of the engine to the Kubernetes API, by status code.",
    ("code", "method"),
)
DRIFT_REPAIRED = Counter(
    "kourse_operator_drift_repaired_total",
    "What was changed behind the operator's back and put right again.",
    ("kind", "backend"),
)
DRIFT_REPORTED = Counter(
    "kourse_operator_drift_reported_total",
    "What was changed behind the operator's back and left so, as driftPolicy is Report.",
    ("kind", "backend"),
)
BACKEND_SECONDS = Histogram(
    "kourse_operator_backend_duration_seconds",
    "Time of one step at a back end.",
    ("backend", "operation", "outcome"),
    buckets=_QUEUE_BUCKETS_S,
)
SECONDS_TO_READY = Histogram(
    "kourse_operator_time_to_ready_seconds",
    "From the first sight of a generation until it is ready.",
    ("kind",),
    buckets=(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0),
)
BATCH_SIZE = Histogram(
    "kourse_operator_batch_size",
    "Objects written in one transaction.",
    ("kind",),
    buckets=(1, 2, 5, 10, 20, 50, 100, 200),
)
WAKES = Counter(
    "kourse_operator_wakes_total", "Objects that the services asked to look at.", ("kind",)
)
EVENTS_DROPPED = Counter(
    "kourse_operator_events_dropped_total", "Kubernetes Events that could not be posted."
)
WATCH_ACTIVITY = Gauge(
    "kourse_operator_last_watch_activity_timestamp_seconds",
    "When something was last heard from the watch of a kind, Unix time.",
    ("kind",),
)
