"""How events that stand aside are printed, and how people write moments."""

from datetime import UTC, datetime, timedelta

import pytest

from kourse.cli.event_views import moment, table, whole

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
EVENT = {
    "eventId": "e-1",
    "service": "course",
    "type": "profile.group.joined",
    "stream": "group",
    "entity": "c-1",
    "seq": 4,
    "reason": "poison",
    "error": "ValueError: no",
    "tries": 5,
    "parkedAt": "2026-01-31T08:00:00Z",
    "lastSeq": 1,
    "missing": 2,
    "before": [],
    "behind": [{"eventId": "e-2", "seq": 5, "type": "profile.group.left", "reason": "blocked"}],
    "payload": {"name": "Zoë"},
    "headers": {},
}


class TestMoment:
    @pytest.mark.parametrize(
        ("text", "ago"),
        [
            ("90s", timedelta(seconds=90)),
            ("30m", timedelta(minutes=30)),
            ("2h", timedelta(hours=2)),
            ("7d", timedelta(days=7)),
        ],
    )
    def test_may_be_so_long_ago(self, text, ago):
        assert moment(text, NOW) == NOW - ago

    def test_is_in_utc_unless_it_says_otherwise(self):
        assert moment("2026-01-30", NOW) == datetime(2026, 1, 30, tzinfo=UTC)
        assert moment("2026-01-30T10:00:00+02:00", NOW) == datetime(2026, 1, 30, 8, tzinfo=UTC)

    @pytest.mark.parametrize("text", ["", "yesterday", "2w", "-2h", "2026-13-01"])
    def test_says_how_to_write_it_otherwise(self, text):
        with pytest.raises(ValueError, match="write 30m, 2h or 7d"):
            moment(text, NOW)


class TestTable:
    def test_is_as_wide_as_it_needs_to_be(self):
        rows = [{"a": "x", "b": 1}, {"a": "longer", "b": None}]
        assert table(rows, {"A": "a", "B": "b"}) == "A       B\nx       1\nlonger"

    def test_shortens_what_would_fill_the_screen_and_keeps_to_one_line(self):
        shown = table([{"a": "many\nlines " * 30}], {"A": "a"}).splitlines()
        assert len(shown) == 2
        assert shown[1].endswith("…")
        assert len(shown[1]) == 60

    def test_is_empty_without_rows(self):
        assert table([], {"A": "a"}) == ""


class TestWhole:
    def test_says_where_it_stands_why_and_what_waits(self):
        shown = whole(EVENT)
        assert "of          group c-1, number 4" in shown
        assert "since it failed" in shown
        assert "number 1; 2 earlier ones have not come" in shown
        assert "ValueError: no (tried 5 times)" in shown
        assert "behind it   number 5, profile.group.left e-2 (blocked)" in shown
        assert '"name": "Zoë"' in shown
