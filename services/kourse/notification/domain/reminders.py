"""What a learner is reminded of, and when: due soon, overdue, opens soon, closes soon.

Nothing here is stored. From the dates that hold for a learner now follow the reminders that hold now, so a
changed date, an extension or a hand-in needs no repair: what is looked at again is simply right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from kourse.contracts.events import CohortDates, DeclaredDates, LabelDates
from kourse.contracts.names import part_id
from kourse.notification.domain.kinds import Kind
from kourse.rules import dates
from kourse.rules.dates import Dates, Frame, Layer, Run, Source

LEAD = timedelta(hours=24)
"""How long before a date its reminder goes out; when nobody could send it then, later, while it holds."""
OVERDUE_FOR = timedelta(days=7)
"""How long after its due date there is a point in saying that something is overdue."""


class TaskType(StrEnum):
    """What has dates."""

    ASSIGNMENT = "assignment"
    EXAM = "exam"


@dataclass(frozen=True)
class Task:
    """An assignment or exam of a course, with its dates as declared.

    Attributes:
        name: Key of the assignment or name of the exam, by which cohorts set dates.
        overrides: Dates for labels; of those that fit, later ones win.
    """

    id: UUID
    type: TaskType
    course_id: UUID
    course: str
    name: str
    title: str
    declared: DeclaredDates
    overrides: tuple[LabelDates, ...] = ()


@dataclass(frozen=True)
class CohortRun:
    """A cohort's run and its own dates."""

    starts_on: date
    zone: ZoneInfo
    dates: tuple[CohortDates, ...] = ()


@dataclass(frozen=True)
class Study:
    """A learner's run of a course, as far as dates depend on it.

    Attributes:
        began_at: When they enrolled.
        zone: Time zone of the course.
        cohort: The run of their cohort; None for those who study by themselves.
        labels: The enrolment's labels.
        extra: How much later all their assignments are due and closed.
        extensions: Due dates that are theirs alone, by task.
        handed_in: Tasks that they have handed in.
    """

    learner_id: UUID
    began_at: datetime
    zone: ZoneInfo
    cohort: CohortRun | None = None
    labels: tuple[str, ...] = ()
    extra: timedelta = timedelta(0)
    extensions: dict[UUID, datetime] = field(default_factory=dict)
    handed_in: frozenset[UUID] = frozenset()


@dataclass(frozen=True)
class Reminder:
    """Something that a learner is to be told at most once.

    Attributes:
        about: The date that it speaks of.
        begins_at: From when it is told.
        ends_at: When it has no point any more.
    """

    kind: Kind
    task: Task
    about: datetime
    begins_at: datetime
    ends_at: datetime

    @property
    def id(self) -> UUID:
        """The same for the same task and date, and another when the date moves."""
        return part_id(self.task.id, self.kind, self.about.isoformat())

    @property
    def params(self) -> dict[str, Any]:
        """What templates and clients need to know."""
        task = self.task
        return {
            "course_id": str(task.course_id),
            "course": task.course,
            task.type.value: task.name,
            "title": task.title,
            "at": self.about.isoformat(),
            "expires_at": self.ends_at.isoformat(),
        }

    def holds_at(self, now: datetime) -> bool:
        """Whether it is told at that time, if it was not before."""
        return self.begins_at <= now < self.ends_at


def reminders(study: Study, tasks: Iterable[Task]) -> list[Reminder]:
    """Everything that the learner is to be told of these tasks, whenever that is."""
    return [
        reminder
        for task in tasks
        if task.id not in study.handed_in
        for reminder in _of(task, dates_for(study, task), study.began_at)
    ]


def next_look(found: Iterable[Reminder], now: datetime) -> datetime | None:
    """When the next of the reminders begins; None when none does, unless something changes."""
    return min((one.begins_at for one in found if one.begins_at > now), default=None)


def dates_for(study: Study, task: Task) -> Dates:
    """The dates of a task that hold for the learner, as its owner enforces them.

    Who studies an assignment without a cohort has a run that begins on the day they enrolled; an exam's day
    offsets count from a cohort's run only.
    """
    frame = Frame(study.zone, _run(study, task))
    layers = [Layer(Source.DEFAULT, _instants(task.declared, frame))]
    layers += [
        Layer(Source.COHORT, Dates(own.opens_at, own.due_at, own.closes_at))
        for own in (study.cohort.dates if study.cohort else ())
        if own.course == task.course and getattr(own, task.type.value) == task.name
    ]
    layers += [
        Layer(Source.LABEL, _instants(one.dates, frame))
        for one in task.overrides
        if one.label in study.labels
    ]
    if study.extra and task.type is TaskType.ASSIGNMENT:
        layers.append(dates.prolonged(layers, study.extra))
    if task.id in study.extensions:
        layers.append(Layer(Source.PERSONAL, Dates(due_at=study.extensions[task.id])))
    return dates.effective(layers).dates


def _run(study: Study, task: Task) -> Run | None:
    if study.cohort is not None:
        return Run(study.cohort.starts_on, study.cohort.zone)
    if task.type is TaskType.EXAM:
        return None
    return Run(study.began_at.astimezone(study.zone).date(), study.zone)


def _instants(declared: DeclaredDates, frame: Frame) -> Dates:
    window = declared.window()
    return Dates(
        dates.instant(window.opens, frame),
        dates.instant(window.due, frame),
        dates.instant(window.closes, frame),
    )


def _of(task: Task, holds: Dates, began_at: datetime) -> Iterator[Reminder]:
    if task.type is TaskType.ASSIGNMENT:
        return _of_assignment(task, holds, began_at)
    return _of_exam(task, holds)


def _of_assignment(task: Task, holds: Dates, began_at: datetime) -> Iterator[Reminder]:
    due_at = holds.due_at or holds.closes_at
    if due_at is None:
        return
    begins_at = max(due_at - LEAD, holds.opens_at or due_at - LEAD)
    yield Reminder(Kind.ASSIGNMENT_DUE_SOON, task, due_at, begins_at, due_at)
    if due_at > began_at:
        yield Reminder(Kind.ASSIGNMENT_OVERDUE, task, due_at, due_at, due_at + OVERDUE_FOR)


def _of_exam(task: Task, holds: Dates) -> Iterator[Reminder]:
    """An exam that is open for no longer than the lead is spoken of before it opens, and not again."""
    opens_at, ends_at = holds.opens_at, holds.due_at or holds.closes_at
    if opens_at is not None:
        yield Reminder(Kind.EXAM_OPENING_SOON, task, opens_at, opens_at - LEAD, opens_at)
    if ends_at is not None and (opens_at is None or ends_at - opens_at > LEAD):
        yield Reminder(Kind.EXAM_CLOSING_SOON, task, ends_at, ends_at - LEAD, ends_at)
