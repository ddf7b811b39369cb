"""Single sign-on of people: they log in at the issuer, and get the platform's own tokens here.

Who comes back is known by issuer and subject. An account without a subject is found once by an
address that the issuer has verified, and tied to the subject from then on. Roles come of memberships
here alone, whatever the issuer calls people.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from kourse.contracts.errors import Unavailable
from kourse.identity.domain.accounts import normalised_email
from kourse.identity.domain.issuer_tokens import Proof
from kourse.identity.domain.sign_on import SECRET_BYTES, Attempt
from kourse.identity.errors import RegistrationClosed, SignOnRejected
from kourse.identity.repository import accounts, audit, links
from kourse.identity.service import joining, registration, sessions
from kourse.identity.service.house import House
from kourse.identity.service.sessions import Issued
from kourse.kit.ids import new_id


@dataclass(frozen=True)
class Departure:
    """Where a browser goes, and the secret that it must bring back beside the code."""

    address: str
    browser: str


@dataclass(frozen=True)
class Return:
    """What a browser brings back.

    Attributes:
        state: That of its departure.
        code: Worth an ID token at the issuer.
        issuer: Who sent the browser back.
        browser: The secret it was given.
        client: What the client says of itself.
    """

    state: str
    code: str
    issuer: str
    browser: str
    client: str


async def begin(house: House, tenant: str) -> Departure:
    """A new attempt to get into the tenant.

    Raises:
        NotFound: There is no issuer: people log in here with their password.
        Unavailable: The issuer gives no answer.
    """
    issuer = house.require_issuer()
    attempt, state = Attempt.begin(tenant), secrets.token_urlsafe(SECRET_BYTES)
    address = await issuer.address(attempt, state)
    await house.sign_ons.begin(state, attempt)
    return Departure(address, attempt.browser)


async def finish(house: House, back: Return) -> Issued:
    """Tokens of a new session in the tenant of the attempt.

    Raises:
        NotFound: There is no issuer.
        SignOnRejected: State, code, issuer or browser are not those of one attempt.
        RegistrationClosed: The person has no account, and nobody makes one by themselves here.
        InvalidCredentials: The account is disabled.
        EmailNotVerified: Nobody has shown yet that the account's address is theirs.
        NotAMember: The account is no active member of the tenant.
        Unavailable: The issuer gives no answer; the same return may be tried again.
    """
    issuer = house.require_issuer()
    if back.issuer != issuer.issuer:  # RFC 9207: a code of another issuer is never sent to this one
        raise SignOnRejected
    attempt = await house.sign_ons.take(back.state)
    if attempt is None or not hmac.compare_digest(attempt.browser.encode(), back.browser.encode()):
        raise SignOnRejected
    try:
        proof = await issuer.redeem(attempt, back.code)
    except Unavailable:
        await house.sign_ons.begin(back.state, attempt)
        raise
    async with house.database.transaction(attempt.tenant) as tx:
        account_id = await _account(house, tx, proof, issuer.issuer)
    session, issued = await sessions.admit(house, attempt.tenant, account_id, back.client)
    if proof.session:
        await house.sign_ons.link(session.id, proof.session)
    return issued


async def _account(house: House, tx: AsyncSession, proof: Proof, issuer: str) -> UUID:
    """The account of whom the issuer vouches for, which their first log-in makes or ties to them."""
    linked = await links.find_linked(tx, issuer, proof.subject)
    email = _verified_email(proof)
    if linked is None:
        if not email:
            raise SignOnRejected
        await _make(house, tx, email, proof)
    account_id = linked or await accounts.find_id_by_email(tx, email)
    account = None if account_id is None else await accounts.hold_account(tx, account_id)
    if account is None:
        raise SignOnRejected
    if linked is None:
        await _tie(tx, issuer, proof.subject, account.id)
    if account.email == email and await accounts.mark_verified(tx, account.id):
        await house.families.end_all(account.id)
        await registration.open_account(house, tx, account)
    return account.id


async def _tie(tx: AsyncSession, issuer: str, subject: str, account_id: UUID) -> None:
    """The subject is the account's, if no other one is; the account's row is held."""
    theirs = await links.find_subject(tx, issuer, account_id)
    if theirs is None:
        await links.put_link(tx, issuer, subject, account_id)
        await audit.record(tx, "auth.link", actor=account_id, target=account_id)
    elif theirs != subject:
        raise SignOnRejected


async def _make(house: House, tx: AsyncSession, email: str, proof: Proof) -> None:
    """The address has an account; of many log-ins at once, one makes it and the others wait for that."""
    if await accounts.find_id_by_email(tx, email) is not None:
        return
    if house.settings.registration != "open":
        raise RegistrationClosed
    account_id = new_id()
    is_new = await accounts.add_account(
        tx,
        account_id=account_id,
        email=email,
        display_name=proof.display_name or email.partition("@")[0],
        locale="en",
        is_verified=True,
    )
    if is_new:
        account = await accounts.get_account(tx, account_id)
        await joining.join(tx, account, registration.AS_LEARNER)


def _verified_email(proof: Proof) -> str:
    """The normalised address that the issuer has seen to be theirs; empty without one."""
    try:
        return normalised_email(proof.email) if proof.is_verified and proof.email else ""
    except ValueError:
        return ""
