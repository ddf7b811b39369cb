"""Tables of assessment: exams with attempts, what was handed in, what people decided, and every score."""

from __future__ import annotations

from kourse.assessment.tables.attempts import (
    SCHEMA,
    Exact,
    answer,
    answer_log,
    answer_revision,
    attempt,
    attempt_item,
    cohort_replica,
    course_replica,
    enrolment_replica,
    exam,
    exam_version,
    grading_item,
    grading_run,
    mastery,
    metadata,
    pool,
    question,
    question_version,
    score,
)
from kourse.assessment.tables.files import answer_file
from kourse.assessment.tables.gradables import (
    assignment_replica,
    gradable,
    gradable_member,
    gradable_run,
)
from kourse.assessment.tables.judgement import (
    accommodation,
    correction,
    decision,
    judging,
    regrade,
    review,
)
from kourse.kit.erasure import Keep, Remove, Rules

__all__ = [
    "ERASURE",
    "SCHEMA",
    "Exact",
    "accommodation",
    "answer",
    "answer_file",
    "answer_log",
    "answer_revision",
    "assignment_replica",
    "attempt",
    "attempt_item",
    "cohort_replica",
    "correction",
    "course_replica",
    "decision",
    "enrolment_replica",
    "exam",
    "exam_version",
    "gradable",
    "gradable_member",
    "gradable_run",
    "grading_item",
    "grading_run",
    "judging",
    "mastery",
    "metadata",
    "pool",
    "question",
    "question_version",
    "regrade",
    "review",
    "score",
]

_RECORD = Keep("grades must be kept, and what they rest on with them")
ERASURE: Rules = {
    "enrolment_replica": _RECORD,
    "attempt": _RECORD,
    "score": _RECORD,
    "answer_log": _RECORD,
    "mastery": _RECORD,
    "gradable_member": _RECORD,
    "gradable_run": _RECORD,
    "accommodation": _RECORD,
    "decision": _RECORD,
    "regrade": _RECORD,
    "review": _RECORD,
    "answer_file": Remove("learner_id"),
}
"""What becomes of a deleted person's rows; answers and gradings hang on the attempt.

Files go: what they hold is the person's, and the answer keeps their digests."""
