"""How an exam is made of its declaration: content that is frozen, policy that is not, and drawing.

Content makes versions, and a running attempt keeps its own. Policy (dates, limits, release, the grade
category) makes none: what it lengthens reaches running attempts, what it shortens never does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from pydantic import Field

from kourse.contracts.resources.exam import (
    Attempts,
    Draw,
    ExamConfigSpec,
    LabelOverride,
    Purpose,
    ReleasePolicy,
    Shuffle,
    Zone,
)
from kourse.contracts.resources.meta import Document, Window
from kourse.rules import drawing
from kourse.rules.drawing import Candidate, DrawRule

FEASIBILITY_SEED = b"feasible"
"""Any seed tells whether a drawing exists."""


class ExamContent(Document):
    """What an attempt is made of; immutable once it is a version."""

    title: str
    instructions: str | None = None
    purpose: Purpose
    pass_mark: int
    zones: list[Zone]
    shuffle: Shuffle


class ExamPolicy(Document):
    """When and how often the exam may be taken, what is shown afterwards, and where it counts."""

    category: str | None = None
    dates: Window = Field(default_factory=Window)
    time_limit_minutes: int | None = None
    attempts: Attempts = Field(default_factory=Attempts)
    overrides: list[LabelOverride] = Field(default_factory=list)
    release: ReleasePolicy = Field(default_factory=ReleasePolicy)


@dataclass(frozen=True, slots=True)
class Drawable:
    """A question in a pool, as far as drawing looks at it.

    Attributes:
        place: Where it is declared: its pool's name and its position there.
    """

    id: UUID
    version_id: UUID
    pool: str
    place: tuple[str, int]
    labels: frozenset[str]
    skills: tuple[str, ...]
    difficulty: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in an attempt and the question that fills it; slots count from 1."""

    number: int
    zone: str
    question_id: UUID
    version_id: UUID
    points: int


@dataclass(frozen=True, slots=True)
class Earned:
    """A graded slot: its zone, its points, and the exact share of them that was earned."""

    zone: str
    points: int
    share: Fraction


def content_of(spec: ExamConfigSpec) -> ExamContent:
    """The part of a declaration that makes versions."""
    return ExamContent.model_construct(
        **{name: getattr(spec, name) for name in ExamContent.model_fields}
    )


def policy_of(spec: ExamConfigSpec) -> ExamPolicy:
    """The part of a declaration that makes none."""
    return ExamPolicy.model_construct(
        **{name: getattr(spec, name) for name in ExamPolicy.model_fields}
    )


def question_count(content: ExamContent) -> int:
    """How many questions an attempt has."""
    return sum(draw.count for zone in content.zones for draw in zone.draws)


def full_marks(content: ExamContent) -> int:
    """The most points that an attempt can earn, caps of the zones applied."""
    everything = (
        Earned(zone.key, draw.count * draw.points, Fraction(1))
        for zone in content.zones
        for draw in zone.draws
    )
    return int(points_earned(content, everything))


def points_earned(content: ExamContent, items: Iterable[Earned]) -> Fraction:
    """The exact points of an attempt, caps of the zones applied."""
    by_zone = dict.fromkeys((zone.key for zone in content.zones), Fraction(0))
    for item in items:
        by_zone[item.zone] += item.share * item.points
    caps = {zone.key: zone.max_points for zone in content.zones}
    return sum((_capped(points, caps[key]) for key, points in by_zone.items()), Fraction(0))


def _capped(points: Fraction, cap: int | None) -> Fraction:
    return points if cap is None else min(points, Fraction(cap))


def draws_from(content: ExamContent, pool: str, labels: Iterable[str]) -> bool:
    """Whether any draw of the exam takes from a pool with this name and these labels."""
    carried = set(labels)
    return any(
        pool in draw.pools or draw.pool_label in carried
        for zone in content.zones
        for draw in zone.draws
    )


def pools_named(content: ExamContent) -> list[str]:
    """Names of the pools that draws ask for, each once, sorted."""
    return sorted({pool for zone in content.zones for draw in zone.draws for pool in draw.pools})


def draw_rules(content: ExamContent, available: Sequence[Drawable]) -> list[DrawRule]:
    """The exam's draws with their candidates, in order, keyed by where they stand in the spec.

    A draw spreads over the pools it names and over skills, so that no attempt is all of one kind.
    """
    return [
        DrawRule(
            f"zones/{zone.key}/draws/{index}",
            draw.count,
            tuple(
                Candidate(str(one.id), f"{one.pool}/{_skill(draw, one)}")
                for one in available
                if _fits(draw, one)
            ),
        )
        for zone in content.zones
        for index, draw in enumerate(zone.draws)
    ]


def require_drawable(content: ExamContent, available: Sequence[Drawable]) -> None:
    """Returns when an attempt can be drawn.

    Raises:
        TooFewQuestions: A draw cannot be filled with distinct questions.
    """
    drawing.draw(FEASIBILITY_SEED, draw_rules(content, available))


def composed(content: ExamContent, available: Sequence[Drawable], seed: bytes) -> list[Slot]:
    """The slots of an attempt: drawn, and put in order inside each zone as the exam says.

    Raises:
        TooFewQuestions: A draw cannot be filled with distinct questions.
    """
    by_id = {str(one.id): one for one in available}
    drawn = iter(drawing.draw(seed, draw_rules(content, available)))
    slots: list[Slot] = []
    for zone in content.zones:
        picked = [
            (by_id[id_], draw.points)
            for draw in zone.draws
            for id_ in sorted(next(drawn), key=lambda id_: by_id[id_].place)
        ]
        if content.shuffle in {Shuffle.QUESTIONS, Shuffle.ALL}:
            picked = drawing.shuffled(seed, f"zone/{zone.key}", picked, lambda one: str(one[0].id))
        slots.extend(
            Slot(number, zone.key, one.id, one.version_id, points)
            for number, (one, points) in enumerate(picked, start=len(slots) + 1)
        )
    return slots


def _fits(draw: Draw, one: Drawable) -> bool:
    named = one.pool in draw.pools if draw.pools else draw.pool_label in one.labels
    return (
        named
        and draw.min_difficulty <= one.difficulty <= draw.max_difficulty
        and (not draw.skills or not set(draw.skills).isdisjoint(one.skills))
    )


def _skill(draw: Draw, one: Drawable) -> str:
    wanted = [skill for skill in one.skills if not draw.skills or skill in draw.skills]
    return wanted[0] if wanted else ""
