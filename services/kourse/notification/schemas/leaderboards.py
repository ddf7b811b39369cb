"""Leaderboards over HTTP; nobody on them is told by an id."""

from __future__ import annotations

from datetime import date
from typing import Self
from uuid import UUID

from kourse.kit.http import View
from kourse.notification.repository.boards import Board
from kourse.notification.service.comparing import Standings


class BoardView(View):
    """A leaderboard that the reader may look at."""

    cohort: str
    title: str
    shown: bool
    """Whether you stand on it, which you choose yourself."""

    @classmethod
    def of(cls, board: Board) -> Self:
        """As one of the cohort's members finds it."""
        return cls(cohort=board.cohort, title=board.title, shown=board.shown)


class BoardList(View):
    """The leaderboards of the reader's cohorts."""

    items: list[BoardView]


class PlaceView(View):
    """Where somebody stands."""

    rank: int
    """From 1; those with the same points share one: 1, 2, 2, 4."""
    name: str | None
    """Display name; null while it cannot be told."""
    points: int
    you: bool


class OwnPlace(View):
    """Where the reader stands."""

    points: int
    rank: int | None
    """null while you do not stand on the board."""


class StandingsView(View):
    """A cohort's leaderboard."""

    cohort: str
    title: str
    starts_on: date | None
    """First day on which points count; null while the cohort's declaration is on its way."""
    ends_on: date | None
    """Last day on which points count."""
    shown: bool
    """Whether you stand on it."""
    participants: int
    """How many stand on it."""
    you: OwnPlace
    places: list[PlaceView]
    """The best, best first."""

    @classmethod
    def of(cls, found: Standings, reader: UUID) -> Self:
        """As one of the cohort's members sees it."""
        board, run = found.board, found.board.run
        return cls(
            cohort=board.cohort,
            title=board.title,
            starts_on=run and run.starts_on,
            ends_on=run and run.ends_on,
            shown=board.shown,
            participants=found.shown,
            you=OwnPlace(points=found.own, rank=found.rank),
            places=[
                PlaceView(
                    rank=one.rank,
                    name=found.names.get(one.learner_id),
                    points=one.points,
                    you=one.learner_id == reader,
                )
                for one in found.places
            ],
        )
