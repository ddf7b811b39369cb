"""The error catalog: stable codes, and what each kind of error means to its readers."""

import re

import pytest

from kourse.contracts.errors import KourseError, Rejected, Unavailable

CATALOG = sorted(KourseError.catalog.items())


class TestCatalog:
    @pytest.mark.parametrize(("code", "error"), CATALOG, ids=[code for code, _ in CATALOG])
    def test_every_code_is_kebab_case_and_its_title_a_sentence(self, code, error):
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert error.title.endswith(".")

    @pytest.mark.parametrize(("code", "error"), CATALOG, ids=[code for code, _ in CATALOG])
    def test_what_a_client_did_wrong_is_never_a_5xx(self, code, error):
        if issubclass(error, Rejected):
            assert 400 <= error.status < 500
        if issubclass(error, Unavailable):
            assert error.status in {503, 504}

    def test_a_code_cannot_be_taken_twice(self):
        with pytest.raises(TypeError, match="not-found"):
            type("Other", (KourseError,), {"code": "not-found"})
