"""Every alert fires when it should and is silent when it should, by promtool's own reckoning."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from hack.gen.observability import RULES
from hack.install.machine import ROOT
from hack.observability import rules, slos

_spec = importlib.util.spec_from_file_location("cases", Path(__file__).with_name("cases.py"))
cases = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(cases)

RUNBOOKS = ROOT / "docs" / "runbooks"
METRIC = re.compile(r"\b(kourse_\w+|leader_election_\w+)\b")
RULE = {alert.name: alert for alert in rules.alerts()}


def promtool(*arguments):
    return subprocess.run(
        [shutil.which("promtool"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def reckon(path, days):
    """What promtool says when no alert is expected on any of the days."""
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": key, "values": text} for key, text in series.items()],
            "alert_rule_test": [
                {"alertname": name, "eval_time": f"{cases.MINUTES}m", "exp_alerts": []}
                for name in names
            ],
        }
        for names, series in days
    ]
    document = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}
    path.write_text(yaml.safe_dump(document))
    return promtool("test", "rules", path)


@pytest.fixture(scope="module")
def fired(tmp_path_factory):
    """What fires when it should, by the name of the alert, as promtool words it."""
    said = reckon(tmp_path_factory.mktemp("wrong") / "cases.yaml", cases.WRONG)
    blocks = (said.stdout + said.stderr).split("alertname: ")[1:]
    return {block.partition(",")[0]: block for block in blocks}


class TestAlert:
    @pytest.mark.parametrize("alert", RULE.values(), ids=RULE)
    def test_fires_when_something_is_wrong(self, fired, alert):
        assert f'severity="{alert.severity}"' in fired.get(alert.name, "nothing fired"), fired

    def test_of_any_name_is_silent_when_all_is_well(self, tmp_path):
        said = reckon(tmp_path / "cases.yaml", cases.RIGHT)
        assert said.returncode == 0, said.stdout + said.stderr

    def test_of_no_leader_fires_when_no_operator_is_heard_of(self, tmp_path):
        days = [(("KourseOperatorWithoutLeader",), {'up{job="operator"}': cases.ZERO})]
        said = reckon(tmp_path / "cases.yaml", days)
        assert 'severity="critical"' in said.stdout + said.stderr

    def test_of_every_name_is_tried_both_ways(self):
        for days in (cases.WRONG, cases.RIGHT):
            assert {name for names, _ in days for name in names} == RULE.keys()

    @pytest.mark.parametrize("alert", RULE.values(), ids=RULE)
    def test_has_a_runbook_that_says_how_to_see_mend_and_verify(self, alert):
        page = (RUNBOOKS / f"{alert.page}.md").read_text()
        headings = [line for line in page.splitlines() if line.startswith("## ")]
        assert headings == ["## See", "## Mend", "## Verify"]

    def test_asks_for_metrics_that_exist(self):
        paths = [path for top in ("services", "operator") for path in (ROOT / top).rglob("*.py")]
        sources = "\n".join(path.read_text() for path in paths)
        asked = {name for alert in RULE.values() for name in METRIC.findall(alert.condition)}
        bare = {re.sub(r"_(bucket|count|sum)$", "", name) for name in asked}
        assert {name for name in bare if f'"{name}"' not in sources} == set()


class TestRunbook:
    def test_belongs_to_an_alert(self):
        pages = {path.stem for path in RUNBOOKS.glob("*.md")}
        assert pages == {alert.page for alert in RULE.values()}


class TestBurnRates:
    def test_use_up_the_shares_of_the_workbook(self):
        hours = {"1h": 1, "6h": 6, "1d": 24, "3d": 72}
        gone = [round(b.factor * hours[b.long] / 720, 3) for b in (*slos.FAST, *slos.SLOW)]
        assert gone == [0.02, 0.05, 0.1, 0.1]


class TestHastened:
    def test_changes_nothing_but_times(self):
        def timeless(document):
            text = yaml.safe_dump([group["rules"] for group in document["groups"]], width=10_000)
            return re.sub(r"(?<=\[)\d+[smhd]|(?<=offset )\d+[smhd]|(?<=for: )\S+", "T", text)

        assert timeless(rules.hastened(60)) == timeless(rules.document())

    def test_is_accepted_by_promtool(self, tmp_path):
        path = tmp_path / "rules.yaml"
        path.write_text(yaml.safe_dump(rules.hastened(60)))
        said = promtool("check", "rules", path, RULES)
        assert said.returncode == 0, said.stdout + said.stderr
