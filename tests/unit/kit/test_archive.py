"""How much of the archive one answer holds."""

from kourse.kit.archive import PAGE_BYTES, Kept, first_page


def kept(size):
    return Kept({}, b"x" * size)


class TestFirstPage:
    def test_holds_all_that_fits(self):
        events = [kept(PAGE_BYTES // 2), kept(PAGE_BYTES // 2)]
        assert first_page(events) == events

    def test_ends_before_what_does_not_fit(self):
        events = [kept(PAGE_BYTES // 2), kept(PAGE_BYTES), kept(1)]
        assert first_page(events) == events[:1]

    def test_holds_one_event_of_any_size(self):
        events = [kept(PAGE_BYTES * 2), kept(1)]
        assert first_page(events) == events[:1]

    def test_is_empty_when_there_is_nothing(self):
        assert first_page([]) == []
