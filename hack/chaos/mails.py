"""Checks of e-mails, counted by Message-ID at the mail sink."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from hack.chaos.evidence import Database
from hack.chaos.postbox import Mail
from hack.chaos.striking import Struck
from hack.chaos.verdict import Verdict, judge

_DELIVERIES = """
SELECT d.id::text AS id, d.state, d.outcome, d.attempts, n.kind
FROM notification.delivery AS d
JOIN notification.notification AS n ON n.id = d.notification_id
WHERE n.user_id = ANY(%(users)s::uuid[])
"""
_UNSETTLED = """
SELECT count(*) AS n FROM notification.delivery
WHERE state = 'pending' AND outcome IS DISTINCT FROM 'unverified'
"""
_HURRY = """
UPDATE notification.delivery SET due_at = clock_timestamp()
WHERE state = 'pending' AND claim IS NULL RETURNING id
"""
FITTING_DROPS = frozenset({"needed-no-more"})
"""Why a mail may be left out: a code for an address that was verified meanwhile."""
BETWEEN = frozenset({"notification", "postgres", "mail", "smtp"})
"""Faults between the relay's taking a mail and the database's knowing of it."""
BEFORE_S, AFTER_S = 1.0, 2.0
"""How long before a fault a mail may have been taken that it repeats, and how long its effects last."""


def unsettled(database: Database) -> int:
    """Mails that have not left, but for those whose address nobody has verified."""
    return int(database.ask(_UNSETTLED)[0]["n"])


def hurry(database: Database) -> int:
    """Ends the pauses of mails that were postponed, which may last 15 minutes; how many they were."""
    return len(database.ask(_HURRY))


def check_mails(
    database: Database, mails: Sequence[Mail], users: Sequence[str], struck: Sequence[Struck]
) -> Iterator[Verdict]:
    """The promises about e-mails of these people.

    Args:
        database: After the storm.
        mails: What the sink took.
        users: Ids of the learners.
        struck: The faults, which alone may explain a mail that came twice.
    """
    rows = database.ask(_DELIVERIES, {"users": list(users)})
    copies: dict[str, list[Mail]] = defaultdict(list)
    for mail in mails:
        copies[mail.message_id.strip("<>").split("@")[0]].append(mail)
    yield judge(
        "every e-mail arrived, but for codes that were needed no more",
        len(rows),
        (
            row
            for row in rows
            if not (row["state"] == "sent" and copies.get(row["id"]))
            and not (row["state"] == "dropped" and row["outcome"] in FITTING_DROPS)
        ),
    )
    yield judge(
        "an e-mail came twice only when its sender, the relay or the database was lost in between",
        len(rows),
        (
            f"{row['kind']} {row['id']} {[round(mail.received_at, 1) for mail in copies[row['id']]]}"
            for row in rows
            if not _explained(copies.get(row["id"], []), row["attempts"], struck)
        ),
    )


def repeats(mails: Sequence[Mail]) -> int:
    """How many mails came under a Message-ID that had come before."""
    return len(mails) - len({mail.message_id for mail in mails})


def _explained(copies: Sequence[Mail], attempts: int, struck: Sequence[Struck]) -> bool:
    early = copies[:-1]
    return len(copies) <= max(attempts, 1) and all(
        any(
            one.fault.target in BETWEEN
            and one.begun - BEFORE_S <= mail.received_at <= one.ended + AFTER_S
            for one in struck
        )
        for mail in early
    )
