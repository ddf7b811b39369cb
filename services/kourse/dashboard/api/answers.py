"""Views as they are kept go out as they are: they were checked against their schema when they were made."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import Response

from kourse.kit import spreadsheets


class Form(StrEnum):
    """How a table is written."""

    JSON = "json"
    CSV = "csv"


AsForm = Annotated[Form, Query(alias="format", description="`csv` for spreadsheets (RFC 4180).")]


def answered(body: bytes, form: Form = Form.JSON, name: str = "") -> Response:
    """The view as an answer; CSV as a file of that name."""
    headers = {"cache-control": "private, no-store"}
    if form is Form.CSV:
        headers["content-disposition"] = f'attachment; filename="{name}.csv"'
    return Response(
        body,
        media_type=spreadsheets.MEDIA_TYPE if form is Form.CSV else "application/json",
        headers=headers,
    )


def documented(description: str, *, table: bool = True) -> dict[int | str, dict[str, Any]]:
    """What the description of a route says of its answer; ``table`` when there is CSV too."""
    content: dict[str, Any] = {"text/csv": {"schema": {"type": "string"}}} if table else {}
    return {200: {"description": description, "content": content}}
