"""What an assignment takes: endings, sizes and numbers of files, and what is written on the receipt."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kourse.contracts.resources.course import AssignmentKind, AssignmentPolicy
from kourse.course.errors import CohortQuotaUsedUp, FileRefused, HandInRefused
from kourse.rules.files import MIB, File, objection


@dataclass(frozen=True)
class Written:
    """What is handed in besides files.

    Attributes:
        statement: Words for the graders, or None.
        link: Address of something that lies elsewhere, or None; nothing of it is kept.
    """

    statement: str | None = None
    link: str | None = None


def require_acceptable(policy: AssignmentPolicy, files: Sequence[File]) -> None:
    """Returns when the assignment takes these files together.

    Raises:
        FileRefused: One has a wrong ending, two have one name, or there are too many or too large ones.
    """
    problem = objection(
        files,
        extensions=policy.extensions,
        max_files=policy.max_files,
        max_size_mib=policy.max_size_mib,
    )
    if problem is not None:
        raise FileRefused(problem)


def require_room(cohort: str, quota_mib: int, used: int, size: int) -> None:
    """Returns when the cohort's files, ``used`` bytes so far, leave room for one of this size.

    Raises:
        CohortQuotaUsedUp: They do not.
    """
    free = max(0, quota_mib * MIB - used)
    if size > free:
        raise CohortQuotaUsedUp(
            f"Hand-ins of the cohort {cohort!r} may take {quota_mib} MiB; {free} bytes are left and the"
            f" file has {size}. Ask your teacher.",
            extensions={"free": free},
        )


def require_whole(kind: AssignmentKind, files: Collection[Any], written: Written) -> None:
    """Returns when something of the right kind is handed in.

    Raises:
        HandInRefused: An upload without a file or with something else, or a project without anything.
    """
    if kind is AssignmentKind.UPLOAD:
        if not files:
            raise HandInRefused("Hand in at least one file.")
        if written != Written():
            raise HandInRefused("This assignment takes files alone, no statement and no link.")
    elif not files and written == Written():
        raise HandInRefused("Hand in files, a statement or a link.")


@dataclass(frozen=True)
class Kept:
    """A file that was handed in: from now on exactly this version.

    Attributes:
        key: Object key.
        version_id: The store's id of the version, or None where the bucket keeps none.
        sha256: Digest that was computed here from what the store has, hexadecimal.
        size: Bytes.
    """

    id: UUID
    name: str
    size: int
    sha256: str
    key: str
    version_id: str | None


@dataclass(frozen=True)
class Receipt:
    """Proof of one hand-in; it never changes.

    Attributes:
        number: Which hand-in of the submission it is, from 1; the last one counts.
        learner_id: Who handed it in.
        members: For whom it counts.
        version: Version of the course whose assignment it answers.
        late: Whether it came after the due time and its grace.
    """

    submission_id: UUID
    course: str
    assignment: str
    number: int
    learner_id: UUID
    members: tuple[UUID, ...]
    files: tuple[Kept, ...]
    written: Written
    version: int
    handed_in_at: datetime
    due_at: datetime | None
    closes_at: datetime | None
    late: bool

    @property
    def late_by_s(self) -> int:
        """Whole seconds after the due time; 0 in time."""
        if self.due_at is None:
            return 0
        return max(0, int((self.handed_in_at - self.due_at).total_seconds()))

    def document(self) -> str:
        """The receipt for people, as Markdown."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"# Receipt {self.submission_id}, hand-in {self.number}"
        yield ""
        yield f"- Assignment: {self.assignment} of {self.course}, version {self.version}"
        yield f"- Handed in: {_shown(self.handed_in_at)} by {self.learner_id}"
        yield f"- Counts for: {', '.join(map(str, self.members))}"
        if self.due_at is not None:
            late = f"late by {self.late_by_s} s" if self.late else "in time"
            yield f"- Due: {_shown(self.due_at)}, {late}"
        for file in self.files:
            yield f"- File: {file.name}, {file.size} bytes, SHA-256 {file.sha256}"
        if self.written.link:
            yield f"- Link: {self.written.link}"
        if self.written.statement:
            yield f"- Statement: {len(self.written.statement)} characters"


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
