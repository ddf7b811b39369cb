"""Roles in the whole tenant, and roles for one course or cohort."""

from uuid import UUID

import pytest

from kourse.contracts.permissions import Permission
from kourse.kit.auth.actor import actor_from
from kourse.kit.auth.claims import Claims


def actor(roles=("learner",), scopes=(), permissions=None):
    return actor_from(
        Claims(
            subject=str(UUID(int=7)),
            expires_at=300.0,
            issued_at=0.0,
            token_id="t",
            tenant="demo",
            session_id="s",
            roles=frozenset(roles),
            scopes=tuple(scopes),
            client=None,
            permissions=None if permissions is None else frozenset(permissions),
        )
    )


class TestHolds:
    def test_is_true_everywhere_for_a_role_in_the_tenant(self):
        assert actor(["teacher"]).holds(Permission.GRADEBOOK_READ, cohort="any")

    def test_is_true_for_the_cohort_of_the_role_only(self):
        teacher = actor(scopes=["teacher@cohort:autumn"])

        assert teacher.holds(Permission.GRADEBOOK_READ, cohort="autumn")
        assert not teacher.holds(Permission.GRADEBOOK_READ, cohort="spring")
        assert not teacher.holds(Permission.GRADEBOOK_READ, course="autumn")
        assert not teacher.holds(Permission.GRADEBOOK_READ)

    @pytest.mark.parametrize("scope", ["teacher", "teacher@", "@cohort:autumn", "x@cohort:autumn"])
    def test_gives_nothing_for_what_is_no_scoped_role(self, scope):
        assert not actor([], [scope]).holds(Permission.GRADEBOOK_READ, cohort="autumn")

    def test_gives_nothing_for_unknown_roles(self):
        assert actor(["root"]).permissions == frozenset()


class TestLimit:
    def test_leaves_of_a_role_what_the_token_names(self):
        limited = actor(["teacher"], permissions=["gradebook:read"])

        assert limited.permissions == {Permission.GRADEBOOK_READ}
        assert not limited.holds_somewhere(Permission.COHORT_READ)

    def test_adds_nothing_that_the_roles_do_not_allow(self):
        assert actor(["learner"], permissions=["role:assign"]).permissions == frozenset()

    def test_binds_scoped_roles_too(self):
        held = ["teacher@cohort:a", "author@course:b"]
        limited = actor([], held, permissions=["cohort:read"])

        assert limited.holds(Permission.COHORT_READ, cohort="a")
        assert not limited.holds(Permission.GRADEBOOK_READ, cohort="a")
        assert limited.scope_names(Permission.COURSE_AUTHOR, "course") == frozenset()

    @pytest.mark.parametrize("named", [[], ["everything"], ["GRADEBOOK:READ"]])
    def test_allows_nothing_when_no_permission_of_the_catalog_is_named(self, named):
        limited = actor(["tenant-admin"], ["teacher@cohort:a"], permissions=named)

        assert limited.permissions == frozenset()
        assert not any(limited.holds_somewhere(one) for one in Permission)


class TestScopeNames:
    def test_lists_the_courses_or_cohorts_of_a_permission(self):
        held = ["teacher@cohort:a", "author@course:b", "teacher@cohort:c"]

        assert actor(scopes=held).scope_names(Permission.COHORT_READ, "cohort") == {"a", "c"}
        assert actor(scopes=held).scope_names(Permission.COURSE_AUTHOR, "course") == {"b"}

    def test_somewhere_is_enough_to_enter(self):
        assert actor(scopes=["teacher@cohort:a"]).holds_somewhere(Permission.COHORT_READ)
        assert not actor().holds_somewhere(Permission.COHORT_READ)
