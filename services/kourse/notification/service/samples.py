"""A made-up notification of every kind, for those who look after templates; nothing of it is anybody's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kourse.notification.domain.kinds import RULES, Kind
from kourse.notification.service import rendering
from kourse.notification.service.rendering import Words

_MAIL = {"display_name": "Ana", "public_url": "https://kourse.example"}
_UNSUBSCRIBE = f"{_MAIL['public_url']}/v1/notifications/unsubscribe/demo/key"
_REDEEMED = {"secret": "012345", "minutes": 15}
_COURSE = {
    "course": "statistics",
    "course_title": "Statistics & Doubt",
    "time_zone": "Europe/Lisbon",
}
_COHORT = {"cohort": "autumn", "cohort_title": "Autumn <2027>"}
_REMINDER = _COURSE | {"title": "A survey of your own", "at": "2027-03-01T17:00:00+00:00"}
_RESULT = _COURSE | {
    "title": "The mean, and why it lies",
    "points": "7.50",
    "max_points": "10",
    "percent": 75.0,
    "passed": True,
    "run": 1,
}
_FACTS: Mapping[Kind, Mapping[str, Any]] = {
    Kind.VERIFICATION: _REDEEMED,
    Kind.INVITATION: _REDEEMED | {"minutes": 7 * 1440},
    Kind.RESET_LINK: _REDEEMED,
    Kind.FORMER_EMAIL: _REDEEMED,
    Kind.COHORT_JOINED: _COHORT,
    Kind.ANNOUNCEMENT: _COHORT,
    Kind.ENROLLED: _COURSE,
    Kind.COURSE_PUBLISHED: _COURSE | {"version": 2, "lessons": 16},
    Kind.ASSIGNMENT_CREATED: _COURSE
    | {"title": "A survey of your own", "points": 20, "due_at": "2027-03-01T17:00:00+00:00"},
    Kind.ASSIGNMENT_DUE_SOON: _REMINDER,
    Kind.ASSIGNMENT_OVERDUE: _REMINDER,
    Kind.EXAM_OPENING_SOON: _REMINDER,
    Kind.EXAM_CLOSING_SOON: _REMINDER,
    Kind.EXAM_EXTENDED: _REMINDER | {"title": "Midterm", "reopened": True},
    Kind.ACCOMMODATED: _COURSE
    | {
        "title": "Midterm",
        "longer_by": 25.0,
        "extra_attempts": 1,
        "opens_at": None,
        "due_at": None,
        "closes_at": "2027-03-01T17:00:00+00:00",
        "extra_hours": 48,
    },
    Kind.EXAM_SCHEDULED: _COURSE
    | {"title": "Midterm", "opens_at": "2027-07-01T08:00:00+00:00", "closes_at": None},
    Kind.LESSON_COMPLETED: _COURSE | {"title": "Frequency tables", "completed": 3, "total": 16},
    Kind.EXAM_GRADED: _RESULT,
    Kind.EXAM_REGRADED: _RESULT | {"run": 2},
    Kind.FEEDBACK_RECEIVED: _RESULT,
    Kind.ENCOURAGEMENT: _COURSE,
    Kind.WEEKLY_DIGEST: {
        "entries": {
            kind.value: 1 + place % 3
            for place, kind in enumerate(Kind)
            if RULES[kind].in_feed and RULES[kind].by_email and RULES[kind].is_optional
        }
    },
    Kind.WEBHOOK_DISABLED: {"host": "hooks.example.org", "reason": "failing"},
    Kind.BADGE_WON: _COURSE
    | {"badge": "half-way", "title": "Half way", "description": "Completed eight lessons."},
}


@dataclass(frozen=True)
class Preview:
    """What somebody would be told.

    Attributes:
        title: In the feed.
        line: In the feed.
        mail: By mail.
    """

    title: str
    line: str
    mail: Words


def facts(kind: Kind) -> dict[str, Any]:
    """What the templates of the kind know; exactly what a real one of it tells them."""
    way_out = _UNSUBSCRIBE if RULES[kind].is_optional else None
    return {**_FACTS.get(kind, {}), **_MAIL, "unsubscribe_url": way_out}


def preview(kind: Kind, locale: str) -> Preview:
    """The made-up notification of this kind in the language, or in the default one."""
    known = facts(kind)
    return Preview(*rendering.summary(kind, locale, known), rendering.mail(kind, locale, known))
