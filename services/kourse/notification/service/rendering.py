"""Turns a notification into words: by kind and language, as text and as HTML.

A template says each thing once, as blocks: ``subject``, ``summary`` (the line in the feed) and ``body``
(paragraphs). The text of a mail and its HTML are two layouts around the same paragraphs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal, format_percent
from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    pass_context,
    select_autoescape,
)
from jinja2.runtime import Context

from kourse.notification.domain.kinds import Kind
from kourse.notification.domain.points import Reason

TEMPLATES = Path(__file__).parent.parent / "templates"
LOCALES = ("en", "de")
"""Languages that there are templates for; the first stands in for any other."""
_SPACE = re.compile(r"[^\S\u00a0\u202f]+")
"""White space that may break a line, so not what languages put between a number and its sign."""


@dataclass(frozen=True)
class Words:
    """A mail in one language."""

    subject: str
    text: str
    html: str


def best_locale(wanted: str) -> str:
    """The language to write in: the wanted one, without its region, or the default."""
    language = wanted.split("-", maxsplit=1)[0].lower()
    return language if language in LOCALES else LOCALES[0]


def summary(kind: Kind, locale: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    """Title and line of a notification in the feed."""
    template = _template(f"{best_locale(locale)}/{kind.value}.txt")
    context = _context(locale, facts)
    return _line(template, "subject", context), _line(template, "summary", context)


def mail(kind: Kind, locale: str, facts: Mapping[str, Any]) -> Words:
    """A notification as a mail.

    Args:
        kind: What it is about.
        locale: The recipient's language tag.
        facts: What the templates need, ``display_name`` and ``unsubscribe_url`` among it.
    """
    language = best_locale(locale)
    template = _template(f"{language}/{kind.value}.txt")
    context = _context(locale, facts)
    subject = _line(template, "subject", context)
    paragraphs = _paragraphs(_block(template, "body", context))
    around = {**context, "subject": subject, "paragraphs": paragraphs}
    return Words(
        subject=subject,
        text=_template(f"{language}/layout.txt").render(around).strip() + "\n",
        html=_template(f"{language}/layout.html").render(around),
    )


def explanation(reason: Reason, locale: str, facts: Mapping[str, Any]) -> str:
    """The sentence that explains points in the ledger."""
    template = _template(f"{best_locale(locale)}/points.txt")
    return _line(template, reason.value.replace("-", "_"), _context(locale, facts))


def platform_badge(key: str, locale: str) -> tuple[str, str]:
    """Title and description of a badge that the platform gives."""
    names: Any = _template(f"{best_locale(locale)}/badges.txt").module
    return names.title(key).strip(), names.description(key).strip()


def page(name: str, locale: str) -> str:
    """A small page for people who follow a link in a mail."""
    language = best_locale(locale)
    return _template(f"{language}/{name}.html").render(locale=language)


def _context(locale: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {"locale": best_locale(locale), "time_zone": "UTC", **facts}


def _template(name: str) -> Template:
    return _environment.get_template(name)


def _block(template: Template, name: str, context: Mapping[str, Any]) -> str:
    render = template.blocks[name]
    return "".join(render(template.new_context(dict(context)))).strip()


def _line(template: Template, name: str, context: Mapping[str, Any]) -> str:
    return _SPACE.sub(" ", _block(template, name, context))


def _paragraphs(text: str) -> list[str]:
    return [_SPACE.sub(" ", part).strip() for part in re.split(r"\n\s*\n", text)]


@pass_context
def _percent(context: Context, value: float) -> str:
    return format_percent(float(value) / 100, locale=context["locale"])


@pass_context
def _number(context: Context, value: float | str) -> str:
    return format_decimal(Decimal(str(value)), locale=context["locale"])


@pass_context
def _plural(context: Context, count: int, one: str, other: str) -> str:
    """The number with its noun, which both of our languages have in two forms (CLDR)."""
    form = Locale(context["locale"]).plural_form(count)
    return f"{_number(context, count)} {one if form == 'one' else other}"


@pass_context
def _moment(context: Context, value: str) -> str:
    local = datetime.fromisoformat(value).astimezone(ZoneInfo(context["time_zone"]))
    day = format_date(local, format="full", locale=context["locale"])
    return f"{day}, {format_time(local, format='short', locale=context['locale'])} {local:%Z}"


_environment = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(percent=_percent, number=_number, plural=_plural, moment=_moment)
