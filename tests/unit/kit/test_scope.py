from uuid import UUID

import pytest

from kourse.contracts.errors import NotFound
from kourse.contracts.permissions import Permission, permissions_of
from kourse.kit.auth import Actor
from kourse.kit.auth.scope import cohorts_within

READ = Permission.GRADEBOOK_READ


def actor(*roles, scopes=()):
    return Actor(
        user_id=UUID(int=1),
        tenant="demo",
        roles=frozenset(roles),
        session_id="s",
        permissions=permissions_of(roles),
        scopes=tuple(scopes),
    )


class TestCohortsWithin:
    def test_is_everybody_for_teachers_of_tenant_or_course(self):
        assert cohorts_within(actor("teacher"), READ, "algebra") is None
        assert cohorts_within(actor(scopes=["teacher@course:algebra"]), READ, "algebra") is None

    def test_is_their_own_cohorts_for_others(self):
        mine = actor(scopes=["teacher@cohort:a", "teacher@cohort:b", "learner@cohort:c"])
        assert cohorts_within(mine, READ, "algebra") == {"a", "b"}

    def test_narrows_to_the_cohort_asked_for(self):
        mine = actor(scopes=["teacher@cohort:a", "teacher@cohort:b"])
        assert cohorts_within(mine, READ, "algebra", "a") == {"a"}
        assert cohorts_within(actor("teacher"), READ, "algebra", "z") == {"z"}

    @pytest.mark.parametrize(
        ("scopes", "cohort"),
        [
            (["teacher@cohort:a"], "b"),
            (["teacher@course:geometry"], None),
            (["learner@cohort:a"], None),
            ([], None),
        ],
    )
    def test_hides_what_is_outside_the_scope(self, scopes, cohort):
        with pytest.raises(NotFound):
            cohorts_within(actor("learner", scopes=scopes), READ, "algebra", cohort)
