"""The supervisor's record of what runs."""

import pytest

from hack.stack.child import LONGEST_DELAY, restart_delay
from hack.stack.record import Entry, Phase, Record, read_record


class TestRecord:
    def test_comes_back_from_its_text_as_it_was(self):
        entry = Entry(phase=Phase.READY, pid=7, started=9, restarts=2, exit_code=-9, address="x")
        record = Record(1, 2, "digest", "revision", 3, {"a": entry})
        assert Record.parse(record.dump()) == record

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "{}", '{"entries": {"a": {"phase": "unheard of"}}}']
    )
    def test_that_cannot_be_understood_counts_as_none(self, tmp_path, text):
        (tmp_path / "state.json").write_text(text)
        assert read_record(tmp_path / "state.json") is None

    def test_that_is_missing_counts_as_none(self, tmp_path):
        assert read_record(tmp_path / "state.json") is None

    def test_is_settled_when_servers_serve_and_tasks_are_done(self):
        entries = {"a": Entry(phase=Phase.READY), "b": Entry(phase=Phase.DONE)}
        assert Record(1, 2, "d", entries=entries).settled
        entries["c"] = Entry(phase=Phase.BACKOFF)
        assert not Record(1, 2, "d", entries=entries).settled


class TestRestartDelay:
    def test_is_short_at_first_and_doubles(self):
        assert [restart_delay(failures) for failures in (1, 2, 3)] == [0.1, 0.2, 0.4]

    def test_never_grows_beyond_its_cap(self):
        assert restart_delay(8) == LONGEST_DELAY
        assert restart_delay(100_000) == LONGEST_DELAY
