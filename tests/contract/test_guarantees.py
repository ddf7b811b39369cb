"""The page of guarantees names tests that exist."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)::(\w+)`", PAGE)))


def cases_in(path):
    """Class and function of every test of a file."""
    tree = ast.parse((ROOT / path).read_text())
    return {
        (group.name, one.name)
        for group in tree.body
        if isinstance(group, ast.ClassDef)
        for one in group.body
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }


class TestGuarantees:
    @pytest.mark.parametrize(("path", "group", "name"), NAMED)
    def test_are_proved_by_a_test_that_exists(self, path, group, name):
        assert (group, name) in cases_in(path)

    def test_each_have_a_proof(self):
        rows = re.findall(
            r"^\| (?!promise|---)(.+) \| (.+) \|$", PAGE.split("## What the loss")[0], re.MULTILINE
        )
        assert len(rows) > 10
        assert [promise for promise, proof in rows if "::" not in proof] == []
