"""Why a course cannot be declared, entered or studied."""

from __future__ import annotations

from kourse.contracts.errors import Conflict, DependencyNotReady, Forbidden, Rejected


class UnknownReference(Rejected):
    """A course names a skill, lesson, chapter or asset that it does not have."""

    code = "unknown-reference"
    title = "Something is named that is not declared."


class DuplicateKey(Rejected):
    """Two entries share a key that must be unique."""

    code = "duplicate-key"
    title = "A key is used twice."


class PrerequisiteCycle(Rejected):
    """Courses of the tenant require each other in a circle."""

    code = "prerequisite-cycle"
    title = "Courses require each other in a circle."


class PrerequisiteUnknown(DependencyNotReady):
    """A course that must be completed first is not known yet."""

    code = "prerequisite-unknown"
    title = "A course that must be completed first is not there yet."


class IllegalLifecycleMove(Conflict):
    """A version cannot move to this lifecycle from where it stands."""

    code = "illegal-lifecycle-move"
    title = "The version's lifecycle cannot move there."


class EnrolmentClosed(Conflict):
    """Learners do not enrol in this course by themselves."""

    code = "enrolment-closed"
    title = "This course cannot be entered directly."


class PrerequisiteNotMet(Conflict):
    """Another course must be completed first; ``missing`` names it."""

    code = "prerequisite-not-met"
    title = "Another course must be completed first."


class NotEnrolled(Forbidden):
    """Only those who are enrolled study a course."""

    code = "not-enrolled"
    title = "You are not enrolled in this course."


class EnrolmentSuspended(Forbidden):
    """The learner left, or was taken out for now."""

    code = "enrolment-suspended"
    title = "Your enrolment is suspended."


class CourseReadOnly(Conflict):
    """The course is archived: it can be read, not worked on."""

    code = "course-read-only"
    title = "This course is archived and can only be read."


class ChapterLocked(Conflict):
    """A gate is closed; ``missing`` says in words what opens it."""

    code = "chapter-locked"
    title = "This chapter is not open to you yet."


class LessonLocked(Conflict):
    """A lesson is for those whose mastery is lower or higher; ``missing`` says what opens it."""

    code = "lesson-locked"
    title = "This lesson is not open to you now."


class AssetRefused(Rejected):
    """An asset is not declared by the course, or too large."""

    code = "asset-refused"
    title = "This file is not one that the course asks for."


class AssetMismatch(Conflict):
    """What was stored is not the file that the course declares."""

    code = "asset-mismatch"
    title = "A stored file is not the one that was declared."


class AssignmentClosed(Conflict):
    """The assignment is closed for the learner; nothing is taken any more."""

    code = "assignment-closed"
    title = "This assignment is closed."


class HandInsUsedUp(Conflict):
    """The assignment takes no more hand-ins of the learner."""

    code = "hand-ins-used-up"
    title = "There is no further hand-in for this assignment."


class FileRefused(Rejected):
    """The assignment takes no such file: its ending, its size or the number of files."""

    code = "file-refused"
    title = "The assignment takes no such file."


class CohortQuotaUsedUp(Conflict):
    """The files of the cohort fill the room that its quota gives them; ``free`` says what is left, in bytes."""

    code = "cohort-quota-used-up"
    title = "The cohort has no room for this file."


class HandInRefused(Rejected):
    """What is handed in is not what the assignment asks for."""

    code = "hand-in-refused"
    title = "This is not what the assignment asks for."


class GroupFixed(Conflict):
    """Somebody concerned has handed in, so the group stays as it is."""

    code = "group-fixed"
    title = "The group has handed in and stays as it is."


class ExtensionShortens(Rejected):
    """An extension would take time away."""

    code = "extension-shortens"
    title = "An extension cannot take time away."
