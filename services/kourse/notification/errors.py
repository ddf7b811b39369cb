"""What goes wrong with messages on their way to people."""

from __future__ import annotations

from kourse.contracts.errors import Conflict, Invalid, Rejected, Unavailable


class MailRefused(Rejected):
    """The relay refuses this mail for good; sending it again is no use. No client sees this."""

    code = "mail-refused"
    title = "The mail relay refuses this message."


class WebhookRefused(Invalid):
    """No endpoint may have this address."""

    code = "webhook-refused"
    title = "This address cannot be called."


class TooManyWebhooks(Conflict):
    """The person has as many endpoints as they may."""

    code = "too-many-webhooks"
    title = "You have as many webhooks as you may."


class WebhookDisabled(Conflict):
    """The endpoint is not called."""

    code = "webhook-disabled"
    title = "This webhook is disabled."


class DeliveryPending(Conflict):
    """The delivery is on its way already."""

    code = "delivery-pending"
    title = "This delivery is on its way already."


class CallFailed(Unavailable):
    """A webhook could not be called; ``detail`` says why in a word. No client sees this."""

    code = "call-failed"
    title = "The endpoint could not be called."


class AddressForbidden(CallFailed):
    """The endpoint's name leads to where nothing may be called. No client sees this."""

    code = "address-forbidden"
    title = "The endpoint is not on the public Internet."
