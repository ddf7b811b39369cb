"""Previews of notifications over HTTP."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from kourse.kit.http import View
from kourse.notification.domain.kinds import RULES, Kind
from kourse.notification.service import samples


class Preview(View):
    """A made-up notification."""

    type: Kind
    feed: bool
    """Whether it shows in the feed."""
    email: bool
    """Whether it is mailed."""
    title: str = Field(examples=["Result: The mean, and why it lies"])
    """In the feed, and the subject of the mail."""
    line: str = Field(examples=["7.5 of 10 points (75%), passed."])
    """In the feed, below the title."""
    text: str = Field(examples=["Hello Ana, …"])
    """The mail as plain text."""
    html: str = Field(examples=['<!doctype html><html lang="en">…'])
    """The mail as a page."""

    @classmethod
    def of(cls, kind: Kind, shown: samples.Preview) -> Self:
        """As those see it who look after templates."""
        return cls(
            type=kind,
            feed=RULES[kind].in_feed,
            email=RULES[kind].by_email,
            title=shown.title,
            line=shown.line,
            text=shown.mail.text,
            html=shown.mail.html,
        )


class Previews(View):
    """Made-up notifications in one language."""

    language: str = Field(examples=["en"])
    """That of the templates; the default one where there are none for the one asked for."""
    items: list[Preview]
