"""What identity refuses, and why in words that tell an attacker nothing about who has an account."""

from __future__ import annotations

from collections.abc import Sequence

from kourse.contracts.errors import Conflict, Forbidden, Invalid, Rejected, Unauthenticated


class InvalidCredentials(Unauthenticated):
    """Unknown address, wrong password, locked or disabled account: one answer for all of them."""

    code = "invalid-credentials"
    title = "The e-mail address or the password is wrong."


class FactorRequired(Unauthenticated):
    """The password was right; the account asks for a code of its second factor too."""

    code = "second-factor-required"
    title = "Send a code of the second factor too."


class EmailNotVerified(Forbidden):
    """The password was right, but nobody has shown yet that the address is theirs."""

    code = "email-not-verified"
    title = "Verify the e-mail address before logging in."


class NotAMember(Forbidden):
    """The account is in order, but does not belong to this tenant."""

    code = "not-a-member"
    title = "This account is no member here."


class WeakPassword(Invalid):
    """The password breaks rules of the policy; ``errors`` names each."""

    code = "weak-password"
    title = "This password is too easy to guess."

    @classmethod
    def because(cls, faults: Sequence[str]) -> WeakPassword:
        """The refusal with one entry for each fault, in the shape of a field error."""
        errors = [
            {"field": "password", "pointer": "#/password", "message": fault} for fault in faults
        ]
        return cls(" ".join(faults), extensions={"errors": errors})


class RegistrationClosed(Forbidden):
    """The tenant takes no new members by themselves."""

    code = "registration-closed"
    title = "Registration is not open here."


class CodeRejected(Rejected):
    """The code is wrong, spent, too old or was tried too often; a new registration sends another."""

    code = "code-rejected"
    status = 400
    title = "This code is not valid."


class LinkRejected(Rejected):
    """The token of a mailed link is wrong, spent, too old, or a newer one was sent."""

    code = "link-rejected"
    status = 400
    title = "This link is not valid any more."


class InvitationClosed(Conflict):
    """The invitation was accepted, revoked, or has expired: there is nothing left to do with it."""

    code = "invitation-closed"
    title = "This invitation is over."


class FactorExists(Conflict):
    """The account has a second factor; it is removed before another is added."""

    code = "second-factor-exists"
    title = "This account has a second factor already."


class RefreshRejected(Unauthenticated):
    """The refresh token is unknown, expired, revoked or was used before."""

    code = "refresh-rejected"
    title = "This session has ended; log in again."


class ClientRejected(Unauthenticated):
    """The client's id or secret is wrong."""

    code = "client-rejected"
    title = "The client id or the client secret is wrong."


class AudienceRefused(Forbidden):
    """The client may not call this audience."""

    code = "audience-refused"
    title = "This client may not have a token for that audience."


class LastAdministrator(Conflict):
    """A tenant keeps at least one administrator, or nobody could let anyone in again."""

    code = "last-administrator"
    title = "A tenant needs an administrator."


class AlreadyMember(Conflict):
    """The account belongs to the tenant already, active or suspended."""

    code = "already-a-member"
    title = "This person is a member already."


class AddressTaken(Conflict):
    """Another account has this address."""

    code = "address-taken"
    title = "This address cannot be used."


class TokenRejected(Rejected):
    """A program showed a secret that is unknown, expired or revoked, or whose holder may not be in."""

    code = "token-rejected"
    status = 400
    title = "This token opens nothing, or nothing any more."


class TooMany(Conflict):
    """There are as many of these as there may be; one is removed before another is made."""

    code = "too-many"
    title = "There are as many of these as there may be."


class NameTaken(Conflict):
    """Another one in the tenant has this name."""

    code = "name-taken"
    title = "This name is taken."


class LogOutRejected(Rejected):
    """A logout token is none, or not the issuer's for this client and of now."""

    code = "log-out-rejected"
    status = 400
    title = "This logout token is not valid."


class SignOnRejected(Unauthenticated):
    """State, code, browser or ID token are not those of one sign-on that was begun here."""

    code = "sign-on-rejected"
    title = "This sign-on is not valid; begin again."
