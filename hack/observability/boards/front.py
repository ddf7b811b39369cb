"""What clients and people on call look at first."""

from __future__ import annotations

from hack.observability.dashboards import SERVICE, Board, Panel, Unit
from hack.observability.panels import graph, number, quantiles, rate, share
from hack.observability.slos import OBJECTIVES, PERIOD

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


OVERVIEW = Board(
    "kourse-overview",
    "kourse / Overview",
    "Do we keep our promises, and what is wrong right now?",
    {
        "Budget left of this month": tuple(_left(one.name, one.text) for one in OBJECTIVES),
        "Broken promises": (
            graph(
                "Share of bad events, 5 minutes",
                "Each objective's bad events; the budget is what the objective allows.",
                Unit.SHARE,
                ("kourse:slo_bad:ratio_rate5m", "{{slo}}"),
            ),
            graph(
                "Share of bad events, 1 hour",
                "The same over an hour, in which a short blip does not count for much.",
                Unit.SHARE,
                ("kourse:slo_bad:ratio_rate1h", "{{slo}}"),
            ),
            graph(
                "Events that count",
                "How many events each objective looks at.",
                Unit.EVENTS,
                ("kourse:slo_events:rate5m", "{{slo}}"),
            ),
        ),
        "Now": (
            number(
                "Services up",
                "Processes that Prometheus reaches.",
                Unit.NUMBER,
                'sum(up{job=~"identity|profile|course|assessment|notification|dashboard|gateway|runner|operator"})',
            ),
            number(
                "Alerts firing",
                "Of those in docs/runbooks.",
                Unit.NUMBER,
                'count(ALERTS{alertstate="firing"}) or vector(0)',
                worry=1,
            ),
            number(
                "Oldest unpublished event",
                "Events wait for the broker.",
                Unit.SECONDS,
                "max(kourse_outbox_oldest_age_seconds)",
                worry=30,
            ),
            number(
                "Set aside",
                "Events that wait for a person.",
                Unit.NUMBER,
                "sum(kourse_inbox_parked) + sum(kourse_inbox_dead_letters)",
                worry=1,
            ),
            number(
                "Exams late",
                "They open within a day and are not ready.",
                Unit.NUMBER,
                "sum(kourse_operator_exams_late)",
                worry=1,
            ),
            graph(
                "What runs",
                "Versions of each service.",
                Unit.NUMBER,
                ("count by (service, version) (kourse_build_info)", "{{service}} {{version}}"),
            ),
        ),
    },
)


GATEWAY = Board(
    "kourse-gateway",
    "kourse / Gateway",
    "What clients meet, and which service is behind it.",
    {
        "Requests": (
            graph(
                "Rate",
                "By status.",
                Unit.PER_SECOND,
                (rate(_HTTP, "status", _GATEWAY), "{{status}}"),
            ),
            graph(
                "Failures",
                "Share of requests that failed by our fault.",
                Unit.SHARE,
                (
                    share(
                        f"{rate(_HTTP, '', f'{_GATEWAY},{_FAILED}')} or vector(0)",
                        rate(_HTTP, "", _GATEWAY),
                    ),
                    "5xx",
                ),
            ),
            quantiles(
                "Time",
                "From the head of a request to the last byte of the answer.",
                _HTTP_S,
                "",
                _GATEWAY,
            ),
            graph(
                "Busiest routes",
                "The ten routes asked most.",
                Unit.PER_SECOND,
                (f"topk(10, {rate(_HTTP, 'route', _GATEWAY)})", "{{route}}"),
            ),
            graph(
                "In flight",
                "Requests being answered.",
                Unit.NUMBER,
                (f"sum(kourse_http_requests_in_flight{{{_GATEWAY}}})", "requests"),
            ),
            quantiles(
                "Event loop",
                "Time for which the loop was held up.",
                "kourse_event_loop_lag_seconds",
                "",
                _GATEWAY,
            ),
        ),
        "Services behind it": (
            graph(
                "Calls",
                "By service and outcome.",
                Unit.PER_SECOND,
                (
                    rate("kourse_gateway_upstream_calls_total", "upstream, outcome"),
                    "{{upstream}} {{outcome}}",
                ),
            ),
            quantiles(
                "Time to answer",
                "Until the service began to answer.",
                "kourse_gateway_upstream_duration_seconds",
                "upstream",
            ),
            graph(
                "Circuits open",
                "1 where calls are held back.",
                Unit.NUMBER,
                ("max by (upstream) (kourse_gateway_breaker_open)", "{{upstream}}"),
            ),
        ),
    },
)
