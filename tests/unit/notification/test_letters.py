"""The mail around the words: who from, who to, which id, and the way out."""

from uuid import UUID

import pytest

from kourse.notification.domain.kinds import Kind
from kourse.notification.service import letters
from kourse.notification.service.ports import Contact
from kourse.notification.settings import NotificationSettings

SETTINGS = NotificationSettings(
    port=0, mail_from="kourse <no-reply@kourse.example>", public_url="https://kourse.example/"
)
ANA = Contact("ana@school.example", is_verified=True, display_name="Ana", locale="de-AT")
DELIVERY = UUID(int=5)


def composed(kind=Kind.WELCOME, contact=ANA, **more):
    return letters.compose(
        SETTINGS,
        delivery_id=DELIVERY,
        kind=kind,
        contact=contact,
        facts={"secret": "123456", "minutes": 15},
        unsubscribe_url=more.get("unsubscribe_url"),
    )


class TestCompose:
    def test_is_text_and_html_in_the_readers_language(self):
        message = composed()

        assert message.get_content_type() == "multipart/alternative"
        assert [part.get_content_type() for part in message.iter_parts()] == [
            "text/plain",
            "text/html",
        ]
        assert message["Content-Language"] == "de"
        assert message["Subject"] == "Willkommen bei kourse"

    def test_has_the_same_id_however_often_it_is_made(self):
        assert (
            composed()["Message-ID"] == composed()["Message-ID"] == f"<{DELIVERY}@kourse.example>"
        )

    def test_says_that_a_machine_wrote_it(self):
        assert composed()["Auto-Submitted"] == "auto-generated"

    def test_offers_one_click_out_where_one_may_go(self):
        message = composed(unsubscribe_url="https://kourse.example/out")

        assert message["List-Unsubscribe"] == "<https://kourse.example/out>"
        assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    def test_carries_no_name_that_a_stranger_typed_to_an_unverified_address(self):
        stranger = Contact("ana@school.example", False, "Win money at evil.example", "en")

        assert "Win money" not in composed(Kind.VERIFICATION, stranger).as_string()


class TestUnsubscribeUrl:
    def test_is_made_of_the_configured_address(self):
        url = letters.unsubscribe_url(SETTINGS, Kind.WELCOME, "demo", UUID(int=9))

        assert url == f"https://kourse.example/v1/notifications/unsubscribe/demo/{UUID(int=9)}"

    @pytest.mark.parametrize("kind", [Kind.VERIFICATION, Kind.PASSWORD_RESET])
    def test_is_none_for_security_messages(self, kind):
        assert letters.unsubscribe_url(SETTINGS, kind, "demo", UUID(int=9)) is None

    def test_is_none_while_the_person_is_not_known(self):
        assert letters.unsubscribe_url(SETTINGS, Kind.WELCOME, "demo", None) is None
