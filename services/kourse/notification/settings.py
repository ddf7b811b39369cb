"""Settings of notification."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, IPvAnyNetwork, SecretStr

from kourse.kit.settings import ServiceSettings


class NotificationSettings(ServiceSettings, service="notification"):
    """What an operator of the platform may choose about messages."""

    smtp_host: str = "127.0.0.1"
    """Host of the mail relay."""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 25
    """Port of the mail relay."""
    smtp_starttls: bool = True
    """Whether the connection must be encrypted by STARTTLS; off only for a relay on the same host."""
    smtp_user: str = ""
    """User name at the relay; empty for none."""
    smtp_password: SecretStr = SecretStr("")
    """Password at the relay."""
    smtp_timeout_s: Annotated[float, Field(gt=0, le=300)] = 20.0
    """Seconds that one step of the conversation with the relay may take."""
    mail_from: str = "kourse <no-reply@kourse.example>"
    """Sender of every mail; its domain is also that of the message ids."""
    public_url: str = "http://127.0.0.1"
    """Address of the gateway, for links in mails; never taken from a request."""
    mail_per_day: Annotated[int, Field(ge=1, le=1000)] = 50
    """Mails that one person gets within 24 hours; more wait. Security messages neither wait nor count."""
    sender_batch: Annotated[int, Field(ge=1, le=500)] = 50
    """Mails that one round claims; a killed sender's wait for the end of its lease."""
    sender_connections: Annotated[int, Field(ge=1, le=64)] = 16
    """Connections to the relay for people's own messages, and as many for what goes to many: each has one
    mail in hand, which a crash can repeat."""
    sender_lease_s: Annotated[float, Field(ge=8, le=3600)] = 120.0
    """Seconds for which a sender holds what it claimed; a killed sender's mails wait that long."""
    data_key_file: Path | None = None
    """File of at least 32 random bytes under which the secrets of webhooks are encrypted; without it nobody
    can add a webhook. Losing it means that everybody makes new secrets."""
    webhook_plain_http: bool = False
    """Whether webhooks may be called without TLS; for tests and for receivers on the same host."""
    webhook_networks: list[IPvAnyNetwork] = Field(default_factory=list)
    """JSON list of networks (CIDR) outside of the public Internet in which webhooks may be called."""
    webhook_timeout_s: Annotated[float, Field(gt=0, le=60)] = 15.0
    """Seconds within which a webhook must have answered whole."""
    webhook_poll_s: Annotated[float, Field(gt=0, le=60)] = 0.5
    """Seconds between looks for calls that are due when there are none."""
    streams: Annotated[int, Field(ge=1)] = 2000
    """Live feeds that one replica keeps open."""
    streams_per_person: Annotated[int, Field(ge=1)] = 5
    """Live feeds that one person may have open at one replica."""
    stream_beat_s: Annotated[float, Field(gt=0, le=30)] = 15.0
    """Seconds after which a live feed without news shows that it is alive, and asks whether the log-in is."""
    reminder_poll_s: Annotated[float, Field(gt=0, le=3600)] = 5.0
    """Seconds between looks for learners to be reminded of something, and for weekly digests."""
    sender_poll_s: Annotated[float, Field(gt=0, le=60)] = 0.25
    """Seconds between looks for due mails when there are none."""
    review_poll_s: Annotated[float, Field(gt=0, le=60)] = 0.5
    """Seconds between looks for ledgers that have changed, whose learners may have won a badge."""
