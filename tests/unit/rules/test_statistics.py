"""What an author should make of a question's figures."""

import pytest

from kourse.rules.statistics import Verdict, verdict


class TestVerdict:
    @pytest.mark.parametrize(
        ("attempts", "facility", "discrimination", "expected"),
        [
            (29, 0.5, -0.9, Verdict.TOO_FEW),
            (30, 0.5, -0.01, Verdict.MISLEADING),
            (30, 0.95, 0.1, Verdict.EASY),
            (30, 1.0, None, Verdict.EASY),
            (30, 0.94, 0.19, Verdict.WEAK),
            (30, 0.0, None, Verdict.WEAK),
            (30, 0.94, 0.2, Verdict.GOOD),
        ],
    )
    def test_follows_the_figures_once_there_are_enough(
        self, attempts, facility, discrimination, expected
    ):
        assert verdict(attempts, facility, discrimination) is expected
