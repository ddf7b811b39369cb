"""Bodies and answers of handing in, extensions and groups."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import AwareDatetime, Field, HttpUrl, model_validator

from kourse.contracts.resources.meta import Name
from kourse.course.schemas import AssignmentView
from kourse.kit.http import Body, View
from kourse.kit.http.files import DraftFileView, KeptFileView

_FILE_ID = "0192f1c4-5b1a-7c3e-9d52-3f1f6a0c4e11"


class HandIn(Body):
    """What you hand in: files that have arrived, and for a project words or a link as well."""

    files: list[UUID] = Field(
        default_factory=list,
        max_length=20,
        description="Ids of files that were confirmed, in the order wanted.",
        examples=[[_FILE_ID]],
    )
    statement: str | None = Field(
        None,
        min_length=1,
        max_length=20000,
        pattern=r"^[^\x00]*$",
        description="Words for the graders, for projects.",
        examples=["The data are in trips.csv; two buses were missed."],
    )
    link: HttpUrl | None = Field(
        None,
        description="Address of work that lies elsewhere, for projects; its content is not kept.",
        examples=["https://example.org/study"],
    )


class ReceiptView(View):
    """Proof of one hand-in; it never changes."""

    submission_id: UUID
    course: str
    assignment: str
    number: int = Field(description="Which hand-in it is, from 1; the last one counts.")
    handed_in_at: datetime = Field(description="Time of the database (UTC).")
    due_at: datetime | None
    closes_at: datetime | None
    late: bool = Field(description="Whether it came after the due time and its grace.")
    late_by_seconds: int = Field(description="Seconds after the due time; 0 in time.")
    learner_id: UUID = Field(description="Who handed it in.")
    members: list[UUID] = Field(description="For whom it counts.")
    version: int = Field(description="Version of the course.")
    files: list[KeptFileView]
    statement: str | None = Field(examples=["The data are in trips.csv; two buses were missed."])
    link: str | None = Field(examples=["https://example.org/study"])
    document: str = Field(
        description="The receipt for people, as Markdown.", examples=["# Receipt 0192f1c4…"]
    )


class OwnWorkView(View):
    """One assignment with all that you or your group have of it."""

    assignment: AssignmentView
    group: list[UUID] = Field(
        description="Who hands in with you, you among them; you alone: empty."
    )
    files: list[DraftFileView] = Field(description="Files that wait to be handed in.")
    receipts: list[ReceiptView] = Field(description="Your hand-ins, oldest first.")


class SubmissionView(View):
    """What was handed in, for graders."""

    id: UUID
    assignment: str
    cohort: str | None
    learner_id: UUID = Field(description="Who began it.")
    members: list[UUID] = Field(description="For whom the last hand-in counts.")
    hand_ins: int
    handed_in_at: datetime = Field(description="Time of the last hand-in (UTC).")
    late: bool = Field(description="Whether the last hand-in was late.")


class SubmissionDetail(View):
    """Every hand-in of a submission."""

    id: UUID
    cohort: str | None
    receipts: list[ReceiptView] = Field(description="Oldest first; the last one counts.")


class ExtensionOrder(Body):
    """More time for one learner or one cohort."""

    learner: UUID | None = Field(None, description="The learner; or name a cohort.")
    cohort: Name | None = Field(None, description="The cohort; or name a learner.", examples=[None])
    due_at: AwareDatetime | None = Field(None, description="The new due time; left out: as it was.")
    closes_at: AwareDatetime | None = Field(
        None, description="The new close; left out: as it was, but not before the due time."
    )
    reason: str = Field(
        min_length=3,
        max_length=500,
        pattern=r"^[^\x00]*$",
        description="Why; it is kept in the audit trail.",
        examples=["Ill, with a note."],
    )

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.learner is None) == (self.cohort is None):
            raise ValueError("name either a learner or a cohort")
        if self.due_at is None and self.closes_at is None:
            raise ValueError("give dueAt, closesAt or both")
        if self.due_at and self.closes_at and self.closes_at < self.due_at:
            raise ValueError("closesAt must not be before dueAt")
        return self


class ExtensionView(View):
    """More time that was given."""

    id: UUID
    learner_id: UUID | None
    cohort: str | None
    due_at: datetime | None
    closes_at: datetime | None
    reason: str = Field(examples=["Ill, with a note."])
    actor_id: UUID = Field(description="Who gave it.")
    given_at: datetime


class LabelsOrder(Body):
    """What an enrolment carries from now on."""

    labels: list[Name] = Field(
        max_length=16, description="All of them, in no order.", examples=[["extra-time"]]
    )


class LabelsView(View):
    """What an enrolment carries."""

    learner_id: UUID
    cohort: str | None
    labels: list[str] = Field(examples=[["extra-time"]])


class GroupMembers(Body):
    """Who hands in as one."""

    members: list[UUID] = Field(min_length=1, max_length=10, description="Learners, by id.")


class GroupView(View):
    """A group that hands in as one."""

    name: str = Field(examples=["blue"])
    members: list[UUID]
