"""Tables of notification: what to tell whom, its way out, the points ledger, and replicas.

No row holds an address or a secret: both are asked of identity at the moment a mail leaves.
"""

from __future__ import annotations

from kourse.kit.erasure import Keep, Remove, Rules
from kourse.notification.tables.game import (
    badge_sheet,
    board_place,
    points_entry,
    reached_level,
    review,
    won_badge,
)
from kourse.notification.tables.messages import broadcast, delivery, notification
from kourse.notification.tables.people import calendar, digest, former_person, recipient
from kourse.notification.tables.replicas import (
    accommodation,
    cohort,
    cohort_member,
    course,
    enrolment,
    extension,
    hand_in,
    task,
)
from kourse.notification.tables.schema import SCHEMA, metadata
from kourse.notification.tables.webhooks import webhook, webhook_delivery

__all__ = [
    "ERASURE",
    "SCHEMA",
    "accommodation",
    "badge_sheet",
    "board_place",
    "broadcast",
    "calendar",
    "cohort",
    "cohort_member",
    "course",
    "delivery",
    "digest",
    "enrolment",
    "extension",
    "former_person",
    "hand_in",
    "metadata",
    "notification",
    "points_entry",
    "reached_level",
    "recipient",
    "review",
    "task",
    "webhook",
    "webhook_delivery",
    "won_badge",
]

ERASURE: Rules = {
    "recipient": Remove("user_id"),
    "digest": Remove("user_id"),
    "calendar": Remove("learner_id"),
    "enrolment": Remove("learner_id"),
    "accommodation": Remove("learner_id"),
    "extension": Remove("learner_id"),
    "hand_in": Remove("learner_id"),
    "notification": Remove("user_id"),
    "webhook": Remove("user_id"),
    "points_entry": Remove("learner_id"),
    "cohort_member": Remove("learner_id"),
    "board_place": Remove("learner_id"),
    "won_badge": Remove("learner_id"),
    "reached_level": Remove("learner_id"),
    "review": Keep(
        "a row goes as soon as it is looked at, and of a former person nothing is looked at"
    ),
    "broadcast": Keep("it names nobody but the last who was told, and is gone within seconds"),
    "former_person": Keep("events that come late must bring nobody back"),
}
"""What becomes of a deleted person's rows; deliveries go with their notifications and webhooks."""
