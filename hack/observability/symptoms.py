"""What hurts people or soon will, each with a page in docs/runbooks that says how to see, mend and verify."""

from __future__ import annotations

from hack.observability.model import Alert, Severity

_PAGE, _TICKET = Severity.CRITICAL, Severity.WARNING
OUTBOX_AGE_S = 30
QUEUE_AGE_S = 60
KEY_AGE_DAYS = 90
BACK_ENDS = "database|broker|cache|token_store|keys|objects"
SERVICES = "identity|profile|course|assessment|notification|dashboard|gateway|runner|operator"

SERVICE_ALERTS = (
    Alert(
        "KourseServiceDown",
        f'up{{job=~"{SERVICES}"}} == 0',
        "1m",
        _PAGE,
        "{{ $labels.job }} cannot be reached.",
        "What it does, nobody can do; the other services answer without it as far as they can.",
    ),
    Alert(
        "KourseServiceAbsent",
        "group by (service) (kourse_build_info offset 1h) unless group by (service) (kourse_build_info)",
        "5m",
        _PAGE,
        "{{ $labels.service }} is no longer known to Prometheus.",
        "It was there an hour ago: it was removed, or Prometheus no longer finds it.",
    ),
    Alert(
        "KourseBackEndDown",
        f'min by (service, component) (kourse_component_up{{component=~"{BACK_ENDS}"}}) == 0',
        "2m",
        _PAGE,
        "{{ $labels.service }} has no {{ $labels.component }}.",
        "Requests that need it are answered with 503 and a time to come back.",
    ),
    Alert(
        "KourseTaskCrashing",
        "sum by (service, task) (increase(kourse_task_restarts_total[10m])) >= 2",
        "0m",
        _TICKET,
        "The task {{ $labels.task }} of {{ $labels.service }} crashes again and again.",
        "It is begun anew each time; what it does is late.",
    ),
    Alert(
        "KourseCircuitOpen",
        "max by (upstream) (kourse_gateway_breaker_open) == 1",
        "1m",
        _PAGE,
        "The gateway keeps calls away from {{ $labels.upstream }}.",
        "It failed or was slow too often; its routes answer 503 until it is well.",
    ),
    Alert(
        "KourseEventLoopBlocked",
        "histogram_quantile(0.9, sum by (service, le) (rate(kourse_event_loop_lag_seconds_bucket[5m]))) > 0.5",
        "2m",
        _TICKET,
        "The event loop of {{ $labels.service }} is held up.",
        "Everything in the process waits: it computes too much, or has too little CPU.",
    ),
    Alert(
        "KourseDatabasePoolExhausted",
        "sum by (pool) (increase(kourse_db_pool_timeouts_total[5m])) > 0",
        "0m",
        _PAGE,
        "Callers wait in vain for a connection of {{ $labels.pool }}.",
        "They are answered with 503: statements are too slow, or replicas too few.",
    ),
    Alert(
        "KourseLoginsRefused",
        "sum(increase(kourse_hash_pool_refused_total[5m])) > 0",
        "0m",
        _TICKET,
        "Log-ins are turned away: more passwords wait than may.",
        "People are asked to try again after two seconds; identity needs more CPU or replicas.",
    ),
    Alert(
        "KourseRunnerFull",
        "sum(kourse_runner_submissions) / sum(kourse_runner_submissions_max) > 0.8",
        "5m",
        _TICKET,
        "Learners' programs wait for the runner.",
        "Code questions are graded late; nothing is lost, as assessment sends again what is refused.",
    ),
)
"""Services and what they need."""

EVENT_ALERTS = (
    Alert(
        "KourseOutboxOld",
        f"max by (service) (kourse_outbox_oldest_age_seconds) > {OUTBOX_AGE_S}",
        "1m",
        _PAGE,
        "Events of {{ $labels.service }} do not leave its outbox.",
        "Nothing is lost, but nobody is told: mails, mastery and views are late.",
    ),
    Alert(
        "KourseDeadLetters",
        "max by (consumer) (kourse_inbox_dead_letters) > 0",
        "1m",
        _TICKET,
        "{{ $labels.consumer }} has messages that it could not even set aside.",
        "They wait in its dead letter queue for a person; what they tell has no effect.",
    ),
    Alert(
        "KourseEventsParked",
        "max by (consumer) (kourse_inbox_parked) > 0",
        "1m",
        _TICKET,
        "{{ $labels.consumer }} has set events aside.",
        "Whatever follows them on the same entity waits behind them.",
    ),
    Alert(
        "KourseEventMissing",
        "max by (consumer) (kourse_inbox_gap_oldest_age_seconds) > 300",
        "1m",
        _TICKET,
        "{{ $labels.consumer }} has waited for a missing event for minutes.",
        "It was fetched from the archive of its producer, and is not there either.",
    ),
    Alert(
        "KourseMailsStuck",
        'sum(increase(kourse_mail_postponed_total{outcome!~"unverified|enough-for-a-day|no-time"}[10m])) > 0'
        ' unless sum(increase(kourse_mail_deliveries_total{outcome="accepted"}[10m])) > 0',
        "5m",
        _PAGE,
        "No mail leaves.",
        "Nobody can confirm an address or get a code: the relay refuses us or is gone.",
    ),
)
"""Events and mails."""

OPERATOR_ALERTS = (
    Alert(
        "KourseExamLate",
        "max by (namespace) (kourse_operator_exams_late) > 0",
        "2m",
        _PAGE,
        "{{ $value }} exams in {{ $labels.namespace }} open within a day and are not ready.",
        "Learners will stand before a closed door, or do already.",
    ),
    Alert(
        "KourseOperatorBackEndDown",
        'sum by (backend) (increase(kourse_operator_backend_duration_seconds_count{outcome="error"}[5m])) > 0 unless'
        ' sum by (backend) (increase(kourse_operator_backend_duration_seconds_count{outcome="ok"}[5m])) > 0',
        "1m",
        _PAGE,
        "The operator cannot reach its back end {{ $labels.backend }}.",
        "Courses keep running as they are; what authors change does not take effect.",
    ),
    Alert(
        "KourseOperatorWithoutLeader",
        # A dead operator has no series at all, and the sum of none is not 0 but nothing.
        '(sum(leader_election_master_status{job="operator"}) or vector(0)) < 1',
        "1m",
        _PAGE,
        "No operator leads.",
        "What authors change does not take effect until one does.",
    ),
    Alert(
        "KourseOperatorBehind",
        f"max(kourse_operator_queue_oldest_age_seconds) > {QUEUE_AGE_S}",
        "1m",
        _TICKET,
        "Objects wait for the operator for more than a minute.",
        "What authors change takes effect late.",
    ),
    Alert(
        "KourseResourceNotReady",
        'max by (kind, namespace) (kourse_operator_resource_condition{type="Ready",status!="True"}) > 0',
        "15m",
        _TICKET,
        "{{ $value }} objects of kind {{ $labels.kind }} in {{ $labels.namespace }} are not ready.",
        "Their conditions say why; most often their author has to mend something.",
    ),
)
"""The operator."""

SECURITY_ALERTS = (
    Alert(
        "KourseSigningKeyOld",
        f"time() - min(kourse_signing_key_begun_timestamp_seconds) > {KEY_AGE_DAYS} * 86400",
        "1h",
        _TICKET,
        "The key that signs access tokens is older than it should be.",
        f"Keys are replaced every {KEY_AGE_DAYS} days, so that a stolen one is of use for so long only.",
    ),
    Alert(
        "KourseAuditTrailBroken",
        "max(kourse_audit_broken_trails) > 0",
        "0m",
        _PAGE,
        "An audit trail is not what was sealed.",
        "Somebody changed or removed entries behind the platform's back.",
    ),
)
"""Keys and trails."""
