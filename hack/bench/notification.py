"""How soon somebody is told: exam notices into feeds and to the mail relay, alone and beside what reaches thousands.

Notification runs as in production, between real servers of its own; identity and the mail relay are one process
that answers at once. The load is an open loop: scores are released at a fixed rate whatever becomes of them, each to
another learner, from the commit of the producer's outbox row on.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles

from hack.bench.events_rooms import servers
from hack.bench.figures import Figure
from hack.bench.notification_rig import Notices, Rig

LEARNERS = 10_000
PER_SECOND = 100.0
WARM_UP_S, PHASE_S = 5.0, 10.0
FEED_MS, MAIL_MS, EVERYBODY_S = 300.0, 1000.0, 30.0
_IN_EVERY_FEED = """
SELECT count(*) >= %(count)s FROM notification.notification
WHERE source_event = %(event)s AND kind = 'course-published' AND in_feed
"""
_ALL_LOOKED_AT = """
SELECT EXISTS (SELECT FROM notification.inbox WHERE event_id = %(event)s)
  AND NOT EXISTS (SELECT FROM notification.enrolment WHERE look_at < clock_timestamp())
"""


def measure() -> list[Figure]:
    """Starts servers and processes, measures, and stops them."""
    with tempfile.TemporaryDirectory(prefix="kourse-bench-") as folder:
        _say("starting PostgreSQL, RabbitMQ and Redis")
        with servers(Path(folder) / "state") as started:
            rig = Rig(started.room("notices"), Path(folder), LEARNERS)
            _say(f"starting notification, with {LEARNERS} learners in a course")
            with rig.running():
                return _measure(rig)


def _measure(rig: Rig) -> list[Figure]:
    rig.exam_notices(PER_SECOND, WARM_UP_S)
    _say(f"exam notices alone, {PER_SECOND:g} a second")
    alone = _told(rig.exam_notices(PER_SECOND, PHASE_S))
    _say("and meanwhile a date changes for everybody")
    changed, rewritten_s = _beside(rig, lambda: _change_date(rig))
    _say("and meanwhile a version is published to everybody")
    published, everybody_s = _beside(rig, lambda: _publish(rig))
    return [
        _feed("graded exam to feed, p99", alone),
        _mail("graded exam to the mail relay, p99", alone),
        Figure(f"published to {LEARNERS} learners, in every feed", everybody_s, "s", EVERYBODY_S),
        _feed("meanwhile, graded exam to feed, p99", published, alone),
        _mail("meanwhile, graded exam to the mail relay, p99", published, alone),
        Figure(f"a date changed for {LEARNERS} learners", rewritten_s, "s", EVERYBODY_S),
        _feed("meanwhile, graded exam to feed, p99", changed, alone),
        _mail("meanwhile, graded exam to the mail relay, p99", changed, alone),
    ]


def _beside(rig: Rig, act: Callable[[], float]) -> tuple[Notices, float]:
    """Exam notices while something else happens, and the seconds that this took."""
    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        notices = pool.submit(rig.exam_notices, PER_SECOND, PHASE_S, begun=begun)
        begun.wait()
        took = act()
        _say(f"that took {took:.2f} s")
        return _told(notices.result()), took


def _publish(rig: Rig) -> float:
    return rig.until(_IN_EVERY_FEED, event=rig.publish(), count=LEARNERS)


def _change_date(rig: Rig) -> float:
    event = rig.change_date(datetime.now(UTC).replace(microsecond=0) + timedelta(days=30))
    return rig.until(_ALL_LOOKED_AT, event=event)


def _feed(name: str, notices: Notices, beside: Notices | None = None) -> Figure:
    delays = notices.feed_delays()
    return _p99(name, delays, FEED_MS, beside.feed_delays() if beside else None)


def _mail(name: str, notices: Notices, beside: Notices | None = None) -> Figure:
    delays = notices.mail_delays()
    return _p99(name, delays, MAIL_MS, beside.mail_delays() if beside else None)


def _p99(name: str, delays: list[float], target: float, alone: list[float] | None) -> Figure:
    shown = _percentiles(delays)
    detail = f"p50 {shown[49]:.0f} ms, p90 {shown[89]:.0f} ms, longest {max(delays) * 1e3:.0f} ms"
    if alone is not None:
        detail += f"; {shown[98] / _percentiles(alone)[98]:.1f} times that of exam notices alone"
    return Figure(name, shown[98], "ms", target, detail=detail)


def _percentiles(delays: list[float]) -> list[float]:
    return [1e3 * one for one in quantiles(delays, n=100)]


def _told(notices: Notices) -> Notices:
    feed, mail = _percentiles(notices.feed_delays()), _percentiles(notices.mail_delays())
    _say(
        f"p50 and p99: feed {feed[49]:.0f} and {feed[98]:.0f} ms, mail {mail[49]:.0f} and {mail[98]:.0f} ms"
    )
    return notices


def _say(text: str) -> None:
    print(f"  {text}", file=sys.stderr, flush=True)
