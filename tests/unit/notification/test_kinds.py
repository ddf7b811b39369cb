"""The catalog of kinds against what it promises."""

from pathlib import Path

import pytest

from kourse.contracts import events
from kourse.notification.consumers import handlers
from kourse.notification.domain.kinds import RULES, Kind, Urgency
from kourse.notification.service import rendering


class TestRules:
    def test_cover_every_kind(self):
        assert set(RULES) == set(Kind)

    @pytest.mark.parametrize("kind", Kind)
    def test_give_each_kind_a_way_to_its_reader(self, kind):
        assert RULES[kind].in_feed or RULES[kind].by_email

    def test_let_nothing_but_what_identity_addresses_go_to_an_unverified_address(self):
        assert [kind for kind in Kind if RULES[kind].to_unverified] == [
            Kind.VERIFICATION,
            Kind.INVITATION,
            Kind.RESET_LINK,
            Kind.FORMER_EMAIL,
        ]

    def test_let_people_refuse_all_but_security(self):
        always = {kind for kind in Kind if not RULES[kind].is_optional}

        assert always == {kind for kind in Kind if RULES[kind].urgency is Urgency.SECURITY}


class TestTemplates:
    @pytest.mark.parametrize("locale", rendering.LOCALES)
    def test_are_there_for_every_kind_and_nothing_else(self, locale):
        files = {path.stem for path in Path(rendering.TEMPLATES, locale).glob("*.txt")}

        assert files == {kind.value for kind in Kind} | {"badges", "layout", "points"}


class TestHandlers:
    def test_act_on_exactly_what_the_catalog_sends_here(self):
        sent = {kind.name for kind in events.CATALOG.values() if "notification" in kind.consumers}

        assert handlers.types == sent
