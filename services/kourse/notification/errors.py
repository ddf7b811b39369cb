"""Failures of handing mail over, none of which a client sees."""

from __future__ import annotations

from kourse.contracts.errors import Rejected


class MailRefused(Rejected):
    """The relay refuses this mail for good; sending it again is no use."""

    code = "mail-refused"
    title = "The mail relay refuses this message."
