"""Nobody gives away more than they hold, neither to people nor to programs."""

from uuid import UUID

import pytest

from kourse.contracts.errors import Forbidden
from kourse.contracts.permissions import HOLDERS_ALONE, Permission, Role, permissions_of
from kourse.identity import policies
from kourse.identity.domain.accounts import Assignment
from kourse.identity.domain.programs import Scope
from kourse.kit.auth import Actor


def actor(*roles, scopes=(), limit=None):
    held = permissions_of(roles)
    return Actor(
        user_id=UUID(int=7),
        tenant="demo",
        roles=frozenset(roles),
        session_id="s",
        permissions=held if limit is None else held & limit,
        scopes=tuple(scopes),
        limit=limit,
    )


class TestMayGrant:
    @pytest.mark.parametrize("role", [role for role in Role if role != Role.PLATFORM_ADMIN])
    def test_lets_an_administrator_give_every_role_of_a_tenant(self, role):
        assert policies.may_grant(actor("tenant-admin"), [Assignment(role)]) is True

    def test_keeps_a_tenants_administrator_from_reaching_for_the_platform(self):
        made = [Assignment(Role.PLATFORM_ADMIN)]
        assert "platform-admin" in str(policies.may_grant(actor("tenant-admin"), made))

    def test_lets_who_holds_both_make_another_platform_administrator(self):
        made = [Assignment(Role.PLATFORM_ADMIN)]
        assert policies.may_grant(actor("tenant-admin", "platform-admin"), made) is True

    @pytest.mark.parametrize("role", [Role.AUTHOR, Role.TENANT_ADMIN])
    def test_keeps_a_teacher_from_giving_more_than_a_teacher_has(self, role):
        assert role.value in str(policies.may_grant(actor("teacher"), [Assignment(role)]))

    def test_looks_at_scoped_roles_too(self):
        scoped = Assignment(Role.TENANT_ADMIN, course="statistics")

        assert policies.may_grant(actor("teacher"), [scoped]) is not True

    def test_lets_a_cohorts_teacher_give_roles_for_that_cohort_alone(self):
        teacher = actor("learner", scopes=["teacher@cohort:autumn"])

        assert policies.may_grant(teacher, [Assignment(Role.TEACHER, cohort="autumn")]) is True
        assert policies.may_grant(teacher, [Assignment(Role.TEACHER, cohort="spring")]) is not True
        assert policies.may_grant(teacher, [Assignment(Role.TEACHER, course="autumn")]) is not True
        assert policies.may_grant(teacher, [Assignment(Role.TEACHER)]) is not True

    def test_keeps_an_administrators_narrow_token_from_giving_what_it_does_not_allow(self):
        narrow = actor("tenant-admin", limit=frozenset({Permission.ROLE_ASSIGN}))

        assert policies.may_grant(narrow, [Assignment(Role.TEACHER)]) is not True
        assert policies.may_grant(narrow, [Assignment(Role.LEARNER)]) is True

    def test_asks_of_a_limited_role_what_the_limit_leaves_of_it(self):
        planner = actor("planner")
        author = [Assignment(Role.AUTHOR)]

        assert policies.may_grant(planner, author, frozenset({Permission.COURSE_PLAN})) is True
        assert (
            policies.may_grant(planner, author, frozenset({Permission.COURSE_AUTHOR})) is not True
        )


class TestMayLimit:
    def test_refuses_what_no_program_may_have(self):
        answer = policies.may_limit(
            actor("tenant-admin"), [Permission.ACCOUNT_SELF], Scope(), barred=HOLDERS_ALONE
        )

        assert "account:self" in str(answer)

    def test_refuses_what_the_person_does_not_hold(self):
        wanted = [Permission.COURSE_STUDY, Permission.GRADEBOOK_READ]

        answer = policies.may_limit(actor("learner"), wanted, Scope(), barred=HOLDERS_ALONE)

        assert "gradebook:read" in str(answer)

    def test_refuses_a_scope_in_which_it_is_not_held(self):
        teacher = actor("learner", scopes=["teacher@cohort:autumn"])
        wanted = [Permission.GRADEBOOK_READ]

        def answer(scope):
            return policies.may_limit(teacher, wanted, scope, barred=HOLDERS_ALONE)

        assert answer(Scope(cohort="autumn")) is True
        assert answer(Scope()) is True
        assert answer(Scope(cohort="spring")) is not True


class TestEnsure:
    def test_turns_a_reason_into_a_refusal(self):
        with pytest.raises(Forbidden, match="because"):
            policies.ensure("because")

    def test_lets_true_pass(self):
        policies.ensure(True)
