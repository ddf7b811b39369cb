"""For every alert, series that make it fire and others like them that must not, minute by minute."""

MINUTES = 100
ZERO, ONE, GROWING = f"0+0x{MINUTES}", f"1+0x{MINUTES}", f"1+1x{MINUTES}"
HUNDRED = f"100+0x{MINUTES}"
DAY_S = 86400


def _histogram(name, bound, label, good, bad):
    """Observations a minute within the bound and beyond it."""
    every = f"0+{good + bad}x{MINUTES}"
    return {
        f'{name}_bucket{{{label}le="{bound}"}}': f"0+{good}x{MINUTES}",
        f'{name}_bucket{{{label}le="+Inf"}}': every,
        f"{name}_count{{{label.rstrip(',')}}}": every,
    }


def _requests(good, bad):
    return {
        'kourse_http_requests_total{service="gateway",status="200"}': f"0+{good}x{MINUTES}",
        'kourse_http_requests_total{service="gateway",status="503"}': f"0+{bad}x{MINUTES}",
    }


def _timed(name, bound, label=""):
    return lambda good, bad: _histogram(name, bound, label, good, bad)


OBJECTIVES = {
    "Availability": (_requests, (1000, 30), (1000, 4)),
    "Latency": (
        _timed("kourse_http_request_duration_seconds", "0.25", 'service="gateway",'),
        (80, 20),
        (96, 4),
    ),
    "Freshness": (_timed("kourse_inbox_lag_seconds", "5.0"), (80, 20), (96, 4)),
    "Mail": (_timed("kourse_mail_age_seconds", "60.0"), (80, 20), (96, 4)),
    "Provisioning": (_timed("kourse_operator_time_to_ready_seconds", "10.0"), (10, 90), (80, 20)),
}
"""Objective to its events: good and bad ones a minute that burn fast, and that burn slowly."""

_KEY = "kourse_signing_key_begun_timestamp_seconds"
_LAG = ("kourse_event_loop_lag_seconds", "0.5", 'service="course",')
_STEP = 'kourse_operator_backend_duration_seconds_count{{backend="rows",outcome="{}"}}'
_CONDITION = (
    'kourse_operator_resource_condition{{kind="Course",namespace="demo",type="Ready",status="{}"}}'
)
_POSTPONED = {'kourse_mail_postponed_total{outcome="unavailable"}': GROWING}
_STANDBY = {'leader_election_master_status{job="operator",instance="a"}': ZERO}


def _both(series, wrong, right):
    return {series: wrong}, {series: right}


SYMPTOMS = {
    "KourseServiceDown": _both('up{job="course"}', ZERO, ONE),
    "KourseServiceAbsent": _both('kourse_build_info{service="course"}', "1+0x50 _x50", ONE),
    "KourseBackEndDown": (
        {'kourse_component_up{service="course",component="database"}': ZERO},
        {'kourse_component_up{service="course",component="relay"}': ZERO},
    ),
    "KourseTaskCrashing": _both(
        'kourse_task_restarts_total{service="course",task="relay"}', GROWING, ONE
    ),
    "KourseCircuitOpen": _both('kourse_gateway_breaker_open{upstream="course"}', ONE, ZERO),
    "KourseEventLoopBlocked": (
        _histogram(*_LAG, 0, 100) | {f'{_LAG[0]}_bucket{{{_LAG[2]}le="1.0"}}': f"0+100x{MINUTES}"},
        _histogram(*_LAG, 100, 0),
    ),
    "KourseDatabasePoolExhausted": _both(
        'kourse_db_pool_timeouts_total{pool="course"}', GROWING, ONE
    ),
    "KourseLoginsRefused": _both("kourse_hash_pool_refused_total", GROWING, ONE),
    "KourseRunnerFull": (
        {"kourse_runner_submissions": f"81+0x{MINUTES}", "kourse_runner_submissions_max": HUNDRED},
        {"kourse_runner_submissions": f"80+0x{MINUTES}", "kourse_runner_submissions_max": HUNDRED},
    ),
    "KourseOutboxOld": _both(
        'kourse_outbox_oldest_age_seconds{service="course"}', "31+0x100", "30+0x100"
    ),
    "KourseDeadLetters": _both('kourse_inbox_dead_letters{consumer="course"}', ONE, ZERO),
    "KourseEventsParked": _both('kourse_inbox_parked{consumer="course"}', ONE, ZERO),
    "KourseEventMissing": _both(
        'kourse_inbox_gap_oldest_age_seconds{consumer="course"}', "301+0x100", "300+0x100"
    ),
    "KourseMailsStuck": (
        _POSTPONED,
        _POSTPONED | {'kourse_mail_deliveries_total{outcome="accepted"}': GROWING},
    ),
    "KourseExamLate": _both('kourse_operator_exams_late{namespace="demo"}', ONE, ZERO),
    "KourseOperatorBackEndDown": (
        {_STEP.format("error"): GROWING},
        {_STEP.format("error"): GROWING, _STEP.format("ok"): GROWING},
    ),
    "KourseOperatorWithoutLeader": (
        _STANDBY,
        _STANDBY | {'leader_election_master_status{job="operator",instance="b"}': ONE},
    ),
    "KourseOperatorBehind": _both(
        "kourse_operator_queue_oldest_age_seconds", "61+0x100", "60+0x100"
    ),
    "KourseResourceNotReady": ({_CONDITION.format("False"): ONE}, {_CONDITION.format("True"): ONE}),
    "KourseSigningKeyOld": _both(_KEY, f"{-90 * DAY_S}+0x100", f"{-88 * DAY_S}+0x100"),
    "KourseAuditTrailBroken": _both("kourse_audit_broken_trails", ONE, ZERO),
}
"""Alert to series that make it fire, and to series that must not."""


def _events(which):
    """The events of all objectives together."""
    return {
        key: text
        for made, *pairs in OBJECTIVES.values()
        for key, text in made(*(pairs[which] if which < len(pairs) else (1000, 0))).items()
    }


def _symptoms(which):
    return {key: text for pair in SYMPTOMS.values() for key, text in pair[which].items()}


FAST = tuple(f"Kourse{name}BurnFast" for name in OBJECTIVES)
SLOW = tuple(f"Kourse{name}BurnSlow" for name in OBJECTIVES)
WRONG = (((*SYMPTOMS, *FAST), _symptoms(0) | _events(0)), (SLOW, _events(1)))
RIGHT = (((*SYMPTOMS, *FAST), _symptoms(1) | _events(1)), (SLOW, _events(2)))
"""Alerts with a day on which all of them must fire, and one on which none of them must."""
