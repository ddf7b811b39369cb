"""Fields that many payloads share, each described once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field


def personal(description: str, example: str) -> Any:
    """A field that tells something about a person beyond an id; it is marked ``pii`` in the schema."""
    return Field(description=description, examples=[example], json_schema_extra={"pii": True})


UserId = Annotated[UUID, Field(description="Account of the person.")]
LearnerId = Annotated[UUID, Field(description="Account of the learner.")]
ActorId = Annotated[UUID, Field(description="Account of the person who did it.")]
DeliveryId = Annotated[
    UUID,
    Field(description="Redeemed for the code or link over gRPC, by the sender and just once."),
]
Locale = Annotated[str, Field(description="Language to write in, as BCP 47 tag.", examples=["en"])]

CohortId = Annotated[UUID, Field(description="Id of the cohort.")]
Cohort = Annotated[
    str, Field(description="Name of the cohort, unique in the tenant.", examples=["autumn"])
]
OfCohort = Annotated[
    str | None,
    Field(
        description="Name of the cohort that the learner studies with; null for one by themselves.",
        examples=["autumn"],
    ),
]
Courses = Annotated[
    list[str],
    Field(
        description="Names of the courses that the cohort studies.",
        examples=[["statistics"]],
    ),
]

CourseId = Annotated[UUID, Field(description="Id of the course.")]
Course = Annotated[
    str, Field(description="Name of the course, unique in the tenant.", examples=["statistics"])
]
EnrolmentId = Annotated[
    UUID, Field(description="Id of the enrolment: one learner in one run of one course.")
]
AssignmentId = Annotated[UUID, Field(description="Id of the assignment.")]
Assignment = Annotated[
    str,
    Field(
        description="Key of the assignment, stable within its course.", examples=["survey-report"]
    ),
]
SubmissionId = Annotated[UUID, Field(description="Id of what was handed in.")]

ExamId = Annotated[UUID, Field(description="Id of the exam.")]
Exam = Annotated[
    str, Field(description="Name of the exam, unique in the tenant.", examples=["midterm"])
]
AttemptId = Annotated[UUID, Field(description="Id of the attempt.")]
Run = Annotated[int, Field(ge=1, description="Number of the grading run; above 1 it is a regrade.")]

Title = Annotated[str, Field(description="Title, as authored.", examples=["Practical statistics"])]
Key = Annotated[
    str, Field(description="Key, stable from version to version.", examples=["sampling"])
]

OpensAt = Annotated[datetime | None, Field(description="When it opens (UTC); null: at once.")]
DueAt = Annotated[datetime | None, Field(description="When it is due (UTC); null: never.")]
ClosesAt = Annotated[datetime | None, Field(description="When it closes (UTC); null: never.")]
Points = Annotated[str, Field(description="Points reached, as exact decimal.", examples=["17.5"])]
MaxPoints = Annotated[
    str, Field(description="Points that could be reached, as exact decimal.", examples=["20"])
]
Percent = Annotated[
    float,
    Field(
        ge=0,
        description="Share of the points, 0 to 100 and above with extra credit.",
        examples=[87.5],
    ),
]
