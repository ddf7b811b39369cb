"""The code base's own lint rules find what they are for, and nothing else."""

from pathlib import Path

import pytest

from hack.lint.rules import check_file


def rules_broken(path: str, text: str) -> set[str]:
    return {finding.rule for finding in check_file(Path(path), text)}


class TestCheckFile:
    @pytest.mark.parametrize(
        ("path", "text", "rule"),
        [
            (
                "services/kourse/course/service.py",
                "async def f(tx):\n    await tx.commit()\n",
                "no-commit",
            ),
            ("services/kourse/course/domain.py", "x = datetime.now(UTC)\n", "no-wall-clock"),
            ("services/kourse/kit/bus.py", "x = 'kourse.events'\n", "no-broker-literals"),
            (
                "services/kourse/course/api.py",
                "@router.get('/')\ndef f(): ...\n",
                "async-dependencies",
            ),
            ("services/kourse/kit/utils.py", "", "no-bins"),
        ],
    )
    def test_finds_each_breach(self, path, text, rule):
        assert rules_broken(path, text) == {rule}

    def test_lets_the_session_owner_commit(self):
        assert rules_broken("services/kourse/kit/db.py", "await session.commit()\n") == set()

    def test_honours_an_exemption_on_the_line(self):
        assert (
            rules_broken("services/kourse/x.py", "x = date.today()  # allow: no-wall-clock\n")
            == set()
        )

    def test_is_quiet_about_clean_code(self):
        assert (
            rules_broken("services/kourse/course/domain.py", "def f(now):\n    return now\n")
            == set()
        )
