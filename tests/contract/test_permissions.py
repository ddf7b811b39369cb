"""The permission catalog: complete, in order, and explained."""

from kourse.contracts.permissions import DENIALS, ROLE_PERMISSIONS, Permission, Role, permissions_of


class TestCatalog:
    def test_every_permission_has_a_sentence_for_its_denial(self):
        assert set(DENIALS) == set(Permission)
        assert all(sentence.endswith(".") for sentence in DENIALS.values())

    def test_every_name_is_a_resource_and_an_action(self):
        assert all(permission.value.count(":") == 1 for permission in Permission)

    def test_permissions_of_one_resource_stand_together(self):
        resources = [permission.value.partition(":")[0] for permission in Permission]

        assert resources == sorted(resources)

    def test_every_permission_is_held_by_some_role(self):
        assert frozenset().union(*ROLE_PERMISSIONS.values()) == frozenset(Permission)

    def test_every_role_is_in_the_table(self):
        assert set(ROLE_PERMISSIONS) == set(Role)


class TestPermissionsOf:
    def test_unknown_roles_allow_nothing(self):
        assert permissions_of(["root", ""]) == frozenset()

    def test_roles_add_up(self):
        both = permissions_of([Role.TEACHER, Role.AUTHOR])

        assert both == ROLE_PERMISSIONS[Role.TEACHER] | ROLE_PERMISSIONS[Role.AUTHOR]

    def test_a_learner_neither_authors_nor_grades(self):
        allowed = permissions_of([Role.LEARNER])

        assert (
            not {Permission.COURSE_AUTHOR, Permission.ATTEMPT_GRADE, Permission.ROLE_ASSIGN}
            & allowed
        )
