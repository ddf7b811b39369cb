"""An invitation, from a teacher's wish to a seat in the class."""

import re
import secrets
from contextlib import closing

from hack.smoke.person import Person, eventually

LINK = re.compile(r"/accept-invitation#(\S+)")


class TestInvitation:
    def test_leads_from_a_mail_to_an_account_in_the_class(self, target, teacher, mailbox):
        teacher.log_in()
        cohort = teacher.get("/v1/cohorts")["items"][0]["name"]
        email, password = f"invited-{secrets.token_hex(4)}@example.org", secrets.token_urlsafe(18)
        wish = {"emails": [email], "role": "learner", "scope": {"cohort": cohort}}
        teacher.call("POST", "/v1/invitations", json=wish)

        def link():
            found = [LINK.search(mail["text"]) for mail in mailbox.messages(email)]
            return found[0] and found[0][1] if found else None

        token = eventually("the invitation by e-mail", link)
        with closing(Person(target.url, email, password)) as person:
            body = {"token": token, "password": password, "displayName": "Ana Nova"}
            person.call("POST", "/v1/auth/accept-invitation", json=body)
            person.log_in()

            def classes():
                return [one["name"] for one in person.get("/v1/cohorts")["items"]] or None

            assert eventually("the seat in the class", classes) == [cohort]
