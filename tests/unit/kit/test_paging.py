"""Cursors go out and come back, and nothing else comes in."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.errors import Malformed
from kourse.kit.http import Cursor

PARTS = (
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
    | st.integers(-(2**53), 2**53)
    | st.booleans()
    | st.none()
)


class TestCursor:
    @given(st.lists(PARTS, min_size=1, max_size=4))
    def test_comes_back_as_it_went(self, key):
        assert Cursor.decode(Cursor.encode(*key), len(key)) == key

    def test_carries_ids_as_text(self):
        assert Cursor.decode(Cursor.encode(UUID(int=1)), 1) == [str(UUID(int=1))]

    def test_is_none_on_the_first_page(self):
        assert Cursor.decode(None, 1) is None

    @pytest.mark.parametrize("cursor", ["", "x", "e30", "W10", "W1tdXQ", "é", "WzEsMl0"])
    def test_refuses_what_it_never_made(self, cursor):
        with pytest.raises(Malformed):
            Cursor.decode(cursor, 1)


class TestPage:
    def test_has_a_next_page_when_there_is_one_item_more(self):
        items, after = Cursor.page([1, 2, 3], 2, key=lambda item: (item,))

        assert items == [1, 2]
        assert Cursor.decode(after, 1) == [2]

    def test_ends_without_one(self):
        assert Cursor.page([1, 2], 2, key=lambda item: (item,)) == ([1, 2], None)
        assert Cursor.page([], 2, key=lambda item: (item,)) == ([], None)
