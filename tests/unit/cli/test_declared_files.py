"""What ``push-assets`` finds in a folder of manifests, before it talks to anybody."""

import hashlib

import pytest
import yaml

from kourse.cli.declared_files import declared_files
from kourse.cli.session import CommandError

PICTURE = b"<svg/>"
DIGEST = hashlib.sha256(PICTURE).hexdigest()


@pytest.fixture
def folder(tmp_path):
    """A folder with one course that names one picture."""
    (tmp_path / "picture.svg").write_bytes(PICTURE)
    asset = {"path": "picture.svg", "sha256": DIGEST}
    lesson = {"key": "one", "assets": [asset]}
    course = {
        "kind": "Course",
        "metadata": {"name": "algebra"},
        "spec": {"chapters": [{"lessons": [lesson]}]},
    }
    (tmp_path / "course.yaml").write_text(yaml.safe_dump(course))
    return tmp_path


class TestDeclaredFiles:
    def test_finds_what_a_lesson_names(self, folder):
        (found,) = declared_files([folder])

        assert (found.course, found.path) == ("algebra", "picture.svg")
        assert found.offer == {
            "path": "picture.svg",
            "sha256": DIGEST,
            "size": len(PICTURE),
            "contentType": "image/svg+xml",
        }

    def test_names_a_file_once_when_two_manifests_do(self, folder):
        (folder / "again.yaml").write_text((folder / "course.yaml").read_text())

        assert len(declared_files([folder])) == 1

    def test_says_which_digest_is_wrong(self, folder):
        (folder / "picture.svg").write_bytes(b"<svg>changed</svg>")

        with pytest.raises(CommandError, match="write the new digest"):
            declared_files([folder])

    def test_says_which_file_is_missing(self, folder):
        (folder / "picture.svg").unlink()

        with pytest.raises(CommandError, match="not beside it"):
            declared_files([folder])

    def test_says_which_file_is_no_yaml(self, folder):
        (folder / "broken.yaml").write_text("a: [")

        with pytest.raises(CommandError, match=r"broken\.yaml is not YAML"):
            declared_files([folder])

    def test_refuses_a_place_that_does_not_exist(self, folder):
        with pytest.raises(CommandError, match="nowhere"):
            declared_files([folder / "nowhere"])
