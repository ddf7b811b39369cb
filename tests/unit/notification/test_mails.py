"""Every mail as it leaves, in every language: kept word for word, and held to rules for filters and readers."""

import re
from html.parser import HTMLParser
from itertools import pairwise, product
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from hack.gen import mails
from hack.gen.outputs import drift
from kourse.notification.domain.kinds import RULES, Kind
from kourse.notification.service import letters, rendering, samples
from kourse.notification.service.ports import Contact
from kourse.notification.settings import NotificationSettings

HOST = "kourse.example"
SETTINGS = NotificationSettings(port=0, public_url=f"https://{HOST}")
LONGEST = 30_000
"""Bytes of a mail, well below those at which mail programs cut it off (102 kB)."""
CONTRAST = 4.5
"""Least ratio for small text, WCAG 2.2, 1.4.3."""
EACH = [
    pytest.param(kind, locale, id=f"{kind}-{locale}")
    for kind, locale in product(Kind, rendering.LOCALES)
]
each = pytest.mark.parametrize(("kind", "locale"), EACH)


def composed(kind, locale):
    """The mail of the sample, with the headers that the sender gives it."""
    contact = Contact("ana@school.example", is_verified=True, display_name="Ana", locale=locale)
    key = UUID(int=9)
    return letters.compose(
        SETTINGS,
        delivery_id=UUID(int=5),
        kind=kind,
        contact=contact,
        facts=samples.facts(kind),
        unsubscribe_url=letters.unsubscribe_url(SETTINGS, kind, "demo", key),
    )


def parts(message):
    """Text and page of a mail."""
    return tuple(part.get_content() for part in message.iter_parts())


class Page(HTMLParser):
    """What a reader's program makes of a page: elements with their styles, and the words."""

    VOID = frozenset({"meta", "hr", "br", "img"})

    def __init__(self, html):
        super().__init__()
        self.elements, self.words, self.pairs = [], [], set()
        self._open = [("", {})]
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        own = dict(
            (part.strip() for part in rule.split(":", 1))
            for rule in attrs.get("style", "").split(";")
            if ":" in rule
        )
        self.elements.append((tag, attrs))
        if tag not in self.VOID:
            inherited = self._open[-1][1]
            self._open.append((tag, {**inherited, **own}))

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        tag, style = self._open[-1]
        if data.strip() and tag != "title":
            self.words.append(data.strip())
            self.pairs.add((style["color"], style["background"]))

    def all(self, tag):
        """Attributes of the elements with this name."""
        return [attrs for name, attrs in self.elements if name == tag]


def luminance(colour):
    """Relative luminance of ``#rrggbb``, as WCAG 2.2 defines it."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    """Contrast ratio of two colours, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def words_of(text):
    return re.findall(r"\w+", text)


class TestSnapshots:
    def test_are_what_the_templates_say_now(self):
        assert drift(mails.files(), mails.stale()) == [], "renew with: python -m hack.gen mails"


class TestWhatFiltersLookAt:
    @each
    def test_subject_is_short_and_does_not_shout(self, kind, locale):
        subject = composed(kind, locale)["Subject"]

        assert 5 <= len(subject) <= 78
        assert not re.search(r"[!?$€]|\b[A-ZÄÖÜ]{4,}\b|^(Re|Fwd|AW|WG):", subject)

    @each
    def test_text_says_what_the_page_says(self, kind, locale):
        message = composed(kind, locale)
        text, html = parts(message)
        body, footer = text.split("\n--\n")

        said = set(words_of(" ".join(Page(html).words)))
        assert set(words_of(body)) <= said
        assert said <= set(words_of(f"{message['Subject']} {body} {footer}"))

    @each
    def test_links_lead_to_the_platform_alone_and_show_where(self, kind, locale):
        text, html = parts(composed(kind, locale))

        links = [one["href"] for one in Page(html).all("a")] + re.findall(r"https?://\S+", text)
        assert links
        assert {urlsplit(link).netloc for link in links} == {HOST}
        assert {urlsplit(link).scheme for link in links} == {"https"}

    @each
    def test_page_fetches_nothing_and_runs_nothing(self, kind, locale):
        message = composed(kind, locale)
        page = Page(parts(message)[1])

        assert not {"script", "iframe", "form", "link", "object", "img"} & {
            tag for tag, _ in page.elements
        }
        assert not re.search(r"url\(|@import|javascript:|data:", parts(message)[1])
        assert len(message.as_bytes()) < LONGEST

    @each
    def test_way_out_is_one_click_where_one_may_go(self, kind, locale):
        message = composed(kind, locale)
        text, html = parts(message)

        if not RULES[kind].is_optional:
            assert message["List-Unsubscribe"] is message["List-Unsubscribe-Post"] is None
            assert "unsubscribe" not in text + html
            return
        url = message["List-Unsubscribe"].strip("<>")
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert urlsplit(url).scheme == "https"
        assert url in text
        assert url in [one["href"] for one in Page(html).all("a")]

    @each
    def test_headers_are_whole(self, kind, locale):
        message = composed(kind, locale)

        assert message["Message-ID"].endswith("@kourse.example>")
        assert message["Date"].datetime.tzinfo is not None
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["Content-Language"] == locale
        assert all(len(line) <= 998 for line in message.as_bytes().splitlines())


class TestWhatReadersNeed:
    @each
    def test_page_names_its_language_and_its_title(self, kind, locale):
        message = composed(kind, locale)
        html = parts(message)[1]

        assert Page(html).all("html") == [{"lang": locale}]
        title = re.search(r"<title>(.*)</title>", html)
        assert title
        assert len(title[1]) >= 5

    @each
    def test_headings_begin_at_the_top_and_leave_no_level_out(self, kind, locale):
        page = Page(parts(composed(kind, locale))[1])

        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))

    @each
    def test_tables_and_pictures_say_what_they_are(self, kind, locale):
        page = Page(parts(composed(kind, locale))[1])

        assert all(one.get("role") == "presentation" for one in page.all("table"))
        assert all("alt" in one for one in page.all("img"))

    @each
    def test_words_stand_out_from_what_is_behind_them(self, kind, locale):
        page = Page(parts(composed(kind, locale))[1])

        assert page.pairs
        assert {pair: contrast(*pair) for pair in page.pairs if contrast(*pair) < CONTRAST} == {}

    @each
    def test_nothing_is_left_to_fill_in(self, kind, locale):
        message = composed(kind, locale)

        for said in (message["Subject"], *parts(message)):
            assert not re.search(r"\{[{%#]|%\(|\bNone\b|undefined|\$\{", said)
            assert not re.search(r" [,.](\s|$)", said)


class TestLanguage:
    def test_no_language_says_what_another_one_says(self):
        for kind in Kind:
            english, german = (samples.preview(kind, one).mail for one in ("en", "de"))

            assert english.subject != german.subject
            assert english.text != german.text

    @pytest.mark.parametrize(
        ("locale", "one", "many"),
        [
            ("en", "with 1 lesson.", "with 1,600 lessons."),
            ("de", "mit 1 Lektion ", "mit 1.600 Lektionen "),
        ],
    )
    def test_counts_things_as_the_language_does(self, locale, one, many):
        def said(lessons):
            facts = samples.facts(Kind.COURSE_PUBLISHED) | {"lessons": lessons}
            return rendering.mail(Kind.COURSE_PUBLISHED, locale, facts).text

        assert one in said(1)
        assert many in said(1600)

    def test_writes_numbers_as_the_language_does(self):
        assert "7.5 of 10 points" in samples.preview(Kind.EXAM_GRADED, "en").mail.text
        assert "7,5 von 10 Punkten" in samples.preview(Kind.EXAM_GRADED, "de").mail.text


class TestContrast:
    def test_is_computed_as_the_guideline_says(self):
        assert contrast("#000000", "#ffffff") == pytest.approx(21)
        assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
