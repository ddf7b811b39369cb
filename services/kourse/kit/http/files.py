"""Bodies and answers about files that people send by a link."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from kourse.contracts.resources.meta import Sha256
from kourse.kit.http.models import Body, View

FileName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=120, pattern=r"^[^/\\\x00-\x1f\x7f]+$"),
    Field(description="Name of the file, without folders.", examples=["report.pdf"]),
]
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
"""A digest for examples."""


class AnnouncedFile(Body):
    """A file that you have and will send."""

    name: FileName
    size: int = Field(ge=1, le=500 * 1024 * 1024, description="Its bytes.", examples=[48213])
    sha256: Sha256 = Field(description="Digest of its bytes, hexadecimal.", examples=[SHA256])


class DraftFileView(View):
    """A file that waits to be handed in."""

    id: UUID
    name: str = Field(examples=["report.pdf"])
    size: int = Field(description="Bytes.")
    sha256: str = Field(examples=[SHA256])
    stored_at: datetime | None = Field(description="When it had arrived and was verified, or null.")


class OfferedFile(DraftFileView):
    """The announced file and how to send it within five minutes; then confirm it."""

    method: str = Field(examples=["PUT"])
    url: str
    headers: dict[str, str] = Field(
        description="To be sent as they are: the store takes this size and digest alone.",
        examples=[{"content-length": "48213", "x-amz-checksum-sha256": "n4bQgYhMfWWaL+qgxVrQ=="}],
    )


class KeptFileView(View):
    """A file that was handed in, in exactly this version."""

    id: UUID
    name: str = Field(examples=["report.pdf"])
    size: int = Field(description="Bytes.")
    sha256: str = Field(description="Digest of what was kept, hexadecimal.", examples=[SHA256])
    version_id: str | None = Field(
        description="The store's id of the version.", examples=["4b2f6c1e-7f0a-4d0d-9c55"]
    )
    url: str = Field(description="Link to it that works for five minutes.")
