"""Rosters as CSV."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.permissions import Role
from kourse.identity.domain.roster import MOST_LINES, Entry, Fault, read

HEADER = "email,displayName,roles,locale\n"


class TestRead:
    def test_names_everybody_with_roles_and_language(self):
        found = read(HEADER + "ANA@School.example,Ana,teacher author,de\n")

        assert found == [Entry(2, "ana@school.example", "Ana", (Role.TEACHER, Role.AUTHOR), "de")]

    def test_makes_learners_of_those_without_roles(self):
        (found,) = read('displayName,email\n"Ana, the first",ana@school.example\n')

        assert (found.display_name, found.roles, found.locale) == (
            "Ana, the first",
            (Role.LEARNER,),
            "en",
        )

    @pytest.mark.parametrize(
        "line",
        [
            "nobody,Ana,,",
            "ana@school.example,,,",
            "ana@school.example,A\x07na,,",
            "ana@school.example,Ana,wizard,",
            "ana@school.example,Ana,,1",
            "ana@school.example,Ana,,en,more",
        ],
    )
    def test_says_what_is_wrong_with_a_line_and_goes_on(self, line):
        found = read(f"{HEADER}{line}\nbo@school.example,Bo,,\n")

        assert isinstance(found[0], Fault)
        assert (found[0].line, isinstance(found[1], Entry)) == (2, True)

    def test_takes_an_address_once(self):
        found = read(HEADER + "a@school.example,A,,\nA@school.example,B,,\n")

        assert [type(one) for one in found] == [Entry, Fault]

    @pytest.mark.parametrize("header", ["", "email", "email,displayName,password", "email,email"])
    def test_refuses_what_is_no_roster(self, header):
        with pytest.raises(ValueError, match="first line"):
            read(header + "\n")

    def test_refuses_more_lines_than_one_request_can_take(self):
        lines = "".join(f"a{n}@school.example,A,,\n" for n in range(MOST_LINES + 1))

        with pytest.raises(ValueError, match="at most"):
            read(HEADER + lines)

    @given(st.lists(st.text(st.characters(exclude_characters='"\r\n\x00', codec="utf-8"))))
    def test_answers_for_every_line_that_says_something(self, lines):
        found = read(HEADER + "".join(f'"{line}"\n' for line in lines))

        assert len(found) == len(lines)
        assert all(one.line > 1 for one in found)
