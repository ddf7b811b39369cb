"""The catalog of notifications: by which channels each goes, and how urgent it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum


class Urgency(IntEnum):
    """Order in which due mails leave; a broadcast never delays somebody's own message."""

    SECURITY = 0
    PERSONAL = 1
    BROADCAST = 2


class Lane(Enum):
    """Mails that are sent beside each other, so that no lane waits for another; the value is what it takes."""

    OWN = (Urgency.SECURITY, Urgency.PERSONAL)
    BROADCAST = (Urgency.BROADCAST,)


class Kind(StrEnum):
    """What somebody can be told; the value is the ``type`` in the feed and names the templates."""

    VERIFICATION = "verification"
    INVITATION = "invitation"
    PASSWORD_RESET = "password-reset"  # noqa: S105 - a kind's name
    RESET_LINK = "reset-link"
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - a kind's name
    EMAIL_CHANGED = "email-changed"
    FORMER_EMAIL = "former-email"
    SESSION_COMPROMISED = "session-compromised"
    FACTOR_ADDED = "factor-added"
    FACTOR_REMOVED = "factor-removed"
    TOKEN_CREATED = "token-created"  # noqa: S105 - a kind's name
    WELCOME = "welcome"
    COHORT_JOINED = "cohort-joined"
    ANNOUNCEMENT = "announcement"
    MESSAGE = "message"
    ENROLLED = "enrolled"
    COURSE_PUBLISHED = "course-published"
    ASSIGNMENT_CREATED = "assignment-created"
    ASSIGNMENT_DUE_SOON = "assignment-due-soon"
    ASSIGNMENT_OVERDUE = "assignment-overdue"
    EXAM_SCHEDULED = "exam-scheduled"
    EXAM_OPENING_SOON = "exam-opening-soon"
    EXAM_CLOSING_SOON = "exam-closing-soon"
    EXAM_EXTENDED = "exam-extended"
    ACCOMMODATED = "accommodated"
    LESSON_COMPLETED = "lesson-completed"
    EXAM_GRADED = "exam-graded"
    EXAM_REGRADED = "exam-regraded"
    FEEDBACK_RECEIVED = "feedback-received"
    BADGE_WON = "badge-won"
    ENCOURAGEMENT = "encouragement"
    WEEKLY_DIGEST = "weekly-digest"
    WEBHOOK_DISABLED = "webhook-disabled"


@dataclass(frozen=True)
class Rule:
    """How one kind travels.

    Attributes:
        in_feed: Whether it shows in the feed, and goes to webhooks.
        by_email: Whether it is mailed.
        urgency: Order among due mails.
        to_unverified: Whether the address need not be verified; only for what verifies it.
    """

    in_feed: bool
    by_email: bool
    urgency: Urgency = Urgency.PERSONAL
    to_unverified: bool = False

    @property
    def is_optional(self) -> bool:
        """Whether people may refuse it by mail; security messages always go."""
        return self.urgency is not Urgency.SECURITY


_REDEEMED = Rule(in_feed=False, by_email=True, urgency=Urgency.SECURITY, to_unverified=True)
"""For mails whose recipient and content identity gives at the last moment."""
_WARNING = Rule(in_feed=True, by_email=True, urgency=Urgency.SECURITY)
_REMINDER = Rule(in_feed=True, by_email=True, urgency=Urgency.BROADCAST)
"""For what a whole class is reminded of at the same moment."""

RULES = {
    Kind.VERIFICATION: _REDEEMED,
    Kind.RESET_LINK: _REDEEMED,
    Kind.INVITATION: _REDEEMED,
    Kind.FORMER_EMAIL: _REDEEMED,
    Kind.PASSWORD_RESET: _WARNING,
    Kind.PASSWORD_CHANGED: _WARNING,
    Kind.EMAIL_CHANGED: _WARNING,
    Kind.SESSION_COMPROMISED: _WARNING,
    Kind.FACTOR_ADDED: _WARNING,
    Kind.FACTOR_REMOVED: _WARNING,
    Kind.TOKEN_CREATED: _WARNING,
    Kind.WELCOME: Rule(in_feed=True, by_email=True),
    Kind.COHORT_JOINED: Rule(in_feed=True, by_email=False),
    Kind.ANNOUNCEMENT: Rule(in_feed=True, by_email=True, urgency=Urgency.BROADCAST),
    Kind.MESSAGE: Rule(in_feed=True, by_email=True),
    Kind.ENROLLED: Rule(in_feed=True, by_email=True),
    Kind.COURSE_PUBLISHED: Rule(in_feed=True, by_email=True, urgency=Urgency.BROADCAST),
    Kind.ASSIGNMENT_CREATED: Rule(in_feed=True, by_email=True, urgency=Urgency.BROADCAST),
    Kind.ASSIGNMENT_DUE_SOON: _REMINDER,
    Kind.ASSIGNMENT_OVERDUE: _REMINDER,
    Kind.EXAM_OPENING_SOON: _REMINDER,
    Kind.EXAM_CLOSING_SOON: _REMINDER,
    Kind.EXAM_SCHEDULED: Rule(in_feed=True, by_email=False, urgency=Urgency.BROADCAST),
    Kind.EXAM_EXTENDED: Rule(in_feed=True, by_email=True),
    Kind.ACCOMMODATED: Rule(in_feed=True, by_email=True),
    Kind.LESSON_COMPLETED: Rule(in_feed=True, by_email=True),
    Kind.EXAM_GRADED: Rule(in_feed=True, by_email=True),
    Kind.EXAM_REGRADED: Rule(in_feed=True, by_email=True),
    Kind.FEEDBACK_RECEIVED: Rule(in_feed=True, by_email=True),
    Kind.BADGE_WON: Rule(in_feed=True, by_email=False),
    Kind.ENCOURAGEMENT: Rule(in_feed=True, by_email=True),
    Kind.WEEKLY_DIGEST: Rule(in_feed=False, by_email=True, urgency=Urgency.BROADCAST),
    Kind.WEBHOOK_DISABLED: Rule(in_feed=True, by_email=True),
}
REMINDERS = frozenset(kind for kind, rule in RULES.items() if rule is _REMINDER)
"""Kinds that follow from a date, and have no point once that has passed or moved."""
