"""Grades a stored run again, from nothing but what is stored of it."""

from kourse.assessment.domain.marking import Basis, KeyUse, marking, rubric_share
from kourse.assessment.repository import attempts, content, decisions, judging, scores
from kourse.assessment.service import grading
from kourse.assessment.service.attempts import sitting_of


async def replayed(tx, attempt_id, run):
    """What a run of an attempt comes to by its stored answers, versions of questions and decisions."""
    sitting = await sitting_of(tx, await attempts.find_attempt(tx, attempt_id))
    stored = await scores.list_marks(tx, attempt_id, run)
    bodies = await content.list_bodies(tx, {mark.version_id for mark in stored.values()})
    decided = {
        (one.slot, one.number): one for one in await decisions.list_decisions(tx, attempt_id)
    }
    said = await judging.list_judged(tx, attempt_id)
    marks = {}
    for item in sitting.items:
        mark = stored[item.slot]
        decision = decided.get((item.slot, mark.decision))
        voided, body = mark.basis is Basis.VOIDED, bodies[mark.version_id]
        judged = said.get((item.slot, mark.version_id, item.seq))
        key = KeyUse(mark.version_id, body, voided, judged)
        if decision is not None and decision.kind is Basis.RUBRIC:
            used = (await content.list_bodies(tx, [decision.version_id]))[decision.version_id]
            assert rubric_share(used, decision.marks) == decision.share
        marks[item.slot] = marking(item, key, decision)
    return grading.graded(sitting, marks)
