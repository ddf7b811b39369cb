"""Previews of templates over real HTTP, for whoever operates the platform."""

import pytest

from integration.notification.test_feed import Reader
from kourse.notification.domain.kinds import RULES, Kind

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/v1/notifications/previews"


@pytest.fixture
def keeper(http, issuer):
    return Reader(http, issuer, roles=("platform-admin",))


class TestPreview:
    async def test_shows_every_kind_by_its_channels(self, keeper):
        shown = (await keeper.get(PATH))["items"]

        assert [one["type"] for one in shown] == [kind.value for kind in Kind]
        for one in shown:
            rule = RULES[Kind(one["type"])]
            assert (one["feed"], one["email"]) == (rule.in_feed, rule.by_email)
            assert one["title"]
            assert one["html"].startswith("<!doctype html>")

    async def test_shows_one_kind_in_the_language_asked_for(self, keeper):
        german = await keeper.get(f"{PATH}?type=exam-graded&lang=de-AT")
        english = await keeper.get(f"{PATH}?type=exam-graded&lang=en")

        assert (german["language"], english["language"]) == ("de", "en")
        ((one,), (other,)) = (german["items"], english["items"])
        assert one["type"] == other["type"] == "exam-graded"
        assert 'lang="de"' in one["html"]
        assert one["text"] != other["text"]

    async def test_shows_the_default_language_where_there_is_no_other(self, keeper):
        assert (await keeper.get(f"{PATH}?type=welcome&lang=tlh"))["language"] == "en"

    async def test_knows_no_other_kind(self, http, keeper):
        answer = await http.get(f"{PATH}?type=nonsense", headers=keeper.headers)

        assert answer.status == 422

    async def test_is_refused_to_a_learner(self, http, issuer):
        learner = Reader(http, issuer)

        assert (await http.get(PATH, headers=learner.headers)).status == 403
