"""Lesson texts: CommonMark with tables, made into HTML that can carry no script.

Links to ``asset:path`` are kept through rendering, which is costly and cached, and replaced by signed
addresses, which are short-lived, when a learner reads.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

SCHEME = "asset:"
CACHED_TEXTS = 512
"""Rendered texts kept per process: about 10 KiB each."""
_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_TAGS = frozenset(nh3.ALLOWED_TAGS) - {"map", "area", "bdo"}
_ATTRIBUTES = nh3.ALLOWED_ATTRIBUTES | {"code": {"class"}}
_SCHEMES = {"http", "https", "mailto", "asset"}
_ASSET = re.compile(r'(href|src)="asset:([^"]*)"')


def asset_links(text: str) -> list[str]:
    """Paths that a Markdown text links to as ``asset:path``, in order, each once."""
    return list(dict.fromkeys(_asset_paths(_PARSER.parse(text))))


def _asset_paths(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        for name in ("href", "src"):
            target = str(token.attrGet(name) or "")
            if target.startswith(SCHEME):
                yield target.removeprefix(SCHEME)
        yield from _asset_paths(token.children or [])


@lru_cache(maxsize=CACHED_TEXTS)
def _rendered(text: str) -> str:
    return nh3.clean(
        str(_PARSER.render(text)),
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer",
    )


def to_html(text: str, links: Mapping[str, str]) -> str:
    """The text as HTML without scripts, styles or foreign frames.

    Args:
        text: CommonMark, with tables.
        links: Address of each asset by path; a link to any other asset leads nowhere (``#``).
    """

    def addressed(found: re.Match[str]) -> str:
        path = html.unescape(found[2])
        return f'{found[1]}="{html.escape(links.get(path, "#"))}"'

    return _ASSET.sub(addressed, _rendered(text))
