"""Grading what was handed in: by rubric, with what lateness takes, and seen by learners once released."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain.gradables import (
    Assignment,
    Decision,
    Gradable,
    Run,
    outcome_of,
)
from kourse.assessment.errors import (
    RETRY_AFTER_S,
    AssignmentUnknown,
    GradeMismatch,
    GradeStale,
    NotGraded,
    NotManual,
)
from kourse.assessment.repository import gradables
from kourse.contracts.errors import NotFound
from kourse.contracts.events import (
    AssignmentChanged,
    AssignmentCreated,
    AssignmentGraded,
    AssignmentSubmitted,
    Event,
    FeedbackReleased,
    PublishedLatePolicy,
)
from kourse.contracts.permissions import Permission
from kourse.contracts.resources.course import FeedbackRelease
from kourse.kit import outbox
from kourse.kit.audit.recording import record
from kourse.kit.auth import Actor
from kourse.kit.clock import database_now
from kourse.rules import points
from kourse.rules.rubric import MarkMismatch


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a grader has before them.

    Attributes:
        gradable: What was handed in.
        assignment: The assignment, with its rubric as it is now.
        members: Learners for whom it counts.
        run: The newest grading, or None before the first.
    """

    gradable: Gradable
    assignment: Assignment
    members: tuple[UUID, ...]
    run: Run | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a grader looked at when they decided; another decides in between, or nobody.

    Attributes:
        number: The hand-in.
        run: The newest grading; 0 when there was none.
    """

    number: int
    run: int


async def take_assignment(tx: AsyncSession, event: AssignmentCreated | AssignmentChanged) -> None:
    """The assignment is known here by what grading needs of it."""
    withdrawn = isinstance(event, AssignmentChanged) and event.withdrawn
    await gradables.save_assignment(
        tx,
        {
            "assignment_id": event.assignment_id,
            "course": event.course,
            "assignment": event.assignment,
            "title": event.title,
            "category": event.category,
            "points": event.points,
            "rubric": [entry.model_dump(mode="json") for entry in event.rubric],
            "late_policy": event.late_policy.model_dump(mode="json"),
            "release": event.release,
            "withdrawn": withdrawn,
        },
    )


async def take_hand_in(tx: AsyncSession, event: AssignmentSubmitted) -> None:
    """What was handed in waits for a grader; an earlier hand-in of the same counts no more."""
    enrolments = event.enrolments or [event.enrolment_id]
    await gradables.save_hand_in(
        tx,
        {
            "submission_id": event.submission_id,
            "course": event.course,
            "course_id": event.course_id,
            "assignment": event.assignment,
            "assignment_id": event.assignment_id,
            "cohort": event.cohort,
            "number": event.number,
            "submitted_at": event.submitted_at,
            "due_at": event.due_at,
        },
        list(zip(event.members, enrolments, strict=True)),
    )


async def list_of_assignment(
    tx: AsyncSession,
    course: str,
    assignment: str,
    *,
    cohorts: Collection[str] | None,
    waiting: bool | None,
    after: UUID | None,
    limit: int,
) -> list[Gradable]:
    """What was handed in for an assignment, by id; the arguments as the repository explains them.

    Raises:
        NotFound: There is no such assignment.
    """
    await _get_assignment(tx, course, assignment)
    return await gradables.list_of_assignment(
        tx, course, assignment, cohorts=cohorts, waiting=waiting, after=after, limit=limit
    )


async def read(tx: AsyncSession, actor: Actor, submission_id: UUID, *, lock: bool = False) -> Sheet:
    """What a grader sees of a hand-in.

    Raises:
        NotFound: There is none for this grader.
        AssignmentUnknown: The assignment is not known here yet.
    """
    found = await gradables.find(tx, submission_id, lock=lock)
    may = Permission.SUBMISSION_GRADE
    if found is None or not actor.holds(may, course=found.course, cohort=found.cohort):
        raise NotFound("There is no such hand-in for you.")
    assignment = await gradables.find_assignment(tx, found.assignment_id)
    if assignment is None:
        raise AssignmentUnknown(retry_after_s=RETRY_AFTER_S)
    members = await gradables.list_members(tx, submission_id)
    run = await gradables.find_run(tx, submission_id, found.run)
    return Sheet(found, assignment, tuple(members), run)


async def grade(
    tx: AsyncSession, actor: Actor, submission_id: UUID, seen: Seen, decision: Decision
) -> Sheet:
    """The decision counts for the last hand-in; the same decision again changes nothing.

    Points that were set by hand before count no more.

    Raises:
        NotFound: There is no such hand-in for this grader.
        GradeStale: Somebody handed in or graded since it was looked at.
        GradeMismatch: The decision does not fit the rubric.
    """
    sheet = await read(tx, actor, submission_id, lock=True)
    known, wanted = sheet.run, sheet.gradable
    same = known is not None and known.override is None and known.decision == decision
    if same and not wanted.is_waiting and wanted.number == seen.number:
        return sheet
    _require_fresh(wanted, seen)
    try:
        outcome = outcome_of(sheet.assignment, wanted, decision)
    except MarkMismatch as error:
        raise GradeMismatch(str(error)) from error
    run = Run(
        submission_id=submission_id,
        run=wanted.run + 1,
        number=wanted.number,
        grader_id=actor.user_id,
        decision=decision,
        rubric=[entry.model_dump(mode="json") for entry in sheet.assignment.rubric],
        late_policy=PublishedLatePolicy.of(sheet.assignment.late_policy).model_dump(mode="json"),
        outcome=outcome,
        override=None,
        reason=None,
        points=outcome.points,
        max_points=sheet.assignment.points,
        graded_at=await database_now(tx),
    )
    return await _stand_at(tx, sheet, run)


async def override(
    tx: AsyncSession, actor: Actor, submission_id: UUID, seen: Seen, given: Fraction, reason: str
) -> Sheet:
    """These points count instead of what rubric and lateness come to; it is audited.

    Raises:
        NotFound: There is no such hand-in for this grader.
        NotGraded: The last hand-in is not graded yet.
        GradeStale: Somebody handed in or graded since it was looked at.
        GradeMismatch: There are not so many points.
    """
    sheet = await read(tx, actor, submission_id, lock=True)
    known = sheet.run
    if known is None or sheet.gradable.is_waiting:
        raise NotGraded("Grade the last hand-in by its rubric first.")
    if (known.override, known.reason) == (given, reason):
        return sheet
    _require_fresh(sheet.gradable, seen)
    if not 0 <= given <= known.max_points:
        raise GradeMismatch(f"Points go from 0 to {known.max_points}.")
    await record(
        tx,
        "grade.override",
        actor=actor.user_id,
        target=submission_id,
        detail={
            "points": points.text(given),
            "instead": points.text(known.points),
            "reason": reason,
        },
    )
    run = replace(
        known,
        run=known.run + 1,
        grader_id=actor.user_id,
        override=given,
        reason=reason,
        points=given,
        graded_at=await database_now(tx),
    )
    return await _stand_at(tx, sheet, run)


def _require_fresh(found: Gradable, seen: Seen) -> None:
    if (found.number, found.run) != (seen.number, seen.run):
        raise GradeStale(
            "Somebody handed in or graded meanwhile; look again.",
            extensions={"number": found.number, "run": found.run},
        )


async def _stand_at(tx: AsyncSession, sheet: Sheet, run: Run) -> Sheet:
    await gradables.add_run(tx, run)
    now = replace(sheet.gradable, run=run.run, graded_number=run.number)
    sheet = Sheet(now, sheet.assignment, sheet.members, run)
    if sheet.assignment.release is FeedbackRelease.MANUAL:
        return sheet
    return await _release(tx, sheet)


async def _release(tx: AsyncSession, sheet: Sheet) -> Sheet:
    """Learners see the newest run from now on, and others hear of it: never before."""
    found, run = sheet.gradable, sheet.run
    if run is None:
        raise LookupError(f"a grading that is not there: {found.submission_id}")
    await gradables.set_released(tx, found.submission_id, run.run)
    await outbox.emit_all(
        tx, [event for learner_id in sheet.members for event in _news(sheet, run, learner_id)]
    )
    return Sheet(replace(found, released_run=run.run), sheet.assignment, sheet.members, run)


def _news(sheet: Sheet, run: Run, learner_id: UUID) -> Iterator[Event]:
    found = sheet.gradable
    common: dict[str, Any] = {
        "submission_id": found.submission_id,
        "assignment_id": found.assignment_id,
        "assignment": found.assignment,
        "course_id": found.course_id,
        "course": found.course,
        "learner_id": learner_id,
        "run": run.run,
    }
    yield AssignmentGraded(**common, cohort=found.cohort)
    yield FeedbackReleased(
        **common,
        title=sheet.assignment.title,
        points=points.text(run.points),
        max_points=str(run.max_points),
        percent=float(points.percent(run.points, Fraction(run.max_points))),
    )


async def release(
    tx: AsyncSession, actor: Actor, course: str, assignment: str, cohorts: Collection[str] | None
) -> int:
    """Learners of these cohorts, or all, see what was graded; how many hand-ins that were.

    Raises:
        NotFound: There is no such assignment.
        NotManual: The assignment shows gradings by itself.
    """
    known = await _get_assignment(tx, course, assignment)
    if known.release is not FeedbackRelease.MANUAL:
        raise NotManual("The assignment shows learners what is graded by itself.")
    withheld = await gradables.take_withheld(tx, course, assignment, cohorts)
    for one in withheld:
        await _release(tx, await read(tx, actor, one.submission_id))
    return len(withheld)


async def _get_assignment(tx: AsyncSession, course: str, key: str) -> Assignment:
    found = await gradables.find_assignment_named(tx, course, key)
    if found is None:
        raise NotFound(f"There is no assignment {key!r} of the course {course!r} for you.")
    return found


async def feedback(
    tx: AsyncSession, learner_id: UUID, submission_id: UUID
) -> tuple[Gradable, Run | None]:
    """A learner's hand-in with the grading that they may see, or None.

    Raises:
        NotFound: There is none that counts for them.
    """
    found = await gradables.find(tx, submission_id)
    if found is None or learner_id not in await gradables.list_members(tx, submission_id):
        raise NotFound("There is no such submission of yours.")
    return found, await gradables.find_run(tx, submission_id, found.released_run)
