"""Every kind in every language: complete, escaped where it must be, one line where it must be."""

import re
from html.parser import HTMLParser
from itertools import product

import pytest

from kourse.notification.domain.badges import PLATFORM
from kourse.notification.domain.kinds import RULES, Kind
from kourse.notification.domain.points import Reason
from kourse.notification.service import rendering

FACTS = {
    "badge": "first-step",
    "host": "hooks.example",
    "reason": "gone",
    "description": "Completed a first lesson.",
    "display_name": "Ana & <b>Bo</b>",
    "public_url": "https://kourse.example",
    "unsubscribe_url": "https://kourse.example/out",
    "course": "statistics",
    "course_title": "Data & Doubt",
    "cohort_title": "Autumn <2027>",
    "secret": "012345",
    "minutes": 15,
    "title": "The mean, and\nwhy it lies",
    "points": "7.50",
    "max_points": "10",
    "percent": 75.0,
    "passed": True,
    "run": 1,
    "completed": 3,
    "total": 16,
    "version": 2,
    "lessons": 16,
    "due_at": "2027-03-01T17:00:00+00:00",
    "opens_at": "2027-07-01T08:00:00+00:00",
    "closes_at": None,
    "at": "2027-03-01T17:00:00+00:00",
    "time_zone": "Europe/Lisbon",
}
EACH = list(product(Kind, rendering.LOCALES))


class Tags(HTMLParser):
    """Collects a page's elements and refuses one that is not closed."""

    VOID = frozenset({"meta", "hr", "br", "img", "!doctype"})

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def tags_of(html):
    parser = Tags()
    parser.feed(html)
    assert parser.open == []
    return parser.seen


class TestMail:
    def test_escapes_in_html_what_people_and_authors_wrote(self):
        words = rendering.mail(Kind.ENROLLED, "en", FACTS)

        assert "Ana &amp; &lt;b&gt;Bo&lt;/b&gt;" in words.html
        assert "Data &amp; Doubt" in words.html
        assert "Data & Doubt" in words.text

    @pytest.mark.parametrize("locale", rendering.LOCALES)
    def test_shows_a_code_in_the_text_and_never_in_the_subject(self, locale):
        words = rendering.mail(Kind.VERIFICATION, locale, FACTS)

        assert re.search(r"\b012345\b", words.text)
        assert "012345" not in words.subject

    def test_leaves_no_way_out_of_security_messages(self):
        words = rendering.mail(Kind.PASSWORD_RESET, "en", FACTS | {"unsubscribe_url": None})

        assert "No more mail" not in words.text + words.html

    def test_greets_nobody_by_a_name_that_is_not_known(self):
        words = rendering.mail(Kind.VERIFICATION, "en", FACTS | {"display_name": ""})

        assert words.text.startswith("Hello,\n")


class TestSummary:
    @pytest.mark.parametrize(("kind", "locale"), [each for each in EACH if RULES[each[0]].in_feed])
    def test_is_a_title_and_a_line(self, kind, locale):
        title, line = rendering.summary(kind, locale, FACTS)

        assert title
        assert line
        assert "\n" not in title + line

    def test_shows_times_in_the_courses_zone_and_the_readers_language(self):
        _, english = rendering.summary(Kind.EXAM_SCHEDULED, "en", FACTS)
        _, german = rendering.summary(Kind.EXAM_SCHEDULED, "de", FACTS)

        assert "Thursday, July 1, 2027, 9:00" in english.replace("\u202f", " ")
        assert "Donnerstag, 1. Juli 2027, 09:00 WEST" in german

    def test_shows_shares_as_the_language_writes_them(self):
        assert "(75%)" in rendering.summary(Kind.EXAM_GRADED, "en", FACTS)[1]
        assert "(75\u00a0%)" in rendering.summary(Kind.EXAM_GRADED, "de", FACTS)[1]


class TestExplanation:
    @pytest.mark.parametrize(("reason", "locale"), list(product(Reason, rendering.LOCALES)))
    def test_is_a_sentence_for_every_reason(self, reason, locale):
        sentence = rendering.explanation(reason, locale, FACTS)

        assert sentence.startswith("7.50 ")
        assert sentence.endswith(".")


class TestPage:
    @pytest.mark.parametrize("locale", ["en", "de", "xx"])
    def test_has_one_form_that_posts_to_its_own_address(self, locale):
        seen = tags_of(rendering.page("unsubscribe", locale))

        assert [attrs for tag, attrs in seen if tag == "form"] == [{"method": "post"}]


class TestBestLocale:
    @pytest.mark.parametrize(
        ("wanted", "chosen"),
        [("de", "de"), ("de-AT", "de"), ("DE", "de"), ("pt-PT", "en"), ("", "en")],
    )
    def test_is_the_wanted_language_or_the_default(self, wanted, chosen):
        assert rendering.best_locale(wanted) == chosen


class TestPlatformBadge:
    @pytest.mark.parametrize("locale", rendering.LOCALES)
    @pytest.mark.parametrize("badge", PLATFORM.badges, ids=lambda one: one.key)
    def test_is_named_and_explained_in_every_language(self, badge, locale):
        title, description = rendering.platform_badge(badge.key, locale)

        assert title
        assert description.endswith(".")

    @pytest.mark.parametrize("locale", rendering.LOCALES)
    def test_is_told_by_its_name(self, locale):
        facts = {"badge": "seven-days", "title": "", "description": ""}

        line = " ".join(rendering.summary(Kind.BADGE_WON, locale, facts))

        assert all(words in line for words in rendering.platform_badge("seven-days", locale))
