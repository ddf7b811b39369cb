"""Every service, and what people do with them."""

from __future__ import annotations

from hack.observability.dashboards import SERVICE, Board, Panel, Unit
from hack.observability.panels import LIVE, graph, number, quantiles, rate, share
from hack.observability.slos import PERIOD

_HTTP, _RPC = "kourse_http_requests_total", "kourse_rpc_requests_total"
_HTTP_S = "kourse_http_request_duration_seconds"
_GATEWAY = 'service="gateway"'
_CHOSEN = f'service=~"{SERVICE}"'
_FAILED = 'status=~"5.."'


def _left(name: str, text: str) -> Panel:
    budget = f'kourse:slo_budget:ratio{{slo="{name}"}}'
    bad = f'kourse:slo_bad:ratio_rate{PERIOD}{{slo="{name}"}}'
    return number(
        name.capitalize(),
        f"{text} What is left of the month's budget.",
        Unit.SHARE,
        f"1 - {bad} / {budget}",
    )


SERVICES = Board(
    "kourse-services",
    "kourse / Services",
    "Rate, errors and time of every service, and what it runs short of.",
    {
        "REST": (
            graph(
                "Rate",
                "Requests answered.",
                Unit.PER_SECOND,
                (rate(_HTTP, "service", _CHOSEN), "{{service}}"),
            ),
            graph(
                "Failures",
                "Share of requests that failed.",
                Unit.SHARE,
                (
                    share(
                        rate(_HTTP, "service", f"{_CHOSEN},{_FAILED}"),
                        rate(_HTTP, "service", _CHOSEN),
                    ),
                    "{{service}}",
                ),
            ),
            quantiles(
                "Time",
                "From the head of a request to the last byte of the answer.",
                _HTTP_S,
                "service",
                _CHOSEN,
            ),
        ),
        "gRPC": (
            graph(
                "Rate",
                "Calls answered.",
                Unit.PER_SECOND,
                (rate(_RPC, "service, code", _CHOSEN), "{{service}} {{code}}"),
            ),
            quantiles(
                "Time to answer",
                "Of calls answered.",
                "kourse_rpc_request_duration_seconds",
                "service",
                _CHOSEN,
            ),
            quantiles(
                "Time of calls made",
                "By the sibling called.",
                "kourse_rpc_client_call_duration_seconds",
                "peer",
            ),
        ),
        "What it runs short of": (
            quantiles(
                "Event loop",
                "Time for which the loop was held up.",
                "kourse_event_loop_lag_seconds",
                "service",
                _CHOSEN,
            ),
            graph(
                "CPU",
                "Cores used.",
                Unit.NUMBER,
                (
                    f'sum by (job) (rate(process_cpu_seconds_total{{job=~"{SERVICE}"}}[$__rate_interval]))',
                    "{{job}}",
                ),
            ),
            graph(
                "Memory",
                "Resident.",
                Unit.BYTES,
                (f'sum by (job) (process_resident_memory_bytes{{job=~"{SERVICE}"}})', "{{job}}"),
            ),
            graph(
                "Parts that work",
                "0 where a back end or a task does not.",
                Unit.NUMBER,
                (
                    f"min by (service, component) (kourse_component_up{{{_CHOSEN}}})",
                    "{{service}} {{component}}",
                ),
            ),
            graph(
                "Passwords in hand",
                "Of the places there are.",
                Unit.SHARE,
                ("sum(kourse_hash_pool_in_hand) / sum(kourse_hash_pool_places)", "identity"),
            ),
            graph(
                "Log-ins turned away",
                "As too many passwords wait.",
                Unit.PER_SECOND,
                ("sum(rate(kourse_hash_pool_refused_total[$__rate_interval]))", "identity"),
            ),
        ),
        "Learners' programs": (
            graph(
                "Waiting for the judge",
                "In the database of assessment; they wait as long as it takes.",
                Unit.NUMBER,
                ("max(kourse_judging_programs)", "programs"),
            ),
            graph(
                "Longest wait for the judge",
                "Of those that wait now.",
                Unit.SECONDS,
                ("max(kourse_judging_oldest_age_seconds)", "oldest"),
            ),
            graph(
                "Waiting or running",
                "Of the places that the runners have.",
                Unit.SHARE,
                ("sum(kourse_runner_submissions) / sum(kourse_runner_submissions_max)", "runner"),
            ),
            graph(
                "Running",
                "Programs that run now.",
                Unit.NUMBER,
                ("sum(kourse_runner_programs_running)", "runner"),
            ),
            graph(
                "Turned away",
                "As too many wait; assessment sends them again.",
                Unit.PER_SECOND,
                ("sum(rate(kourse_runner_refused_total[$__rate_interval]))", "runner"),
            ),
        ),
    },
    has_service=True,
)


LEARNING = Board(
    "kourse-learning",
    "kourse / Learning activity",
    "What learners and teachers do; counted, never whose it is.",
    {
        "Learners": (
            graph(
                "All that happens",
                "Events by type.",
                Unit.EVENTS,
                (rate("kourse_events_total", "type"), "{{type}}"),
            ),
            graph(
                "Studying",
                "Requests for courses and lessons.",
                Unit.PER_SECOND,
                (rate(_HTTP, "route", 'service="course",method="GET"'), "{{route}}"),
            ),
            graph(
                "Exercises and exams",
                "Requests to assessment.",
                Unit.PER_SECOND,
                (rate(_HTTP, "method, route", 'service="assessment"'), "{{method}} {{route}}"),
            ),
            graph(
                "Log-ins",
                "By answer.",
                Unit.PER_SECOND,
                (rate(_HTTP, "status", 'service="identity",route="/v1/auth/login"'), "{{status}}"),
            ),
            graph(
                "Mails",
                "By what became of them.",
                Unit.EVENTS,
                (rate("kourse_mail_deliveries_total", "kind, outcome"), "{{kind}} {{outcome}}"),
            ),
            quantiles(
                "Mails: time until sent",
                "From the notification to the relay.",
                "kourse_mail_age_seconds",
                "urgency",
            ),
        ),
        "Teachers": (
            graph(
                "Authoring",
                "Objects that are live.",
                Unit.NUMBER,
                (
                    LIVE,
                    "{{kind}}",
                ),
            ),
            graph(
                "Live feeds", "Open streams.", Unit.NUMBER, ("sum(kourse_feed_streams)", "streams")
            ),
        ),
    },
)
