"""Exams: applied as declared, content versioned, policy not; retired or deleted."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain import checks
from kourse.assessment.domain.exams import (
    ExamContent,
    ExamPolicy,
    content_of,
    full_marks,
    policy_of,
    pools_named,
    question_count,
    require_drawable,
)
from kourse.assessment.domain.facts import AttemptState, Course, Exam
from kourse.assessment.domain.terms import default_window
from kourse.assessment.errors import (
    RETRY_AFTER_S,
    InvalidExam,
    TooFewQuestions,
    UnknownCategory,
    UnknownCourse,
    UnknownPool,
)
from kourse.assessment.repository import content, replicas
from kourse.contracts import names
from kourse.contracts.events import DeclaredDates, ExamScheduled, LabelDates
from kourse.contracts.resources import EXAM_CONFIG, DeletionPolicy
from kourse.contracts.resources.exam import ExamConfigSpec
from kourse.kit import documents, outbox
from kourse.kit.documents import Applied, Claim, Doc, Pending
from kourse.rules import drawing
from kourse.rules.dates import Dates, Frame, zone_of

KIND = EXAM_CONFIG.kind
OPEN_STATES = (AttemptState.IN_PROGRESS, AttemptState.SUBMITTED, AttemptState.UNDER_REVIEW)


async def apply_exam(tx: AsyncSession, doc: Doc[ExamConfigSpec]) -> Applied:
    """The exam stands as declared; changed content is a new version, changed policy is not.

    Running attempts keep their version; what the policy lengthens reaches them soon after.

    Raises:
        InvalidExam: The exam contradicts itself, or moves to another course.
        InvalidDates: A date does not exist, or a window ends before it begins.
        UnknownCourse, UnknownCategory, UnknownPool, TooFewQuestions: Something is not there yet.
        KourseError: The name is not this owner's, as ``documents.claim`` says.
    """
    claim = await documents.claim(tx, KIND, doc)
    made_of, policy = content_of(doc.spec), policy_of(doc.spec)
    course = await _course(tx, doc.spec)
    await _check(tx, doc.spec, made_of, course)
    before = await content.find_exam(tx, doc.name, lock=True)
    if before is not None and before.course != course.name:
        raise InvalidExam("courseRef cannot change; make a new exam instead.")
    after = _next(claim, doc, before, made_of, policy)
    changed = before is None or after != before
    if changed:
        await _save(tx, before, after, made_of)
    window = default_window(policy, course.time_zone)
    if _is_news(before, after, window, course):
        await outbox.emit(tx, _scheduled(after, made_of, course, window))
    return Applied(
        name=doc.name,
        changed=claim.changed or changed,
        id=claim.id,
        version=after.version,
        digest=after.digest,
        status=_status(made_of, window),
    )


async def retire_exam(
    tx: AsyncSession, name: str, uid: str | None, policy: DeletionPolicy
) -> list[Pending]:
    """The exam can be neither seen nor started; empty when done, else what still holds it.

    Attempts and scores are retained by default. Deleting takes them along, and waits until no
    attempt is open.
    """
    if not await documents.release(tx, KIND, name, uid):
        return []
    await content.retire_exam(tx, name)
    if policy is DeletionPolicy.RETAIN:
        return []
    await content.stop_starts(tx, name)
    open_attempts = await content.count_attempts(tx, [name], OPEN_STATES)
    if count := open_attempts.get(name, 0):
        return [Pending("AttemptsOpen", f"{count} attempts are open; no new one can be started.")]
    await documents.release(tx, KIND, name, uid, forget=True)
    await content.delete_exam(tx, name)
    return []


async def _course(tx: AsyncSession, spec: ExamConfigSpec) -> Course:
    course = await replicas.find_course(tx, spec.course_ref)
    if course is None:
        raise UnknownCourse(
            f"courseRef: the course {spec.course_ref!r} has no live version yet.",
            retry_after_s=RETRY_AFTER_S,
        )
    return course


async def _check(
    tx: AsyncSession, spec: ExamConfigSpec, made_of: ExamContent, course: Course
) -> None:
    frame = Frame(zone_of(course.time_zone))
    if problem := next(checks.exam_problems(spec, frame), None):
        raise InvalidExam(f"{problem}.")
    if spec.category is not None and spec.category not in {one.key for one in course.categories}:
        raise UnknownCategory(
            f"category: the course {course.name!r} has no grade category {spec.category!r} in its "
            "live version.",
            retry_after_s=RETRY_AFTER_S,
        )
    await _check_pools(tx, made_of, course)
    labels = {draw.pool_label for zone in made_of.zones for draw in zone.draws if draw.pool_label}
    available = await content.list_drawable(tx, course.name, pools_named(made_of), labels)
    try:
        require_drawable(made_of, available)
    except drawing.TooFewQuestions as short:
        raise TooFewQuestions(
            f"{short.draw}: the pools hold {short.missing} questions too few for this draw, not "
            "counting those that other draws need.",
            retry_after_s=RETRY_AFTER_S,
        ) from None


async def _check_pools(tx: AsyncSession, made_of: ExamContent, course: Course) -> None:
    known = {pool.name: pool for pool in await content.list_pools(tx, pools_named(made_of))}
    for name in pools_named(made_of):
        if name not in known:
            raise UnknownPool(
                f"zones: the question pool {name!r} is not there yet.", retry_after_s=RETRY_AFTER_S
            )
        if known[name].course not in {None, course.name}:
            raise InvalidExam(
                f"zones: the question pool {name!r} belongs to the course "
                f"{known[name].course!r}, not to {course.name!r}."
            )


def _next(
    claim: Claim,
    doc: Doc[ExamConfigSpec],
    before: Exam | None,
    made_of: ExamContent,
    policy: ExamPolicy,
) -> Exam:
    digest = documents.digest_of(made_of)
    if before is not None and before.digest == digest:
        version, version_id = before.version, before.version_id
    else:
        version = (before.version if before else 0) + 1
        version_id = names.part_id(claim.id, f"v{version}")
    return Exam(
        id=claim.id,
        name=doc.name,
        course=doc.spec.course_ref,
        title=made_of.title,
        purpose=made_of.purpose.value,
        version=version,
        version_id=version_id,
        digest=digest,
        policy=policy,
        retired=False,
    )


async def _save(tx: AsyncSession, before: Exam | None, after: Exam, made_of: ExamContent) -> None:
    values: dict[str, Any] = {
        "id": after.id,
        "tenant": tx.info["tenant"],
        "name": after.name,
        "course": after.course,
        "title": after.title,
        "purpose": after.purpose,
        "version": after.version,
        "version_id": after.version_id,
        "digest": after.digest,
        "policy": after.policy.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    }
    if before is not None and before.policy != after.policy:
        values["reach_pending"] = True
    await content.save_exam(tx, values)
    if before is None or before.version_id != after.version_id:
        await content.add_exam_version(
            tx,
            {
                "id": after.version_id,
                "tenant": tx.info["tenant"],
                "exam_id": after.id,
                "number": after.version,
                "digest": after.digest,
                "content": made_of.model_dump(mode="json", by_alias=True, exclude_defaults=True),
            },
        )


def _is_news(before: Exam | None, after: Exam, window: Dates, course: Course) -> bool:
    """Whether others should hear of it: a new exam, a new version or other dates."""
    if before is None or before.retired or before.version != after.version:
        return True
    if _declared(before.policy) != _declared(after.policy):
        return True
    return default_window(before.policy, course.time_zone) != window


def _declared(policy: ExamPolicy) -> tuple[DeclaredDates, list[LabelDates]]:
    """The dates as declared, from which siblings tell those of each learner."""
    labelled = [
        LabelDates(label=one.label, dates=DeclaredDates.of(one.dates))
        for one in policy.overrides
        if one.dates
    ]
    return DeclaredDates.of(policy.dates), labelled


def _scheduled(exam: Exam, made_of: ExamContent, course: Course, window: Dates) -> ExamScheduled:
    declared, labelled = _declared(exam.policy)
    return ExamScheduled(
        exam_id=exam.id,
        exam=exam.name,
        course_id=course.id,
        course=course.name,
        title=made_of.title,
        purpose=exam.purpose,
        version=exam.version,
        opens_at=window.opens_at,
        closes_at=window.closes_at,
        dates=declared,
        overrides=labelled,
    )


def _status(made_of: ExamContent, window: Dates) -> dict[str, Any]:
    status: dict[str, Any] = {
        "questions": question_count(made_of),
        "points": full_marks(made_of),
    }
    for name, moment in (("opensAt", window.opens_at), ("closesAt", window.closes_at)):
        # None takes away what a former window said.
        status[name] = None if moment is None else moment.isoformat().replace("+00:00", "Z")
    return status
