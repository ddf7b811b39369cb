"""Nobody gives away more than they hold."""

import pytest

from kourse.contracts.errors import Forbidden
from kourse.contracts.permissions import Role, permissions_of
from kourse.identity import policies
from kourse.identity.domain.accounts import Assignment


class TestMayGrant:
    @pytest.mark.parametrize("role", [role for role in Role if role != Role.PLATFORM_ADMIN])
    def test_lets_an_administrator_give_every_role_of_a_tenant(self, role):
        assert policies.may_grant(permissions_of(["tenant-admin"]), [Assignment(role)]) is True

    def test_keeps_a_tenants_administrator_from_reaching_for_the_platform(self):
        made = [Assignment(Role.PLATFORM_ADMIN)]
        held = permissions_of(["tenant-admin"])
        assert "platform-admin" in str(policies.may_grant(held, made))

    def test_lets_who_holds_both_make_another_platform_administrator(self):
        made = [Assignment(Role.PLATFORM_ADMIN)]
        assert policies.may_grant(permissions_of(["tenant-admin", "platform-admin"]), made) is True

    @pytest.mark.parametrize("role", [Role.AUTHOR, Role.TENANT_ADMIN])
    def test_keeps_a_teacher_from_giving_more_than_a_teacher_has(self, role):
        answer = policies.may_grant(permissions_of(["teacher"]), [Assignment(role)])

        assert role.value in str(answer)

    def test_looks_at_scoped_roles_too(self):
        scoped = Assignment(Role.TENANT_ADMIN, course="statistics")

        assert policies.may_grant(permissions_of(["teacher"]), [scoped]) is not True


class TestEnsure:
    def test_turns_a_reason_into_a_refusal(self):
        with pytest.raises(Forbidden, match="because"):
            policies.ensure("because")

    def test_lets_true_pass(self):
        policies.ensure(True)
