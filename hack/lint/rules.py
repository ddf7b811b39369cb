"""Rules of this code base that no ready-made linter knows.

Each rule is a function from a parsed file to findings; a line is exempt where it ends in
``# allow: <rule>``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

Check = Callable[[str, ast.AST], Iterator[tuple[int, str]]]

FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
_BROKER_NAME = re.compile(r"^kourse\.(events|grading|dlx|unrouted|course|cohort)(\.|$)")


@dataclass(frozen=True)
class Finding:
    """One place that breaks a rule."""

    path: Path
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        """The finding as compilers print theirs."""
        return f"{self.path}:{self.line}: {self.rule}: {self.message}"


def no_commit(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Only the edge commits: ``kit.db`` before the response, nothing else."""
    if path.endswith("kit/db.py"):
        return
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "commit"
        ):
            yield node.lineno, "application code never commits; the transaction's owner does"


def no_wall_clock(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Times come from ``kit.clock`` or the database, so that tests and servers agree on them."""
    if path.endswith("kit/clock.py") or "hack/" in path:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"}:
            owner = ast.unparse(node.value)
            if owner in {"datetime", "datetime.datetime", "date", "datetime.date"}:
                yield node.lineno, "take the time from kit.clock or from the database"


def no_broker_literals(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Exchange and queue names are made in ``contracts/names.py`` only."""
    if path.endswith("contracts/names.py"):
        return
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and _BROKER_NAME.match(node.value)
        ):
            yield (
                node.lineno,
                f"{node.value!r} looks like a broker name; contracts/names.py makes those",
            )


def async_dependencies(path: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """A plain ``def`` route costs a thread for each request."""
    if not re.search(r"/api(/\w+)?\.py$", path):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any(
            "router." in ast.unparse(d) for d in node.decorator_list
        ):
            yield node.lineno, f"route {node.name} must be 'async def'"


RULES: dict[str, Check] = {
    "no-commit": no_commit,
    "no-wall-clock": no_wall_clock,
    "no-broker-literals": no_broker_literals,
    "async-dependencies": async_dependencies,
}


def check_file(path: Path, text: str) -> list[Finding]:
    """Findings in one file, in order of their lines."""
    found = []
    if path.stem in FORBIDDEN_NAMES:
        message = "a module is named after what it holds"
        found.append(Finding(path, 1, "no-bins", message))
    lines = text.splitlines()
    tree = ast.parse(text)
    for name, rule in RULES.items():
        for line, message in rule(path.as_posix(), tree):
            if not lines[line - 1].rstrip().endswith(f"# allow: {name}"):
                found.append(Finding(path, line, name, message))
    return sorted(found, key=lambda finding: finding.line)


def check_tree(roots: list[Path]) -> list[Finding]:
    """Findings in all Python files below the roots; generated stubs and migrations are left out."""
    found: list[Finding] = []
    for root in roots:
        for path in sorted(root.rglob("*.py")):
            if "kourse_rpc" not in path.parts and "migrations" not in path.parts:
                found += check_file(path, path.read_text(encoding="utf-8"))
    return found
