"""Checks of effects: what was acknowledged is there, and nothing is there twice.

Effects are computed again from the events in the producers' archives, by the platform's own rules, and
held against what the consumers wrote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any
from uuid import UUID

from hack.chaos.evidence import Database, Row
from hack.chaos.learner import Deeds
from hack.chaos.verdict import Verdict, judge
from kourse.notification.domain import points

_FACTS_TWICE = """
SELECT type, fact, count(*) AS times FROM (
  SELECT type, CASE type
    WHEN 'course.lesson.completed' THEN entity || '/' || (payload ->> 'lesson_id')
    WHEN 'profile.group.joined' THEN entity || '/' || (payload ->> 'learner_id')
    WHEN 'assessment.exam.graded' THEN entity || '/' || (payload ->> 'run')
    WHEN 'assessment.score.released' THEN entity || '/' || (payload ->> 'run')
    ELSE entity END AS fact
  FROM {service}.outbox WHERE type = ANY(%(types)s)) AS facts
GROUP BY type, fact HAVING count(*) > 1
"""
ONCE = {
    "identity": ("identity.user.registered", "identity.email.verified"),
    "profile": ("profile.group.joined",),
    "course": ("course.enrolment.created", "course.lesson.completed"),
    "assessment": (
        "assessment.attempt.submitted",
        "assessment.exam.graded",
        "assessment.score.released",
    ),
}
"""Events of which one learner's journey brings one for each deed."""
_COUNT = "SELECT count(*) AS n FROM {service}.outbox WHERE type = ANY(%(types)s)"
_ARCHIVE = """
SELECT event_id, tenant, type, entity, seq, payload FROM {service}.outbox
WHERE type = ANY(%(types)s) ORDER BY id
"""
_LEDGER = """
SELECT tenant, learner_id, reason, subject, points, source_event FROM notification.points_entry
"""
_TOLD = """
SELECT tenant, user_id, kind, source_event FROM notification.notification
WHERE kind = ANY(%(kinds)s)
"""
_TOLD_OUT_OF_ORDER = """
SELECT entity, seq FROM (
  SELECT o.entity, o.seq, n.created_at, lag(n.created_at) OVER (
    PARTITION BY o.tenant, o.entity ORDER BY o.seq) AS before
  FROM course.outbox AS o
  JOIN notification.notification AS n
    ON n.source_event = o.event_id AND n.kind = 'lesson-completed') AS told
WHERE before > created_at
"""
_GRADES = """
SELECT a.id, a.state, a.run, s.points, c.run AS course_run,
  (SELECT count(*) FROM assessment.grading_run AS g WHERE g.attempt_id = a.id) AS runs
FROM assessment.attempt AS a
LEFT JOIN assessment.score AS s ON s.attempt_id = a.id
LEFT JOIN course.score AS c ON c.attempt_id = a.id
WHERE a.submitted_at IS NOT NULL
"""
KINDS = {
    "identity.user.registered": ("welcome", "user_id"),
    "identity.verification.requested": ("verification", "user_id"),
    "profile.group.joined": ("cohort-joined", "learner_id"),
    "course.enrolment.created": ("enrolled", "learner_id"),
    "course.lesson.completed": ("lesson-completed", "learner_id"),
    "assessment.score.released": ("exam-graded", "learner_id"),
}
"""What somebody is told because of an event, and who."""


def check_effects(database: Database) -> Iterator[Verdict]:
    """The promises about facts, points, messages and grades."""
    yield _facts_once(database)
    yield _points(database)
    yield _messages(database)
    told = database.ask(_TOLD, {"kinds": ["lesson-completed"]})
    yield judge(
        "nobody is told of lessons in another order than they completed them",
        len(told),
        database.ask(_TOLD_OUT_OF_ORDER),
    )
    yield _grades(database)


def _facts_once(database: Database) -> Verdict:
    breaches: list[Row] = []
    looked_at = 0
    for service, types in ONCE.items():
        values = {"types": list(types)}
        breaches += database.ask(_FACTS_TWICE, values, service=service)
        looked_at += database.ask(_COUNT, values, service=service)[0]["n"]
    return judge("no fact happened twice, however often it was asked for", looked_at, breaches)


def _points(database: Database) -> Verdict:
    computed: Counter[tuple[Any, ...]] = Counter()
    for service, type_, earned_by in EARNING:
        for event in database.ask(_ARCHIVE, {"types": [type_]}, service=service):
            learner = UUID(event["payload"]["learner_id"])
            for one in earned_by(event["payload"]):
                line = (one.reason.value, one.subject, one.points, event["event_id"])
                computed[event["tenant"], learner, *line] += 1
    columns = ("tenant", "learner_id", "reason", "subject", "points", "source_event")
    ledger = Counter(tuple(row[name] for name in columns) for row in database.ask(_LEDGER))
    return judge(
        "the points ledger is what the events add up to",
        computed.total(),
        _differences(computed, ledger),
    )


def _by_lesson(payload: dict[str, Any]) -> list[points.Earned]:
    return points.earned_by_lesson(
        lesson_id=UUID(payload["lesson_id"]),
        course_id=UUID(payload["course_id"]),
        title=payload["title"],
        course=payload["course"],
        completed=payload["completed"],
        total=payload["total"],
    )


def _by_attempt(payload: dict[str, Any]) -> list[points.Earned]:
    return points.earned_by_attempt(
        exam_id=UUID(payload["exam_id"]),
        title=payload["title"],
        course=payload["course"],
        by_learner=payload["cause"] == "learner",
    )


def _by_score(payload: dict[str, Any]) -> list[points.Earned]:
    return points.earned_by_score(
        exam_id=UUID(payload["exam_id"]),
        title=payload["title"],
        course=payload["course"],
        passed=payload["passed"],
    )


EARNING = (
    ("course", "course.lesson.completed", _by_lesson),
    ("assessment", "assessment.attempt.submitted", _by_attempt),
    ("assessment", "assessment.score.released", _by_score),
)
"""Producer and type of the events that earn points, with the platform's own rule."""


def _messages(database: Database) -> Verdict:
    expected: Counter[tuple[Any, ...]] = Counter()
    for service in ONCE:
        values = {"types": list(KINDS)}
        for event in database.ask(_ARCHIVE, values, service=service):
            kind, whom = KINDS[event["type"]]
            who = UUID(event["payload"][whom])
            expected[event["tenant"], who, kind, event["event_id"]] += 1
    kinds = {"kinds": [kind for kind, _ in KINDS.values()]}
    found = Counter(
        (row["tenant"], row["user_id"], row["kind"], row["source_event"])
        for row in database.ask(_TOLD, kinds)
    )
    return judge(
        "everybody is told once of every event that concerns them",
        expected.total(),
        _differences(expected, found),
    )


def _differences(expected: Counter[Any], found: Counter[Any]) -> Iterator[str]:
    yield from (f"missing {key}" for key in (expected - found).elements())
    yield from (f"too much {key}" for key in (found - expected).elements())


def _grades(database: Database) -> Verdict:
    rows = database.ask(_GRADES)
    wrong = [
        row
        for row in rows
        if row["state"] != "GRADED"
        or row["points"] is None
        or not row["run"] == row["runs"] == row["course_run"] == 1
    ]
    return judge("every attempt is graded once, and its course knows that grade", len(rows), wrong)


_ACCOUNTS = """
SELECT a.email, a.id::text AS user_id, a.email_verified_at IS NOT NULL AS verified, m.status,
  p.user_id IS NOT NULL AS has_profile
FROM identity.account AS a
JOIN identity.membership AS m ON m.user_id = a.id
LEFT JOIN profile.profile AS p ON p.user_id = a.id
WHERE a.email = ANY(%(emails)s)
"""
_JOINED = """
SELECT m.user_id::text AS user_id, c.name FROM profile.membership AS m
JOIN profile.cohort AS c ON c.id = m.cohort_id WHERE m.user_id = ANY(%(users)s::uuid[])
"""
_COMPLETED = """
SELECT DISTINCT e.id::text AS enrolment, l.key FROM course.lesson_completion AS d
JOIN course.enrolment AS e ON e.id = d.enrolment_id
JOIN course.lesson AS l ON l.id = d.lesson_id AND l.course_id = e.course_id
WHERE e.learner_id = ANY(%(users)s::uuid[])
"""
_ATTEMPTS = """
SELECT a.id::text AS attempt, a.submitted_at IS NOT NULL AS submitted,
  s.points, s.max_points, w.slot, w.seq, w.body
FROM assessment.attempt AS a
LEFT JOIN assessment.score AS s ON s.attempt_id = a.id
LEFT JOIN assessment.answer AS w ON w.attempt_id = a.id
WHERE a.learner_id = ANY(%(users)s::uuid[])
"""


def check_deeds(database: Database, deeds: Sequence[Deeds]) -> Verdict:
    """Everything that was acknowledged to a learner is in the database as they left it.

    Args:
        database: After the storm.
        deeds: What was acknowledged, also to those whose journey failed.
    """
    users = [one.user_id for one in deeds if one.user_id]
    accounts = {
        row["email"]: row
        for row in database.ask(_ACCOUNTS, {"emails": [one.email for one in deeds]})
    }
    whose = {"users": users}
    joined = {(row["user_id"], row["name"]) for row in database.ask(_JOINED, whose)}
    completed = {(row["enrolment"], row["key"]) for row in database.ask(_COMPLETED, whose)}
    attempts: dict[str, list[Row]] = {}
    for row in database.ask(_ATTEMPTS, whose):
        attempts.setdefault(row["attempt"], []).append(row)
    missing: list[str] = []
    acknowledged = 0
    for one in deeds:
        found = _deeds_found(one, accounts, joined, completed, attempts)
        acknowledged += len(found)
        missing += [f"{one.email}: {what}" for what, is_there in found if not is_there]
    return judge("everything that was acknowledged is there", acknowledged, missing)


def _deeds_found(
    one: Deeds,
    accounts: dict[str, Row],
    joined: set[tuple[str, str]],
    completed: set[tuple[str, str]],
    attempts: dict[str, list[Row]],
) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    if one.user_id:
        account = accounts.get(one.email, {})
        same = account.get("user_id") == one.user_id and account["status"] == "active"
        found.append(("account", bool(same and account["verified"] and account["has_profile"])))
    if one.cohort:
        found.append((f"seat in {one.cohort}", (one.user_id, one.cohort) in joined))
    found += [(f"lesson {key}", (one.enrolment, key) in completed) for key in one.lessons]
    rows = attempts.get(one.attempt, [])
    saved = {row["slot"]: (row["seq"], row["body"]) for row in rows}
    found += [(f"answer {slot}", saved.get(slot, (0, None))[0] == 1) for slot in one.answers]
    if one.submitted:
        found.append(("submission", bool(rows) and rows[0]["submitted"]))
    if one.score is not None:
        kept = Fraction(rows[0]["points"]) if rows and rows[0]["points"] is not None else None
        found.append(("score", kept == Fraction(one.score[0])))
    return found
