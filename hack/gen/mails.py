"""Every kind of notification as its reader gets it, in every language: for those who read changes of templates."""

from __future__ import annotations

from pathlib import Path

from hack.gen.outputs import ROOT
from kourse.notification.domain.kinds import Kind
from kourse.notification.service import rendering, samples

FOLDER = ROOT / "tests" / "unit" / "notification" / "golden"


def files() -> dict[Path, bytes]:
    """A text and a page for each kind and language; the text begins with the subject and the feed's line."""
    found = {}
    for locale in rendering.LOCALES:
        for kind in Kind:
            shown = samples.preview(kind, locale)
            head = f"Subject: {shown.mail.subject}\nFeed: {shown.title} · {shown.line}\n"
            stem = FOLDER / locale / kind.value
            found[stem.with_suffix(".txt")] = f"{head}\n{shown.mail.text}".encode()
            found[stem.with_suffix(".html")] = f"{shown.mail.html}\n".encode()
    return found


def stale() -> list[Path]:
    """Files of kinds that there are no more."""
    return sorted(set(FOLDER.glob("*/*.*")) - files().keys())
