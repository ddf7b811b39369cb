"""Taking over what somebody sent by a link: from then on it is ours, in a version that nobody can change.

A link writes to a key of the sent file's own. What is there is copied to a key for which no link was
ever given, and the copy is read back and its digest computed.
"""

from __future__ import annotations

import hashlib

from kourse.contracts.errors import Conflict, NotFound
from kourse.kit.storage.objects import ObjectStore


class FileMissing(Conflict):
    """A file is to be taken over that was not sent, or is another than the one announced."""

    code = "file-missing"
    title = "A file has not arrived as it was announced."


async def take_over(
    store: ObjectStore, bucket: str, source: str, key: str, *, name: str, sha256: str, size: int
) -> str | None:
    """The id of the copy's version, once its digest is known to be the announced one; None without versions.

    Args:
        store: The object store.
        bucket: Where both keys are.
        source: Key to which the file was sent.
        key: Key of the copy.
        name: The file's name, for messages.
        sha256: The announced digest, hexadecimal.
        size: The announced bytes.

    Raises:
        FileMissing: Nothing was sent, or something else.
        Unavailable: The object store does not answer.
    """
    try:
        await store.copy(bucket, source, key)
    except NotFound:
        raise FileMissing(f"{name!r} has not been sent yet.") from None
    digest, found = hashlib.sha256(), 0
    async for chunk in store.stream(bucket, key):
        digest.update(chunk)
        found += len(chunk)
    if (digest.hexdigest(), found) != (sha256, size):
        await store.delete(bucket, key)
        raise FileMissing(f"What was sent as {name!r} has another digest; send it again.")
    info = await store.head(bucket, key)
    return info.version if info else None
