"""The matrix of the end-to-end tests knows what every parameter of every route names."""

import pytest

from support.permission_matrix import (
    PEOPLE,
    PERSONAL,
    ROUTES,
    TENANTS,
    WITHIN,
    name_of,
    parameters,
)


class TestParameters:
    @pytest.mark.parametrize("route", [r for r in ROUTES if r.permission], ids=name_of)
    def test_name_what_belongs_to_somebody(self, route):
        assert parameters(route) <= PERSONAL | TENANTS | PEOPLE | WITHIN

    def test_have_one_kind_of_owner_each(self):
        kinds = [PERSONAL, TENANTS, PEOPLE, WITHIN]
        assert sum(map(len, kinds)) == len(set().union(*kinds))
