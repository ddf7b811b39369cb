"""Takes a roster in: every line that can be is done, and each is answered for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Forbidden, Invalid
from kourse.identity.domain import roster
from kourse.identity.domain.roster import Entry, Fault
from kourse.identity.errors import AlreadyMember
from kourse.identity.repository import audit
from kourse.identity.service.house import House
from kourse.identity.service.members import Admit, admit
from kourse.kit.auth import Actor


class Outcome(StrEnum):
    """What became of a line."""

    ADMITTED = "admitted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True)
class Line:
    """The answer for one line; ``message`` says why it was refused, else it is empty."""

    line: int
    email: str
    outcome: Outcome
    message: str = ""


async def import_roster(house: House, actor: Actor, text: str, *, dry_run: bool) -> list[Line]:
    """Everybody whom a good line names is a member; members stay as they are, so a repeat changes nothing.

    Args:
        house: Identity's stores and keys.
        actor: Who lets them in.
        text: The CSV.
        dry_run: Whether everything is tried and nothing kept.

    Raises:
        Invalid: It is no roster at all, or too long.
    """
    try:
        entries = roster.read(text)
    except ValueError as error:
        raise Invalid(str(error)) from error
    begin = house.database.rehearsal if dry_run else house.database.transaction
    async with begin(actor.tenant) as tx:
        lines = [await _answer(house, tx, actor, entry) for entry in entries]
        numbers = Counter(line.outcome.value for line in lines)
        await audit.record(tx, "membership.import", actor=actor.user_id, detail=numbers)
        return lines


async def _answer(house: House, tx: AsyncSession, actor: Actor, entry: Entry | Fault) -> Line:
    if isinstance(entry, Fault):
        return Line(entry.line, entry.email, Outcome.REFUSED, entry.message)
    command = Admit(entry.email, entry.display_name, entry.locale, entry.roles, None)
    try:
        await admit(house, tx, actor, command)
    except AlreadyMember:
        return Line(entry.line, entry.email, Outcome.UNCHANGED)
    except Forbidden as refusal:
        return Line(entry.line, entry.email, Outcome.REFUSED, refusal.detail)
    return Line(entry.line, entry.email, Outcome.ADMITTED)
