"""An operator whose back ends live in memory."""

import pytest

from support.operator_fakes import new_room


@pytest.fixture
def room():
    return new_room()
