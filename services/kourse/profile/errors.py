"""Why a cohort cannot be declared or joined, and why a profile is not there."""

from __future__ import annotations

from kourse.contracts.errors import Conflict, DependencyNotReady, NotFound, Rejected


class ProfileNotReady(DependencyNotReady):
    """The account is so new that its profile is still on its way."""

    code = "profile-not-ready"
    title = "Your profile is being made."


class ProfileChanged(Conflict):
    """Somebody else changed the profile since it was read."""

    code = "profile-changed"
    status = 412
    title = "The profile changed since you read it."


class PlanChanged(Conflict):
    """The plan was changed since it was read, on another device perhaps."""

    code = "plan-changed"
    status = 412
    title = "The plan changed since you read it."


class CourseUnknown(DependencyNotReady):
    """A course of the cohort is not published yet."""

    code = "course-unknown"
    title = "A course of this cohort is not published yet."


class InvalidRecurrence(Rejected):
    """A recurrence rule cannot be used."""

    code = "invalid-recurrence"
    title = "A recurrence rule cannot be used as it is."


class CodeUnknown(NotFound):
    """No cohort lets learners in with this code, or no longer."""

    code = "code-unknown"
    title = "This code opens no cohort."


class CohortFull(Conflict):
    """Every seat is taken."""

    code = "cohort-full"
    title = "Every seat of this cohort is taken."


class RunOver(Conflict):
    """The cohort's run has ended."""

    code = "run-over"
    title = "The run of this cohort is over."


class CohortClosed(Conflict):
    """The cohort takes nobody by code."""

    code = "cohort-closed"
    title = "This cohort has no join code."
