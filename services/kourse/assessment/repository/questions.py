"""Question versions as objects, each checked once: a version never changes once it is stored."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from kourse.contracts.resources.pool import Question

MOST = 4096
"""Versions kept, those used last; a few KiB each."""

_kept: OrderedDict[UUID, Question] = OrderedDict()


def question_of(version_id: UUID, body: Mapping[str, Any]) -> Question:
    """The question of a version that was read; the row was read under its tenant's policy before."""
    question = _kept.get(version_id)
    if question is None:
        question = _kept[version_id] = Question.model_validate(body)
        if len(_kept) > MOST:
            _kept.popitem(last=False)
    else:
        _kept.move_to_end(version_id)
    return question
