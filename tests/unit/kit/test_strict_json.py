"""JSON that two readers could understand differently is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.errors import Malformed
from kourse.kit.http.strictness import check_json

TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


class TestCheckJson:
    @given(JSON)
    def test_accepts_whatever_a_careful_writer_writes(self, value):
        check_json(json.dumps(value).encode())

    @pytest.mark.parametrize(
        "text",
        [
            b"{",
            b"{'a': 1}",
            b'{"a": 1,}',
            b"[1] x",
            b'{"a": 1, "a": 2}',
            b'[{"b": {"a": 1, "a": 1}}]',
            b"NaN",
            b"[Infinity]",
            b"-Infinity",
            b"1e999",
            b"1" * 20,
            b"[" * 33 + b"]" * 33,
            b'{"a":' * 33 + b"1" + b"}" * 33,
            b"[" * 100_000,
            b"\xff\xfe",
            b'"\xed\xa0\x80"',
            b"\xef\xbb\xbf{}",
            b'{"a": ["b\\u0000"]}',
            b'{"a\\u0000": 1}',
        ],
        ids=lambda text: repr(text[:24]),
    )
    def test_refuses(self, text):
        with pytest.raises(Malformed):
            check_json(text)

    @pytest.mark.parametrize(
        "text", [b"", b"[" * 32 + b"]" * 32, b"9" * 19, b'["[[[", "{{"]', rb'"\\u0000"']
    )
    def test_accepts_what_lies_just_within(self, text):
        check_json(text)

    def test_accepts_many_siblings(self):
        check_json(json.dumps([{"a": [1]} for _ in range(1000)]).encode())
