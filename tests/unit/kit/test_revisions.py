"""The head of a chain is found without loading Alembic."""

import subprocess
import sys

import pytest

from kourse.kit import migrations


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """Writes revision files: name of the revision and of its parent."""
    monkeypatch.setattr(migrations, "directory", lambda _: tmp_path)
    migrations.revisions.cache_clear()
    (tmp_path / "versions").mkdir()

    def write(*revisions):
        for number, (revision, parent) in enumerate(revisions):
            source = f'"""Text."""\nrevision: str = "{revision}"\ndown_revision = {parent!r}\n'
            (tmp_path / "versions" / f"{number}.py").write_text(source)

    yield write
    migrations.revisions.cache_clear()


class TestRevisions:
    def test_are_in_order_whatever_the_files_are_called(self, chain):
        chain(("c", "b"), ("a", None), ("b", "a"))
        assert migrations.revisions("course") == ("a", "b", "c")
        assert migrations.head("course") == "c"

    @pytest.mark.parametrize(
        "revisions",
        [[], [("b", "a")], [("a", None), ("b", "a"), ("c", "a")], [("a", None), ("b", None)]],
        ids=["none", "no start", "a fork", "two starts"],
    )
    def test_must_be_one_line(self, chain, revisions):
        chain(*revisions)
        with pytest.raises(LookupError, match="not one line"):
            migrations.revisions("course")


class TestImports:
    def test_of_a_service_do_not_load_alembic(self):
        script = (
            "import sys, kourse.kit.migrations, kourse.kit.outbox, kourse.kit.inbox;"
            " sys.exit('alembic' in sys.modules)"
        )
        subprocess.run([sys.executable, "-c", script], check=True)
