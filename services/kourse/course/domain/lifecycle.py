"""Where versions stand, which moves are legal, and which version learners get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kourse.contracts.resources.meta import Lifecycle
from kourse.course.errors import IllegalLifecycleMove

MOVES: Mapping[Lifecycle, frozenset[Lifecycle]] = {
    Lifecycle.DRAFT: frozenset({Lifecycle.REVIEW, Lifecycle.PUBLISHED, Lifecycle.ARCHIVED}),
    Lifecycle.REVIEW: frozenset({Lifecycle.DRAFT, Lifecycle.PUBLISHED, Lifecycle.ARCHIVED}),
    Lifecycle.PUBLISHED: frozenset({Lifecycle.ARCHIVED}),
    Lifecycle.ARCHIVED: frozenset({Lifecycle.PUBLISHED}),
}
"""From where a version may go where; what learners have seen is never a draft again."""


@dataclass(frozen=True)
class Version:
    """A version as far as its lifecycle goes.

    Attributes:
        number: From 1, never used twice in a course.
        digest: SHA-256 of its content.
        lifecycle: Where it stands.
        eligible: Whether learners may get it: it was published, or archived from the first.
    """

    number: int
    digest: str
    lifecycle: Lifecycle
    eligible: bool


@dataclass(frozen=True)
class Decision:
    """What an applied document makes of the versions."""

    version: Version
    is_new: bool


def decide(
    digest: str,
    wanted: Lifecycle,
    *,
    current: Version | None,
    live: Version | None,
    highest: int,
) -> Decision:
    """The version that a document stands for, and where it stands then.

    The same content keeps its version; content that equals what learners have now goes back to that
    version; anything else is a new version, which may start anywhere, so that a course can be rebuilt
    from Git.

    Args:
        digest: SHA-256 of the document's content.
        wanted: Lifecycle that the document asks for.
        current: Version that the last document stood for.
        live: Version that learners have.
        highest: Highest number given so far, 0 at first.

    Raises:
        IllegalLifecycleMove: The version cannot go there from where it stands.
    """
    for known in (current, live):
        if known is not None and known.digest == digest:
            return Decision(_moved(known, wanted), is_new=False)
    may_go_live = wanted in {Lifecycle.PUBLISHED, Lifecycle.ARCHIVED}
    return Decision(Version(highest + 1, digest, wanted, may_go_live), is_new=True)


def _moved(version: Version, wanted: Lifecycle) -> Version:
    if wanted is not version.lifecycle and wanted not in MOVES[version.lifecycle]:
        raise IllegalLifecycleMove(
            f"Version {version.number} is {version.lifecycle} and cannot become {wanted} again; "
            "change the content to start a new version, or set the lifecycle to "
            f"{' or '.join(sorted(MOVES[version.lifecycle]))}."
        )
    eligible = version.eligible or wanted is Lifecycle.PUBLISHED
    return Version(version.number, version.digest, wanted, eligible)


def is_read_only(lifecycle: Lifecycle, *, retired: bool) -> bool:
    """Whether learners can read but no longer work."""
    return retired or lifecycle is Lifecycle.ARCHIVED
