"""Question pools: applied as declared, versioned by content, retired or deleted."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from kourse.assessment.domain import checks, exams
from kourse.assessment.errors import RETRY_AFTER_S, InvalidPool, UnknownCourse, UnknownSkill
from kourse.assessment.repository import content, replicas
from kourse.contracts import names
from kourse.contracts.resources import EXAM_CONFIG, QUESTION_POOL, DeletionPolicy, DriftPolicy
from kourse.contracts.resources.pool import Question, QuestionPoolSpec
from kourse.kit import documents
from kourse.kit.documents import Applied, Doc, Pending

KIND = QUESTION_POOL.kind
SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A question as it should stand."""

    id: UUID
    version_id: UUID
    digest: str
    position: int
    question: Question


async def apply_pool(tx: AsyncSession, doc: Doc[QuestionPoolSpec]) -> Applied:
    """The pool stands as declared; changed questions have a new version.

    Raises:
        InvalidPool: The pool contradicts itself, or moves to another course.
        UnknownCourse: Its course is not live yet.
        UnknownSkill: A question names a skill that its course does not have.
        KourseError: The name is not this owner's, as ``documents.claim`` says.
    """
    claim = await documents.claim(tx, KIND, doc)
    await _check(tx, doc.spec)
    before = await content.find_pool(tx, doc.name)
    if before is not None and before.course != doc.spec.course_ref:
        raise InvalidPool("courseRef cannot change; make a new pool instead.")
    digest = documents.digest_of(content_part(doc.spec))
    version = before.version if before else 0
    changed = before is None or before.digest != digest
    if before is None or changed or before.retired:
        version += changed
        await _save_pool(tx, doc, claim.id, version, digest)
    mended = await _save_questions(tx, claim.id, doc.spec.questions)
    if changed or mended:
        await _wake_exams(tx, doc)
    return Applied(
        name=doc.name,
        changed=claim.changed or changed or mended,
        id=claim.id,
        version=version,
        digest=digest,
        status={"questions": len(doc.spec.questions)},
    )


async def retire_pool(
    tx: AsyncSession, name: str, uid: str | None, policy: DeletionPolicy
) -> list[Pending]:
    """The pool is no longer declared; empty when done, else what still holds it.

    Retained questions stay for the exams that drew them. Deleting waits while a declared exam draws
    from the pool or any attempt has one of its questions.
    """
    users = await _exams_drawing(tx, name)
    if not await documents.release(tx, KIND, name, uid):
        return []
    await content.retire_pool(tx, name)
    if policy is DeletionPolicy.RETAIN:
        return []
    if users:
        return [Pending("PoolInUse", f"The exam {users[0]!r} draws from it; remove that first.")]
    try:
        async with tx.begin_nested():
            await content.delete_pool(tx, name)
    except IntegrityError:
        return [
            Pending(
                "AttemptsKept",
                "Attempts hold questions of this pool; delete their exams first, or retain it.",
            )
        ]
    await documents.release(tx, KIND, name, uid, forget=True)
    return []


def content_part(spec: QuestionPoolSpec) -> QuestionPoolSpec:
    """The declaration without its policy, which makes no version."""
    policy = {"deletion_policy": DeletionPolicy.RETAIN, "drift_policy": DriftPolicy.CORRECT}
    return spec.model_copy(update=policy)


async def _check(tx: AsyncSession, spec: QuestionPoolSpec) -> None:
    if problem := next(checks.pool_problems(spec), None):
        raise InvalidPool(f"{problem}.")
    if spec.course_ref is None:
        return
    course = await replicas.find_course(tx, spec.course_ref)
    if course is None:
        raise UnknownCourse(
            f"courseRef: the course {spec.course_ref!r} has no live version yet.",
            retry_after_s=RETRY_AFTER_S,
        )
    for question in spec.questions:
        for skill in question.skills:
            if skill not in course.skills:
                raise UnknownSkill(
                    f"questions/{question.key}/skills: the course {course.name!r} has no skill "
                    f"{skill!r} in its live version.",
                    retry_after_s=RETRY_AFTER_S,
                )


async def _save_pool(
    tx: AsyncSession, doc: Doc[QuestionPoolSpec], id_: UUID, version: int, digest: str
) -> None:
    await content.save_pool(
        tx,
        {
            "id": id_,
            "tenant": tx.info["tenant"],
            "name": doc.name,
            "title": doc.spec.title,
            "course": doc.spec.course_ref,
            "labels": list(doc.spec.labels),
            "version": version,
            "digest": digest,
        },
    )


async def _save_questions(tx: AsyncSession, pool_id: UUID, questions: Sequence[Question]) -> bool:
    """Writes what differs from the rows, so that a row lost or altered by hand is mended too."""
    wanted = [_wanted(pool_id, position, one) for position, one in enumerate(questions)]
    stored = {row.id: row for row in await content.list_question_rows(tx, pool_id)}
    differing = [
        one
        for one in wanted
        if (row := stored.get(one.id)) is None
        or (row.version_id, row.position, row.removed) != (one.version_id, one.position, False)
    ]
    gone = {id_ for id_, row in stored.items() if not row.removed} - {one.id for one in wanted}
    if differing:
        tenant = tx.info["tenant"]
        await content.save_questions(tx, [_question_row(tenant, pool_id, one) for one in differing])
        await content.add_question_versions(tx, [_version_row(tenant, one) for one in differing])
    if gone:
        await content.remove_questions(tx, gone)
    return bool(differing or gone)


def _wanted(pool_id: UUID, position: int, question: Question) -> _Wanted:
    id_ = names.part_id(pool_id, question.key)
    digest = documents.digest_of(question)
    return _Wanted(id_, names.part_id(id_, digest), digest, position, question)


def _question_row(tenant: str, pool_id: UUID, one: _Wanted) -> dict[str, Any]:
    return {
        "id": one.id,
        "tenant": tenant,
        "pool_id": pool_id,
        "key": one.question.key,
        "position": one.position,
        "version_id": one.version_id,
        "type": one.question.type.value,
        "difficulty": one.question.difficulty,
        "skills": list(one.question.skills),
        "salt": secrets.token_bytes(SALT_BYTES),
    }


def _version_row(tenant: str, one: _Wanted) -> dict[str, Any]:
    return {
        "id": one.version_id,
        "tenant": tenant,
        "question_id": one.id,
        "digest": one.digest,
        "body": one.question.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    }


async def _wake_exams(tx: AsyncSession, doc: Doc[QuestionPoolSpec]) -> None:
    """Exams that wait for questions, and those whose draws may have become impossible."""
    await documents.wake_waiting(tx)
    for name, exam in (await content.list_exam_contents(tx)).items():
        if exams.draws_from(exam, doc.name, doc.spec.labels):
            await documents.wake(tx, tx.info["tenant"], EXAM_CONFIG.kind, name)


async def _exams_drawing(tx: AsyncSession, name: str) -> list[str]:
    found = await content.find_pool(tx, name)
    labels = found.labels if found else frozenset[str]()
    declared = await content.list_exam_contents(tx)
    return sorted(
        exam for exam, made_of in declared.items() if exams.draws_from(made_of, name, labels)
    )
