"""Addresses, and the roles that count at an instant."""

from datetime import UTC, datetime, timedelta

import pytest

from kourse.contracts.permissions import Role
from kourse.identity.domain.accounts import Assignment, normalised_email, standing

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


class TestNormalisedEmail:
    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            (" Ana@School.Example ", "ana@school.example"),
            ("ana+tests@school.example", "ana+tests@school.example"),
            ("ana@MAILHOST", "ana@mailhost"),
        ],
    )
    def test_is_one_spelling_for_one_person(self, typed, kept):
        assert normalised_email(typed) == kept

    @pytest.mark.parametrize(
        "typed",
        [
            "",
            "ana",
            "ana@",
            "@school.example",
            "a b@school.example",
            "ana@school.example\nBcc: x@y.z",
        ],
    )
    def test_refuses_what_is_no_address(self, typed):
        with pytest.raises(ValueError, match="not an e-mail address"):
            normalised_email(typed)


class TestStanding:
    def test_tells_tenant_roles_and_scoped_ones_apart(self):
        held = standing(
            [
                Assignment(Role.TEACHER, cohort="autumn"),
                Assignment(Role.LEARNER),
                Assignment(Role.AUTHOR, course="statistics"),
            ],
            NOW,
        )

        assert held.roles == ("learner",)
        assert held.scopes == ("author@course:statistics", "teacher@cohort:autumn")

    def test_leaves_out_what_has_lapsed_from_that_instant_on(self):
        lapsed = Assignment(Role.TEACHER, until=NOW)
        live = Assignment(Role.AUTHOR, until=NOW + timedelta(microseconds=1))

        assert standing([lapsed, live], NOW).roles == ("author",)

    def test_names_a_role_once(self):
        twice = [Assignment(Role.TEACHER), Assignment(Role.TEACHER, until=NOW + timedelta(days=1))]

        assert standing(twice, NOW).roles == ("teacher",)
