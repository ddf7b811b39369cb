"""Every derived name: exchanges, queues, routing keys, buckets, object keys and ids.

Nothing else in the code base spells one, so a name is changed, searched and tested in one place.
"""

from __future__ import annotations

import hashlib
import re
from uuid import UUID, uuid5
from zlib import crc32

NAMESPACE = UUID("6f1d7f3e-6d0b-5a52-9d3f-2f1f0a6f0c11")
PARTITIONS = 16
SERVICES = ("identity", "profile", "course", "assessment", "notification", "dashboard")
"""The services with storage, an HTTP API and a gRPC API."""

EVENTS_EXCHANGE = "kourse.events"
UNROUTED_EXCHANGE = "kourse.unrouted"
DEAD_LETTER_EXCHANGE = "kourse.dlx"
GRADING_EXCHANGE = "kourse.grading"
GRADING_QUEUES = ("assessment.grading.objective",)
"""Work queues of the graders; each ExamConfig binds its own id to them."""
MAX_BUCKET_LENGTH = 63
_DIGEST = re.compile(r"-[0-9a-f]{16}$")
CONTENT = "content/"
"""Key prefix of lessons' assets."""
DRAFTS = "drafts/"
"""Key prefix of files on their way."""
ANSWERS = "answers/"
"""Key prefix of files that answer exam questions."""
SUBMISSIONS = "submissions/"
"""Key prefix of what was handed in, or waits for it."""
NOBODY = "_"
"""Stands in a routing key where an event belongs to no course or cohort."""


def declared_id(tenant: str, kind: str, name: str) -> UUID:
    """Id of a declared object: the same whichever door made it, also in a rebuilt cluster."""
    return uuid5(NAMESPACE, f"{tenant}/{kind}/{name}")


def part_id(owner: UUID, *path: str) -> UUID:
    """Id of a part of a declared object, from the stable keys that lead to it."""
    return uuid5(owner, "/".join(path))


def partition(entity_id: str) -> int:
    """Partition 0 to 15 of an entity, fixed forever (CRC-32 of its id, as in ISO 3309)."""
    return crc32(entity_id.encode()) % PARTITIONS


def partition_word(number: int) -> str:
    """Last word of a routing key: ``p00`` to ``p15``."""
    return f"p{number:02d}"


def routing_key(type_: str, tenant: str, course: str | None, cohort: str | None, part: int) -> str:
    """``<type>.<tenant>.<course or _>.<cohort or _>.p<NN>``; seven words, as the type has three."""
    return f"{type_}.{tenant}.{course or NOBODY}.{cohort or NOBODY}.{partition_word(part)}"


def type_binding(type_: str, part: int | None = None) -> str:
    """Binding key that takes one event type, of one partition or of all."""
    return f"{type_}.*.*.*.{'*' if part is None else partition_word(part)}"


def consumer_queue(consumer: str, part: int) -> str:
    """Queue of one consumer's partition."""
    return f"{consumer}.events.{partition_word(part)}"


def dead_letter_queue(consumer: str) -> str:
    """Where a consumer's undeliverable messages end."""
    return f"{consumer}.dead"


def course_exchange(tenant: str, course: str) -> str:
    """Exchange that carries one course's events to outside consumers."""
    return f"kourse.course.{tenant}.{course}"


def course_exchange_bindings(tenant: str, course: str) -> tuple[str, ...]:
    """Binding keys from the events exchange to a course exchange."""
    return (f"*.*.*.{tenant}.{course}.*.*",)


def cohort_queue(tenant: str, cohort: str) -> str:
    """Feed of one cohort for outside consumers."""
    return f"kourse.cohort.{tenant}.{cohort}"


def cohort_bindings(tenant: str, course: str, cohort: str) -> tuple[str, ...]:
    """Binding keys from a course exchange to a cohort's feed: its own and course-wide events."""
    return (f"*.*.*.{tenant}.{course}.{cohort}.*", f"*.*.*.{tenant}.{course}.{NOBODY}.*")


def bucket(prefix: str, tenant: str, course: str) -> str:
    """Bucket of a course: at most 63 characters, lower case, unique for each (tenant, course)."""
    readable = f"{prefix}-{tenant}-{course}"
    # The tenant must end where it seems to end, and the whole must not look like one with a digest.
    is_plain = "-" not in tenant and "--" not in readable and not _DIGEST.search(readable)
    if is_plain and len(readable) <= MAX_BUCKET_LENGTH:
        return readable
    digest = hashlib.sha256(f"{tenant}/{course}".encode()).hexdigest()[:16]
    stem = re.sub(r"-+", "-", readable)[: MAX_BUCKET_LENGTH - 17].rstrip("-")
    return f"{stem}-{digest}"


def content_key(sha256: str) -> str:
    """Object key of a lesson's asset; content-addressed, so versions share it."""
    return f"{CONTENT}{sha256}"


def submission_prefix(cohort: str) -> str:
    """Key prefix of a cohort's hand-ins, which its quota bounds."""
    return f"{SUBMISSIONS}{cohort}/"


def hand_in_key(cohort: str | None, submission_id: UUID, file_id: UUID) -> str:
    """Object key of a file that waits to be handed in, or was; no link ever writes there."""
    return f"{submission_prefix(cohort or '-')}{submission_id}/{file_id}"


def answer_file_key(attempt_id: UUID, file_id: UUID) -> str:
    """Object key of a file that answers a question of an attempt; no link ever writes there."""
    return f"{ANSWERS}{attempt_id}/{file_id}"


def draft_key(file_id: UUID) -> str:
    """Object key to which a learner sends a file."""
    return f"{DRAFTS}{file_id}"
