"""What becomes of a person's rows when their account is deleted: removed, or kept under the bare id.

Once identity has forgotten the account, an id leads to nobody: rows that hold ids and results alone are
pseudonymous as they are. Rows that say something of the person go. Every service declares each of its
tables that names people; a contract test finds those that were forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import MetaData, String, Table, cast, delete
from sqlalchemy.ext.asyncio import AsyncSession

_NAMES_A_PERSON = re.compile(
    r"(?:user|learner|account|actor|leader|teacher|author|grader|person|member)_id|\w+_by|subject|actor"
)
NOT_PEOPLE = frozenset({("points_entry", "subject"), ("event_sequence", "subject")})
"""Columns with such a name that hold something else."""


@dataclass(frozen=True)
class Remove:
    """The person's rows go.

    Attributes:
        column: Where their id stands.
    """

    column: str


@dataclass(frozen=True)
class Keep:
    """The rows stay, with the id as a pseudonym.

    Attributes:
        why: What they are still needed for.
    """

    why: str


Rules = Mapping[str, Remove | Keep]
"""By the table's name."""
PLATFORM: Rules = {
    "idempotency_key": Remove("subject"),
    "audit_entry": Keep("who did what must stay provable, and entries hold ids alone"),
}
"""For the tables of the kit, in every service."""


async def erase(tx: AsyncSession, metadata: MetaData, rules: Rules, user_id: UUID) -> None:
    """The person's removable rows in the session's tenant are gone; a repeat changes nothing."""
    for name, rule in {**PLATFORM, **rules}.items():
        if isinstance(rule, Remove):
            table = metadata.tables[f"{metadata.schema}.{name}"]
            column = table.c[rule.column]
            await tx.execute(delete(table).where(cast(column, String) == str(user_id)))


def tables_about_people(metadata: MetaData) -> dict[str, list[str]]:
    """Tables with columns that name people, by the columns' names."""
    return {table.name: found for table in metadata.tables.values() if (found := _columns(table))}


def _columns(table: Table) -> list[str]:
    return [
        column.name
        for column in table.columns
        if _NAMES_A_PERSON.fullmatch(column.name) and (table.name, column.name) not in NOT_PEOPLE
    ]
