"""Creates many courses at once: for each what ``publishing.apply`` does, in one statement for each table.

Only for new courses that require no others; everything else goes through ``publishing.apply``, which
leaves the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.events import Event
from kourse.contracts.resources import CourseSpec
from kourse.course import tables as t
from kourse.course.domain import announcements, checks, parts
from kourse.course.domain.content import digest_of
from kourse.course.domain.lifecycle import Version, decide
from kourse.course.repository import content, versions
from kourse.course.service import publishing
from kourse.kit import documents, outbox
from kourse.kit.documents import Applied, Claim, Doc
from kourse.kit.rows import insert_all

_FIRST = 1
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class _New:
    """A course in hand, of which nothing is there yet.

    Attributes:
        doc: The document.
        claim: The right to its name.
        version: The first one.
        missing: Paths of its files, of which none can be stored before the course is known.
    """

    doc: Doc[CourseSpec]
    claim: Claim
    version: Version
    missing: list[str]

    @property
    def is_live(self) -> bool:
        """Whether learners get it at once."""
        return publishing.goes_live(self.version, None, self.missing)


async def create(tx: AsyncSession, docs: Sequence[Doc[CourseSpec]]) -> list[Applied]:
    """Creates those of the courses that can be created at once; the others are left as they are.

    Raises:
        KourseError: One of them is to be refused; what was written for the others must be undone.
    """
    simple = [doc for doc in docs if not doc.spec.prerequisites]
    there = await content.known_courses(tx, [doc.name for doc in simple])
    claims = await documents.claim_new(
        tx, publishing.KIND, [doc for doc in simple if doc.name not in there]
    )
    made = [_begun(doc, claims[doc.name]) for doc in simple if doc.name in claims]
    if not made:
        return []
    every = [_rows(one, content.tenant(tx)) for one in made]
    for table in every[0]:
        await insert_all(tx, table, [row for rows in every for row in rows[table]])
    live = [one for one in made if one.is_live]
    await content.set_live(tx, [one.claim.id for one in live], _FIRST)
    await outbox.emit_all(tx, [event for one in live for event in _events(one)])
    await documents.wake_waiting(tx)
    return [_applied(one) for one in made]


def _begun(doc: Doc[CourseSpec], claim: Claim) -> _New:
    checks.check(doc.name, doc.spec)
    decision = decide(
        digest_of(doc.spec), doc.spec.lifecycle, current=None, live=None, highest=_FIRST - 1
    )
    return _New(doc, claim, decision.version, sorted(publishing.digests(doc.spec)))


def _rows(one: _New, tenant: str) -> Mapping[Table, Rows]:
    """Everything that the course is made of, what other rows refer to first."""
    course_id, spec = one.claim.id, one.doc.spec
    owned = {"course_id": course_id, "tenant": tenant}
    course = {"id": course_id, "tenant": tenant, "name": one.doc.name}
    version = {"number": _FIRST, **publishing.version_row(spec, one.version)}
    files = {sha256: path for path, sha256 in reversed(publishing.digests(spec).items())}
    found: dict[Table, Rows] = {
        t.course: [course | publishing.course_row(spec, one.version)],
        t.course_version: [owned | version],
        t.gate: [owned | row for row in parts.gates(spec)],
        t.asset: [owned | {"path": path, "sha256": sha256} for sha256, path in files.items()],
    }
    for name, rows in parts.version_parts(course_id, spec).items():
        found[versions.PARTS[name]] = [owned | {"version": _FIRST} | row for row in rows]
    return found


def _events(one: _New) -> Iterator[Event]:
    course_id, name, spec = one.claim.id, one.doc.name, one.doc.spec
    yield announcements.published(course_id, name, spec, version=_FIRST, digest=one.version.digest)
    policy = publishing.course_row(spec, one.version)["policy"]
    yield from announcements.assignments(course_id, name, spec, policy).values()


def _applied(one: _New) -> Applied:
    live = _FIRST if one.is_live else None
    return publishing.applied(
        one.doc, one.claim, one.version, live=live, repaired=False, missing=one.missing
    )
