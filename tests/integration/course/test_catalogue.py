"""Searching the catalogue over HTTP: words, languages, slips, filters, pages."""

import pytest

CATALOGUE = "/v1/courses"


@pytest.fixture
def shelf(publish):
    """A few courses in two languages."""

    async def fill():
        await publish("statistics", title="Practical statistics", tags=["numbers", "data"])
        await publish(
            "gardens",
            title="Gärten anlegen",
            summary="Wie aus Wiesen Gärten werden.",
            language="de",
            tags=["plants"],
        )
        await publish(
            "running", title="Run further", summary="How runners train.", level="Advanced"
        )
        await publish("hidden", title="Statistics in secret", visibility="Unlisted")
        await publish("old", title="Statistics of old", lifecycle="Archived")

    return fill


async def found(house, query, **how):
    answer = await house.get(f"{CATALOGUE}?{query}", **how)
    assert answer.status == 200, answer.body
    return [item["name"] for item in answer.body["items"]]


class TestSearch:
    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("statistics", ["statistics"]),
            ("STATIST", ["statistics"]),
            ("practical stat", ["statistics"]),
            ("run", ["running"]),
            ("training", ["running"]),
            ("Garten", ["gardens"]),
            ("wiese", ["gardens"]),
            ("numbers", ["statistics"]),
            ("plants", ["gardens"]),
            ("coins", ["gardens", "running", "statistics"]),
            ("statistics gardens", []),
            ("quantum", []),
        ],
    )
    async def test_finds_words_as_their_language_inflects_them(self, house, shelf, words, expected):
        await shelf()
        assert sorted(await found(house, f"q={words}")) == expected

    @pytest.mark.parametrize("slip", ["statistcs", "statisitcs", "practicl statistics"])
    async def test_understands_a_slip_of_the_fingers(self, house, shelf, slip):
        await shelf()
        assert await found(house, f"q={slip}") == ["statistics"]

    async def test_puts_first_what_has_the_word_in_its_title(self, house, publish):
        await publish("a", title="Coins", summary="Money.")
        await publish("b", title="Money", summary="What to pay with.")
        assert (await found(house, "q=money"))[0] == "b"

    async def test_goes_by_pages_without_loss(self, house, publish):
        names = [f"course-{number}" for number in range(5)]
        for number, name in enumerate(names):
            await publish(name, title="Money " * (1 + number % 2))
        seen, after = [], ""
        for _ in range(3):
            answer = await house.get(f"{CATALOGUE}?q=money&limit=2{after}")
            seen += [item["name"] for item in answer.body["items"]]
            after = f"&after={answer.body['next']}"
        assert answer.body["next"] is None
        assert sorted(seen) == names

    @pytest.mark.parametrize(
        "query", ["q=%27%3A%2A%20%26%20%21%28", "q=%F0%9F%99%82", "q=%20", "q="]
    )
    async def test_reads_signs_as_no_words(self, house, shelf, query):
        await shelf()
        assert await found(house, query) == []

    async def test_finds_nothing_of_another_tenant(self, house, shelf):
        await shelf()
        assert await found(house, "q=statistics", tenant="other") == []

    async def test_finds_the_version_that_learners_have(self, house, publish):
        await publish(title="Alpha")
        await publish(title="Omega", lifecycle="Draft")
        assert await found(house, "q=alpha") == ["statistics"]
        assert await found(house, "q=omega") == []

    @pytest.mark.parametrize("after", ["MQ", "WyJ4IiwieCJd"])
    async def test_refuses_a_cursor_of_another_list(self, house, shelf, after):
        await shelf()
        answer = await house.get(f"{CATALOGUE}?q=statistics&after={after}")
        assert (answer.status, answer.code) == (400, "malformed")


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("tag=numbers", ["statistics"]),
            ("tag=plants&language=de", ["gardens"]),
            ("tag=plants&language=en", []),
            ("level=Advanced", ["running"]),
            ("q=coins&language=de", ["gardens"]),
            ("", ["gardens", "running", "statistics"]),
        ],
    )
    async def test_narrow_the_catalogue(self, house, shelf, query, expected):
        await shelf()
        assert sorted(await found(house, query)) == expected
