"""What works behind the services: events, operator and data stores."""

from __future__ import annotations

from hack.observability.dashboards import Board, Unit
from hack.observability.panels import LIVE, graph, quantiles, rate

EVENTS = Board(
    "kourse-events",
    "kourse / Events",
    "From the outbox through the broker to every consumer.",
    {
        "Publishing": (
            graph(
                "Published",
                "Confirmed by the broker.",
                Unit.EVENTS,
                (rate("kourse_outbox_published_total", "service"), "{{service}}"),
            ),
            graph(
                "Waiting",
                "Not yet published.",
                Unit.NUMBER,
                ("sum by (service) (kourse_outbox_pending)", "{{service}}"),
            ),
            graph(
                "Oldest waiting",
                "More than 30 s is an alert.",
                Unit.SECONDS,
                ("max by (service) (kourse_outbox_oldest_age_seconds)", "{{service}}"),
            ),
        ),
        "Taking": (
            graph(
                "Taken",
                "By consumer and outcome.",
                Unit.EVENTS,
                (
                    rate("kourse_inbox_events_total", "consumer, outcome"),
                    "{{consumer}} {{outcome}}",
                ),
            ),
            quantiles(
                "From fact to effect",
                "The promise is 5 s for 99 %.",
                "kourse_inbox_lag_seconds",
                "consumer",
            ),
            graph(
                "Partitions held",
                "16 for each consumer, over all replicas.",
                Unit.NUMBER,
                ("sum by (consumer) (kourse_inbox_parts)", "{{consumer}}"),
            ),
        ),
        "Aside": (
            graph(
                "Parked",
                "They failed for good and wait for a person.",
                Unit.NUMBER,
                ("max by (consumer) (kourse_inbox_parked)", "{{consumer}}"),
            ),
            graph(
                "Waiting for a missing event",
                "Age of the oldest.",
                Unit.SECONDS,
                ("max by (consumer) (kourse_inbox_gap_oldest_age_seconds)", "{{consumer}}"),
            ),
            graph(
                "Dead letters",
                "How many, and for how long there have been some.",
                Unit.NUMBER,
                ("max by (consumer) (kourse_inbox_dead_letters)", "{{consumer}}"),
                (
                    "max by (consumer) (kourse_inbox_dead_letters_age_seconds)",
                    "{{consumer}} seconds",
                ),
            ),
        ),
        "Broker": (
            graph(
                "Messages",
                "In all queues.",
                Unit.NUMBER,
                ("sum(rabbitmq_queue_messages_ready)", "ready"),
                ("sum(rabbitmq_queue_messages_unacked)", "unacknowledged"),
            ),
            graph(
                "Connections",
                "Of all processes.",
                Unit.NUMBER,
                ("sum(rabbitmq_connections)", "connections"),
                ("sum(rabbitmq_channels)", "channels"),
            ),
            graph(
                "Memory",
                "Resident, and where the broker stops publishers.",
                Unit.BYTES,
                ("sum(rabbitmq_process_resident_memory_bytes)", "used"),
                ("sum(rabbitmq_resident_memory_limit_bytes)", "limit"),
            ),
        ),
    },
)


OPERATOR = Board(
    "kourse-operator",
    "kourse / Operator",
    "How fast what authors declare becomes live, and what keeps it.",
    {
        "Resources": (
            graph(
                "Ready",
                "Objects that are live as they stand.",
                Unit.NUMBER,
                (
                    LIVE,
                    "{{kind}}",
                ),
            ),
            graph(
                "Reconciled",
                "By what came of it.",
                Unit.EVENTS,
                (
                    rate("controller_runtime_reconcile_total", "controller, result"),
                    "{{controller}} {{result}}",
                ),
            ),
            quantiles(
                "From change to ready",
                "The promise is 10 s for 95 %.",
                "kourse_operator_time_to_ready_seconds",
                "kind",
            ),
        ),
        "Queue": (
            graph(
                "Waiting",
                "Objects that wait for a worker.",
                Unit.NUMBER,
                ("sum by (name) (workqueue_depth)", "{{name}}"),
                ("max(kourse_operator_queue_oldest_age_seconds)", "oldest, seconds"),
            ),
            quantiles(
                "Time of waiting",
                "Until a worker took it.",
                "workqueue_queue_duration_seconds",
                "name",
            ),
            graph(
                "Workers",
                "Busy ones of all.",
                Unit.NUMBER,
                ("sum(controller_runtime_active_workers)", "busy"),
                ("max(controller_runtime_max_concurrent_reconciles)", "at most"),
            ),
        ),
        "What it needs": (
            quantiles(
                "Back ends",
                "Time of one step.",
                "kourse_operator_backend_duration_seconds",
                "backend",
            ),
            graph(
                "Kubernetes API",
                "Requests by status code.",
                Unit.PER_SECOND,
                (rate("rest_client_requests_total", "code"), "{{code}}"),
            ),
            graph(
                "Leaders",
                "Exactly one leads.",
                Unit.NUMBER,
                ("sum(leader_election_master_status)", "leaders"),
            ),
        ),
    },
)


STORES = Board(
    "kourse-stores",
    "kourse / Data stores",
    "PostgreSQL, Redis, RabbitMQ, objects and etcd, as the services see them and as they see themselves.",
    {
        "PostgreSQL": (
            graph(
                "Connections in use",
                "Share of each pool.",
                Unit.SHARE,
                (
                    "sum by (pool) (kourse_db_pool_connections_in_use) / sum by (pool) (kourse_db_pool_connections)",
                    "{{pool}}",
                ),
            ),
            quantiles(
                "Wait for a connection",
                "More than a few milliseconds: the pool is too small or statements too slow.",
                "kourse_db_pool_acquire_seconds",
                "pool",
            ),
            graph(
                "Given up",
                "Callers that waited 5 s in vain.",
                Unit.PER_SECOND,
                (rate("kourse_db_pool_timeouts_total", "pool"), "{{pool}}"),
            ),
        ),
        "Reached": (
            graph(
                "PostgreSQL",
                "1 where a service reaches it.",
                Unit.NUMBER,
                ('min by (service) (kourse_component_up{component="database"})', "{{service}}"),
            ),
            graph(
                "Redis",
                "1 where a service reaches it.",
                Unit.NUMBER,
                (
                    'min by (service, component) (kourse_component_up{component=~"cache|token_store"})',
                    "{{service}} {{component}}",
                ),
            ),
            graph(
                "RabbitMQ",
                "1 where a service reaches it.",
                Unit.NUMBER,
                ('min by (service) (kourse_component_up{component="broker"})', "{{service}}"),
            ),
        ),
        "Others": (
            graph(
                "Objects",
                "Space taken on the store's disks.",
                Unit.BYTES,
                (
                    "sum(minio_cluster_capacity_usable_total_bytes - minio_cluster_capacity_usable_free_bytes)",
                    "used",
                ),
            ),
            graph(
                "etcd",
                "Size of its database.",
                Unit.BYTES,
                ("max(etcd_mvcc_db_total_size_in_bytes)", "size"),
            ),
            graph(
                "Disk of the broker",
                "Free, and where it stops publishers.",
                Unit.BYTES,
                ("min(rabbitmq_disk_space_available_bytes)", "free"),
                ("max(rabbitmq_disk_space_available_limit_bytes)", "limit"),
            ),
        ),
    },
)
