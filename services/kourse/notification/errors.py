"""What goes wrong with messages on their way to people."""

from __future__ import annotations

from kourse.contracts.errors import Rejected, TooManyRequests


class MailRefused(Rejected):
    """The relay refuses this mail for good; sending it again is no use. No client sees this."""

    code = "mail-refused"
    title = "The mail relay refuses this message."


class TooManyStreams(TooManyRequests):
    """The person listens at too many places."""

    code = "too-many-streams"
    title = "You have too many live feeds open."
