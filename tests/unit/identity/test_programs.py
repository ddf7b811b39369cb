"""What a token for a program allows: the meeting of roles, its limit and what it asks for."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from kourse.contracts.permissions import Permission, Role, permissions_of
from kourse.identity.domain.accounts import Assignment, standing
from kourse.identity.domain.programs import Scope, allowed, granted, narrowed

NOW = datetime(2027, 4, 1, tzinfo=UTC)
NAMES = st.sampled_from([None, "a", "b"])
ASSIGNMENTS = st.lists(
    st.builds(
        lambda role, name, kind: Assignment(role, **({kind: name} if name else {})),
        st.sampled_from(Role),
        NAMES,
        st.sampled_from(["course", "cohort"]),
    ),
    max_size=6,
)
SCOPES = st.sampled_from([Scope(), Scope(course="a"), Scope(cohort="a"), Scope(cohort="b")])
LIMITS = st.frozensets(st.sampled_from(Permission))


def standing_of(*held):
    return standing(held, NOW)


class TestNarrowed:
    def test_turns_a_role_of_the_tenant_into_one_of_the_scope(self):
        held = [Assignment(Role.TEACHER)]

        assert narrowed(held, Scope(cohort="a")) == [Assignment(Role.TEACHER, cohort="a")]

    def test_leaves_out_what_is_held_elsewhere(self):
        held = [Assignment(Role.TEACHER, cohort="b"), Assignment(Role.AUTHOR, course="a")]

        assert narrowed(held, Scope(cohort="a")) == []

    def test_keeps_the_end_of_a_role(self):
        held = [Assignment(Role.TEACHER, until=NOW)]

        assert narrowed(held, Scope(course="a"))[0].until == NOW

    def test_changes_nothing_without_a_scope(self):
        held = [Assignment(Role.TEACHER), Assignment(Role.AUTHOR, course="a")]

        assert narrowed(held, Scope()) == held

    @given(ASSIGNMENTS, SCOPES)
    def test_never_allows_more(self, held, scope):
        before, after = standing(held, NOW), standing(narrowed(held, scope), NOW)

        assert allowed(after) <= allowed(before)
        assert scope.is_tenant or after.roles == ()


class TestGranted:
    def test_is_what_roles_limit_and_wish_have_in_common(self):
        teacher = standing_of(Assignment(Role.TEACHER))
        limit = frozenset(
            {Permission.COHORT_READ, Permission.ROLE_ASSIGN, Permission.GRADEBOOK_READ}
        )

        assert granted(teacher, limit, None) == {Permission.COHORT_READ, Permission.GRADEBOOK_READ}
        wished = frozenset({Permission.COHORT_READ, Permission.COURSE_STUDY})
        assert granted(teacher, limit, wished) == {Permission.COHORT_READ}

    def test_counts_scoped_roles(self):
        teacher = standing_of(Assignment(Role.TEACHER, cohort="a"))

        assert granted(teacher, frozenset({Permission.COHORT_READ}), None)

    def test_is_nothing_once_the_role_has_ended(self):
        former = standing_of(Assignment(Role.TEACHER, until=NOW))

        assert granted(former, frozenset(Permission), None) == frozenset()

    @given(ASSIGNMENTS, LIMITS, st.none() | LIMITS)
    def test_never_exceeds_any_of_the_three(self, held, limit, wanted):
        found = granted(standing(held, NOW), limit, wanted)

        assert found <= permissions_of(one.role for one in held)
        assert found <= limit
        assert wanted is None or found <= wanted
