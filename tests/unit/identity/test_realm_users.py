"""What counts of a user in Keycloak for the account that belongs to it."""

from uuid import UUID

import pytest

from kourse.identity.domain.accounts import Account
from kourse.identity.domain.keycloak import realm_user

ACCOUNT = Account(
    id=UUID(int=7),
    email="ana@school.example",
    display_name="Ana",
    locale="en",
    is_verified=True,
    is_disabled=False,
)
ANSWER = {"id": "s-1", "email": "Ana@School.example", "emailVerified": True, "enabled": True}


def user(**changes):
    return realm_user(ANSWER | changes)


class TestRealmUser:
    def test_is_as_the_account_whatever_the_case_of_its_address(self):
        assert user().is_as(ACCOUNT)

    def test_differs_when_it_is_disabled(self):
        assert not user(enabled=False).is_as(ACCOUNT)

    def test_differs_when_it_moved_to_an_address_that_the_realm_has_verified(self):
        assert not user(email="noor@school.example").is_as(ACCOUNT)

    @pytest.mark.parametrize(
        "changes",
        [
            {"email": "noor@school.example", "emailVerified": False},
            {"email": "not an address"},
            {"email": None},
        ],
        ids=["unverified", "malformed", "none"],
    )
    def test_has_no_other_address_that_counts(self, changes):
        assert user(**changes).email == ""
        assert user(**changes).is_as(ACCOUNT)
