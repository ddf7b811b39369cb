"""The short codes of mails: made when the mail leaves, recognised when somebody types one.

A code is kept as a digest under the pepper of the key that signed when it was made, and the key's id with
it: every replica finds the same pepper while keys rotate, since keys outlive the codes made under them.
"""

from __future__ import annotations

import secrets
from uuid import UUID

from kourse.identity.domain import tokens
from kourse.identity.repository.codes import Live
from kourse.identity.service.house import House


async def make_code(house: House, owner: str, tenant: str, delivery_id: UUID) -> str:
    """A fresh code of the delivery; an earlier one is dead."""
    code = f"{secrets.randbelow(10**tokens.CODE_DIGITS):0{tokens.CODE_DIGITS}d}"
    live = Live(tenant, house.keys.kid)
    digest = tokens.code_digest(code, delivery_id, house.keys.peppers()[live.kid])
    await house.codes.put(owner, delivery_id, live, digest)
    return code


async def recognise(house: House, live: dict[UUID, Live], code: str) -> UUID | None:
    """Which of the live deliveries has this code; one try of each is used up."""
    peppers = house.keys.peppers()
    digests = {
        delivery_id: tokens.code_digest(code, delivery_id, peppers[one.kid])
        for delivery_id, one in live.items()
        if one.kid in peppers
    }
    return await house.codes.guess(digests)
