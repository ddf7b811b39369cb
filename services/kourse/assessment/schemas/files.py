"""What goes out about files that answer exam questions."""

from __future__ import annotations

from pydantic import Field

from kourse.kit.http import View
from kourse.kit.http.files import DraftFileView, KeptFileView


class AnswerFileView(DraftFileView):
    """A file of yours for a question; the answer decides whether it counts."""

    version_id: str | None = Field(
        description="The store's id of its version.", examples=["4b2f6c1e-7f0a-4d0d-9c55"]
    )
    url: str | None = Field(
        description="Link to it that works for five minutes; null before it was confirmed."
    )


class AnswerFileList(View):
    """Your files for a question, in the order of their announcement."""

    items: list[AnswerFileView]


class NamedFileList(View):
    """The files that an answer names."""

    items: list[KeptFileView]
