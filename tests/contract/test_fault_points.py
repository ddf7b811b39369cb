"""Every fault point is reached by the code, and hit on purpose by a test."""

import ast
from functools import cache
from pathlib import Path

import pytest

from kourse.kit.faults import POINTS

ROOT = Path(__file__).parents[2]
TESTS = [
    path
    for path in (ROOT / "tests").rglob("*.py")
    if path != Path(__file__)
    and ("KOURSE_FAULTS" in path.read_text() or "faults" in path.read_text())
]


@cache
def literals():
    """Every string literal of the tests that arm faults."""
    return {
        node.value
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@cache
def reached():
    """Names that the code passes to ``faults.point``."""
    return {
        node.args[0].value
        for sources in (ROOT / "services" / "kourse", ROOT / "operator")
        for path in sources.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "faults.point"
    }


@pytest.mark.parametrize("point", POINTS)
class TestFaultPoint:
    def test_is_reached_by_the_code(self, point):
        assert point in reached()

    def test_is_hit_by_a_test(self, point):
        room = point.partition(".")[0] + "."  # a test may take all points of a room from the list
        assert {point, room} & literals()


class TestCode:
    def test_names_no_point_that_is_not_in_the_list(self):
        assert reached() <= set(POINTS)
